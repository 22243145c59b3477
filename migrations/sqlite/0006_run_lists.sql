-- Lists of runs. What is written when a run is made and deleted, and not when it changes:

CREATE INDEX dag_run_by_run_after ON dag_run (run_after, id);
CREATE INDEX dag_run_of_dag ON dag_run (dag_id, id);
CREATE INDEX dag_run_by_run_id ON dag_run (run_id, run_after, id);
CREATE INDEX dag_run_by_date ON dag_run (logical_date, run_after, id) WHERE logical_date IS NOT NULL;

-- Once when it starts, and once when it ends. With what lists are sorted by, so that a page is found in the index.
CREATE INDEX dag_run_started ON dag_run (started_at, run_after, id) WHERE started_at IS NOT NULL;
DROP INDEX dag_run_old;
CREATE INDEX dag_run_old ON dag_run (ended_at, run_after, id) WHERE ended_at IS NOT NULL;
DROP INDEX dag_run_ended;
CREATE INDEX dag_run_ended ON dag_run (dag_id, ended_at, id, run_after) WHERE ended_at IS NOT NULL;

-- Few, and looked for.
CREATE INDEX dag_run_failed ON dag_run (run_after, id) WHERE state = 'failed';
CREATE INDEX dag_run_failed_of_dag ON dag_run (dag_id, run_after, id) WHERE state = 'failed';
