"""``maskwatch dashboard-link``: a link that a running dashboard takes, or why there is none.

A link is a row in a database. Written into another one than the dashboard's it opens nothing: so
the dashboard is looked for first, and asked afterwards whether it would take the link.
"""

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx2

from dashboard.settings import DashboardSettings
from detectors.errors import MaskwatchError
from store.engine.existing import StoreMissing, existing_database, refuse_missing_file

_SECONDS = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where it listens, not we
_OUR_NAME = "Maskwatch"
_SAME_ENVIRONMENT = "Run this with the environment, or the settings file, of that dashboard"


class NoDashboardLink(MaskwatchError):
    """No dashboard would take a link."""


def find_dashboard(settings: DashboardSettings) -> str:
    """The address at which the dashboard of these settings answers.

    Raises:
        NoDashboardLink: nobody answers, or somebody else.
    """
    if settings.dashboard.dashboard_port == 0:
        raise NoDashboardLink(
            "MASKWATCH_DASHBOARD_PORT is 0, so that the dashboard took any free port: set it to "
            "the one in the link that the dashboard printed."
        )
    addresses = tuple(_addresses(settings))
    for address in addresses:
        answer = _ask("GET", f"{address}/", settings)
        if answer is not None:
            _check_identity(answer, address, settings)
            return address
    raise NoDashboardLink(
        f"No dashboard answers at {' or '.join(addresses)}: start `maskwatch dashboard`, or run "
        "this with the environment, or the settings file, of the one that runs."
    )


def make_link(settings: DashboardSettings, address: str, now: datetime) -> str:
    """A new one-time link, which the dashboard at an address takes.

    Raises:
        NoDashboardLink: the dashboard works with another database.
        MaskwatchError: the database cannot be used.
    """
    _refuse_new_file(settings, address)
    # Loads the server of the pages, which takes a while.
    from dashboard.server import new_link  # noqa: PLC0415

    with existing_database(settings) as database:
        link = new_link(settings, database, now)
    path = link.removeprefix(settings.dashboard.public_url())
    # HEAD does not use it up.
    answer = _ask("HEAD", f"{address}{path}", settings)
    if answer is None or answer.status_code != HTTPStatus.NO_CONTENT:
        raise NoDashboardLink(
            f"The dashboard at {address} works with another database than this command. "
            f"{_SAME_ENVIRONMENT}."
        )
    return link


def _refuse_new_file(settings: DashboardSettings, address: str) -> None:
    try:
        refuse_missing_file(settings)
    except StoreMissing as error:
        raise NoDashboardLink(f"A dashboard answers at {address}. {error}") from None


def _addresses(settings: DashboardSettings) -> Iterator[str]:
    """Where it listens, and where browsers reach it if that is elsewhere."""
    group = settings.dashboard
    host = _EVERYWHERE.get(group.dashboard_host, group.dashboard_host)
    yield f"http://{f'[{host}]' if ':' in host else host}:{group.dashboard_port}"
    if group.dashboard_url:
        yield group.dashboard_url


def _ask(method: str, address: str, settings: DashboardSettings) -> httpx2.Response | None:
    """The answer to a browser without a session; ``None`` if nobody answers in HTTP."""
    host = urlsplit(settings.dashboard.public_url()).netloc
    try:
        with httpx2.Client(trust_env=False, timeout=_SECONDS) as client:
            return client.request(method, address, headers={"Host": host})
    except httpx2.HTTPError:
        return None


def _check_identity(answer: httpx2.Response, address: str, settings: DashboardSettings) -> None:
    if _OUR_NAME not in answer.text:
        raise NoDashboardLink(
            f"Another program than the dashboard answers at {address}. {_SAME_ENVIRONMENT}: "
            "MASKWATCH_DASHBOARD_PORT above all."
        )
    if answer.status_code == HTTPStatus.MISDIRECTED_REQUEST:
        host = urlsplit(settings.dashboard.public_url()).hostname
        raise NoDashboardLink(
            f"The dashboard at {address} does not answer to the host name {host}. "
            f"{_SAME_ENVIRONMENT}: MASKWATCH_DASHBOARD_URL above all."
        )
