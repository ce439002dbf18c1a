SELECT f.dest, p.name, count(*) AS n
FROM flights f LEFT JOIN airports p ON p.faa = f.dest
GROUP BY f.dest, p.name ORDER BY n DESC, f.dest LIMIT 15
