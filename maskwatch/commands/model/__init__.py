"""The commands ``maskwatch model``: sign, verify and show model files, learn a baseline."""
