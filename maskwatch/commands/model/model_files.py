"""``maskwatch model``: sign a model, verify it, show what it is made of."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from inference.segmenters.model_settings import SigningSettings
from inference.segmenters.reference.weights import SHIPPED_WEIGHTS
from inference.supply.advice import Advice, advise, may_be_pickle
from inference.supply.errors import ModelError
from inference.supply.trust import Trust
from inference.supply.verified import (
    Standing,
    VerifiedModel,
    digest_of,
    hash_files,
    verify_model,
)
from store.models.model_files import (
    ModelFile,
    UnusableFile,
    escape_name,
    file_of,
    model_names,
    read_model_file,
)
from store.models.outlier_models import FORMER_SUFFIX, former_archive_sentence
from store.models.signature_claims import signature_path
from store.models.signatures import sign


@dataclass(frozen=True)
class ModelView:
    """What there is to know of a model without loading it.

    Attributes:
        state: a :class:`Standing`, or ``refused``.
        sentence: the same in words; why, if it is refused.
    """

    path: str
    digest: str
    state: str
    sentence: str
    signed_by: str | None
    files: tuple[ModelFile, ...]
    advice: tuple[Advice, ...]


def sign_model(path: Path, key: Path, settings: SigningSettings) -> str:
    """Sign every file of a model; returns a sentence.

    Raises:
        ModelError: a file or the key cannot be used.
    """
    _refuse_former_archives(path)
    files = hash_files(path)
    secret = settings.signing.model_key_password
    fingerprint = sign(path, files, key, secret.get_secret_value() if secret else None)
    return f"Signed {_count_files(files)} with key {fingerprint}: {signature_path(path)}"


def verify_signed_model(path: Path, keys: tuple[Path, ...]) -> VerifiedModel:
    """Check a model as a start would, and that there is a signature.

    Raises:
        ModelError: a file is not what was signed, or nobody signed it.
    """
    _refuse_former_archives(path)
    model = verify_model(path, Trust(keys, is_required=False), SHIPPED_WEIGHTS)
    if model.standing is Standing.UNSIGNED:
        raise ModelError(
            f"The model {path} has no signature at {signature_path(path)}: sign it with "
            "`maskwatch model sign`."
        )
    return model


def inspect(path: Path, keys: tuple[Path, ...]) -> ModelView:
    """Look at every file and at the signature, whether they fit or not.

    Raises:
        ModelError: a file cannot be read.
    """
    _refuse_former_archives(path)
    files = hash_files(path)
    state, sentence, signed_by = "refused", "", None
    try:
        model = verify_model(path, Trust(keys, is_required=False), SHIPPED_WEIGHTS)
        state, sentence, signed_by = model.standing, model.standing.sentence, model.signed_by
    except ModelError as error:
        sentence = str(error)
    return ModelView(
        str(path),
        digest_of(path, files),
        state,
        sentence,
        signed_by,
        files,
        collect_advice(path, files),
    )


def collect_advice(path: Path, files: tuple[ModelFile, ...]) -> tuple[Advice, ...]:
    """What picklescan says of the files that may be pickles.

    Raises:
        ModelError: one cannot be read any more.
    """
    names = [file.name for file in files if may_be_pickle(file.name)]
    try:
        return tuple(advise(read_model_file(file_of(path, name)), name) for name in names)
    except UnusableFile as fault:
        raise ModelError(f"A file of the model {path} {fault}: look at it again.") from None


def to_json(view: ModelView) -> str:
    """One JSON object."""
    return json.dumps(asdict(view))


def to_text(view: ModelView) -> Iterator[str]:
    """Lines for people."""
    yield f"model      {view.path}"
    yield f"digest     {view.digest}"
    yield f"signature  {view.state}: {view.sentence}"
    if view.signed_by is not None:
        yield f"key        {view.signed_by}"
    for file in view.files:
        yield f"file       {file.sha256}  {file.size:>12,}  {escape_name(file.name)}"
    yield from describe_advice(view.advice)


def describe_verification(model: VerifiedModel) -> Iterator[str]:
    """What ``verify`` says of a model that passed."""
    key = f" Key: {model.signed_by}." if model.signed_by is not None else ""
    yield f"{model.path}: {_count_files(model.files)} verified. {model.standing.sentence}{key}"
    yield from describe_advice(collect_advice(model.path, model.files))


def describe_advice(advice: tuple[Advice, ...]) -> Iterator[str]:
    """What picklescan says, one line a file."""
    for each in advice:
        name = escape_name(each.file)
        for what, calls in (("would run code", each.dangerous), ("unknown names", each.unknown)):
            if calls:
                names = ", ".join(escape_name(call) for call in calls)
                yield f"advice     {name}: {what}: {names}"
        if not each.complete:
            yield f"advice     {name}: cannot be read to its end"
        elif not each.dangerous and not each.unknown:
            yield f"advice     {name}: nothing that would run code"


def _refuse_former_archives(path: Path) -> None:
    """Say of an outlier model of an earlier version that nothing reads it any more."""
    with suppress(UnusableFile):  # whoever hashes the files says what is wrong with them
        for name in model_names(path):
            if name.endswith(FORMER_SUFFIX):
                raise ModelError(former_archive_sentence(file_of(path, name)))


def _count_files(files: tuple[ModelFile, ...]) -> str:
    return f"{len(files)} file{'' if len(files) == 1 else 's'}"
