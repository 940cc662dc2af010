"""Explains a request from its record."""

from detectors.baseline.phases import SourceState
from detectors.errors import MaskwatchError
from inference.ensemble.sources import GivenSources
from inference.settings import ServiceSettings
from maskwatch.commands.explain.explanation import (
    Explanation,
    Fired,
    describe_phase,
    score_looks,
)
from store.baselines.sources import read_states
from store.engine.database import Database
from store.pages.request_detail import RequestDetail, request_detail

_FROM_RECORD = (
    "From the record, held against what judges its source now; with --picture FILE the looks are "
    "taken again."
)


class NotExplained(MaskwatchError):
    """There is nothing of that name that could be explained."""


def read_request(database: Database, request_id: str) -> RequestDetail:
    """Everything that is stored of a request.

    Raises:
        NotExplained: there is no such request.
    """
    with database.read() as session:
        request = request_detail(session, request_id)
    if request is None:
        raise NotExplained(
            f"There is neither a file nor a request {request_id!r}: the header "
            "Maskwatch-Request-Id and the dashboard's traffic page name requests."
        )
    return request


def explain_request(
    database: Database, request: RequestDetail, settings: ServiceSettings
) -> Explanation:
    """What a record says of its verdict."""
    digest, features = request.segmenter, request.features
    state = read_state(database, settings, digest or "")
    rate = settings.looks.false_positive_rate
    return Explanation(
        request.summary.request_id,
        request.summary.verdict.value,
        tuple(request.summary.reasons),
        digest,
        request.source_name,
        None if digest is None else describe_phase(state),
        tuple(Fired(each.rule, each.severity, each.evidence) for each in request.findings),
        None
        if digest is None or features is None
        else score_looks(state, features.collect_values(), rate),
        (_FROM_RECORD,),
    )


def read_state(database: Database, settings: ServiceSettings, digest: str) -> SourceState:
    """What judges a source now, as the service would read it."""
    if not settings.looks.learn_traffic:
        return GivenSources(settings.looks.read_baselines()).state_of(digest)
    with database.read() as session:
        return read_states(session).get(digest, SourceState())
