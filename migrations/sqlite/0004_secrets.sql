-- Variables and connections. What is secret is encrypted, see flow_store::keyring; nothing else gets in.

CREATE TABLE variable (
    key         TEXT PRIMARY KEY,
    value       TEXT NOT NULL CHECK (value LIKE 'f1:%'),
    description TEXT
);

CREATE TABLE connection (
    connection_id TEXT PRIMARY KEY,
    conn_type   TEXT NOT NULL,
    description TEXT,
    host        TEXT,
    login       TEXT,
    schema      TEXT,
    port        BIGINT CHECK (port BETWEEN 0 AND 65535),
    password    TEXT CHECK (password LIKE 'f1:%'),
    extra       TEXT CHECK (extra LIKE 'f1:%')
);

-- The key that values are encrypted with from now on; older values may still need another.
CREATE TABLE secret_key (
    one         BIGINT PRIMARY KEY CHECK (one = 1),
    key_id      TEXT NOT NULL
);

-- Airflow's: kept for its clients. Nothing in Flow is deferred.
ALTER TABLE pool ADD COLUMN include_deferred BOOLEAN NOT NULL DEFAULT FALSE;
