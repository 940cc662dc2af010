"""Exchanges of several requests: files sent before, calls, and events that bring the answer."""
