"""How many records a second the store takes, and what a bare insert of the same rows reaches."""
