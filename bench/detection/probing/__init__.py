"""Probing: query sequences against streams that only look alike."""
