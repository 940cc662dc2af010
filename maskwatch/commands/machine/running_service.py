"""What a running service counted that somebody should look into."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlunsplit

import httpx2
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from inference.metrics import VAR_FOLDER
from inference.settings import ProxySettings, ServiceSettings
from maskwatch.commands.checks import Check, State
from store.engine.files.folder_mark import mark_folder

_SECONDS = 2.0
_ADVICE = {
    "maskwatch_unreadable_senders": (
        "nobody could tell whose they are: look at what trusted proxies write and at "
        "MASKWATCH_FORWARDED_HEADER, and whether a payload logger hands on X-Forwarded-For"
    ),
    "maskwatch_untrusted_proxies": (
        "a private address forwards requests without being trusted, and its visitors are one "
        "client: add it to MASKWATCH_TRUSTED_PROXIES if it is yours"
    ),
    "maskwatch_silent_proxies": (
        "a trusted proxy named nobody, and all its visitors are one client whom no policy blocks: "
        "let it write the header of MASKWATCH_FORWARDED_HEADER; if it is a client itself, take it "
        "out of MASKWATCH_TRUSTED_PROXIES"
    ),
}


def check_running_service(settings: ServiceSettings) -> Iterator[Check]:
    """Ask the service of these settings for its counters, if one runs."""
    place = _place_of(settings)
    try:
        families = _read_metrics(place, _metrics_path(settings))
    except httpx2.ConnectError:
        yield Check("forwarded headers", State.OK, "No service runs here that could have seen any.")
        return
    except (httpx2.HTTPError, ValueError) as error:
        # Somebody listens: a service that is too busy to say it is no service without faults.
        sentence = f"Whoever listens at {place} shows no counters ({type(error).__name__})."
        yield Check("forwarded headers", State.WARN, f"{sentence} Ask again when it has time.")
        return
    stranger = _describe_stranger(families, place, settings.store.var_dir)
    if stranger is not None:
        yield Check("service", State.WARN, stranger)
        return
    yield from _check_headers(dict(_sum_counters(families)))


def _check_headers(counts: Mapping[str, float]) -> Iterator[Check]:
    for name, advice in _ADVICE.items():
        if counts.get(name):
            requests = f"In {counts[name]:.0f} requests since its start"
            yield Check("forwarded headers", State.WARN, f"{requests} {advice}.")
    if not any(counts.get(name) for name in _ADVICE):
        yield Check("forwarded headers", State.OK, "The running service could read all of them.")


def _describe_stranger(families: Sequence[Metric], place: str, var_dir: Path) -> str | None:
    """Who answers, if it is not the service of these settings."""
    if not any(family.name.startswith("maskwatch_") for family in families):
        return (
            f"Another program than Maskwatch answers at {place}: a start needs another "
            "MASKWATCH_PORT, or the end of that program."
        )
    samples = (sample for each in families if each.name == VAR_FOLDER for sample in each.samples)
    marks = {sample.labels["mark"] for sample in samples}
    if marks and mark_folder(var_dir) not in marks:
        return (
            f"The service at {place} works in another var folder than {var_dir}: run this with "
            "its environment, or settings file, to look at it; a start with these settings needs "
            "another MASKWATCH_PORT."
        )
    return None


def _place_of(settings: ServiceSettings) -> str:
    host, port = settings.service.host, settings.service.port
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _read_metrics(place: str, path: str) -> tuple[Metric, ...]:
    """What a service counts and measures.

    Raises:
        httpx2.HTTPError: nobody answers there, or somebody who has no metrics.
        ValueError: what is there is no list of metrics.
    """
    with httpx2.Client(trust_env=False, timeout=_SECONDS) as client:
        answer = client.get(urlunsplit(("http", place, path, "", "")))
    return tuple(text_string_to_metric_families(answer.raise_for_status().text))


def _metrics_path(settings: ServiceSettings) -> str:
    is_attached = isinstance(settings, ProxySettings) and settings.relay.upstream
    return "/_maskwatch/metrics" if is_attached else "/metrics"


def _sum_counters(families: Iterable[Metric]) -> Iterator[tuple[str, float]]:
    """The name of each counter, and what it counted under all its labels."""
    for family in families:
        if family.type == "counter":
            totals = (each.value for each in family.samples if each.name.endswith("_total"))
            yield family.name, sum(totals)
