"""Uploads that wait for a turn: whose is next, how long they wait, and the threads that work."""
