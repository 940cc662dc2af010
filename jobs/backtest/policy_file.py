"""The file with a block policy that is to be tried, and the one in force as a start for it."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from detectors.evidence.kinds import WEIGHTS, EvidenceKind
from jobs.backtest.trial import TABLE_WEIGHTS, PolicyTrial
from jobs.backtest.tried_rules import BadTrial
from jobs.settings import BlockingGroup
from store.configuration.faults import describe_fault
from store.decisions.scenarios import Switches

_MAX_BYTES = 100_000
_MAX_WEIGHT = 1_000.0
TRIED_SETTINGS = (
    *("block_after", "block_window_minutes", "block_minutes", "simulate_blocks"),
    *("cap_client_share", "cap_min_clients", "cap_traffic_share", "cap_min_requests"),
)
"""Settings of the table ``blocking`` that the policy about clients takes."""
TRIED_SCENARIOS: tuple[str, ...] = tuple(
    dict.fromkeys(weight.scenario for weight in WEIGHTS.values())
)
"""Scenarios that the policy about clients decides by."""
_TABLES = ("blocking", "scenarios", "weights")


def read_policy(path: Path, in_force: PolicyTrial) -> PolicyTrial:
    """The policy of a file; what it does not name stays as it is in force.

    Raises:
        BadTrial: it cannot be read, or names or sets something that a policy does not have.
    """
    document = _read_toml(path)
    where = f"In the policy file {path}, "
    _check_names(document, _TABLES, f"{where}[", "]", "table")
    tables = {name: _read_table(document, name, where) for name in _TABLES}
    blocking = _read_blocking(tables["blocking"], in_force.blocking, where)
    switches = in_force.switches
    if "simulate_blocks" in tables["blocking"]:
        switches = replace(switches, simulates_all=blocking.simulate_blocks)
    return replace(
        in_force,
        blocking=blocking,
        switches=_read_scenarios(tables["scenarios"], switches, where),
        weights={**in_force.weights, **_read_weights(tables["weights"], where)},
    )


def write_policy(trial: PolicyTrial) -> Iterator[str]:
    """A policy as a file that :func:`read_policy` reads, line by line, each key explained."""
    yield "# A block policy to try with `maskwatch backtest --policy FILE`; it changes nothing."
    yield "# What is left out stays as it is in force."
    yield from ("", "# As in the settings file.", "[blocking]")
    for name in TRIED_SETTINGS:
        description = BlockingGroup.model_fields[name].description or ""
        yield f"# {' '.join(description.split())}"
        value = getattr(trial.blocking, name)
        yield f"{name} = {str(value).lower() if isinstance(value, bool) else value}"
    yield from (
        "",
        "# Whether blocks of a scenario are enforced, as `maskwatch decisions enable` does.",
    )
    yield "[scenarios]"
    for scenario in TRIED_SCENARIOS:
        yield f"{scenario} = {str(trial.switches.enforces(scenario)).lower()}"
    yield from ("", "# What one file of each kind weighs: part of a version, and no setting.")
    yield "[weights]"
    for kind in TABLE_WEIGHTS:
        yield f"{kind.value} = {trial.weights[kind]:g}"


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise BadTrial(f"The policy file {path} is too large: at most {_MAX_BYTES} bytes.")
        return tomllib.loads(data.decode())
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise BadTrial(f"The policy file {path} cannot be read: {why}.") from None
    except UnicodeDecodeError:
        raise BadTrial(f"The policy file {path} is no text in UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise BadTrial(f"The policy file {path} is no TOML: {error}.") from None


def _read_table(document: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise BadTrial(f"{where}{name} must be a table: write [{name}].")
    return table


def _check_names(
    given: Mapping[str, Any], known: tuple[str, ...], begin: str, end: str, noun: str
) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            nearest = f"the nearest is {near[0]}" if near else f"there are {', '.join(known)}"
            raise BadTrial(f"{begin}{name}{end} is no {noun} of a policy ({nearest}).")


def _read_blocking(table: Mapping[str, Any], in_force: BlockingGroup, where: str) -> BlockingGroup:
    _check_names(table, TRIED_SETTINGS, f"{where}blocking.", "", "setting")
    try:
        return BlockingGroup.model_validate({**in_force.model_dump(), **table}, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = str(first["loc"][0])
        why = describe_fault(BlockingGroup.model_fields[name], first, first["loc"][1:])
        raise BadTrial(f"{where}blocking.{name} is not usable: {why}.") from None


def _read_scenarios(table: Mapping[str, Any], switches: Switches, where: str) -> Switches:
    _check_names(table, TRIED_SCENARIOS, f"{where}scenarios.", "", "scenario")
    for name, value in table.items():
        if not isinstance(value, bool):
            raise BadTrial(f"{where}scenarios.{name} is not usable: write true or false.")
    enforced = {name for name in TRIED_SCENARIOS if table.get(name, switches.enforces(name))}
    return Switches(simulates_all=True, enabled=frozenset(enforced))


def _read_weights(table: Mapping[str, Any], where: str) -> dict[EvidenceKind, float]:
    names = tuple(kind.value for kind in TABLE_WEIGHTS)
    _check_names(table, names, f"{where}weights.", "", "kind of evidence")
    weights = {}
    for name, value in table.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not isfinite(value) or not 0 <= value <= _MAX_WEIGHT:
            raise BadTrial(
                f"{where}weights.{name} is not usable: write a number from 0 to {_MAX_WEIGHT:g}."
            )
        weights[EvidenceKind(name)] = float(value)
    return weights
