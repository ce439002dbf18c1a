SELECT p.manufacturer, count(*) AS n, avg(f.arr_delay) AS delay, min(p.year) AS oldest
FROM flights f JOIN planes p ON p.tailnum = f.tailnum
WHERE f.arr_delay IS NOT NULL
GROUP BY p.manufacturer HAVING count(*) > 1000 ORDER BY delay DESC
