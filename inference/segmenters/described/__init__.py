"""Models of other people, run as a description says: what they see, answer, and call things."""
