"""The commands ``maskwatch config``: show settings, check them, begin a file."""
