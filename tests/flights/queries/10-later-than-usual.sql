SELECT f.carrier, count(*) AS n
FROM flights f JOIN (SELECT carrier, 3 * avg(dep_delay) AS late FROM flights GROUP BY carrier) usual ON usual.carrier = f.carrier
WHERE f.dep_delay > usual.late
GROUP BY f.carrier ORDER BY f.carrier
