"""The command line and the supervisor that starts the three processes."""
