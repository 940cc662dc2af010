"""Passes requests to an upstream and its answers back: HTTP, server-sent events, WebSockets."""
