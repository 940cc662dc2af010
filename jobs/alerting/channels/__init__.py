"""Channels: the ways on which a notification leaves."""
