SELECT a.name, count(*) AS flights, avg(f.distance) AS miles
FROM flights f JOIN airlines a ON a.carrier = f.carrier
GROUP BY a.name ORDER BY flights DESC, a.name
