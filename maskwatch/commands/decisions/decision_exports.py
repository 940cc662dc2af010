"""``maskwatch decisions export``: what is blocked, for other programs to enforce."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from maskwatch.commands.decisions.decision_list import describe
from store.decisions.bans import Ban, describe_ban, list_bans
from store.engine.existing import existing_database
from store.pages.decision_views import list_active_decisions
from store.settings import StoreSettings


class ExportFormat(StrEnum):
    """Who reads it."""

    JSON = "json"
    CROWDSEC = "crowdsec"
    NGINX = "nginx"
    FAIL2BAN = "fail2ban"


# Each line is a command of fail2ban: a name with a space or a line break would be another one.
_JAIL = re.compile(r"[A-Za-z0-9._-]+")


def is_jail(name: str) -> bool:
    """Whether a jail of fail2ban may be called so."""
    return _JAIL.fullmatch(name) is not None


def export_lines(
    settings: StoreSettings, form: ExportFormat, jail: str, now: datetime
) -> Iterator[str]:
    """The lines of an export.

    Args:
        jail: of fail2ban.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        if form is ExportFormat.JSON:
            decisions = list_active_decisions(session, now, most=None)
            yield json.dumps([describe(view) for view in decisions], indent=1)
            return
        bans = sorted(list_bans(session, now), key=_order)
    if form is ExportFormat.CROWDSEC:
        yield json.dumps([dict(describe_ban(ban, now)) for ban in bans], indent=1)
    elif form is ExportFormat.NGINX:
        yield from _nginx_lines(bans)
    else:
        yield from (f"set {jail} banip {_address(ban)}" for ban in bans)


def _nginx_lines(bans: Iterable[Ban]) -> Iterator[str]:
    for ban in bans:
        yield f"deny {_address(ban)};  # decision {ban.decision_id}, until {ban.until:%FT%RZ}"


def _address(ban: Ban) -> str:
    is_one = ban.network.prefixlen == ban.network.max_prefixlen
    return str(ban.network.network_address if is_one else ban.network)


def _order(ban: Ban) -> tuple[int, int, int]:
    return ban.network.version, int(ban.network.network_address), ban.network.prefixlen
