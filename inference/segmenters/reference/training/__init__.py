"""Trains, exports and attacks the reference network with torch; no part of a service."""
