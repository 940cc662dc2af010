"""Learns the baseline that is shipped for the reference segmenter."""

from pathlib import Path

from bench.detection.measure import Watch, list_fit_files, progress_bar
from bench.detection.observe import observer
from bench.detection.pictures.photos import Use, photos
from bench.detection.pictures.uploads import list_traffic
from detectors.baseline.attack_evidence import EVIDENCE
from detectors.baseline.baseline_fit import learn
from maskwatch.commands.model.baseline import write_baseline


def learn_shipped(data: Path, cache: Path, out: Path) -> None:
    """Fit on the ``fit`` photos, calibrate on the ``calibrate`` photos, write the file.

    Raises:
        PhotosMissing: there are no photos.
    """
    fit, calibrate = photos(data, Use.FIT), photos(data, Use.CALIBRATE)
    with observer(cache) as watcher, progress_bar() as progress:
        watch = Watch(watcher, progress)
        fit_set = watch.see("fit", list_fit_files(fit), len(fit))
        calibration_set = watch.see("calibrate", list_traffic(calibrate), 2 * len(calibrate))
        extremes = watch.extremes("limits", list_fit_files(fit), len(fit))
        baseline = learn(
            watcher.segmenter,
            fit_set.features,
            calibration_set.features,
            extremes,
            # These photos all show people.
            [each for each in EVIDENCE if not each.is_optional],
        )
    write_baseline(baseline, out)
