"""The commands that start processes: service, dashboard, all of them, the demo."""
