"""Everything that happens to bytes before a model sees them."""
