"""Families of unusual requests: what they are formed from, what is kept and said of them."""
