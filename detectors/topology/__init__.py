"""Persons, how their parts hang together, and rules on it."""
