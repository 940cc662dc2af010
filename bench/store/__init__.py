"""Measurements of the store: nothing lost, nothing slow."""
