"""Whom the policy spares, although the evidence against them weighs enough."""

from collections.abc import Sequence

from detectors.evidence.kinds import WEIGHTS, EvidenceKind
from store.configuration.network_groups import Network
from store.decisions.clients.client_evidence import Suspect
from store.decisions.protected import is_protected
from store.requests.client_names import address_of

_BY_HAND_PREFIX = "cli:"
# So many ordinary uploads beside few that weigh come of many people behind one address.
_OF_UPLOADS = frozenset(WEIGHTS) - {EvidenceKind.FLOOD}
_MIN_ORDINARY, _MAX_WEIGHING_SHARE = 40, 0.2


def is_by_hand(client: str) -> bool:
    """Whether a client is an operator who parses files on this machine.

    >>> is_by_hand("cli:local"), is_by_hand("ip:192.0.2.7")
    (True, False)
    """
    return client.startswith(_BY_HAND_PREFIX)


def is_shared(suspect: Suspect) -> bool:
    """Whether an address seems to be that of many people, of whom few attack.

    A key is one client's: who lends it answers for it.
    """
    evidence = suspect.evidence
    weighing = sum(count for kind, count in evidence.counts.items() if kind in _OF_UPLOADS)
    ordinary = evidence.uploads - weighing
    return (
        address_of(evidence.client) is not None
        and ordinary >= _MIN_ORDINARY
        and weighing < _MAX_WEIGHING_SHARE * evidence.uploads
    )


def describe_policy(suspect: Suspect, trusted: Sequence[Network]) -> str:
    """What the policy does with a client that attacks, a sentence without its full stop.

    Args:
        trusted: proxies, which are never blocked.
    """
    client = suspect.evidence.client
    if is_by_hand(client):
        return "No policy blocks it: somebody parsed these files by hand"
    if is_protected(client, trusted):
        return "No policy blocks it, since that would keep out everybody whom it stands for"
    if is_shared(suspect):
        return "Many seem to send from this address: the policy blocks the pictures, not the client"
    return "The policy blocks the client by itself"
