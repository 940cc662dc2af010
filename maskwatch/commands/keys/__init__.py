"""The commands ``maskwatch keys``: API keys."""
