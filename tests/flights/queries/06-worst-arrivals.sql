SELECT carrier, flight, origin, dest, month, day, arr_delay
FROM flights WHERE arr_delay > 600 ORDER BY arr_delay DESC, carrier, flight LIMIT 20
