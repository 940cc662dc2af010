"""The store: how fast it takes records, what it loses, how fast pages read ten million of them."""
