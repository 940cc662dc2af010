"""Exports of requests with their features, as Parquet, CSV or JSON lines."""
