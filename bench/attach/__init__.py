"""What it costs to stand before or beside somebody else's service, and nginx beside it."""
