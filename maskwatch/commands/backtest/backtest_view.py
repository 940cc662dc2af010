"""How a back-test is shown: tables of totals, by day and by client, and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jobs.backtest.backtest import BlockView, Result
from jobs.backtest.run import Wish
from jobs.backtest.tallies import COMPARED, Count, Counts, Side
from jobs.backtest.tried_rules import BadTrial
from maskwatch.commands.printable import escape_unprintable
from store.engine.files.whole_files import write_result

_MAX_CLIENTS = 20
_WORDS: Mapping[Count, str] = {
    Count.FLAGGED: "flagged requests",
    Count.OUTLIERS: "outliers",
    Count.BLOCKS: "blocks",
    Count.PROPOSALS: "blocks proposed",
    Count.MAILS: "alerts mailed",
    Count.REFUSED: "refused by them",
    Count.WATCHED: "watched by them",
}


_HEADINGS: Mapping[Count, str] = {
    Count.FLAGGED: "flagged",
    Count.OUTLIERS: "outliers",
    Count.BLOCKS: "blocks",
    Count.PROPOSALS: "proposed",
    Count.MAILS: "mailed",
}


def show(result: Result, wish: Wish) -> None:
    """Print it."""
    console = Console()
    stretch = result.stretch
    console.print(
        f"From {stretch.since:%Y-%m-%d %H:%M} to {stretch.until:%Y-%m-%d %H:%M} UTC, "
        f"{_count(result.tallies.total, Count.REQUESTS, Side.WAS)} requests, "
        f"tried: {escape(escape_unprintable(describe(wish)))}.",
        highlight=False,
        soft_wrap=True,
    )
    counts = list_shown(result, wish)
    console.print(_totals(result, counts))
    if result.tallies.days:
        console.print(_by_day(result, counts))
    if result.tallies.clients:
        console.print(_by_client(result, counts))
    _print_lines(console, "Whom it blocks, and why first:", _list_first_blocks(result))
    _print_lines(console, "Read this beside it:", result.facts.list_sentences(stretch))


def describe(wish: Wish) -> str:
    """What is tried, in words."""
    parts = [f"rule {each}" for each in wish.rules]
    if wish.policy is not None:
        parts.append(f"policy {wish.policy}")
    if wish.model is not None:
        parts.append(f"model {wish.model}")
    return ", ".join(parts) or "what is in force"


def list_shown(result: Result, wish: Wish) -> Sequence[Count]:
    """What there is to compare: rules change flags, models outliers, and all of them the rest."""
    left_out = set[Count]()
    if not wish.rules:
        left_out.add(Count.FLAGGED)
    if wish.model is None:
        left_out.add(Count.OUTLIERS)
    total = result.tallies.total
    if not any(total[Count.PROPOSALS, side] for side in Side):
        left_out.add(Count.PROPOSALS)
    return [each for each in COMPARED if each not in left_out]


def write_json(result: Result, wish: Wish, file: str) -> None:
    """Write all of it into a file for this user, as it names clients, or print it.

    Raises:
        BadTrial: the file cannot be written.
    """
    text = json.dumps(to_document(result, wish), indent=2)
    if file == "-":
        typer.echo(text)
        return
    try:
        write_result(Path(file), f"{text}\n".encode())
    except OSError as error:
        raise BadTrial(f"The file {file} cannot be written: {error.strerror}.") from None


def to_document(result: Result, wish: Wish) -> dict[str, object]:
    """All of it, as JSON has it."""
    stretch, tallies = result.stretch, result.tallies
    return {
        "since": stretch.since.isoformat(),
        "until": stretch.until.isoformat(),
        "tried": {
            "rules": list(wish.rules),
            "policy": None if wish.policy is None else str(wish.policy),
            "model": wish.model,
        },
        "totals": _numbers(tallies.total),
        "days": {day.isoformat(): _numbers(each) for day, each in sorted(tallies.days.items())},
        "clients": {client: _numbers(each) for client, each in sorted(tallies.clients.items())},
        "first_blocks": {
            client: _describe_block(each) for client, each in result.first_blocks.items()
        },
        "notes": list(result.facts.list_sentences(stretch)),
    }


def _numbers(counts: Counts) -> dict[str, object]:
    return {
        Count.REQUESTS.value: counts[Count.REQUESTS, Side.WAS],
        **{what.value: {side.value: counts[what, side] for side in Side} for what in COMPARED},
        **{what.value: counts[what, Side.WOULD] for what in (Count.REFUSED, Count.WATCHED)},
    }


def _describe_block(block: BlockView) -> dict[str, object]:
    return {
        "at": block.at.isoformat(),
        "until": block.until.isoformat(),
        "scope": block.scope,
        "value": block.value,
        "scenario": block.scenario,
        "reason": block.reason,
        "simulated": block.simulated,
        "proposed": block.is_proposed,
    }


def _totals(result: Result, counts: Sequence[Count]) -> Table:
    table = _table("", "was", "would", "new", "gone")
    total = result.tallies.total
    for what in counts:
        table.add_row(_WORDS[what], *(_count(total, what, side) for side in Side))
    for what in (Count.REFUSED, Count.WATCHED):
        if total[what, Side.WOULD]:
            table.add_row(f"  requests {_WORDS[what]}", "", _count(total, what, Side.WOULD))
    return table


def _by_day(result: Result, counts: Sequence[Count]) -> Table:
    table = _table("day", "requests", *(_HEADINGS[what] for what in counts), "hit")
    for day, each in sorted(result.tallies.days.items()):
        table.add_row(
            f"{day}", _count(each, Count.REQUESTS, Side.WAS), *_changes(each, counts), _hits(each)
        )
    return table


def _by_client(result: Result, counts: Sequence[Count]) -> Table:
    table = _table("client", *(_HEADINGS[what] for what in counts), "hit")
    clients = sorted(
        (each for each in result.tallies.clients.items() if _is_shown(each[1], counts)),
        key=lambda each: _rank(each[1], each[0]),
    )
    for client, each in clients[:_MAX_CLIENTS]:
        table.add_row(escape(escape_unprintable(client)), *_changes(each, counts), _hits(each))
    if len(clients) > _MAX_CLIENTS:
        table.caption = f"and {len(clients) - _MAX_CLIENTS} clients more: --json names all"
    return table


def _is_shown(counts: Counts, shown: Sequence[Count]) -> bool:
    columns = (*shown, Count.REFUSED, Count.WATCHED)
    return any(counts[what, side] for what in columns for side in Side)


def _rank(counts: Counts, client: str) -> tuple[int, int, str]:
    """Whom something changes for most comes first."""
    changes = sum(counts[what, side] for what in COMPARED for side in (Side.NEW, Side.GONE))
    hits = counts[Count.REFUSED, Side.WOULD] + counts[Count.WATCHED, Side.WOULD]
    return -changes, -hits, client


def _changes(counts: Counts, shown: Sequence[Count]) -> Iterator[str]:
    """Was and would, as ``3 → 5``; one number where both have the same ones."""
    for what in shown:
        was, would = counts[what, Side.WAS], counts[what, Side.WOULD]
        new, gone = counts[what, Side.NEW], counts[what, Side.GONE]
        if new and gone:
            yield f"{was} → {would} (+{new} −{gone})"
        elif new or gone:
            yield f"{was} → {would}"
        else:
            yield f"{would}" if would else "·"


def _hits(counts: Counts) -> str:
    hits = counts[Count.REFUSED, Side.WOULD] + counts[Count.WATCHED, Side.WOULD]
    return f"{hits}" if hits else "·"


def _list_first_blocks(result: Result) -> Iterator[str]:
    clients = sorted(result.first_blocks.items(), key=lambda each: (each[1].at, each[0]))
    for client, block in clients[:_MAX_CLIENTS]:
        does = "proposed" if block.is_proposed else "simulated" if block.simulated else "enforced"
        what = client if block.value == client else f"a picture of {client}"
        yield (
            f"{block.at:%Y-%m-%d %H:%M} {what}, {does} until {block.until:%Y-%m-%d %H:%M} UTC, "
            f"{block.scenario}: {block.reason}"
        )


def _print_lines(console: Console, heading: str, lines: Iterator[str]) -> None:
    """The heading only where there is anything to say."""
    for number, line in enumerate(lines):
        if not number:
            console.print(f"\n{heading}")
        console.print(f"  {escape(escape_unprintable(line))}", highlight=False, soft_wrap=True)


def _count(counts: Counts, what: Count, side: Side) -> str:
    return f"{counts[what, side]}"


def _table(first: str, *others: str) -> Table:
    table = Table(box=SIMPLE, pad_edge=False, caption_justify="left")
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table
