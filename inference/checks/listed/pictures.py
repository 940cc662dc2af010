"""Holds each picture against those of the blacklist that it may look like."""

from detectors.findings import Finding
from detectors.probing.fingerprint import MIN_QUALITY
from detectors.probing.hash_bits import PerceptualHash
from detectors.probing.perceptual import perceptual_hash
from detectors.rule_book import BLOCKED_PICTURE
from inference.admission.access import Access
from inference.checks.base import Case, CheckResult, Needs
from store.decisions.similar_pictures import SimilarPicture
from store.decisions.traces import number_of


class ListedPicturesCheck:
    """Finds pictures that look like a blocked one; costs nothing while none is blocked."""

    name = "listed_pictures"
    needs = Needs.REQUEST

    def __init__(self, access: Access) -> None:
        self._access = access

    def run(self, case: Case) -> CheckResult:
        """One finding if the picture looks like a blocked one, and nobody allowed it.

        A picture without structure looks like every other one, and is left alone.
        """
        access, arrival = self._access.current, case.arrival
        if not access.has_pictures:
            return CheckResult()
        own = perceptual_hash(case.image)
        listed = access.find_similar(arrival.received_at, own.bits)
        if listed is None or own.quality < MIN_QUALITY:
            return CheckResult()
        if access.is_allowed(arrival.received_at, arrival.names, case.upload.sha256, own.bits):
            return CheckResult()
        return CheckResult(findings=(_finding(own, listed),))


def _finding(own: PerceptualHash, listed: SimilarPicture) -> Finding:
    numbers = {
        "distance": float(listed.distance(SimilarPicture(own.bits, 0))),
        "radius": float(listed.radius),
        "picture": number_of(listed),
    }
    return Finding(BLOCKED_PICTURE, numbers)
