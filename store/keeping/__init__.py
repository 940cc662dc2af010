"""Retention, erasure and backups: what is kept, for how long, and where else."""
