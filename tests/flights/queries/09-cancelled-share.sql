SELECT carrier, 100.0 * sum(CASE WHEN dep_time IS NULL THEN 1 ELSE 0 END) / count(*) AS percent
FROM flights GROUP BY carrier ORDER BY percent DESC
