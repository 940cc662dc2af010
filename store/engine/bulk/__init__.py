"""Many rows at once, as each database takes them fastest."""
