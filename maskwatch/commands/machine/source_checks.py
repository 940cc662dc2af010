"""What ``maskwatch doctor`` says of the sources: how far each is learnt."""

from collections.abc import Iterator

from detectors.baseline.phases import Phase
from inference.settings import ServiceSettings
from maskwatch.commands.checks import Check, State
from store.engine.existing import StoreMissing, existing_database
from store.pages.source_progress import SourceProgress, list_progress


def check_sources(settings: ServiceSettings) -> Iterator[Check]:
    """Phase and demoted rules of each source; nothing before the first start."""
    if not settings.looks.learn_traffic:
        sentence = "MASKWATCH_LEARN_TRAFFIC is false: files judge, and nothing is learnt."
        yield Check("sources", State.OK, sentence)
        return
    try:
        with existing_database(settings) as database, database.read() as session:
            sources = list_progress(session)
    except StoreMissing:
        return
    for source in sources:
        yield from _describe(source)


def _describe(source: SourceProgress) -> Iterator[Check]:
    name = f"source {source.title}"
    is_known = source.phase is Phase.IN_FORCE
    yield Check(name, State.OK if is_known else State.WARN, source.standing)
    for sentence in source.demoted:
        yield Check(name, State.WARN, sentence)
