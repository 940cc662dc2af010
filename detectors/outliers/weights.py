"""How much the requests of a scan count: those of clients that send little count more.

If all count alike, an attack picture from a client of its own has to outweigh all requests of
clients that send fifty; if each client counts alike, an attack of ten pictures is one discovery.
The weight 1 / √n of each of a client's n requests lies between. It is a prior weight: it follows
from how much was sent, never from how odd that is, so that Benjamini & Hochberg's procedure on
p-values divided by weights keeps its rate (Genovese, Roeder & Wasserman, "False discovery control
with p-value weighting", Biometrika 2006).
"""

import numpy as np
import numpy.typing as npt

from detectors.outliers.preparation import Vector

MAX_REQUESTS = 10
"""A client that sends more counts as if it sent so many: a flood from one address stays visible."""

Numbers = npt.NDArray[np.int64]


def weigh_requests(clients: Numbers) -> Vector:
    """The weight of each request, ``(n,)``; their mean is 1.

    Args:
        clients: a number for each request that is the same for the same client, ``(n,)``.

    >>> weigh_requests(np.array([7, 8, 8, 8, 8])).round(3).tolist()
    [1.667, 0.833, 0.833, 0.833, 0.833]
    """
    _, numbers, counts = np.unique(clients, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(np.minimum(counts, MAX_REQUESTS))[numbers]
    return np.asarray(weights * (len(weights) / max(weights.sum(), 1.0)))
