"""Matches a regular expression in time linear in the text, so that no pattern can make a search hang.

Python's own engine backtracks: ``(a+)+b`` needs ages for thirty letters and cannot be interrupted. An automaton reads
every character once; for values of a usual length it takes about the time that calling ``re`` takes.
"""

from __future__ import annotations

from functools import lru_cache

from stele.search.regex import Anchor, Characters, Choice, Part, Ranges, Repeat, Sequence, parse

__all__ = ["Automaton", "matcher"]

_MAX_STATES = 1_000
_MAX_EDGES = 20_000


class _State(dict[str, "_State"]):
    """A state of the automaton: character -> next state, made when first needed."""

    __slots__ = ("accepts", "accepts_at_end", "automaton", "positions")

    def __init__(self, automaton: Automaton, positions: frozenset[int]) -> None:
        super().__init__()
        self.automaton = automaton
        self.positions = positions
        self.accepts = automaton.final in positions
        self.accepts_at_end = automaton.final in automaton.reach(positions, at_end=True)

    def __missing__(self, character: str) -> _State:
        return self.automaton.step(self, character)


class Automaton:
    """Thompson's construction, made deterministic state by state while it reads.

    Args:
        part: The tree of a pattern.
    """

    def __init__(self, part: Part) -> None:
        self.characters: list[tuple[int, Ranges, int]] = []
        self.jumps: dict[int, list[int]] = {}
        self.anchors: dict[int, list[tuple[bool, int]]] = {}
        self.count = 0
        self.first = self.node()
        self.final = self.build(part, self.first)
        self.by_node: dict[int, list[tuple[Ranges, int]]] = {}
        for source, ranges, target in self.characters:
            self.by_node.setdefault(source, []).append((ranges, target))
        self.accepts_empty = self.final in self.reach(frozenset({self.first}), at_start=True, at_end=True)
        self.forget()

    def node(self) -> int:
        """A new node."""
        self.count += 1
        return self.count

    def jump(self, source: int, target: int) -> None:
        """Add an edge that reads nothing."""
        self.jumps.setdefault(source, []).append(target)

    def build(self, part: Part, source: int) -> int:
        """Add the edges of a part; the node where it ends."""
        match part:
            case Characters(ranges):
                target = self.node()
                self.characters.append((source, ranges, target))
                return target
            case Anchor(at_end):
                target = self.node()
                self.anchors.setdefault(source, []).append((at_end, target))
                return target
            case Sequence(items):
                for item in items:
                    source = self.build(item, source)
                return source
            case Choice(items):
                target = self.node()
                for item in items:
                    start = self.node()
                    self.jump(source, start)
                    self.jump(self.build(item, start), target)
                return target
            case Repeat():
                return self.repeat(part, source)

    def repeat(self, part: Repeat, source: int) -> int:
        """Add the edges of a repeated part; the node where it ends."""
        for _ in range(part.least):
            source = self.build(part.item, source)
        if part.most is None:
            start, target = self.node(), self.node()
            self.jump(source, start)
            self.jump(self.build(part.item, start), start)
            self.jump(start, target)
            return target
        target = self.node()
        for _ in range(part.most - part.least):
            self.jump(source, target)
            source = self.build(part.item, source)
        self.jump(source, target)
        return target

    def forget(self) -> None:
        """Start again without any state."""
        self.states: dict[frozenset[int], _State] = {}
        self.edges = 0
        start = self.reach(frozenset({self.first}), at_start=True)
        # The search may begin anywhere, so its start is reachable after every character, then without ^.
        self.again = self.reach(frozenset({self.first}))
        self.start = self.state(start)

    def reach(self, nodes: frozenset[int], *, at_start: bool = False, at_end: bool = False) -> frozenset[int]:
        """The nodes that can be reached without a character."""
        found, waiting = set(nodes), list(nodes)
        while waiting:
            node = waiting.pop()
            targets = list(self.jumps.get(node, ()))
            targets += [target for end, target in self.anchors.get(node, ()) if (at_end if end else at_start)]
            new = [target for target in targets if target not in found]
            found.update(new)
            waiting.extend(new)
        return frozenset(found)

    def state(self, positions: frozenset[int]) -> _State:
        """The state of a set of nodes."""
        state = self.states.get(positions)
        if state is None:
            state = self.states[positions] = _State(self, positions)
        return state

    def step(self, state: _State, character: str) -> _State:
        """The state after one more character."""
        code = ord(character)
        targets = frozenset(
            target
            for node in state.positions
            for ranges, target in self.by_node.get(node, ())
            if any(low <= code <= high for low, high in ranges)
        )
        if len(self.states) > _MAX_STATES or self.edges > _MAX_EDGES:
            self.forget()  # memory stays bounded whatever the texts are
        following = self.state(self.reach(targets) | self.again)
        state[character] = following
        self.edges += 1
        return following

    def search(self, text: str) -> bool:
        """Whether the pattern occurs in the text."""
        if not text:
            return self.accepts_empty
        state = self.start
        for character in text:
            if state.accepts:
                return True
            state = state[character]
        return state.accepts_at_end


@lru_cache(maxsize=64)
def matcher(pattern: str) -> Automaton:
    """The automaton of a pattern; ``search(text)`` says whether the pattern occurs in the text.

    Raises:
        BadPattern: The pattern is outside the subset.
    """
    return Automaton(parse(pattern))
