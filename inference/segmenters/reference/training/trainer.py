"""One training step: loss, optimiser and moving average."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as fn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from inference.segmenters.processor import has_bfloat16_units
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.data import Pair, Sample
from inference.segmenters.reference.training.network import ReferenceNetwork, normalise
from inference.segmenters.reference.training.recipe import Stage

_WORKERS = 2


def class_weights(samples: Sequence[Sample]) -> Tensor:
    """Square roots of the inverse label frequencies, mean 1: rare labels count, but not wildly."""
    counts = sum(np.bincount(s.label_map.ravel(), minlength=len(LABELS)) for s in samples)
    share = np.maximum(np.asarray(counts, dtype=np.float64), 1) / np.sum(counts)
    weights = np.clip(1 / np.sqrt(share), None, 12 / np.sqrt(share.max()))
    return torch.tensor(weights / weights.mean(), dtype=torch.float32)


def correct_bias(network: ReferenceNetwork, weights: Tensor, share: float) -> ReferenceNetwork:
    """The network without a share of what the label weights taught it to overrate.

    Weighted cross-entropy teaches probabilities times weights; the logarithms of the weights leave
    the logits through the last bias (logit adjustment, Menon et al., ICLR 2021).
    """
    result = deepcopy(network)
    with torch.no_grad():
        result.head.bias.sub_(share * weights.log())  # type: ignore[union-attr]
    return result


def blend_networks(
    start: ReferenceNetwork, end: ReferenceNetwork, start_share: float
) -> ReferenceNetwork:
    """Weights between those before and after fine-tuning (Wortsman et al., CVPR 2022).

    They keep what the start was good at, and take most of what was learnt since.
    """
    result, before = deepcopy(end), start.state_dict()
    for name, tensor in result.state_dict().items():
        if tensor.is_floating_point():
            tensor.lerp_(before[name], start_share)
    return result


def loss_of(logits: Tensor, truth: Tensor, weights: Tensor, dice: float = 1.0) -> Tensor:
    """Weighted cross-entropy plus soft Dice (Milletari et al., 3DV 2016) over present labels."""
    logits = fn.interpolate(logits, truth.shape[-2:], mode="bilinear")
    entropy = fn.cross_entropy(logits, truth, weights, label_smoothing=0.02)
    hot = fn.one_hot(truth, len(LABELS)).permute(0, 3, 1, 2).float()
    soft = logits.softmax(dim=1)
    dims = (0, 2, 3)
    overlap, total = (soft * hot).sum(dims), soft.sum(dims) + hot.sum(dims)
    present = hot.sum(dims) > 0
    errors = 1 - (2 * overlap[present] + 1) / (total[present] + 1)
    return entropy + dice * errors.mean()


class Trainer:
    """The network, its moving average and its optimiser, one step at a time.

    Two threads learn from half a batch each, with a copy of the network that shares its weights.
    They meet once a step, where threads inside each operation would wait for each other hundreds
    of times: other work on the machine slows this down less.
    """

    def __init__(
        self,
        network: ReferenceNetwork,
        stage: Stage,
        steps: int,
        weights: Tensor,
        weight_decay: float,
    ) -> None:
        self.network = network.train().to(memory_format=torch.channels_last)
        if stage.frozen_norms:
            _freeze_norms(self.network)
        self._copies = [self.network, *(_twin(self.network) for _ in range(_WORKERS - 1))]
        self._pool = ThreadPoolExecutor(_WORKERS, "learn", torch.set_num_threads, (1,))
        decay = get_ema_multi_avg_fn(stage.average_decay)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=decay, use_buffers=True)
        self._weights, self._dice = weights, stage.dice
        # Emulated, it is 11 times slower.
        self._bfloat16 = has_bfloat16_units()
        rate = stage.learning_rate
        self._optimiser = AdamW(self.network.parameters(), rate, weight_decay=weight_decay)
        self._schedule = OneCycleLR(self._optimiser, rate, total_steps=steps, pct_start=0.15)

    def step(self, pairs: Sequence[Pair]) -> float:
        """Learn from one batch; returns its loss."""
        parts = [pairs[worker::_WORKERS] for worker in range(_WORKERS)]
        results = list(self._pool.map(self._gradients, self._copies, parts))
        for parameter, *gradients in zip(
            self.network.parameters(), *(gradients for _, gradients in results), strict=True
        ):
            parameter.grad = torch.stack(gradients).mean(dim=0)
        _share_statistics(self._copies)
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self._optimiser.step()
        self._schedule.step()
        self.average.update_parameters(self.network)
        return float(np.mean([loss for loss, _ in results]))

    def _gradients(
        self, network: ReferenceNetwork, pairs: Sequence[Pair]
    ) -> tuple[float, tuple[Tensor, ...]]:
        images, truth = _to_batch(pairs)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
            logits = network(images)
        loss = loss_of(logits.float(), truth, self._weights, self._dice)
        return loss.item(), torch.autograd.grad(loss, list(network.parameters()))

    def copy_average(self) -> ReferenceNetwork:
        """A copy of the averaged network: evaluating it changes nothing here."""
        network = ReferenceNetwork(len(LABELS))
        network.load_state_dict(self.average.module.state_dict())
        return network


def _to_batch(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.stack([image for image, _ in pairs])).permute(0, 3, 1, 2)
    truth = torch.from_numpy(np.stack([label_map for _, label_map in pairs])).long()
    return normalise(images.float() / 255), truth


def _twin(network: ReferenceNetwork) -> ReferenceNetwork:
    """A network with the same weights in memory, but statistics of its own."""
    twin = deepcopy(network)
    for copy, module in zip(twin.modules(), network.modules(), strict=True):
        copy._parameters = module._parameters
    return twin


def _freeze_norms(network: ReferenceNetwork) -> None:
    """Let batch norms use what they have seen before, and see nothing new."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def _share_statistics(networks: Sequence[ReferenceNetwork]) -> None:
    """Give every copy the mean of what the batch norms have seen."""
    for buffers in zip(*(network.buffers() for network in networks), strict=True):
        if buffers[0].is_floating_point():
            mean = torch.stack(buffers).mean(dim=0)
            for buffer in buffers:
                buffer.copy_(mean)
