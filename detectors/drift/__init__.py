"""Drift: whether traffic moved away from what was learnt, and who moved it."""
