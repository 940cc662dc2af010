"""The reference segmenter: small, shipped, works offline. See MODEL_CARD.md."""
