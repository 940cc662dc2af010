"""Measurements: each prints a table and writes JSON. ``python -m bench NAME --json FILE``."""
