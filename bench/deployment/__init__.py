"""A deployment from its first request on: what is flagged, found and paid for as it is learnt."""
