"""Decisions about clients: what was decided, what they did, what it weighs, and who is spared."""
