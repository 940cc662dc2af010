"""A parsing service that Maskwatch stands in front of or beside."""
