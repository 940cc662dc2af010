"""Settings of the service process."""

from dataclasses import replace
from hashlib import sha256

from pydantic import Field, SecretStr

from detectors.probing.differences import ProbingLimits
from detectors.topology.topology_limits import TopologyLimits
from detectors.verdict import Mode
from inference.admission.admission_settings import AdmissionGroup
from inference.ensemble.looks_settings import LooksGroup
from inference.ensemble.recipe import Recipe
from inference.gate.gate_settings import GateGroup
from inference.recording.recorder_settings import RecorderSettings
from inference.segmenters.model_settings import ParsingGroup
from inference.upstream.attach_settings import AttachGroup
from inference.upstream.looks.look_settings import UpstreamLooksGroup
from inference.upstream.observe.observe_settings import ObserveGroup
from inference.upstream.upstream_settings import UpstreamGroup
from store.configuration.groups import Group
from store.configuration.keeping_groups import PicturesGroup, RetentionGroup
from store.configuration.network_groups import ConnectionsGroup, ProxiesGroup
from store.configuration.report_groups import OutliersGroup
from store.configuration.store_groups import StoreGroup


class ServiceGroup(Group):
    """Where the service listens, and what it does with what it finds."""

    host: str = Field("127.0.0.1", min_length=1)
    """Address the service listens on; loopback unless you put something in front of it."""

    port: int = Field(8080, ge=0, le=65535)
    """Port the service listens on; 0 takes any free one."""

    mode: Mode = Mode.MONITOR
    """`monitor` only flags what detectors find; `enforce` refuses it."""

    cache_bytes: int = Field(0, ge=0, le=64_000_000_000)
    """Memory for what passed pictures hold, so that the same bytes are parsed once; 0 turns this
    off. An answer that comes faster tells that somebody sent the same file before."""


class TopologyGroup(Group):
    """What is normal for the parts of a person."""

    min_skin_share: float | None = Field(None, ge=0, le=1)
    """Below this share of skin a person is found odd. Default: as learnt with the model's baseline,
    0.01 without one."""

    max_trousers_gap: float | None = Field(None, ge=0, le=1)
    """Largest normal gap between trousers and feet, in body heights. Default: as learnt with the
    model's baseline, 0.06 without one."""

    min_hair_share: float | None = Field(None, gt=0, le=1)
    """A person with this share of hair and no face is recorded as odd. Default: as learnt with the
    model's baseline, 0.02 without one."""

    def topology_limits(self, limits: TopologyLimits) -> TopologyLimits:
        """The limits of the topology rules: those that are set, else those that were learnt."""
        own = {name: getattr(self, name) for name in limits.list_learnt()}
        return replace(limits, **{name: each for name, each in own.items() if each is not None})


class ProbingGroup(Group):
    """Searches for a picture that misleads, recognised by near-duplicates."""

    probing_score: float = Field(12, ge=1, le=60, allow_inf_nan=False)
    """A picture is a query of a search if its score is higher: how many recent pictures differ from
    it as queries do."""

    fingerprint_salt: SecretStr | None = Field(None, min_length=16)
    """Secret that fingerprints are taken and looks are drawn with; default: made once in `var_dir`.
    Services that share a database must share it."""

    def probing_limits(self) -> ProbingLimits:
        """Where searches begin."""
        return ProbingLimits(max_score=self.probing_score)


class ServiceSettings(RecorderSettings):
    """How pictures are taken in, judged and recorded."""

    service: ServiceGroup = Field(default_factory=ServiceGroup)
    connections: ConnectionsGroup = Field(default_factory=ConnectionsGroup)
    proxies: ProxiesGroup = Field(default_factory=ProxiesGroup)
    admission: AdmissionGroup = Field(default_factory=AdmissionGroup)
    gate: GateGroup = Field(default_factory=GateGroup)
    observe: ObserveGroup = Field(default_factory=ObserveGroup)
    parsing: ParsingGroup = Field(default_factory=ParsingGroup)
    topology: TopologyGroup = Field(default_factory=TopologyGroup)
    looks: LooksGroup = Field(default_factory=LooksGroup)
    probing: ProbingGroup = Field(default_factory=ProbingGroup)
    outliers: OutliersGroup = Field(default_factory=OutliersGroup)
    pictures: PicturesGroup = Field(default_factory=PicturesGroup)
    retention: RetentionGroup = Field(default_factory=RetentionGroup)

    def digest(self) -> str:
        """Hash of all settings that an answer may depend on; secrets and places are left out."""
        address = {name for name in StoreGroup.model_fields if name.startswith("database_")}
        left_out = {"store": {"var_dir", *address}, "probing": {"fingerprint_salt"}}
        return sha256(self.model_dump_json(exclude=left_out).encode()).hexdigest()

    def ensemble_recipe(self) -> Recipe:
        """What a full ensemble looks at."""
        return self.looks.recipe_for(self.parsing.segmenter)


class ProxySettings(ServiceSettings):
    """The same in front of a service that parses, and how to talk to that."""

    relay: UpstreamGroup = Field(default_factory=UpstreamGroup)
    attach: AttachGroup = Field(default_factory=AttachGroup)
    asking: UpstreamLooksGroup = Field(default_factory=UpstreamLooksGroup)

    def ensemble_recipe(self) -> Recipe:
        """The same with as few requests as serve: all of one size, and no search for a tile."""
        return replace(super().ensemble_recipe(), scale=1.0).without_tiles()
