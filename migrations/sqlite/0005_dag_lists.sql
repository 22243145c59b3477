-- What lists of DAGs show beside the columns that are there, written when a file is read; null = not read since.
-- "again" is no hash: every file is read again.

ALTER TABLE dag ADD COLUMN max_active_tasks BIGINT;
ALTER TABLE dag ADD COLUMN max_failed_runs BIGINT;
ALTER TABLE dag ADD COLUMN has_task_limits BOOLEAN;
ALTER TABLE dag ADD COLUMN timetable_class TEXT;     -- Airflow's
ALTER TABLE dag ADD COLUMN timetable_summary TEXT;
ALTER TABLE dag ADD COLUMN is_periodic BOOLEAN;
ALTER TABLE dag ADD COLUMN pools TEXT;               -- JSON list: those that its tasks name
UPDATE dag_file SET hash = 'again';

CREATE TABLE favorite (
    who         TEXT NOT NULL,
    dag_id      TEXT NOT NULL,
    PRIMARY KEY (who, dag_id)
) WITHOUT ROWID;
