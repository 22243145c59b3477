# What people do with this repository, one line each. `make test` is what .ci/run calls.

CARGO ?= cargo
FLOW = $${CARGO_TARGET_DIR:-target}/release/flow
FLOW_DEBUG = $${CARGO_TARGET_DIR:-target}/debug/flow
NEED_CARGO = @command -v $(CARGO) >/dev/null || { echo 'Rust is missing (1.94 or later): install it from https://rustup.rs'; exit 1; }; \
	{ [ -e /usr/include/openssl/ssl.h ] || pkg-config --exists openssl 2>/dev/null; } || \
	{ echo 'The headers of OpenSSL are missing, which the Kafka client needs: apt-get install libssl-dev pkg-config | dnf install openssl-devel | brew install openssl pkg-config'; exit 1; }

.PHONY: run build ui test test-sqlite test-postgres test-servers test-ui test-e2e screenshots soak bench bench-ui airflow-golden lint fmt doc

# Flow with the example DAGs, at http://127.0.0.1:8080; everything it and they keep is in ./.flow
run: build
	home="$${FLOW_HOME:-$(CURDIR)/.flow}"; \
	FLOW_HOME="$$home" FLOW_DATA="$${FLOW_DATA:-$$home/data}" exec $(FLOW) standalone --dags dags

build:
	$(NEED_CARGO)
	scripts/ui --if-possible
	$(CARGO) build --locked --release --package flow

# The web UI, into web/dist; a release binary carries what is there when it is built
ui:
	scripts/ui

# Everything, on both databases; the quick checks first
test: lint test-sqlite test-postgres test-servers doc test-ui test-e2e

test-sqlite:
	$(NEED_CARGO)
	$(CARGO) test --locked --package flow-core
	FLOW_TEST_SERVERS=some scripts/with-mariadb scripts/with-kafka $(CARGO) test --locked --workspace --exclude flow-core --exclude flow-clients --exclude flow-operators

test-postgres:
	$(NEED_CARGO)
	scripts/with-postgres scripts/with-mariadb scripts/with-kafka $(CARGO) test --locked --package flow-store --package flow-runtime --package flow-server --package flow

# What talks to other systems, with a real server of each beside it; and what says that it was left out. With
# OpenTelemetry, traces are tested beside all the rest: the tests of `flow` ask for it.
test-servers:
	$(NEED_CARGO)
	scripts/with-postgres --tls scripts/with-mariadb --tls scripts/with-kafka $(CARGO) test --locked --package flow-clients --package flow-operators
	$(CARGO) test --locked --package flow-clients --no-default-features --test kafka_absent
	$(CARGO) test --locked --package flow-traces

# The web UI by itself: style, types, unit tests, its size, and whether it knows the API as it is
test-ui: ui
	cd web && npm run --silent lint && npm test && npm run --silent size && npm run --silent api -- --check

# What people do with it, in a real browser and with a real Flow; needs Chromium
test-e2e: ui
	$(NEED_CARGO)
	$(CARGO) build --locked --package flow
	FLOW_BIN="$(FLOW_DEBUG)" scripts/with-chromium node --test --test-reporter=spec --test-concurrency=1 web/e2e/harness/*.test.js web/e2e/*.test.js

# docs/screenshots, from real runs of the examples
screenshots: ui
	$(NEED_CARGO)
	$(CARGO) build --locked --package flow
	FLOW_BIN="$(FLOW_DEBUG)" scripts/with-chromium node web/e2e/screenshots.js

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
	@[ -n "$${BENCH_ONLY-}" ] || $(MAKE) --no-print-directory bench-ui

# How soon pages with very much on them can be used: a table, and bench-ui.json
bench-ui: build
	FLOW_BIN="$(FLOW)" scripts/with-chromium node web/e2e/speed.js

lint:
	$(NEED_CARGO)
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings
	$(CARGO) clippy --locked --package flow --no-default-features -- --deny warnings

fmt:
	$(NEED_CARGO)
	$(CARGO) fmt --all

doc:
	$(NEED_CARGO)
	RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --locked --workspace --no-deps --document-private-items
