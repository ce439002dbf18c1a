SELECT month, day, count(*) AS n, sum(CASE WHEN dep_time IS NULL THEN 1 ELSE 0 END) AS cancelled
FROM flights GROUP BY month, day HAVING count(*) >= 1000 ORDER BY n DESC, month, day
