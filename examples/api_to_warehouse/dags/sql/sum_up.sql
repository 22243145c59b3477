DELETE FROM daily_sales
WHERE day >= (CAST(%(from)s AS timestamptz) AT TIME ZONE 'UTC')::date
  AND day < (CAST(%(to)s AS timestamptz) AT TIME ZONE 'UTC')::date;

INSERT INTO daily_sales (day, customer, orders, amount)
SELECT (ordered_at AT TIME ZONE 'UTC')::date, customer, count(*), sum(amount)
FROM orders
WHERE ordered_at >= CAST(%(from)s AS timestamptz) AND ordered_at < CAST(%(to)s AS timestamptz)
GROUP BY 1, 2;
