SELECT w.visib, count(*) AS n, avg(f.dep_delay) AS delay
FROM flights f JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
WHERE f.dep_delay IS NOT NULL
GROUP BY w.visib ORDER BY w.visib
