"""Alert rules about an upstream: each is about a share of its answers."""
