"""Prometheus metrics of the service process."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from store.records import RequestRecord


class Metrics:
    """Counters of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "maskwatch_requests",
            "Requests by verdict and the stage they reached.",
            ("verdict", "stage"),
            registry=self.registry,
        )
        self.reasons = Counter(
            "maskwatch_reasons",
            "Refusals and findings by code.",
            ("reason",),
            registry=self.registry,
        )
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
        self.spooled = Counter(
            "maskwatch_spooled_records",
            "Records that went to the spool because the database was away.",
            registry=self.registry,
        )
        self.decoder_ends = Counter(
            "maskwatch_decoder_ends",
            "Decode workers that ended, by cause; all but recycled ones cost an upload.",
            ("why",),
            registry=self.registry,
        )
        self.unrecorded = Counter(
            "maskwatch_unrecorded_refusals",
            "Repeated refusals at admission that were answered and counted without a record.",
            ("reason",),
            registry=self.registry,
        )
        self.broken_off = Counter(
            "maskwatch_broken_uploads",
            "Uploads that the client broke off.",
            registry=self.registry,
        )
        self.closed = Counter(
            "maskwatch_closed_connections",
            "Connections that were closed on a client, by why.",
            ("why",),
            registry=self.registry,
        )
        self.faults = Counter(
            "maskwatch_faults",
            "Faults inside Maskwatch, by part.",
            ("part",),
            registry=self.registry,
        )

    def count(self, record: RequestRecord) -> None:
        """Count one request that is answered."""
        self.requests.labels(record.verdict.value, record.stage.value).inc()
        for reason in record.reasons:
            self.reasons.labels(reason).inc()

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
