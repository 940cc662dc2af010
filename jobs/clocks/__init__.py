"""Clocks: one that nobody puts, and whether the one of the machine was put."""
