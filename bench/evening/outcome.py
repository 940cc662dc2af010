"""What the evening left: decisions, mails, and the first page as a browser shows it."""

import os
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import sync_playwright
from sqlalchemy import select

from bench.evening.attackers import Attacker
from bench.evening.play import Tally
from bench.footprint.processes import start_command
from bench.footprint.sides import browser_path
from bench.report import Figures
from store.engine.database import Database
from store.tables.work_tables import DecisionRow


def figures(
    database: Database, folder: Path, attackers: Sequence[Attacker], tally: Tally
) -> Figures:
    """The figures of the evening."""
    blocked_at = _blocked_at(database)
    addresses = [each.address for each in attackers]
    mails = [_text(path) for path in sorted((folder / "mail").glob("*.eml"))]
    rows = _first_page_rows(folder)
    return {
        "attackers_blocked": sum(address in blocked_at for address in addresses),
        "honest_blocked": len(set(blocked_at) - set(addresses)),
        "honest_503_share": _share_of_503(tally),
        "attackers_first_page": sum(_is_named(address, rows) for address in addresses),
        "attackers_mailed": sum(_is_named(address, mails) for address in addresses),
        "first_mail_names_attacker": int(any(_is_named(a, mails[:1]) for a in addresses)),
        "mails": len(mails),
        "minutes_to_block": {
            each.name: _minutes(tally.began_at[each.address], blocked_at[each.address])
            for each in attackers
            if each.address in blocked_at
        },
        **{f"answers_{name}": _by_status(count) for name, count in tally.statuses.items()},
        "honest_refused": {
            f"{kind} {status}": count
            for (kind, status), count in sorted(tally.honest.items())
            if status != 200
        },
    }


def _blocked_at(database: Database) -> dict[str, datetime]:
    """When each address was first blocked, simulated blocks left out."""
    with database.read() as session:
        rows = session.execute(
            select(DecisionRow.value, DecisionRow.created_at)
            .where(
                DecisionRow.kind == "block",
                DecisionRow.scope == "client",
                DecisionRow.simulated.is_(False),
            )
            .order_by(DecisionRow.id.desc())
        ).all()
    return {row.value.removeprefix("ip:"): row.created_at for row in rows}


def _share_of_503(tally: Tally) -> float:
    unserved = sum(count for (_, status), count in tally.honest.items() if status == 503)
    return unserved / tally.honest.total()


def _minutes(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() / 60


def _by_status(counted: dict[int, int]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(counted.items())}


def _text(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    if not isinstance(message, EmailMessage):
        return ""
    body = message.get_body(("plain",))
    return f"{message['Subject']}\n{body.get_content() if body else ''}"


def _is_named(address: str, texts: Sequence[str]) -> bool:
    """Whether the whole address stands in a text: no digit may follow."""
    return any(
        f"ip:{address}" in text and not text.partition(f"ip:{address}")[2][:1].isdigit()
        for text in texts
    )


def _first_page_rows(folder: Path) -> list[str]:
    """The rows of all tables on the overview."""
    with start_command("dashboard", folder) as dashboard, sync_playwright() as playwright:
        link = dashboard.wait_for_url("Dashboard")
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(link)
        page.get_by_text("Scheduled jobs").first.wait_for()
        rows = page.locator("table tr").all_inner_texts()
        browser.close()
    return rows
