"""The feature registry: the one definition of every number that is measured on a request.

The store's columns, the training matrix, the dashboard's labels and ``docs/features.md`` are made
from this table or checked against it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite, isinf, isnan, nan

from detectors.errors import MaskwatchError


class FeatureError(MaskwatchError):
    """A feature that the registry does not know, or a value outside its range."""


class Group(StrEnum):
    """Where a feature comes from."""

    INPUT = "input"
    MODEL = "model"
    TOPOLOGY = "topology"
    LOOK = "look"
    ENSEMBLE = "ensemble"
    TRAFFIC = "traffic"
    COST = "cost"


@dataclass(frozen=True)
class Feature:
    """One named float.

    Attributes:
        name: column name, snake case.
        unit: the unit of the value; ``share`` is between 0 and 1.
        group: the group that measures it.
        meaning: one line for an analyst, also the dashboard's label.
        low: smallest possible value.
        high: largest possible value.
        is_fitted: whether outlier models learn from it. Costs depend on the machine's load; rates,
            refusals and duplicates would make an outlier of every request of whoever sends much, a
            broken file or a film; some looks say the same twice. These are recorded and charted.
    """

    name: str
    unit: str
    group: Group
    meaning: str
    low: float = 0.0
    high: float = inf
    is_fitted: bool = True


def _input(name: str, unit: str, meaning: str, high: float = inf, low: float = 0.0) -> Feature:
    return Feature(name, unit, Group.INPUT, meaning, low, high)


def _model(name: str, unit: str, meaning: str, high: float = 1.0) -> Feature:
    return Feature(name, unit, Group.MODEL, meaning, 0.0, high)


def _topology(name: str, unit: str, meaning: str, high: float = inf) -> Feature:
    return Feature(name, unit, Group.TOPOLOGY, meaning, 0.0, high)


def _look(name: str, unit: str, meaning: str, high: float = 1.0) -> Feature:
    return Feature(name, unit, Group.LOOK, meaning, 0.0, high)


# What of the ensemble and of the traffic outlier models learn from.
_FITTED_LOOKS = {
    "ensemble_variance",
    "mutual_information",
    "label_disagreement",
    "js_consensus",
    "hidden_foreground_share",
    "hidden_face_share",
    "tile_js_consensus",
    "trigger_score",
}
_FITTED_TRAFFIC = {"label_delta", "probing_score"}


def _ensemble(name: str, unit: str, meaning: str, high: float = 1.0) -> Feature:
    is_fitted = name in _FITTED_LOOKS
    return Feature(name, unit, Group.ENSEMBLE, meaning, 0.0, high, is_fitted)


def _traffic(name: str, unit: str, meaning: str, high: float = inf) -> Feature:
    is_fitted = name in _FITTED_TRAFFIC
    return Feature(name, unit, Group.TRAFFIC, meaning, 0.0, high, is_fitted)


def _cost(name: str, meaning: str, unit: str = "ms") -> Feature:
    return Feature(name, unit, Group.COST, meaning, is_fitted=False)


FEATURES: tuple[Feature, ...] = (
    _input("upload_bytes", "bytes", "Size of the uploaded file"),
    _input("width", "pixels", "Picture width after orientation"),
    _input("height", "pixels", "Picture height after orientation"),
    _input("grey_entropy", "nats", "Entropy of the grey-level histogram", high=5.5452),
    _input("flat_share", "share", "Share of 8-pixel tiles without any contrast", high=1.0),
    _input("laplacian_variance", "grey levels²", "Variance of the Laplacian: sharpness or noise"),
    _input("high_frequency_share", "share", "Energy above half of the Nyquist frequency", high=1.0),
    _input("spectral_slope", "log-log slope", "Fall of energy with frequency", low=-inf),
    _input(
        "periodic_peak", "log ratio", "Strongest periodic peak over its neighbourhood", low=-inf
    ),
    _input("median_residual", "grey levels", "Mean change under a 3×3 median filter", high=255.0),
    _input(
        "jpeg_blockiness", "ratio", "Contrast across 8-pixel block borders over contrast inside"
    ),
    _input("colour_detail_tile", "levels", "Largest change of a tile's colours under a blur"),
    Feature(
        "faces_found",
        "count",
        Group.INPUT,
        "Frontal faces seen by the Haar cascade, where it was asked",
        is_fitted=False,
    ),
    Feature(
        "faces_hidden",
        "count",
        Group.INPUT,
        "Of these faces, those where the parse shows none",
        is_fitted=False,
    ),
    _model("entropy_mean", "nats", "Mean entropy of the class probabilities", high=5.5452),
    _model("entropy_p95", "nats", "95th percentile of the pixel entropies", high=5.5452),
    _model("entropy_foreground", "nats", "Mean pixel entropy on the foreground", high=5.5452),
    _model("margin_mean", "share", "Mean gap between the two likeliest classes"),
    _model("max_softmax_mean", "share", "Mean probability of the likeliest class"),
    _model("foreground_share", "share", "Share of pixels that are not background"),
    _model("confidence_face", "share", "Mean probability of face pixels"),
    _model("confidence_hair", "share", "Mean probability of hair pixels"),
    _model("confidence_arms", "share", "Mean probability of arm and hand pixels"),
    _model("confidence_legs", "share", "Mean probability of leg pixels"),
    _model("confidence_feet", "share", "Mean probability of sock and shoe pixels"),
    _model("confidence_clothes", "share", "Mean probability of clothes pixels"),
    _topology("persons", "count", "Persons found in the label map"),
    # What the outlier models learn from must not move with a limit.
    Feature(
        "persons_judged",
        "count",
        Group.TOPOLOGY,
        "Persons large and sure enough for the rules about bodies",
        is_fitted=False,
    ),
    _topology("components", "count", "Connected pieces of any part"),
    _topology("fragments_per_person", "count", "Connected pieces of parts per person"),
    _topology("holes", "count", "Background pieces enclosed by persons"),
    _topology("boundary_share", "share", "Share of foreground pixels on a part boundary", high=1.0),
    _topology(
        "skin_share", "share", "Share of the foreground that is face, arms or legs", high=1.0
    ),
    _topology("headless_share", "share", "Share of persons without head, hair or face", high=1.0),
    _topology("head_torso_gap", "body heights", "Largest gap between a head and its torso"),
    _topology("torso_legs_gap", "body heights", "Largest gap between a torso and its legs"),
    _topology("trousers_feet_gap", "body heights", "Largest gap from trousers to feet or legs"),
    _topology("stray_share", "share", "Share of the foreground outside any person", high=1.0),
    Feature(
        "worst_skin_share",
        "share",
        Group.TOPOLOGY,
        "Smallest share of skin of a person: what the rule skin_share_too_low judges",
        high=1.0,
        is_fitted=False,
    ),
    Feature(
        "worst_trousers_gap",
        "body heights",
        Group.TOPOLOGY,
        "Largest gap below trousers of a person: what the rule trousers_without_feet judges",
        is_fitted=False,
    ),
    Feature(
        "worst_faceless_hair",
        "share",
        Group.TOPOLOGY,
        "Largest share of hair of a person without a face: what the rule faceless_head judges",
        high=1.0,
        is_fitted=False,
    ),
    _ensemble(
        "ensemble_variance", "share²", "Variance of the members on the foreground", high=0.25
    ),
    _ensemble("ensemble_entropy", "nats", "Entropy of the averaged probabilities", high=5.5452),
    _ensemble("mutual_information", "nats", "What the members know apart: BALD", high=5.5452),
    _ensemble(
        "label_disagreement", "share", "Foreground labels of members that are not the consensus's"
    ),
    _ensemble("worst_member_iou", "share", "Smallest overlap of a region, member with consensus"),
    _ensemble("worst_group_iou", "share", "Smallest overlap of a region, parse with consensus"),
    _ensemble("js_consensus", "nats", "Divergence of parse and consensus", high=0.6931),
    _ensemble("hidden_area_share", "share", "Pixels that only the consensus sees as foreground"),
    _ensemble("hidden_foreground_share", "share", "Consensus foreground missing in the parse"),
    _ensemble("hidden_face_share", "share", "Face of the consensus that the parse misses"),
    _ensemble("hidden_hair_share", "share", "Hair of the consensus that the parse misses"),
    _ensemble("hidden_arms_share", "share", "Arms of the consensus that the parse misses"),
    _ensemble("hidden_legs_share", "share", "Legs of the consensus that the parse misses"),
    _ensemble("hidden_feet_share", "share", "Feet of the consensus that the parse misses"),
    _ensemble("hidden_clothes_share", "share", "Clothes of the consensus that the parse misses"),
    _ensemble("js_jpeg", "nats", "Divergence of parse and look after JPEG", high=0.6931),
    _ensemble("js_median", "nats", "Divergence after a median filter", high=0.6931),
    _ensemble("js_bit_depth", "nats", "Divergence after fewer colour levels", high=0.6931),
    _ensemble("js_rescale", "nats", "Divergence after rescaling", high=0.6931),
    _ensemble("js_mirror", "nats", "Divergence after mirroring", high=0.6931),
    _ensemble("hidden_squeeze_share", "share", "Pixels that only a squeeze sees as foreground"),
    _ensemble("patch_consistency", "share", "Mean overlap of labels that two crops see"),
    _look("glance_divergence", "nats", "Divergence of parse and first look", high=0.6931),
    _look("glance_tile_divergence", "nats", "The same in the worst tile", high=0.6931),
    _look("glance_entropy", "nats", "Entropy of the parse where either sees any", high=5.5452),
    _look("glance_withdrawn_share", "share", "Foreground that the first look withdraws"),
    _look("glance_returned_person_share", "share", "Foreground that only the first look sees"),
    _look("glance_returned_face_share", "share", "Face that only the first look sees"),
    _look("glance_returned_hair_share", "share", "Hair that only the first look sees"),
    _look("glance_returned_arms_share", "share", "Arms that only the first look sees"),
    _look("glance_returned_legs_share", "share", "Legs that only the first look sees"),
    _look("glance_returned_feet_share", "share", "Feet that only the first look sees"),
    _look("glance_returned_clothes_share", "share", "Clothes that only the first look sees"),
    Feature(
        "face_signs",
        "count",
        Group.LOOK,
        "Signs of a face that the parse lacks",
        is_fitted=False,
    ),
    _ensemble("tile_js_consensus", "nats", "Worst tile's divergence, consensus", high=0.6931),
    _ensemble("tile_js_jpeg", "nats", "Worst tile's divergence after JPEG", high=0.6931),
    _ensemble("tile_js_median", "nats", "Worst tile's divergence after a median", high=0.6931),
    _ensemble("tile_js_bit_depth", "nats", "Worst tile's divergence, fewer levels", high=0.6931),
    _ensemble("tile_js_rescale", "nats", "Worst tile's divergence after rescaling", high=0.6931),
    _ensemble("tile_js_mirror", "nats", "Worst tile's divergence after mirroring", high=0.6931),
    Feature(
        "tamper_score",
        "ratio",
        Group.LOOK,
        "Largest excess of evidence over what clean pictures show",
        low=-inf,
        is_fitted=False,
    ),
    _traffic("client_rate", "requests/min", "Requests of the client within the last minute"),
    _traffic("client_interval", "seconds", "Time since the client's request before this one"),
    _traffic(
        "client_refusal_share", "share", "Share of the client's last requests refused", high=1.0
    ),
    _traffic("fine_duplicates", "count", "Recent pictures that share segments with this one"),
    _traffic("coarse_duplicates", "count", "Recent pictures that look like this one"),
    _traffic("family_clients", "count", "Clients that sent this picture or one that looks like it"),
    _traffic("family_sizes", "count", "Different sizes of the pictures that look like this one"),
    _traffic(
        "label_delta", "share", "Foreground whose label is not that of the closest one", high=1.0
    ),
    _traffic("probing_score", "count", "Recent pictures that differ from this one as queries do"),
    _ensemble("trigger_return_share", "share", "Part that comes back when one tile is hidden"),
    _ensemble("trigger_return_area", "share", "Picture area that comes back with it"),
    _ensemble("trigger_moved_share", "share", "Share of that which a moved tile hides again"),
    _ensemble("trigger_score", "share", "Product of both shares: how like a trigger the tile is"),
    _cost("gate_ms", "Time to check, decode and measure the upload"),
    _cost("decode_ms", "Time of the decode worker"),
    _cost("decode_peak_mb", "Most memory of the decode worker meanwhile", "MB"),
    _cost("forward_ms", "Time of the segmenter"),
    _cost("measure_ms", "Time to measure the parsing"),
    _cost("traffic_ms", "Time to take the fingerprint and compare it"),
    _cost("glance_ms", "Time of the first look"),
    _cost("ensemble_ms", "Time of all further looks"),
    _cost("ensemble_passes", "Forward passes of all further looks", "count"),
    _cost("total_ms", "Time from the whole upload to the verdict"),
)

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
FITTED_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES if feature.is_fitted)
_BY_NAME = {feature.name: feature for feature in FEATURES}
_PLACES = {name: place for place, name in enumerate(FEATURE_NAMES)}


def find_feature(name: str) -> Feature:
    """The registry entry of ``name``.

    Raises:
        FeatureError: no feature has that name.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise FeatureError(f"There is no feature named {name!r}.") from None


