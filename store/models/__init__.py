"""Outlier models with their lineage, and the model files that services loaded."""
