"""Learns a preset from exchanges that were watched: samples in, preset and sentences out."""
