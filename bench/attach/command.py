"""``python -m bench attach``."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from os import cpu_count, getloadavg
from pathlib import Path
from statistics import median, quantiles

from bench.attach.clients import download, time_echoes, time_events, time_pages
from bench.attach.first_verdict import measure_first_verdict
from bench.attach.observe import measure_observe
from bench.attach.sides import Side, running_nginx, running_relay, running_upstream
from bench.attach.whole import measure_whole
from bench.gate.processes import name_processor, resident_mb
from bench.report import publish

_PAGES = 300
_ECHOES = 300
_Sides = Mapping[str, Side]
_Times = Mapping[str, list[float]]


def measure_attach(out: Path, rounds: int) -> None:
    """Measure and publish; the sides take turns, so that what else runs slows all of them.

    Raises:
        SideFailed: a server does not start.
        WrongAnswer: a side answers something else than the upstream sent.
    """
    with ExitStack() as stack:
        upstream = stack.enter_context(running_upstream())
        sides = {"direct": upstream, "relay": stack.enter_context(running_relay(upstream))}
        nginx = stack.enter_context(running_nginx(upstream))
        if nginx is None:
            print("nginx is not installed: the figures have no peer.")
        else:
            sides["nginx"] = nginx
        figures = (
            _measure(sides, rounds) | measure_whole(upstream, rounds) | measure_first_verdict()
        )
    # By itself: nothing else listens or is asked meanwhile.
    observed = measure_observe()
    print(f"Processor: {name_processor()}, {cpu_count()} cores, load {getloadavg()[0]:.1f}.")
    publish("Attach", {**figures, **observed, "rounds": rounds}, out)


def _measure(sides: _Sides, rounds: int) -> dict[str, float]:
    pages = _take_turns(sides, rounds, partial(time_pages, requests=_PAGES))
    echoes = _take_turns(sides, rounds, partial(time_echoes, messages=_ECHOES))
    events = _take_turns(sides, rounds, time_events)
    return {
        **_added("added_ms_p50_other", pages),
        **_measure_download(sides, rounds),
        **{f"events_p95_delay_ms_{name}": _p95(times) for name, times in events.items()},
        **_added("websocket_added_ms_p50", echoes),
    }


def _take_turns(
    sides: _Sides, rounds: int, measure: Callable[[Side], list[float]]
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            times[name] += measure(side)
    return times


def _added(name: str, times: _Times) -> dict[str, float]:
    """What the ways add to the median, and how much more than nginx's the relay's is.

    The median without anything between is there too: a difference is worth no more than that.
    """
    direct = median(times["direct"])
    added = {side: median(each) - direct for side, each in times.items() if side != "direct"}
    figures = {
        name: added["relay"],
        name.replace("p50", "p99"): _p99(times["relay"]) - _p99(times["direct"]),
        f"{name}_base": direct,
    }
    if "nginx" in added:
        figures |= {f"{name}_nginx": added["nginx"]}
        figures |= {f"{name}_ratio_vs_nginx": added["relay"] / added["nginx"]}
    return figures


def _measure_download(sides: _Sides, rounds: int) -> dict[str, float]:
    relay = sides["relay"].pid
    before, resident = resident_mb(relay), list[float]()
    speeds = _take_turns(
        sides, rounds, lambda side: [download(side, lambda: resident.append(resident_mb(relay)))]
    )
    figures = {f"download_mb_per_second_{name}": median(each) for name, each in speeds.items()}
    if "nginx" in speeds:
        ratios = (r / n for r, n in zip(speeds["relay"], speeds["nginx"], strict=True))
        figures["download_ratio_vs_nginx"] = median(ratios)
    growth = max(resident) - before
    return figures | {"download_growth_mb": growth, "relay_rss_mb": before}


def _p95(times: list[float]) -> float:
    return quantiles(times, n=100)[94]


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]
