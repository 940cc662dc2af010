"""``maskwatch baselines``: what was learnt of the sources, and which of it judges."""
