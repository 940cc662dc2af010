"""The description of the interface: `docs/openapi.json`."""
