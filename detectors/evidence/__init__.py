"""Evidence against clients: its kinds, and what it weighs together."""
