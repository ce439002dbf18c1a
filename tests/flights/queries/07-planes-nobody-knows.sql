SELECT count(*) AS flights, count(DISTINCT f.tailnum) AS tails
FROM flights f
WHERE f.tailnum IS NOT NULL AND NOT EXISTS (SELECT 1 FROM planes p WHERE p.tailnum = f.tailnum)
