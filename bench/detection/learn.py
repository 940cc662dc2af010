"""Learns the baseline that is shipped for the reference segmenter."""

from pathlib import Path

from bench.detection.measure import Watch, as_fitted, progress_bar
from bench.detection.observe import observer
from bench.detection.pictures import Use, photos
from bench.detection.uploads import as_traffic
from detectors.baseline.baseline_fit import learn
from maskwatch.commands.baseline import write_baseline


def learn_shipped(data: Path, cache: Path, out: Path) -> None:
    """Fit on the ``fit`` photos, calibrate on the ``calibrate`` photos, write the file.

    Raises:
        PhotosMissing: there are no photos.
    """
    fit, calibrate = photos(data, Use.FIT), photos(data, Use.CALIBRATE)
    with observer(cache) as watching, progress_bar() as progress:
        watch = Watch(watching, progress)
        fitted = watch.see("fit", as_fitted(fit), len(fit))
        calibrated = watch.see("calibrate", as_traffic(calibrate), 2 * len(calibrate))
        extremes = watch.extremes("limits", as_fitted(fit), len(fit))
        baseline = learn(watching.segmenter, fitted.features, calibrated.features, extremes)
    write_baseline(baseline, out)
