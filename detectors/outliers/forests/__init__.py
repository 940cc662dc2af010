"""Forests: isolation forests of two kinds, their trees, and how rows walk down them."""
