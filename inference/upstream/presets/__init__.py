"""Data files that say where pictures are in an upstream's requests and parses in its answers."""
