"""Keeps samples until there are enough of them, within a bound of memory."""

from dataclasses import dataclass, field
from threading import Lock

from inference.upstream.learning.door import PictureSample
from inference.upstream.learning.learn import Lesson, find_pictures, learn_preset
from inference.upstream.learning.sample import Sample
from inference.upstream.requests.sent_request import RequestLimits

_MAX_ROUTES = 20
_FIRST_FAILED_STATUS = 400


@dataclass
class Collector:
    """Takes samples from any thread.

    Attributes:
        wanted: answers to requests with pictures after which it is full.
        max_bytes: of all samples together; what is beyond is left out, and said.
    """

    limits: RequestLimits
    wanted: int
    max_bytes: int
    _samples: list[PictureSample] = field(default_factory=list)
    _plain: dict[str, None] = field(default_factory=dict)
    _bytes: int = 0
    _unwatched: int = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def is_full(self) -> bool:
        """Whether there are as many as are wanted; failed ones do not count."""
        good = [e for e in self._samples if e.sample.status < _FIRST_FAILED_STATUS]
        return len([e for e in good if e.request.places]) >= self.wanted

    def add(self, sample: Sample) -> None:
        """Look for pictures in a sample, and keep it if there are any. It takes a thread's time."""
        pictures = find_pictures(sample, self.limits)
        with self._lock:
            if sample.body is None:
                self._unwatched += 1
            elif pictures is None:
                self._note_plain(sample)
            elif self._bytes + sample.size > self.max_bytes:
                self._unwatched += 1
            else:
                self._bytes += sample.size
                self._samples.append(pictures)

    def leave_out(self) -> None:
        """Count a request that nobody watched."""
        with self._lock:
            self._unwatched += 1

    def learn(self) -> Lesson:
        """What the samples show."""
        with self._lock:
            lesson = learn_preset(self._samples)
            sentences = [*lesson.sentences, *self._describe_others()]
        return Lesson(lesson.preset, tuple(sentences))

    def _note_plain(self, sample: Sample) -> None:
        if sample.body and len(self._plain) < _MAX_ROUTES:
            self._plain[sample.route] = None

    def _describe_others(self) -> list[str]:
        sentences = [
            f"{route}: a body without a picture; if there never is one, write a plain door for it."
            for route in self._plain
        ]
        if self._unwatched:
            sentences.append(f"{self._unwatched} request(s) were not watched: too large, too many.")
        return sentences