@dataclass(frozen=True)
class FeatureVector(Mapping[str, float]):
    """The features of one request in registry order; NaN where a feature was not measured.

    Raises:
        FeatureError: not one value for each feature, or an infinite one.
    """

    values_in_order: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what no database could give back as it was."""
        if len(self.values_in_order) != len(FEATURES):
            raise FeatureError(
                f"There are {len(FEATURES)} features, but {len(self.values_in_order)} values."
            )
        if any(map(isinf, self.values_in_order)):
            name = FEATURE_NAMES[[*map(isinf, self.values_in_order)].index(True)]
            raise FeatureError(f"Feature {name} is infinite; NaN is for not measured.")

    @classmethod
    def of(cls, values: Mapping[str, float]) -> "FeatureVector":
        """Build a vector from measured values.

        Raises:
            FeatureError: an unknown name, an infinite value or one outside the feature's range.
        """
        ordered = [nan] * len(FEATURES)
        for name, value in values.items():
            _check(find_feature(name), value)
            ordered[_PLACES[name]] = float(value)
        return cls(tuple(ordered))

    def __getitem__(self, name: str) -> float:
        return self.values_in_order[_PLACES[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(FEATURE_NAMES)

    def __len__(self) -> int:
        return len(FEATURE_NAMES)

    def collect_values(self) -> dict[str, float]:
        """The values that were measured, by name."""
        pairs = zip(FEATURE_NAMES, self.values_in_order, strict=True)
        return {name: value for name, value in pairs if not isnan(value)}


def _check(feature: Feature, value: float) -> None:
    if isnan(value):
        return
    slack = 1e-3
    if not isfinite(value) or not feature.low - slack <= value <= feature.high + slack:
        raise FeatureError(
            f"Feature {feature.name} is {value}, outside {feature.low} to {feature.high}."
        )
