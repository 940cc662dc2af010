"""Blocks that follow from what was seen: clients by policy, patches by recurrence."""
