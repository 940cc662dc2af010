"""Settings of the model that serves, and of who may vouch for it."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from inference.segmenters.choice import Precision, SegmenterName
from inference.supply.trust import MAX_KEYS, Trust
from store.configuration.comma_lists import CommaList
from store.configuration.groups import Group
from store.settings import StoreSettings


class ParsingGroup(Group):
    """Which model parses, how, and whose models are loaded."""

    segmenter: SegmenterName = SegmenterName.REFERENCE
    """`reference`, the small one that Maskwatch ships, ModelScope's `m2fp`, any other
    network as `onnx`, or one of Hugging Face's `transformers`."""

    model: str = ""
    """For `m2fp` a folder or a ModelScope id; for `reference` a weights file; for `onnx` a folder
    with `model.onnx` and `segmenter.toml`; for `transformers` one of `save_pretrained`. Default:
    M2FP for several persons (`damo/cv_resnet101_image-multiple-human-parsing`); the weights that
    Maskwatch ships; none."""

    model_revision: str = Field(
        "v1.0.1", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["v1.0.1"]
    )
    """Tag or commit of a ModelScope id. Do not take a branch: it may mean other files tomorrow."""

    model_device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda(:[0-9]+)?)$", examples=["auto", "cpu", "cuda", "cuda:1"]
    )
    """Where `m2fp` and `transformers` run: `auto`, `cpu`, `cuda` or `cuda:1`."""

    model_precision: Precision = Precision.AUTO
    """Number format of `m2fp`: `float32`, `bfloat16`, or `auto` for bfloat16 where the processor
    multiplies it itself."""

    model_short_side: int = Field(640, ge=64, le=2048)
    """Short side in pixels at which `m2fp` sees pictures of several persons; smaller is quicker and
    coarser."""

    model_keys: CommaList[Path] = ()
    """Comma-separated files of public keys (PEM), at most two: a model is only loaded with a
    signature by one of them."""

    require_signed_model: bool = True
    """Do not load a model that nobody vouches for: one without a signature by one of the keys. The
    weights that Maskwatch ships need none: the code knows their SHA-256. `false` loads any, with a
    warning, as long as no keys are set."""

    @field_validator("model_keys")
    @classmethod
    def _two_keys(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        if len(value) > MAX_KEYS:
            raise ValueError(f"name at most {MAX_KEYS} keys: the old one and the new one")
        return value

    def trust(self) -> Trust:
        """Whose models are loaded."""
        return Trust(self.model_keys, self.require_signed_model)


class SigningGroup(Group):
    """What it takes to sign a model, and no process needs that only loads one."""

    model_key_password: SecretStr | None = Field(None, min_length=1)
    """Password of the private key that `maskwatch model sign` is given, if it is locked."""


class SigningSettings(StoreSettings):
    """What `maskwatch model sign` reads."""

    signing: SigningGroup = Field(default_factory=SigningGroup)
