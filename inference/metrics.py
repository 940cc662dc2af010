"""Prometheus metrics of the service process."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from math import nan
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Summary,
    generate_latest,
)

from store.engine.files.disk_room import room_of
from store.engine.files.folder_mark import mark_folder
from store.requests.records import RequestRecord

VAR_FOLDER = "maskwatch_var_folder"
_GROUPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """Counters of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.faults = self._counter("faults", "Faults inside Maskwatch, by part.", "part")
        self._measure_requests()
        self._measure_admission()
        self._measure_connections()
        self._measure_work()
        self._measure_records()
        self._measure_commits()
        self._measure_observer()
        self._measure_replies()
        self._measure_upstream_looks()

    def _measure_requests(self) -> None:
        """What came of requests, and how long they took."""
        self.requests = self._counter(
            "requests", "Requests by verdict and the stage they reached.", "verdict", "stage"
        )
        self.reasons = self._counter("reasons", "Refusals and findings by code.", "reason")
        self.seconds = self._histogram(
            "request_seconds", "Time from the whole upload to the durable record and the answer."
        )
        self.steps = Summary(
            "maskwatch_step_seconds",
            "Time of one step of a request: what a picture costs, part by part.",
            ["step"],
            registry=self.registry,
        )

    def _measure_admission(self) -> None:
        """Who is let in, and who is not."""
        self.in_flight = self._gauge("in_flight", "Uploads that are worked on or wait.")
        self.unrecorded_refusals = self._counter(
            "unrecorded_refusals",
            "Repeated refusals at admission that were answered and counted without a record.",
            "reason",
        )
        self.decisions = self._counter(
            "decisions", "Answers of /v1/decide: `allowed`, or the code of the refusal.", "answer"
        )
        self.unreadable_senders = self._counter(
            "unreadable_senders",
            "Requests whose client no trusted proxy or reporter named in a form that can be read.",
        )
        self.untrusted_proxies = self._counter(
            "untrusted_proxies",
            "Requests that a private address forwarded without being a trusted proxy.",
        )
        self.silent_proxies = self._counter(
            "silent_proxies", "Requests of a trusted proxy that named nobody in its header."
        )

    def _measure_connections(self) -> None:
        """What broke off between client and service."""
        self.broken_off = self._counter("broken_uploads", "Uploads that the client broke off.")
        self.closed_connections = self._counter(
            "closed_connections", "Connections that were closed on a client, by why.", "why"
        )

    def _measure_work(self) -> None:
        """What becomes of the parts that work on pictures."""
        self.decoder_ends = self._counter(
            "decoder_ends",
            "Decode workers that ended, by cause; all but recycled ones cost an upload.",
            "why",
        )
        self.ensembles = self._counter(
            "ensembles",
            "Parses by what became of their ensemble: how much it looked at, or why not.",
            "outcome",
        )
        self.evidence_left_out = self._counter(
            "evidence_left_out",
            "Passed requests whose pictures would have been kept, had the quota not been reached.",
        )
        self.model_reloads = self._counter(
            "model_reloads", "Times that the model was to be loaded again, by outcome.", "outcome"
        )

    def _measure_records(self) -> None:
        """Which records do not go straight to the database."""
        self.spooled_records = self._counter(
            "spooled_records", "Records that went to the spool because the database was away."
        )
        self.replayed_records = self._counter(
            "replayed_records", "Records that came from the spool into the database."
        )
        self.set_aside_records = self._counter(
            "set_aside_records", "Records that the database will never take, or nobody can read."
        )
        self.unkept_records = self._counter(
            "unkept_records", "Records that were kept nowhere, by why; `strict` answers 503.", "why"
        )

    def _measure_commits(self) -> None:
        """How records become durable together."""
        self.group_records = self._histogram(
            "record_group_records", "Records that were made durable together.", _GROUPS
        )
        self.commit_seconds = self._histogram(
            "record_commit_seconds", "Time to make a group of records durable."
        )

    def _measure_observer(self) -> None:
        """What becomes of observations."""
        self.observations = self._counter(
            "observations",
            "Observations by what became of them: recorded, dropped, or why not taken in.",
            "outcome",
        )
        self.event_halves = self._counter(
            "event_halves",
            "Requests and responses that came as events of their own, by what became of them.",
            "side",
            "fate",
        )

    def _measure_replies(self) -> None:
        """What becomes of what a service behind the proxy answers."""
        self.replies = self._counter(
            "replies",
            "Answers to pictures: read, not_read, not_measured, dropped, not_recorded.",
            "outcome",
        )
        self.upstream_faults = self._counter(
            "upstream_faults", "Requests that the upstream did not answer, by why.", "why"
        )
        self.upstream_seconds = self._counter(
            "upstream_seconds", "Time that the upstream took for pictures, by whose.", "whose"
        )

    def _measure_upstream_looks(self) -> None:
        """What becomes of further looks at what an upstream says."""
        self.upstream_looks = self._counter(
            "upstream_looks",
            "Parses of the upstream by what became of further looks: taken, failed, or why not.",
            "outcome",
        )
        self.upstream_look_requests = self._counter(
            "upstream_look_requests", "Requests of looks to the upstream, by outcome.", "outcome"
        )

    def watch_replies(self, length: Callable[[], int], held_bytes: Callable[[], int]) -> None:
        """Show how many answers wait to be read, and what is held while requests are passed on."""
        queue = self._gauge("reply_queue", "Answers that wait to be read or are checked.")
        queue.set_function(length)
        held = self._gauge("held_bytes", "Bytes of pictures and answers that are passed on.")
        held.set_function(held_bytes)

    def watch_observations(
        self, length: Callable[[], int], size_bytes: Callable[[], int], halves: Callable[[], int]
    ) -> None:
        """Show what waits: observations, their bytes, and halves without their other half."""
        queue = self._gauge("observe_queue", "Observations that wait or are measured.")
        queue.set_function(length)
        memory = self._gauge("observe_queue_bytes", "Bytes of these observations.")
        memory.set_function(size_bytes)
        waiting = self._gauge("observe_halves", "Events that wait for their other half.")
        waiting.set_function(halves)

    def watch_queue(self, length: Callable[[], int], callers_waiting: Callable[[], int]) -> None:
        """Show how long the recorder's queue is, and who waits for a place in it."""
        depth = self._gauge("record_queue", "Records that wait to be written.")
        depth.set_function(length)
        callers = self._gauge("record_callers_waiting", "Requests that wait for a place there.")
        callers.set_function(callers_waiting)

    def watch_disk(self, folder: Path) -> None:
        """Show the room of the disk that records, pictures and the spool are written to."""
        free = self._gauge("disk_free_bytes", "Room that is left on the disk of the var folder.")
        free.set_function(lambda: _room(folder, "free_bytes"))
        total = self._gauge("disk_bytes", "Size of that disk.")
        total.set_function(lambda: _room(folder, "total_bytes"))

    def mark_var_folder(self, folder: Path) -> None:
        """Say which var folder this is: `maskwatch doctor` then knows whose service answers."""
        meaning = "1; the label tells the var folder of this service from others."
        marks = Gauge(VAR_FOLDER, meaning, ["mark"], registry=self.registry)
        mark = mark_folder(folder)
        if mark is not None:
            marks.labels(mark).set(1)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"maskwatch_{name}", meaning, registry=self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"maskwatch_{name}", meaning, labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, buckets: Sequence[float] = Histogram.DEFAULT_BUCKETS
    ) -> Histogram:
        return Histogram(f"maskwatch_{name}", meaning, buckets=buckets, registry=self.registry)

    def count(self, record: RequestRecord) -> None:
        """Count one request that is answered."""
        self.requests.labels(record.verdict.value, record.stage.value).inc()
        for reason in record.reasons:
            self.reasons.labels(reason).inc()

    def time_step(self, step: str) -> AbstractContextManager[object]:
        """Take the time of a step, however it ends."""
        return self.steps.labels(step).time()

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)


def _room(folder: Path, name: str) -> float:
    """Not a number where this user may not look: the other metrics must go on."""
    try:
        return float(getattr(room_of(folder), name))
    except OSError:
        return nan
