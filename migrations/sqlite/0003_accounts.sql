-- Who may log in, with what, and which DAGs they may see.
-- The same tables, columns and rules stand in migrations/postgres.

CREATE TABLE account (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    folded      TEXT NOT NULL UNIQUE,           -- the name in small letters: `Ada` and `ada` are not two people
    role        TEXT NOT NULL CHECK (role IN ('Viewer', 'User', 'Op', 'Admin')),
    password    TEXT NOT NULL,                  -- argon2id, as a PHC string
    is_active   BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL,
    last_login_at BIGINT
);

CREATE TABLE token (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account     BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    hash        TEXT NOT NULL UNIQUE,           -- SHA-256 of the secret; the secret is nowhere
    prefix      TEXT NOT NULL,                  -- its first characters, to recognise it by
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,                         -- null = never
    last_used_at BIGINT,                        -- to a minute
    revoked_at  BIGINT
);
CREATE INDEX token_account ON token (account, created_at);

CREATE TABLE session (
    hash        TEXT PRIMARY KEY,               -- SHA-256 of the id in the cookie
    account     BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,                -- to a minute
    expires_at  BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account, created_at);
CREATE INDEX session_expires ON session (expires_at);

-- JSON, role or user to `can_read` or `can_edit`; null = the DAG is there for everyone.
ALTER TABLE dag ADD COLUMN access TEXT;
CREATE INDEX dag_access ON dag (dag_id) WHERE access IS NOT NULL;
