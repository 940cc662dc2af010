"""The pictures that are measured: photos, harmless changes, and crafted ones that are kept."""
