"""What it costs to stand beside somebody else's service."""
