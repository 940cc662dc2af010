"""Decisions of a time that is over, and what the records say of its clients: for the back-test."""
