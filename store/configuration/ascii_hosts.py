"""Host names as browsers send them."""

from urllib.parse import urlsplit

import idna


def to_ascii_host(url: str) -> str:
    """A URL whose host is written in the letters of DNS.

    Raises:
        ValueError: the name of the host is none.

    >>> to_ascii_host("https://Müller.example:8443/")
    'https://xn--mller-kva.example:8443/'
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.isascii():
        return url
    try:
        name = idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"its host cannot be written in the letters of DNS ({error})") from None
    port = "" if parts.port is None else f":{parts.port}"
    return parts._replace(netloc=f"{name}{port}").geturl()
