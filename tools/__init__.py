"""Generators of reference pages; they are no part of the installed package."""
