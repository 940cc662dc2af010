"""Segmenters: one protocol, each model behind it in a folder of its own."""
