"""In which ways attacks on the parse show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One number that attacks raise: a product of features.

    Attributes:
        factors: names of the features; a divergence on the foreground times the share of the
            foreground is a divergence for each pixel of the picture.
        predictors: the features that explain it in clean pictures.
    """

    factors: tuple[str, ...]
    predictors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """One way in which an attack shows.

    Attributes:
        name: stable name, used in findings.
        parts: what is averaged.
        words: what an excess means, for an analyst.
        shown_by: the feature whose place is shown.
        later: whether it needs more than the first look.
        weight: how much an excess counts; less than 1 where pictures without people have it too.
        is_optional: whether a baseline may lack it, as the shipped one does: it was learnt before,
            from photos that all show people.
    """

    name: str
    parts: tuple[Part, ...]
    words: str
    shown_by: str
    later: bool = False
    weight: float = 1.0
    is_optional: bool = False


# An unsure parse moves more, and a picture that was JPEG before moves less when it is saved again.
KNOWN = ("glance_entropy", "jpeg_blockiness")
"""What explains in clean pictures how much a parse moves."""
_TILE = Part(("glance_tile_divergence",), KNOWN)
_RETURNED = Part(("glance_returned_person_share",), KNOWN)
_MEMBERS = Part(("js_consensus", "foreground_share"), KNOWN)
# A divergence for each pixel of the picture goes with how unsure the parse is of each of them.
_EXPLAINED_MEMBERS = Part(_MEMBERS.factors, (*KNOWN, "entropy_mean"))
_WITHDRAWN = Part(("glance_withdrawn_share", "foreground_share"), KNOWN)

EVIDENCE: tuple[Evidence, ...] = (
    Evidence(
        "printed_colours",
        (Part(("colour_detail_tile",)),),
        "One place has colours finer than cameras make them, as adversarial patches have.",
        "colour_detail_tile",
    ),
    Evidence(
        "torn_tile",
        (_TILE,),
        "In one place the parse falls apart when the picture is saved as JPEG.",
        "glance_tile_divergence",
    ),
    Evidence(
        "withdrawn_parts",
        (_WITHDRAWN,),
        "Parts that the model sees are gone when the picture is saved as JPEG.",
        "glance_withdrawn_share",
        weight=0.6,
    ),
    Evidence(
        "returned_persons",
        (_RETURNED,),
        "Persons or parts that the model does not see appear when the picture is saved as JPEG.",
        "glance_returned_person_share",
        is_optional=True,
    ),
    Evidence(
        "torn_tile_and_members",
        (_TILE, _MEMBERS),
        "The parse changes in one place under JPEG, and as a whole under random changes.",
        "glance_tile_divergence",
        later=True,
    ),
    Evidence(
        "returned_persons_and_members",
        (_RETURNED, _EXPLAINED_MEMBERS),
        "Persons or parts appear under JPEG, and random changes move the parse as a whole.",
        "glance_returned_person_share",
        later=True,
        is_optional=True,
    ),
    Evidence(
        "phantoms",
        (_WITHDRAWN, _MEMBERS),
        "Much of what the model sees is gone when the picture is changed a little.",
        "glance_withdrawn_share",
        later=True,
        weight=0.8,
    ),
)

_WORDS = {evidence.name: evidence.words for evidence in EVIDENCE}


def words_of(name: str) -> str | None:
    """What an excess of a piece of evidence means; ``None`` for any other number of a finding.

    >>> words_of("torn_tile")
    'In one place the parse falls apart when the picture is saved as JPEG.'
    """
    return _WORDS.get(name)
