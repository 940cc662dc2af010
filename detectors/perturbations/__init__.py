"""Perturbations that recur in pictures: found, chosen for the blacklist, recognised."""
