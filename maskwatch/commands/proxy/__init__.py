"""The commands ``maskwatch proxy``: what stands in front of a service."""
