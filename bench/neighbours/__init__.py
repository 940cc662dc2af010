"""What stands beside Maskwatch, for longer than a test: nginx, mail, a pooler, clocks."""
