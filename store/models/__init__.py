"""Outlier models and re-rankers with their lineage, and the model files that services loaded."""
