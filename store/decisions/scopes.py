"""What a decision does and speaks about; imports nothing, since the command line reads it."""

from enum import StrEnum


class Kind(StrEnum):
    """What a decision does."""

    BLOCK = "block"
    ALLOW = "allow"


class Scope(StrEnum):
    """What a decision speaks about."""

    CLIENT = "client"
    """An address, of IPv6 its /64."""
    NETWORK = "cidr"
    """All addresses of a network."""
    API_KEY = "api_key"
    CONTENT = "content"
    """The exact bytes of a picture."""
    SIMILAR = "similar"
    """Every picture that looks like one, up to a number of bits of its perceptual hash."""
    PATCH = "patch"
    PERTURBATION = "perturbation"


CLIENT_SCOPES = (Scope.CLIENT, Scope.API_KEY)
"""Scopes whose values are names of clients."""
