"""Perturbations that are used again: listed by the job, and found in other pictures."""
