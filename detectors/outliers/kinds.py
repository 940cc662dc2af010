"""Kinds of models and of frozen sets by name; settings read them, so nothing is imported here."""

from enum import StrEnum


class OutlierKind(StrEnum):
    """What a model is; the name in settings, archives and the database."""

    ISOLATION_FOREST = "isolation_forest"
    NEAREST_NEIGHBOURS = "nearest_neighbours"
    EXTENDED_FOREST = "extended_forest"
    COMBINED = "combined"
    EXCESS = "excess"


class FrozenKind(StrEnum):
    """What the requests of a frozen set are."""

    CLEAN = "clean"
    ATTACK = "attack"
