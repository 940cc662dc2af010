"""Families: what outliers and findings have in common, and which of them belong together."""
