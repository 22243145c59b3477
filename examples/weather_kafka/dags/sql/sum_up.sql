SELECT station, kind, count(*) AS readings, min(temperature) AS coldest, max(temperature) AS hottest
FROM extreme_readings
GROUP BY station, kind
ORDER BY station, kind
