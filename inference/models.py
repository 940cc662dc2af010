"""Which model serves: loaded at the start, written down, and loaded again when asked to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import structlog

from detectors.errors import MaskwatchError
from inference.machine.allocator import keep_pages
from inference.machine.cores import core_share, shared_threads
from inference.machine.extras import require_extra
from inference.metrics import Metrics
from inference.segmenters.base import Segmenter
from inference.segmenters.choice import SegmenterName
from inference.segmenters.current import CurrentSegmenter
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.session import NetworkSession
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, open_weights
from inference.settings import ServiceSettings
from inference.supply.errors import ModelError
from inference.supply.verified import VerifiedModel, open_model
from store.baselines.source_names import name_source
from store.engine.database import Database
from store.models.loaded_models import NewLoad, add_loaded_model, this_host

_log = structlog.get_logger(__name__)
_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class LoadedModel:
    """A segmenter with the checked files that it was made from."""

    segmenter: Segmenter
    files: VerifiedModel


def load_model(settings: ServiceSettings) -> LoadedModel:
    """Check and load the model of the settings.

    Raises:
        ModelError: a file is missing, damaged or not trusted; it is named.
    """
    return HOSTINGS[settings.parsing.segmenter].load(settings)


def _reference(settings: ServiceSettings) -> LoadedModel:
    path = Path(settings.parsing.model) if settings.parsing.model else DEFAULT_WEIGHTS
    model = open_weights(path, settings.parsing.trust())
    network = NetworkSession(model, shared_threads(settings.admission.max_concurrency))
    return LoadedModel(ReferenceSegmenter(network, model.digest), model)


def _m2fp(settings: ServiceSettings) -> LoadedModel:
    require_extra("m2fp", "The segmenter m2fp", ("torch", "torchvision", "modelscope", "timm"))
    # What it loads takes seconds to import: who does not use it, or whose files are refused, should
    # not wait for it.
    from inference.segmenters.m2fp.source import DEFAULT_MODEL, model_folder  # noqa: PLC0415

    name = settings.parsing.model or DEFAULT_MODEL
    folder = model_folder(name, settings.parsing.model_revision, settings.store.var_dir)
    model = open_model(folder, settings.parsing.trust())
    from inference.segmenters.m2fp.precision import device_named, limit_threads  # noqa: PLC0415
    from inference.segmenters.m2fp.segmenter import M2FPSegmenter  # noqa: PLC0415

    limit_threads(core_share(settings.admission.max_concurrency))
    segmenter = M2FPSegmenter.load(
        model,
        device_named(settings.parsing.model_device),
        settings.parsing.model_precision,
        settings.parsing.model_short_side,
    )
    keep_pages()
    segmenter.warm_up()
    return LoadedModel(segmenter, model)


def _onnx(settings: ServiceSettings) -> LoadedModel:
    # It brings a reader of descriptions, which the reference segmenter needs not.
    from inference.segmenters.onnx.folder import check_folder  # noqa: PLC0415
    from inference.segmenters.onnx.segmenter import load_onnx  # noqa: PLC0415

    folder = check_folder(_named_folder(settings))
    model = open_model(folder, settings.parsing.trust())
    threads = shared_threads(settings.admission.max_concurrency)
    return LoadedModel(load_onnx(model, threads), model)


def _transformers(settings: ServiceSettings) -> LoadedModel:
    require_extra("transformers", "The segmenter transformers", ("torch", "transformers"))
    # As above.
    from inference.segmenters.transformers.folder import check_folder  # noqa: PLC0415

    folder = check_folder(_named_folder(settings))
    model = open_model(folder, settings.parsing.trust())
    from inference.segmenters.m2fp.precision import device_named, limit_threads  # noqa: PLC0415
    from inference.segmenters.transformers.segmenter import load_transformers  # noqa: PLC0415

    limit_threads(core_share(settings.admission.max_concurrency))
    keep_pages()
    return LoadedModel(load_transformers(model, device_named(settings.parsing.model_device)), model)


def _named_folder(settings: ServiceSettings) -> Path:
    """Raises ModelError if no folder is named."""
    if not settings.parsing.model:
        raise ModelError(
            f"The segmenter {settings.parsing.segmenter} needs a model folder: name it with "
            "--model or MASKWATCH_MODEL."
        )
    return Path(settings.parsing.model)


@dataclass(frozen=True)
class Hosting:
    """How models of one kind are hosted.

    Attributes:
        load: checks and loads the model of the settings.
        mark: a file that lies in each folder of this kind; ``None`` if a model is one file.
    """

    load: Callable[[ServiceSettings], LoadedModel]
    mark: str | None


# A folder is of the first kind whose mark it has.
HOSTINGS: Mapping[SegmenterName, Hosting] = {
    SegmenterName.REFERENCE: Hosting(_reference, None),
    SegmenterName.ONNX: Hosting(_onnx, "model.onnx"),
    SegmenterName.M2FP: Hosting(_m2fp, "configuration.json"),
    SegmenterName.TRANSFORMERS: Hosting(_transformers, "config.json"),
}


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
