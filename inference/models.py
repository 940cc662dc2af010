"""Which model serves: loaded at the start, written down, and loaded again when asked to."""

from collections.abc import Callable
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Thread

import structlog

from detectors.errors import MaskwatchError
from inference.hosting import LoadedModel, load_model
from inference.metrics import Metrics
from inference.segmenters.current import CurrentSegmenter
from inference.settings import ServiceSettings
from store.baselines.source_names import name_source
from store.engine.database import Database
from store.models.loaded_models import NewLoad, add_loaded_model, this_host

_log = structlog.get_logger(__name__)
_STOP_SECONDS = 5.0


class Models:
    """Holds the model that serves and replaces it by one that was checked first."""

    def __init__(
        self,
        first: LoadedModel,
        load: Callable[[], LoadedModel],
        note: Callable[[LoadedModel], None],
        metrics: Metrics,
    ) -> None:
        """Hold the first model.

        Args:
            load: checks and loads the model again.
            note: writes down that a model serves.
        """
        self.current = CurrentSegmenter(first.segmenter)
        self._load, self._note, self._metrics = load, note, metrics
        # Given away at the start: a model that was replaced must not stay in memory.
        self._first: LoadedModel | None = first
        self._requests: SimpleQueue[bool] = SimpleQueue()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Write down which model serves, and listen to :meth:`ask` until :meth:`close`.

        Raises:
            StoreUnavailable: it cannot be written down.
        """
        if self._first is not None:
            self._note(self._first)
            self._first = None
        self._thread = Thread(target=self._listen, name="models", daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Ask for the model to be loaded again; does nothing else, so that a signal may call it."""
        self._requests.put(True)

    def reload(self) -> bool:
        """Check, load, write down and swap, in this order; any fault leaves the running model."""
        try:
            model = self._load()
            self._note(model)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the old one serves
            self._metrics.model_reloads.labels("failed").inc()
            fault = None if isinstance(error, MaskwatchError) else error
            _log.error("model not loaded again", why=str(error), exc_info=fault)
            return False
        self.current.swap(model.segmenter)
        self._metrics.model_reloads.labels("loaded").inc()
        _log.info("model loaded again", digest=model.files.digest)
        return True

    def close(self) -> None:
        """End the thread; it is given a few seconds to finish what it does."""
        self._requests.put(False)
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _listen(self) -> None:
        while self._requests.get():
            self.reload()


def build_models(
    settings: ServiceSettings, first: LoadedModel, database: Database, metrics: Metrics
) -> Models:
    """Let a loaded model serve, and load the one of the settings again when asked to."""

    def note(model: LoadedModel) -> None:
        with database.write() as session:
            add_loaded_model(session, _new_load(settings, model), datetime.now(UTC))
            name_source(session, model.files.digest, _name_model(settings, model))

    return Models(first, lambda: load_model(settings), note, metrics)


def _name_model(settings: ServiceSettings, model: LoadedModel) -> str:
    """The segmenter, and the file or folder if the operator chose one: ``onnx model bodypix``."""
    kind = f"{model.segmenter.name} model"
    return f"{kind} {model.files.path.name}" if settings.parsing.model else kind


def _new_load(settings: ServiceSettings, model: LoadedModel) -> NewLoad:
    return NewLoad(
        host=this_host(),
        service=f"{settings.service.host}:{settings.service.port}",
        segmenter=model.segmenter.name,
        path=str(model.files.path.absolute()),
        digest=model.files.digest,
        files=model.files.hashes,
        signed_by=model.files.signed_by,
    )
