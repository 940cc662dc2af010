"""Detection, measured attack by attack."""
