"""Reads what bodies of requests are made of: JSON and base64, the same wherever they come in."""
