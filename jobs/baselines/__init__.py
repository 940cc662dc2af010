"""Learns what is normal for each source: baselines, limits, alarm budgets."""
