"""What the labels of a model or service are called, and which part group each belongs to."""
