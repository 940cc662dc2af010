"""Alerts: the conditions that are watched, and the people who are told."""
