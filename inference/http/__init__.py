"""The web edge: translates between HTTP and the pipeline, and decides nothing."""
