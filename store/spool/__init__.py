"""The spool: where records wait while the database is away."""
