"""A service of somebody else that Maskwatch stands in front of or beside."""
