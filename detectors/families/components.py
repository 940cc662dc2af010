"""Connected components: what hangs together through any chain of pairs."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Node = TypeVar("Node", bound=Hashable)


class Components(Generic[Node]):
    """Sets of nodes; joining is the same in any order."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self._above: dict[Node, Node] = {node: node for node in nodes}

    def join(self, nodes: Iterable[Node]) -> None:
        """Put nodes, and whatever hangs together with them, into one set."""
        first, *rest = (self._top(node) for node in nodes)
        for top in rest:
            self._above[self._top(top)] = self._top(first)

    def sets(self) -> list[list[Node]]:
        """All of them."""
        sets: dict[Node, list[Node]] = {}
        for node in self._above:
            sets.setdefault(self._top(node), []).append(node)
        return list(sets.values())

    def _top(self, node: Node) -> Node:
        self._above.setdefault(node, node)
        while self._above[node] != node:
            self._above[node] = node = self._above[self._above[node]]
        return node
