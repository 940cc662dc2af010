"""The commands ``maskwatch db``: migrations, checks, backups."""
