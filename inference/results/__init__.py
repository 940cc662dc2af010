"""What an upload holds, what became of it, and what is remembered of it."""
