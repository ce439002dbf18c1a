SELECT carrier, count(DISTINCT dest) AS places, count(DISTINCT tailnum) AS planes, min(air_time) AS shortest, max(air_time) AS longest
FROM flights GROUP BY carrier ORDER BY places DESC, carrier
