"""The command ``maskwatch doctor``: what this machine offers."""
