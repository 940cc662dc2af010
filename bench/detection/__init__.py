"""Detection measured by protocol."""
