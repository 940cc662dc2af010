"""Who sends a request, by its connection and its headers."""

from collections.abc import Set

from starlette.requests import Request

from inference.admission.identity import Sender, identify, presented_keys
from inference.service import Service
from store.people.key_scopes import KeyScope


def identify_sender(
    request: Request,
    service: Service,
    keys: Set[str],
    scope: KeyScope = KeyScope.PARSE,
    *,
    is_required: bool | None = None,
) -> Sender:
    """The sender who presents these keys; an address counts as far as proxies are trusted.

    Args:
        scope: what a key has to be good for.
        is_required: whether a request without a key is refused; default: as set for pictures.
    """
    peer = request.client.host if request.client else "unknown"
    lines = request.headers.getlist
    if is_required is None:
        is_required = service.settings.admission.require_api_key
    return identify(
        service.admission.senders.name_sender(peer, lines("x-forwarded-for"), lines("forwarded")),
        keys,
        service.access.current.find_key,
        scope,
        is_required=is_required,
    )


def is_key_holder(request: Request, service: Service) -> bool:
    """Whether an active key of any scope comes with a request, and nothing else."""
    keys = read_keys(request)
    find_key = service.access.current.find_key
    return len(keys) == 1 and find_key(next(iter(keys))) is not None


def read_keys(request: Request) -> Set[str]:
    """The API keys in the headers of a request."""
    lines = request.headers.getlist
    return presented_keys(lines("authorization"), lines("x-api-key"))
