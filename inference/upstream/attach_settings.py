"""Settings of the process that stands in front of an upstream."""

from enum import StrEnum

from pydantic import Field

from inference.upstream.kept_map import KeepLimits
from store.configuration.groups import Group

_MB = 1_000_000


class SentPictures(StrEnum):
    """What the upstream gets of a picture that the gate accepts."""

    AS_SENT = "as_sent"
    ENCODED = "encoded"


class UnknownRoutes(StrEnum):
    """What becomes of a request that could carry a picture past the doors of the preset."""

    REFUSE = "refuse"
    PASS = "pass"  # noqa: S105 - what is done with a route, no password
    BY_MODE = "by_mode"


class UnreadAnswers(StrEnum):
    """What becomes of an answer that cannot be read as the preset says."""

    REFUSE = "refuse"
    PASS = "pass"  # noqa: S105 - what is done with an answer, no password


class AttachGroup(Group):
    """How requests to the upstream and its answers are read."""

    preset: str = "form"
    """What the upstream's requests and answers look like: a name that `maskwatch proxy presets`
    lists, or a TOML file of your own."""

    sent_pictures: SentPictures = SentPictures.AS_SENT
    """`as_sent` passes the bytes on that the gate accepted; `encoded` passes on what the gate
    decoded, as PNG: the upstream's decoder never meets a file of a client."""

    unknown_routes: UnknownRoutes = UnknownRoutes.BY_MODE
    """A request with a body at no door of the preset: `refuse` it, `pass` it with a flag, or
    `by_mode`: refuse it in `enforce`, pass it in `monitor`."""

    unread_answers: UnreadAnswers = UnreadAnswers.REFUSE
    """In `enforce`, an answer that cannot be read as the preset says: `refuse` it with 502, or
    `pass` it with a flag; both say `answer_not_read`. Errors of the service pass: they hold no
    parse. With `refuse`, several pictures in a request are refused where the answer holds a parse
    and does not say of which of them. Answers that come in the order of the pictures do: those of
    KServe, of Hugging Face, and of Gradio with an annotated image for each."""

    max_answer_mb: int = Field(64, ge=1, le=2_000)
    """Answers up to this many megabytes are read; a larger one goes through and its record says
    `answer_not_read`."""

    max_waiting_replies: int = Field(64, ge=1, le=10_000)
    """Answers that may wait to be read and checked beside the traffic, in `monitor`; those
    without a place are recorded at once, with the reason `not_measured`."""

    max_waiting_mb: int = Field(256, ge=1, le=64_000)
    """Megabytes that all waiting pictures and answers may have together, in memory and, all of an
    answer but its first 2 MB, on the disk of `var_dir`."""

    max_held_mb: int = Field(512, ge=1, le=64_000)
    """Megabytes that all pictures and answers may have together while the service works on them or
    its answer is passed on: decoded pictures, answers that are held in `enforce`, and copies of
    answers that are to be read in `monitor`. A picture without room is answered 503 before it is
    decoded, and so is a held answer; a copy is given up, and the record says `not_measured`. One
    of the largest pictures and one of the largest answers always have room."""

    max_held_client_mb: int = Field(256, ge=1, le=64_000)
    """Megabytes of these that one client may have; an IPv6 network is one client here. One of the
    largest pictures and one of the largest answers always have room."""

    slow_client_seconds: float = Field(60, gt=0, le=3600, allow_inf_nan=False)
    """How long a client may keep the proxy waiting, all in all, while it takes an answer. Then, in
    `monitor`, its picture and the copy of the answer are given up (`not_measured`) and the answer
    goes on; in `enforce`, where the answer itself is held, its connection is closed."""

    max_kept_pictures: int = Field(256, ge=1, le=10_000)
    """Pictures that are remembered until a call names their path, or until the events of their
    call come, with presets in which a parse takes several requests. The one that was named the
    longest ago is forgotten first, and a call that names it then is refused."""

    max_kept_mb: int = Field(256, ge=1, le=64_000)
    """Megabytes that all remembered pictures may have together, decoded."""

    kept_seconds: int = Field(900, ge=1, le=86_400)
    """How long a picture is remembered after its upload or its last call. After that, an upload
    without a call has a record of its own, and a call without a result one that says
    `answer_not_read`."""

    @property
    def max_answer_bytes(self) -> int:
        """The largest answer that is read."""
        return self.max_answer_mb * _MB

    @property
    def max_waiting_bytes(self) -> int:
        """What all waiting pictures and answers may take."""
        return self.max_waiting_mb * _MB

    def held_bytes(self, max_picture_bytes: int) -> int:
        """What all pictures and answers may take; one of the largest of each always has room."""
        return max(self.max_held_mb * _MB, max_picture_bytes + self.max_answer_bytes)

    def held_client_bytes(self, max_picture_bytes: int) -> int:
        """What those of one client may take."""
        return max(self.max_held_client_mb * _MB, max_picture_bytes + self.max_answer_bytes)

    def keep_limits(self) -> KeepLimits:
        """How many pictures wait for what belongs to them."""
        return KeepLimits(self.max_kept_pictures, self.max_kept_mb * _MB, self.kept_seconds)

    def passes_unknown_routes(self, *, is_enforcing: bool) -> bool:
        """Whether a request at no door goes on."""
        if self.unknown_routes is UnknownRoutes.BY_MODE:
            return not is_enforcing
        return self.unknown_routes is UnknownRoutes.PASS
