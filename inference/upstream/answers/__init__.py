"""From the answer of an upstream to a parsing."""
