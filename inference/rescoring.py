"""Measures pictures that were kept once more: the parse and every look, without a database.

A kept picture is not the upload: it is small, its faces are pixelated, and it was compressed. What
is measured tells how one model sees it, and how another one would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from detectors.findings import Finding
from detectors.model_features import model_features
from detectors.parsing import Image, Parsing
from detectors.topology.persons import Scene
from detectors.topology.topology_features import topology_features
from detectors.topology.topology_limits import TopologyLimits
from detectors.topology.topology_rules import topology_findings
from inference.admission.admission_settings import usable_cores
from inference.ensemble.draws import Draws
from inference.ensemble.ensemble import Ensemble, EnsembleView
from inference.ensemble.first_look import PREFIX, FirstLook
from inference.ensemble.recipe import Recipe
from inference.gate.faces import FaceFinder
from inference.gate.media import MediaType
from inference.gate.sandbox.pool import DecoderPool
from inference.gate.screen import Gate
from inference.hosting import load_model
from inference.machine.cores import share_cores
from inference.refusals import Refusal
from inference.segmenters.base import Segmenter
from inference.settings import ServiceSettings
from inference.supply.errors import ModelError


@dataclass(frozen=True)
class Remeasured:
    """What a kept picture shows this time.

    Attributes:
        features: by name; those of costs, traffic and the upload itself are not among them.
        refusal: code of why it could not be decoded; empty if it was.
    """

    features: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, eq=False)
class Rescorer:
    """Parses kept pictures with one model and takes every look at them.

    Attributes:
        draws: what is drawn for a picture; not those of the service, so that no secret is needed.
    """

    gate: Gate
    segmenter: Segmenter
    recipe: Recipe
    limits: TopologyLimits
    draws: Draws

    def measure(self, picture: bytes) -> Remeasured:
        """Measure a picture as it was kept; the same picture gives the same, bit for bit."""
        screening = self.gate.screen(picture)
        if isinstance(screening, Refusal):
            return Remeasured(refusal=screening.code)
        parsing, digest = self.segmenter.parse(screening.image), sha256(picture).hexdigest()
        scene, view = Scene.of(parsing), self._look_at(screening.image, parsing, digest)
        features = {
            **screening.features,
            **model_features(parsing),
            **topology_features(scene),
            **self._glance_at(screening.image, parsing, digest),
            **view.features(),
        }
        rules = topology_findings(scene, self.limits)
        return Remeasured(features, (*screening.findings, *rules, *view.findings))

    def _glance_at(self, image: Image, parsing: Parsing, digest: str) -> Mapping[str, float]:
        random = self.draws.generator("first_look", digest, self.segmenter.digest)
        return FirstLook().look(self.segmenter, image, parsing, random).features(PREFIX)

    def _look_at(self, image: Image, parsing: Parsing, digest: str) -> EnsembleView:
        random = self.draws.generator("ensemble", digest, self.segmenter.digest)
        return Ensemble(self.segmenter, self.recipe).look(image, parsing, random)

    def close(self) -> None:
        """End the decode worker."""
        self.gate.close()


def build_rescorer(
    settings: ServiceSettings,
    limits_of: Callable[[str], TopologyLimits],
    seed: int,
    digest: str | None = None,
) -> Rescorer:
    """Load the model of the settings and start one decode worker; it works on one thread.

    Args:
        limits_of: the limits of the topology rules for a model's digest.
        seed: what the looks are drawn with.
        digest: of the model that it must be; ``None`` for any that the settings trust.

    Raises:
        ModelError: the model cannot be loaded, or is another one.
        DecoderUnusable: the decode worker does not start.
    """
    # As if as many parsed at a time as there are cores: each has one.
    settings = settings.model_copy(update={"max_concurrency": usable_cores()})
    share_cores(settings.admission.max_concurrency)
    segmenter = load_model(settings).segmenter
    if digest is not None and segmenter.digest != digest:
        raise ModelError(
            f"The model is {segmenter.digest[:12]} here, and {digest[:12]} where the work comes "
            "from: name the same files on every machine."
        )
    # Pictures are kept as WebP, whatever the service takes.
    takes = replace(settings.gate.gate_limits(), types=(MediaType.WEBP,))
    gate = Gate(takes, DecoderPool(1, settings.gate.worker_limits()), FaceFinder())
    draws = Draws.keyed(f"rescore {seed}".encode())
    limits = limits_of(segmenter.digest)
    return Rescorer(gate, segmenter, settings.ensemble_recipe(), limits, draws)
