# What people do with this repository, one line each. `make test` is what .ci/run calls.

CARGO ?= cargo
FLOW = $${CARGO_TARGET_DIR:-target}/release/flow
NEED_CARGO = @command -v $(CARGO) >/dev/null || { echo 'Rust is missing (1.94 or later): install it from https://rustup.rs'; exit 1; }

.PHONY: run build test test-sqlite test-postgres soak bench airflow-golden lint fmt doc

# Flow with the example DAGs, at http://127.0.0.1:8080; everything it and they keep is in ./.flow
run: build
	home="$${FLOW_HOME:-$(CURDIR)/.flow}"; \
	FLOW_HOME="$$home" FLOW_DATA="$${FLOW_DATA:-$$home/data}" exec $(FLOW) standalone --dags dags

build:
	$(NEED_CARGO)
	$(CARGO) build --locked --release --package flow

# Everything, on both databases; the quick checks first
test: lint test-sqlite test-postgres doc

test-sqlite:
	$(NEED_CARGO)
	$(CARGO) test --locked --package flow-core
	$(CARGO) test --locked --workspace --exclude flow-core

test-postgres:
	$(NEED_CARGO)
	scripts/with-postgres $(CARGO) test --locked --package flow-store --package flow-runtime --package flow-server --package flow

# What the real Airflow makes of the documents in crates/flow/tests/airflow, written down for the tests.
# AIRFLOW_PYTHON: a Python with apache-airflow-core 3.4 and its standard provider
airflow-golden:
	$${AIRFLOW_PYTHON:-python3} crates/flow/tests/airflow/record.py

# The long versions of the crash and simulation tests
soak:
	$(NEED_CARGO)
	FLOW_SOAK=1 scripts/with-postgres $(CARGO) test --locked --release --workspace

# Speed on both databases beside the machine's own limits: a table, and bench.json
bench:
	$(NEED_CARGO)
	@case "$${BENCH_DATABASES:-postgres}" in \
	*postgres*) exec scripts/with-postgres --durable scripts/bench ;; \
	*) exec scripts/bench ;; \
	esac

lint:
	$(NEED_CARGO)
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings

fmt:
	$(NEED_CARGO)
	$(CARGO) fmt --all

doc:
	$(NEED_CARGO)
	RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --locked --workspace --no-deps --document-private-items
