"""All that decides about a request before its picture is looked at."""

from dataclasses import dataclass

from inference.admission.places import Blacklist
from inference.admission.rate_limits import Buckets
from inference.admission.refusal_counts import RefusalCounts
from inference.admission.repeated_refusals import RepeatedRefusals
from inference.admission.senders import Senders
from inference.admission.tarpit import Tarpit


@dataclass(frozen=True)
class Admission:
    """Who sends a request, whether its sender may, and what becomes of it otherwise.

    Attributes:
        senders: names who sends, also behind proxies.
        buckets: rates of clients.
    """

    senders: Senders
    blacklist: Blacklist
    buckets: Buckets
    repeated_refusals: RepeatedRefusals
    refusal_counts: RefusalCounts
    tarpit: Tarpit
