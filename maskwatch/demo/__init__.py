"""A story of visitors and attackers, against a hosted model and against a page with a proxy."""
