"""Decisions: blocks and allows, listed patches, and the list that admission reads."""
