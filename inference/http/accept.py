"""Which of our answers a client asks for (RFC 9110, section 12.5.1)."""

from enum import StrEnum

# Each piece of a header takes more time than all the rest of a small request; browsers send 200
# characters.
_MAX_CHARACTERS = 1_000


class Answer(StrEnum):
    """The media types that a parsing can be answered in; the first is the default."""

    MASKS = "application/json"
    COMPOSITE = "image/png"
    LABELS = "image/vnd.maskwatch.labels+png"


def choose(accept: str | None) -> Answer | None:
    """The best answer for an ``Accept`` header, or ``None`` if it allows none of ours.

    One that is far longer than any client's is not read, and allows none.

    >>> choose("image/*;q=0.5, application/json")
    <Answer.MASKS: 'application/json'>
    """
    if not accept or not accept.strip():
        return Answer.MASKS
    if len(accept) > _MAX_CHARACTERS:
        return None
    qualities = [(_quality(answer, accept), answer) for answer in Answer]
    best = max(qualities, key=lambda pair: pair[0])
    return best[1] if best[0] > 0 else None


def _quality(answer: Answer, accept: str) -> float:
    """The weight of the most specific range that covers an answer; 0 if none does."""
    covering = [
        (_specificity(pattern), weight)
        for pattern, weight in map(_range, accept.split(","))
        if pattern in {answer.value, f"{answer.value.partition('/')[0]}/*", "*/*"}
    ]
    return max(covering)[1] if covering else 0.0


def _specificity(pattern: str) -> int:
    return 2 - pattern.count("*")


def _range(part: str) -> tuple[str, float]:
    pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    try:
        return pattern, min(1.0, max(0.0, float(weight)))
    except ValueError:
        return pattern, 0.0
