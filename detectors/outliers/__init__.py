"""Outlier models: how unusual a row of features is, given rows that were normal."""
