"""Settings of the looks that follow a parse."""

from pathlib import Path

from pydantic import Field

from inference.ensemble.baselines import SHIPPED, Baselines
from inference.ensemble.policy import EnsembleMode, EnsemblePolicy
from inference.ensemble.recipe import Recipe
from inference.ensemble.tile_search import TileRecipe
from inference.segmenters.choice import SegmenterName
from store.configuration.groups import Group


class LooksGroup(Group):
    """Further looks at parses, and what they are held against."""

    first_look: bool = True
    """Save each picture as JPEG and look at it once more, which doubles the cost of a parse.
    Without it hardly any crafted picture is told, and ensembles are chosen by the parse alone."""

    ensemble: EnsembleMode = EnsembleMode.SUSPICIOUS
    """Which parses are looked at again, changed at random: `always` all, `suspicious` those that
    look odd and a sample, `sampled` a sample, `never` none."""

    ensemble_members: int = Field(5, ge=2, le=32)
    """Randomly changed looks that are averaged."""

    ensemble_scale: float | None = Field(None, ge=0.25, le=1, allow_inf_nan=False)
    """Linear size of the looks, over that of the parse; half of it costs a quarter."""

    ensemble_sample_share: float = Field(0.05, ge=0, le=1, allow_inf_nan=False)
    """Share of the parses that are looked at in full although nothing is odd, once their source is
    in force: what is normal is learnt from them anew. Before, it is learnt from all parses, as far
    as `ensemble_budget` allows."""

    ensemble_max_entropy: float = Field(1.0, ge=0, le=5.6, allow_inf_nan=False)
    """A parse with a higher mean entropy on the foreground, in nats, looks odd and the face prior
    is asked, until it is learnt what is usual for the source."""

    ensemble_squeezes: bool = True
    """Five further looks at odd and sampled parses: JPEG, median, bit depth, rescale, mirror."""

    ensemble_patches: bool = True
    """Two further looks at odd and sampled parses: overlapping crops, which are compared."""

    ensemble_tiles: bool = True
    """Eight to sixteen further looks at odd and sampled parses, with a part of the picture hidden
    or moved: they find a trigger that makes something vanish."""

    max_trigger_score: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    """A picture with a higher score is suspected to carry a trigger: the share of a part that comes
    back when a tile is hidden, times the share of that which vanishes again when it is moved.
    Default: 0.07 for the reference segmenter, which 0.5 % of clean pictures reach; 0.3 for others,
    which is a guess."""

    ensemble_budget: float = Field(0.25, ge=0, le=1, allow_inf_nan=False)
    """Share of the time of all turns that ensembles may take for long; further ones are not run."""

    ensemble_busy_budget: float = Field(0.02, ge=0, le=1, allow_inf_nan=False)
    """The same for ensembles that serve nothing but learning, while all turns are taken: learning
    takes the time that traffic leaves."""

    ensemble_max_ms: float = Field(10_000, ge=1, le=600_000, allow_inf_nan=False)
    """An ensemble that is expected to take longer is cut or not run."""

    learn_traffic: bool = True
    """Learn from the traffic what is normal for each source, and flag nothing by the content of
    pictures before; a baseline of a file is in force only while the traffic fits it. If `false`,
    the baseline of the file, the shipped limits and all rules count from the first request on."""

    baseline: Path | None = None
    """What clean pictures look like to the model: `maskwatch model learn-baseline` writes such a
    file. By default the shipped one."""

    false_positive_rate: float = Field(0.005, gt=0, le=0.1, allow_inf_nan=False)
    """Share of clean pictures that may be called made to mislead, by the baseline's calibration."""

    def read_baselines(self) -> Baselines:
        """The shipped one, and one that `baseline` names.

        Raises:
            BaselineError: the file that the setting names is missing or no baseline.
        """
        own = () if self.baseline is None else (self.baseline,)
        return Baselines.read(SHIPPED, *own)

    def ensemble_policy(self) -> EnsemblePolicy:
        """Which requests get an ensemble."""
        return EnsemblePolicy(self.ensemble, self.ensemble_max_entropy)

    def recipe_for(self, segmenter: SegmenterName) -> Recipe:
        """What a full ensemble looks at, with the model that parses."""
        return Recipe(
            self.ensemble_members,
            self.ensemble_scale or segmenter.look_scale,
            self.ensemble_squeezes,
            self.ensemble_patches,
            self._tile_recipe(segmenter),
        )

    def _tile_recipe(self, segmenter: SegmenterName) -> TileRecipe | None:
        if not self.ensemble_tiles:
            return None
        max_score, usual = self.max_trigger_score, segmenter.max_trigger_score
        return TileRecipe(
            scale=segmenter.tile_scale, max_score=usual if max_score is None else max_score
        )
