"""What stands beside Maskwatch, for longer than a test: nginx, a mail server that defers."""
