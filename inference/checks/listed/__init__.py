"""Checks that hold each picture against what the blacklist lists of pictures."""
