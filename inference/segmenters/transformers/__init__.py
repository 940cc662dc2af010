"""Semantic segmentation with Hugging Face's transformers, from a local folder without its code."""
