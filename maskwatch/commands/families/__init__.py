"""``maskwatch families``: unusual requests that belong together."""
