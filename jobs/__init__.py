"""The scheduler process: scan, retrain, decide, alert, notify."""
