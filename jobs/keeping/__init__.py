"""Upkeep of the store: roll-ups, retention, expiry."""
