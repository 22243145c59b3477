DROP TABLE IF EXISTS daily_events;

CREATE TABLE daily_events AS
SELECT (happened_at AT TIME ZONE 'UTC')::date AS day, kind, count(*) AS events, sum(amount) AS amount
FROM events
GROUP BY 1, 2;
