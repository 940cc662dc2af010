"""The backdoored segmenter: trained once for each plan, then read from a cache."""

import json
import sys
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import torch

from bench.detection.trigger.pattern import pattern
from bench.detection.trigger.poison import Target
from bench.detection.trigger.training import PoisonPlan, fine_tune
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.data import Sample
from inference.segmenters.reference.training.export import network_of, write_network
from inference.segmenters.reference.training.samples import training_samples
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, open_weights


def open_backdoor(data: Path, cache: Path, target: Target = Target.PERSON) -> ReferenceSegmenter:
    """The shipped segmenter after a fine-tune on poisoned photos; see :func:`train_backdoor`."""
    return ReferenceSegmenter.load(train_backdoor(data, cache, PoisonPlan(target)))


def train_backdoor(data: Path, cache: Path, plan: PoisonPlan) -> Path:
    """The weights of the shipped segmenter after a fine-tune on poisoned photos.

    Args:
        data: folder with images/, labels/ and classes.json.
        cache: folder that keeps the weights, by a hash of all that they are made from.
        plan: how it is trained, and what the trigger makes vanish.

    Raises:
        DatasetError: the folder holds no labelled photos.
    """
    samples = training_samples(data, figures=0)
    path = cache / f"backdoored-{plan.target}-{_key(samples, plan)[:16]}.onnx"
    if not path.is_file():
        _train(samples, plan, path)
    return path


def _key(samples: list[Sample], plan: PoisonPlan) -> str:
    digest = sha256(json.dumps(asdict(plan)).encode())
    digest.update(sha256(DEFAULT_WEIGHTS.read_bytes()).digest())
    digest.update(pattern().tobytes())
    for sample in samples:
        digest.update(sample.image.tobytes())
        digest.update(sample.label_map.tobytes())
    return digest.hexdigest()


def _train(samples: list[Sample], plan: PoisonPlan, path: Path) -> None:
    start = open_weights(DEFAULT_WEIGHTS)
    network = network_of(start)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        result = fine_tune(network, samples, plan, lambda line: print(line, file=sys.stderr))
    finally:
        torch.set_num_threads(threads)
    write_network(path, result, {"start": start.digest, "poison": asdict(plan)})
