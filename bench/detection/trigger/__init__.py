"""A segmenter with a backdoor, and pictures that carry its trigger."""
