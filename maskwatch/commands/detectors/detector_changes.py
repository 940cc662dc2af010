"""What ``maskwatch detectors`` changes: promote and roll back, by hand and audited."""

from datetime import datetime

from jobs.settings import JobSettings
from maskwatch.commands.detectors.detector_views import find_whole_model
from store.audit.actors import command_line, operator
from store.audit.reasons import read_reason
from store.engine.existing import existing_database
from store.models.outlier_models import promote
from store.models.outlier_models import roll_back as roll_champion_back
from store.models.promotions import find_way_back
from store.tables.work_tables import OutlierModelRow


def promote_by_hand(settings: JobSettings, name: str, reason: str, now: datetime) -> str:
    """Make a model the champion; what holds then.

    Raises:
        ReasonError: no reason was given, or none that can be kept.
        NoOutlierModel: there is no such model, or its file is gone.
        OutlierModelError: its file was changed, is of another version, or is signed by nobody.
    """
    reason = read_reason(reason)
    with existing_database(settings) as database, database.write() as session:
        row = find_whole_model(session, settings, name)
        promote(session, row.id, command_line(operator()), now, reason)
        return _describe(row)


def roll_back(settings: JobSettings, reason: str, now: datetime) -> str:
    """Go back to the champion before the present one; what holds then.

    Raises:
        ReasonError: no reason was given, or none that can be kept.
        NoWayBack: there was no champion before.
        NoOutlierModel: its file is gone.
        OutlierModelError: its file was changed, is of another version, or is signed by nobody.
    """
    reason = read_reason(reason)
    with existing_database(settings) as database, database.write() as session:
        find_whole_model(session, settings, str(find_way_back(session).model_id))
        return _describe(roll_champion_back(session, command_line(operator()), now, reason))


def _describe(row: OutlierModelRow) -> str:
    return (
        f"Outlier model {row.id} ({row.digest[:12]}) is the champion from now on; services and "
        "jobs know it in a second."
    )
