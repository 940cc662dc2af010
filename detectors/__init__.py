"""Pure measurements, rules and outlier models on arrays: no I/O, no SQL, no web, no torch."""
