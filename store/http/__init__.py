"""HTTP connections that do not wait for ever, for every process that listens."""
