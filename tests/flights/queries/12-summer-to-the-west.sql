SELECT origin, dest, count(*) AS n, avg(air_time) AS minutes
FROM flights
WHERE month BETWEEN 6 AND 8 AND distance > 2000 AND carrier LIKE '_A'
  AND dest IN (SELECT faa FROM airports WHERE lon < -115)
GROUP BY origin, dest ORDER BY origin, dest
