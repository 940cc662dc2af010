"""Who may send a picture now: identity, blocks, rates, places and turns."""
