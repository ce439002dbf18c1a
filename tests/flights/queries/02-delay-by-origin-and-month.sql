SELECT origin, month, count(dep_delay) AS departed, avg(dep_delay) AS delay, max(dep_delay) AS worst
FROM flights GROUP BY origin, month ORDER BY origin, month
