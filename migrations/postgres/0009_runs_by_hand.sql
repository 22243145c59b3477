-- The grid of a DAG that hardly anyone starts by hand, while many others are. Only such runs are in it.

CREATE INDEX dag_run_by_hand_of_dag ON dag_run (dag_id, run_after, id) WHERE run_type <> 'scheduled';
