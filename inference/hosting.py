"""Which models can be hosted: how the files of each kind are found, checked and loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from inference.machine.allocator import keep_pages
from inference.machine.cores import core_share, shared_threads
from inference.machine.extras import require_extra
from inference.segmenters.base import Segmenter
from inference.segmenters.choice import SegmenterName
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.session import NetworkSession
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, open_weights
from inference.settings import ServiceSettings
from inference.supply.errors import ModelError
from inference.supply.verified import VerifiedModel, open_model


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
    hosting = HOSTINGS[settings.parsing.segmenter]
    files = hosting.open(settings)
    return LoadedModel(hosting.load(settings, files), files)


def check_model(settings: ServiceSettings) -> None:
    """See that files and signature are as :func:`load_model` wants them; nothing is loaded.

    Raises:
        ModelError: they are not. A model that is yet to be downloaded is not looked at.
    """
    hosting = HOSTINGS[settings.parsing.segmenter]
    if hosting.is_here(settings):
        hosting.open(settings)


def _open_reference(settings: ServiceSettings) -> VerifiedModel:
    path = Path(settings.parsing.model) if settings.parsing.model else DEFAULT_WEIGHTS
    return open_weights(path, settings.parsing.trust())


def _load_reference(settings: ServiceSettings, model: VerifiedModel) -> Segmenter:
    network = NetworkSession(model, shared_threads(settings.admission.max_concurrency))
    return ReferenceSegmenter(network, model.digest)


def _is_m2fp_here(settings: ServiceSettings) -> bool:
    _require_m2fp()
    from inference.segmenters.m2fp.source import find_folder  # noqa: PLC0415

    return find_folder(*_name_m2fp(settings)) is not None


def _open_m2fp(settings: ServiceSettings) -> VerifiedModel:
    _require_m2fp()
    from inference.segmenters.m2fp.source import model_folder  # noqa: PLC0415

    return open_model(model_folder(*_name_m2fp(settings)), settings.parsing.trust())


def _require_m2fp() -> None:
    require_extra("m2fp", "The segmenter m2fp", ("torch", "torchvision", "modelscope", "timm"))


def _name_m2fp(settings: ServiceSettings) -> tuple[str, str, Path]:
    """Folder or id, revision, and where downloads go."""
    from inference.segmenters.m2fp.source import DEFAULT_MODEL  # noqa: PLC0415

    parsing = settings.parsing
    return parsing.model or DEFAULT_MODEL, parsing.model_revision, settings.store.var_dir


def _load_m2fp(settings: ServiceSettings, model: VerifiedModel) -> Segmenter:
    # What it loads takes seconds to import: who does not use it, or whose files are refused, should
    # not wait for it.
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
    return segmenter


def _open_onnx(settings: ServiceSettings) -> VerifiedModel:
    # It brings a reader of descriptions, which the reference segmenter needs not.
    from inference.segmenters.onnx.folder import check_folder  # noqa: PLC0415

    return open_model(check_folder(_named_folder(settings)), settings.parsing.trust())


def _load_onnx(settings: ServiceSettings, model: VerifiedModel) -> Segmenter:
    from inference.segmenters.onnx.segmenter import load_onnx  # noqa: PLC0415

    return load_onnx(model, shared_threads(settings.admission.max_concurrency))


def _open_transformers(settings: ServiceSettings) -> VerifiedModel:
    require_extra("transformers", "The segmenter transformers", ("torch", "transformers"))
    # As above.
    from inference.segmenters.transformers.folder import check_folder  # noqa: PLC0415

    return open_model(check_folder(_named_folder(settings)), settings.parsing.trust())


def _load_transformers(settings: ServiceSettings, model: VerifiedModel) -> Segmenter:
    from inference.segmenters.m2fp.precision import device_named, limit_threads  # noqa: PLC0415
    from inference.segmenters.transformers.segmenter import load_transformers  # noqa: PLC0415

    limit_threads(core_share(settings.admission.max_concurrency))
    keep_pages()
    return load_transformers(model, device_named(settings.parsing.model_device))


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
        open: finds the files that the settings name, and checks them and their signature.
        load: makes the segmenter from checked files.
        mark: a file that lies in each folder of this kind; ``None`` if a model is one file.
        is_here: whether the files can be opened without a download.
    """

    open: Callable[[ServiceSettings], VerifiedModel]
    load: Callable[[ServiceSettings, VerifiedModel], Segmenter]
    mark: str | None
    is_here: Callable[[ServiceSettings], bool] = lambda _settings: True


# A folder is of the first kind whose mark it has.
HOSTINGS: Mapping[SegmenterName, Hosting] = {
    SegmenterName.REFERENCE: Hosting(_open_reference, _load_reference, None),
    SegmenterName.ONNX: Hosting(_open_onnx, _load_onnx, "model.onnx"),
    SegmenterName.M2FP: Hosting(_open_m2fp, _load_m2fp, "configuration.json", _is_m2fp_here),
    SegmenterName.TRANSFORMERS: Hosting(_open_transformers, _load_transformers, "config.json"),
}
