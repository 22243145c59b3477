-- What DAGs ask to be done when a task or a run comes to a point: written with the change itself, done by workers.
-- The same tables, columns and rules stand in migrations/postgres.

CREATE TABLE callback (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    run         BIGINT NOT NULL REFERENCES dag_run (id) ON DELETE CASCADE,
    dag_id      TEXT NOT NULL,
    version_id  BIGINT NOT NULL,                -- the version that says what is to be done
    task_id     TEXT NOT NULL,                  -- empty = of the run
    map_index   BIGINT NOT NULL,                -- -1 = not mapped
    number      BIGINT NOT NULL,                -- the try; of a run, how often it was cleared
    event       TEXT NOT NULL,                  -- execute, success, failure, retry, skipped
    place       BIGINT NOT NULL,                -- in the list of this event, from 0
    operator    TEXT NOT NULL,
    exception   TEXT NOT NULL,                  -- what went wrong; empty = nothing did
    state       TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    tries       BIGINT NOT NULL,                -- those that have begun; also tells a late answer from the current one
    due         BIGINT NOT NULL,                -- the next try; while one is under way, when its worker is given up
    worker      TEXT,                           -- who is at it
    error       TEXT,                           -- of the last try
    log         TEXT,                           -- the end of what the last try said
    created_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    UNIQUE (run, task_id, map_index, number, event, place)
);
CREATE INDEX callback_due ON callback (due, id) WHERE state = 'pending';
-- Lists: of a DAG, and what has not gone well.
CREATE INDEX callback_of_dag ON callback (dag_id, id);
CREATE INDEX callback_open ON callback (state, id) WHERE state <> 'delivered';
