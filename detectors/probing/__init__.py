"""Probing: sequences of queries that search for an adversarial picture with answers alone."""
