"""Prometheus metrics of the service process."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from store.records import RequestRecord


class Metrics:
    """Counters of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter(
            "requests", "Requests by verdict and the stage they reached.", "verdict", "stage"
        )
        self.reasons = self._counter("reasons", "Refusals and findings by code.", "reason")
        self.seconds = Histogram(
            "maskwatch_request_seconds",
            "Time from the whole upload to the durable record.",
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "maskwatch_in_flight",
            "Uploads that are worked on or wait.",
            registry=self.registry,
        )
        self.spooled = self._counter(
            "spooled_records", "Records that went to the spool because the database was away."
        )
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
        self.unrecorded = self._counter(
            "unrecorded_refusals",
            "Repeated refusals at admission that were answered and counted without a record.",
            "reason",
        )
        self.broken_off = self._counter("broken_uploads", "Uploads that the client broke off.")
        self.closed = self._counter(
            "closed_connections", "Connections that were closed on a client, by why.", "why"
        )
        self.evidence_left_out = self._counter(
            "evidence_left_out",
            "Passed requests whose pictures would have been kept, had the quota not been reached.",
        )
        self.model_reloads = self._counter(
            "model_reloads", "Times that the model was to be loaded again, by outcome.", "outcome"
        )
        self.faults = self._counter("faults", "Faults inside Maskwatch, by part.", "part")

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"maskwatch_{name}", meaning, labels, registry=self.registry)

    def count(self, record: RequestRecord) -> None:
        """Count one request that is answered."""
        self.requests.labels(record.verdict.value, record.stage.value).inc()
        for reason in record.reasons:
            self.reasons.labels(reason).inc()

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
