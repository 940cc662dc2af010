"""The commands ``maskwatch audit``: who changed what."""
