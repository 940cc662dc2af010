"""Families of unusual requests: what they are formed from, and what is kept of them."""
