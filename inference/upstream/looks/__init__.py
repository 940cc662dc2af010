"""Asks an upstream again with changed pictures, as far as it can bear that."""
