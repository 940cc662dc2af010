"""Gradio's objects for files: a path on its server, a URL that follows from it, or a data URL."""

import re
from urllib.parse import unquote

from inference.refusals import ADDRESS_INSTEAD, Refused
from inference.upstream.requests.json_places import JsonText, write_pointer
from inference.upstream.requests.sent_request import SentPath

# One letter is a drive.
_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:|\s*//")


def read_path(text: JsonText) -> SentPath | None:
    """The path of a file that the service has, if the text is one.

    Raises:
        Refused: the text is an address that the service may load a picture from.
    """
    if text.place[-1] == "path" and text.text:
        if _SCHEME.match(text.text):
            raise Refused(ADDRESS_INSTEAD)
        return SentPath(write_pointer(text.place), text.text)
    if text.place[-1] == "url" and not _follows_from(text.parent.get("path"), text.text):
        raise Refused(ADDRESS_INSTEAD)
    return None


def _follows_from(path: object, url: str) -> bool:
    """Whether a URL is the one that Gradio's own page makes of a path, and no other service's."""
    if not isinstance(path, str) or not path or "proxy=" in unquote(url):
        return False
    return unquote(url).endswith(f"/file={path}")
