"""Why a mail did not go out."""

from detectors.errors import MaskwatchError


class DeliveryFailed(MaskwatchError):
    """A mail did not go out; unless a subclass says so, that is nothing of its receiver's."""

    retryable = True


class RecipientDeferred(DeliveryFailed):
    """The server does not take mail for one receiver yet (4xx), as in greylisting."""


class RecipientRefused(DeliveryFailed):
    """The server does not take a mail for one receiver, now or later (5xx)."""

    retryable = False
