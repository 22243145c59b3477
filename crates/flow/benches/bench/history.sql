-- 1,000,000 runs that have ended, of 100 DAGs, one a minute; ten task instances and ten events each; one run of 200 failed.
WITH RECURSIVE g (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM g WHERE n < 1000000)
INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
    ended_at, conf, version_id, triggered_by)
SELECT v.dag_id, 'scheduled__1970-01-01T00:00:00.' || n || '+00:00', 'scheduled', CASE WHEN n % 200 < 2 THEN 'failed' ELSE 'success' END,
    n * 60000000, n * 60000000, n * 60000000, n * 60000000, n * 60000000, n * 60000000 + 1000, n * 60000000 + 2000000 + n % 1000,
    '{"number": ' || n || '}', v.id, 'timetable'
FROM g JOIN dag_version v ON v.dag_id = 'd' || (100 + n % 100);

WITH t (n) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)
INSERT INTO task_instance (run, task_id, map_index, dag_id, state, try_number, max_tries, lost, queued_at, started_at, ended_at, operator,
    pool, pool_slots, priority_weight, queue, sort_date, max_active_tasks, hostname)
SELECT r.id, 't' || t.n, -1, r.dag_id, CASE WHEN t.n = 9 THEN r.state ELSE 'success' END, 1, 0, 0, r.queued_at + t.n * 100000,
    r.queued_at + t.n * 100000 + 1000, r.queued_at + t.n * 100000 + 90000, 'bash', 'default_pool', 1, 1, 'default', r.run_after, 16, 'host'
FROM dag_run r CROSS JOIN t
WHERE r.run_id LIKE 'scheduled__1970%'
ORDER BY r.id, t.n;

INSERT INTO event (at, kind, dag_id, run_id, task_id, map_index, try_number, state)
SELECT t.ended_at, 'task_state', t.dag_id, r.run_id, t.task_id, -1, 1, t.state
FROM task_instance t JOIN dag_run r ON r.id = t.run
ORDER BY t.run, t.task_id;
