"""Features and rules of the picture alone."""
