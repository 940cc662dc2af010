"""The schema: its version, its place in a database, and the objects beside its tables."""
