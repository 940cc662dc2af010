"""Alerts with their notifications, and the runs of the jobs that raise them."""
