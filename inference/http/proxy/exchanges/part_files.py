"""Fetches the pictures that an answer only points at, with a request of our own."""

from collections.abc import Mapping
from urllib.parse import quote

import structlog
from starlette.types import Scope

from inference.admission.byte_budget import Share
from inference.proxying import Proxy
from inference.upstream.answers.answer import ALONE, Part
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import AnnotatedImage, AnswerFormat
from inference.upstream.answers.readers.annotated_image import list_files
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.answers.unpack import unpack_chunks
from inference.upstream.relay.exchange import Exchange
from inference.upstream.relay.faults import UpstreamFault
from inference.upstream.relay.own_client import stay

_log = structlog.get_logger(__name__)

_MAX_FILES = 256
_OK = 200
# What lets a client in lets us in for it; nothing else of its request is about the files.
_CARRIED = frozenset((b"host", b"cookie", b"authorization"))


async def fetch_files(
    proxy: Proxy,
    scope: Scope,
    form: AnswerFormat | None,
    exchange: Exchange,
    tap: AnswerTap,
    share: Share,
    part: Part = ALONE,
) -> tuple[AnswerTap, Mapping[str, bytes]]:
    """The answer again, and the files by their paths; those that cannot be had are left out.

    Args:
        scope: of the request that the answer came to.
        share: of memory, for the files.
        part: of which picture, if the answer is to several.
    """
    if not isinstance(form, AnnotatedImage) or not tap.is_whole:
        return tap, {}
    limit = proxy.settings.attach.max_answer_bytes

    def list_paths() -> tuple[str, ...]:
        unpacked = b"".join(unpack_chunks(tap.copy().drain(), exchange.content_encoding, limit))
        return list_files(form, exchange.content_type, unpacked, part)

    try:
        paths = await proxy.service.form_threads.run(list_paths)
        return tap, await _fetch(proxy, scope, form, paths, limit, share)
    except AnswerUnreadable:
        # The reader of the answer will say so, where it is recorded.
        return tap, {}


async def _fetch(
    proxy: Proxy,
    scope: Scope,
    form: AnnotatedImage,
    paths: tuple[str, ...],
    limit: int,
    share: Share,
) -> Mapping[str, bytes]:
    files: dict[str, bytes] = {}
    for path in list(dict.fromkeys(paths))[:_MAX_FILES]:
        target = (form.files + quote(path, safe="/")).encode("ascii")
        try:
            held = await proxy.relay.hold(
                _ask(scope, target), stay, limit, take_memory=share.take_if_free
            )
        except UpstreamFault as fault:
            _log.warning("part of an answer not fetched", why=str(fault))
            break
        if held.status == _OK and not held.exchange.content_encoding:
            files[path] = held.body
            limit -= len(held.body)
    return files


def _ask(scope: Scope, target: bytes) -> Scope:
    headers = [pair for pair in scope["headers"] if pair[0] in _CARRIED]
    return {**scope, "method": "GET", "raw_path": target, "query_string": b"", "headers": headers}
