"""Counts of requests over periods, read from roll-ups."""
