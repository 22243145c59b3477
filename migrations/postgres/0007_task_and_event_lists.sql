-- Lists of task instances and of events.

-- Failures are rare.
CREATE INDEX task_instance_failed ON task_instance (run) WHERE state IN ('failed', 'upstream_failed');
CREATE INDEX task_instance_failed_of_dag ON task_instance (dag_id, run) WHERE state IN ('failed', 'upstream_failed');
-- The latest first: written at the end of the index.
CREATE INDEX task_instance_started ON task_instance (started_at) WHERE started_at IS NOT NULL;

-- Of a DAG: each event is written at the end of its DAG's part.
CREATE INDEX event_of_dag ON event (dag_id, id) WHERE dag_id IS NOT NULL;
-- What people did to a run, however long after its end.
CREATE INDEX event_rare_of_run ON event (run_id, id)
    WHERE run_id IS NOT NULL AND kind NOT IN ('task_state', 'run_state');
-- What people did, and all but what task instances and runs go through.
CREATE INDEX event_who ON event (who, id) WHERE who IS NOT NULL;
CREATE INDEX event_kind ON event (kind, id) WHERE kind NOT IN ('task_state', 'run_state');
CREATE INDEX event_rare ON event (id) WHERE kind NOT IN ('task_state', 'run_state');
