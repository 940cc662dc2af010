"""What the processes take when they do nothing special: memory, and seconds until they start."""
