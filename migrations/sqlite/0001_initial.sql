-- The state of DAGs, runs and task instances. Moments are microseconds since 1970 in UTC; JSON is text.
-- The same tables, columns and rules stand in migrations/postgres.

CREATE TABLE dag_source (
    hash        TEXT PRIMARY KEY,               -- SHA-256 of text and files
    text        TEXT NOT NULL,
    files       TEXT NOT NULL                   -- JSON: contents of `$f` files by path
);

CREATE TABLE dag_version (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    dag_id      TEXT NOT NULL,
    number      BIGINT NOT NULL CHECK (number > 0),
    hash        TEXT NOT NULL,                  -- of the meaning
    source_hash TEXT NOT NULL REFERENCES dag_source (hash),
    file        TEXT NOT NULL,
    document    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    UNIQUE (dag_id, number)
);

CREATE TABLE dag (
    dag_id          TEXT PRIMARY KEY,
    version_id      BIGINT NOT NULL REFERENCES dag_version (id),
    file            TEXT NOT NULL,
    display_name    TEXT,
    description     TEXT,
    owners          TEXT NOT NULL,
    tags            TEXT NOT NULL,              -- JSON list
    schedule        TEXT NOT NULL,              -- in words
    max_active_runs BIGINT NOT NULL,
    is_paused       BOOLEAN NOT NULL,
    is_stale        BOOLEAN NOT NULL,
    is_blocked      BOOLEAN NOT NULL DEFAULT FALSE, -- a run is due, but `max_active_runs` are active
    enabled_at      BIGINT NOT NULL,            -- first seen, or last unpaused
    due_at          BIGINT,                     -- when to ask the timetable again
    next_logical_date   BIGINT,
    next_interval_start BIGINT,
    next_interval_end   BIGINT,
    next_run_after      BIGINT,
    parsed_at       BIGINT NOT NULL,
    CHECK (due_at IS NULL OR NOT (is_paused OR is_stale))
);
CREATE INDEX dag_due ON dag (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX dag_file_path ON dag (file);
CREATE INDEX dag_blocked ON dag (dag_id) WHERE is_blocked;

CREATE TABLE dag_file (
    path        TEXT PRIMARY KEY,
    hash        TEXT NOT NULL,                  -- of text, `$f` files and the reader's version
    parsed_at   BIGINT NOT NULL
);

CREATE TABLE import_error (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    path        TEXT NOT NULL UNIQUE,
    at          BIGINT NOT NULL,
    text        TEXT NOT NULL,                  -- as printed, with code frames
    diagnostics TEXT NOT NULL                   -- JSON list
);

CREATE TABLE dag_run (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    dag_id          TEXT NOT NULL,
    run_id          TEXT NOT NULL,
    run_type        TEXT NOT NULL CHECK (run_type IN ('scheduled', 'manual', 'backfill', 'asset_triggered')),
    state           TEXT NOT NULL CHECK (state IN ('queued', 'running', 'success', 'failed')),
    logical_date    BIGINT,
    interval_start  BIGINT,
    interval_end    BIGINT,
    run_after       BIGINT NOT NULL,
    queued_at       BIGINT NOT NULL,
    started_at      BIGINT,
    ended_at        BIGINT,
    conf            TEXT NOT NULL,
    version_id      BIGINT NOT NULL REFERENCES dag_version (id),
    triggered_by    TEXT NOT NULL,
    triggering_user TEXT,
    note            TEXT,
    clear_number    BIGINT NOT NULL DEFAULT 0,
    UNIQUE (dag_id, run_id),
    UNIQUE (dag_id, logical_date),
    CHECK ((state IN ('success', 'failed')) = (ended_at IS NOT NULL))
);
CREATE INDEX dag_run_active ON dag_run (dag_id, state, run_after, id) WHERE state IN ('queued', 'running');
CREATE INDEX dag_run_scheduled ON dag_run (dag_id, logical_date) WHERE run_type = 'scheduled';
CREATE INDEX dag_run_ended ON dag_run (dag_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX dag_run_old ON dag_run (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX dag_run_version ON dag_run (version_id);
CREATE INDEX dag_run_by_time ON dag_run (dag_id, run_after, id);

CREATE TABLE task_instance (
    run             BIGINT NOT NULL REFERENCES dag_run (id) ON DELETE CASCADE,
    task_id         TEXT NOT NULL,
    map_index       BIGINT NOT NULL CHECK (map_index >= -1),
    dag_id          TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('no_status', 'scheduled', 'queued', 'running', 'success', 'failed',
                        'skipped', 'upstream_failed', 'up_for_retry', 'up_for_reschedule', 'deferred', 'awaiting_input',
                        'restarting', 'removed')),
    try_number      BIGINT NOT NULL CHECK (try_number >= 0),
    max_tries       BIGINT NOT NULL,
    lost            BIGINT NOT NULL,
    next_at         BIGINT,
    scheduled_at    BIGINT,
    queued_at       BIGINT,
    started_at      BIGINT,
    ended_at        BIGINT,
    skips           TEXT,                       -- JSON, see flow_core::run::Skips; null = none
    operator        TEXT NOT NULL,
    pool            TEXT NOT NULL,
    pool_slots      BIGINT NOT NULL CHECK (pool_slots > 0),
    priority_weight BIGINT NOT NULL,
    queue           TEXT NOT NULL,
    sort_date       BIGINT NOT NULL,            -- logical date, or when the run was due
    max_active_tasks    BIGINT NOT NULL,
    max_per_dag     BIGINT,
    max_per_run     BIGINT,
    hostname        TEXT,
    note            TEXT,
    PRIMARY KEY (run, task_id, map_index),
    CHECK (state NOT IN ('success', 'failed', 'skipped', 'upstream_failed') OR ended_at IS NOT NULL),
    CHECK (state NOT IN ('up_for_retry', 'up_for_reschedule') OR next_at IS NOT NULL)
) WITHOUT ROWID;
CREATE INDEX task_instance_waiting ON task_instance (priority_weight DESC, sort_date, dag_id, run, task_id, map_index)
    WHERE state = 'scheduled';

CREATE TABLE attempt (
    run             BIGINT NOT NULL REFERENCES dag_run (id) ON DELETE CASCADE,
    task_id         TEXT NOT NULL,
    map_index       BIGINT NOT NULL,
    try_number      BIGINT NOT NULL CHECK (try_number > 0),
    token           BIGINT NOT NULL,            -- counted up by each claim; a report with an older one is refused
    dag_id          TEXT NOT NULL,
    pool            TEXT NOT NULL,
    pool_slots      BIGINT NOT NULL,
    queue           TEXT NOT NULL,
    priority_weight BIGINT NOT NULL,
    queued_at       BIGINT NOT NULL,
    worker          TEXT,                       -- null = waits for one
    hostname        TEXT,
    started_at      BIGINT,                     -- first claim of this try
    lease_until     BIGINT,
    ended_at        BIGINT,                     -- null = alive: it holds its slots
    outcome         TEXT,                       -- JSON, see flow_core::run::Outcome
    settled         BOOLEAN NOT NULL,           -- the scheduler has used the outcome
    memory          TEXT,                       -- JSON: what a sensor keeps between looks
    PRIMARY KEY (run, task_id, map_index, try_number),
    CHECK (worker IS NULL OR (started_at IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) WITHOUT ROWID;
CREATE INDEX attempt_alive ON attempt (worker, queue, priority_weight DESC, queued_at) WHERE ended_at IS NULL;
CREATE INDEX attempt_unsettled ON attempt (run) WHERE NOT settled;

CREATE TABLE xcom (
    run         BIGINT NOT NULL REFERENCES dag_run (id) ON DELETE CASCADE,
    task_id     TEXT NOT NULL,
    map_index   BIGINT NOT NULL,
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,                  -- JSON
    at          BIGINT NOT NULL,
    PRIMARY KEY (run, task_id, map_index, key)
) WITHOUT ROWID;

CREATE TABLE rendered (
    run         BIGINT NOT NULL REFERENCES dag_run (id) ON DELETE CASCADE,
    task_id     TEXT NOT NULL,
    map_index   BIGINT NOT NULL,
    fields      TEXT NOT NULL,                  -- JSON: arguments as the latest attempt saw them, secrets masked
    PRIMARY KEY (run, task_id, map_index)
) WITHOUT ROWID;

CREATE TABLE pool (
    name        TEXT PRIMARY KEY,
    slots       BIGINT NOT NULL CHECK (slots >= -1), -- -1 = no limit
    description TEXT NOT NULL
);
INSERT INTO pool (name, slots, description) VALUES ('default_pool', 128, 'Default pool');

-- "Look at this run", no earlier than `due`. Only ever inserted; a look deletes what it found before it reads.
CREATE TABLE wake (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    dag_id      TEXT NOT NULL,
    run         BIGINT NOT NULL,
    due         BIGINT NOT NULL
);
CREATE INDEX wake_due ON wake (due, dag_id, run);
CREATE INDEX wake_run ON wake (run);

CREATE TABLE event (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          BIGINT NOT NULL,
    kind        TEXT NOT NULL,                  -- task_state, run_state, dag, …
    dag_id      TEXT,
    run_id      TEXT,
    task_id     TEXT,
    map_index   BIGINT,
    try_number  BIGINT,
    state       TEXT,
    detail      TEXT,
    who         TEXT
);

CREATE TABLE process (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,                  -- standalone, scheduler, worker
    hostname    TEXT NOT NULL,
    machine     TEXT NOT NULL,                  -- names the running system: boot id and pid namespace
    pid         BIGINT NOT NULL,
    pid_started TEXT NOT NULL,
    slots       BIGINT NOT NULL,
    queues      TEXT NOT NULL,                  -- JSON list
    version     TEXT NOT NULL,
    started_at  BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    ended_at    BIGINT
);
CREATE INDEX process_alive ON process (hostname) WHERE ended_at IS NULL;
