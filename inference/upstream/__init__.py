"""Stands in front of, or beside, a parsing service that somebody else runs."""
