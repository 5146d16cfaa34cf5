"""The comparisons of a family of published networks.

Each replica has a wide network, a second wide network as the baseline, and enough narrow networks to match its width. No network
is used twice. There are as many replicas as the checkpoints allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby

from empirical.own.members import Member
from empirical.settings import check_threads
from lab import checks
from lab.errors import ArgumentError


@dataclass(frozen=True, kw_only=True)
class FamilyComparison:
    """The wide network of one replica against narrower ones of its family.

    Attributes
    ----------
    family : name of the family, for readers.
    wide, other, narrow : names of the checkpoints: the wide network, the baseline, and the copies.
    kind, width : kind and width of the wide network, see :class:`empirical.own.families.Member`.
    alpha : width of the copies over that of the wide network.
    seed : replica.
    data, image_size, max_length, rows : data set on which features are compared, as in :func:`empirical.data.load`; ``rows`` is
        the maximum number of rows of each probe split, 0 for all.
    checksum, weights : checksums of the data and of the checkpoints.
    threads : threads of the networks and the measures.
    """

    family: str
    wide: str
    other: str
    narrow: tuple[str, ...]
    kind: str
    width: int
    alpha: str = "1"
    seed: int = 0
    data: str
    image_size: int = 0
    max_length: int = 0
    rows: int = 0
    checksum: str = field(default="", metadata={"planned": False})
    weights: str = field(default="", metadata={"planned": False})
    threads: int = 1

    @property
    def copies(self) -> int:
        """Number of copies that together match the wide network's width; 1, the second wide network, if they are as wide."""
        return len(self.narrow)

    def names(self) -> list[str]:
        """All checkpoints."""
        return list(dict.fromkeys([self.wide, self.other, *self.narrow]))

    def member(self, name: str) -> Member:
        """One of the checkpoints."""
        width = self.width if name in (self.wide, self.other) else int(self.width * Fraction(self.alpha))
        return Member(name=name, kind=self.kind, family=self.family, width=width)

    def check(self) -> "FamilyComparison":
        """Refuse impossible values; returns itself."""
        for name in ("image_size", "max_length", "rows", "seed"):
            checks.whole_number(name, getattr(self, name), 0)
        check_threads(self.threads)
        return self


def plan(members: Sequence[Member], **shared) -> list[FamilyComparison]:
    """The comparisons of every width with the widest that the members of families allow.

    Parameters
    ----------
    members : members of one or several families.
    shared : other fields of :class:`FamilyComparison`.

    Raises
    ------
    ArgumentError
        If no family has two widths, two networks of the largest, and enough of a narrower one.
    """
    runs, reasons = [], []
    for family, group in groupby(sorted(members, key=lambda m: (m.family, m.width)), key=lambda m: m.family):
        by_width = {width: list(part) for width, part in groupby(group, key=lambda m: m.width)}
        runs += (own := _of_family(family, by_width, shared))
        if not own:
            reasons.append(f"{family} has " + ", ".join(f"{len(part)} of width {width}" for width, part in by_width.items()))
    if not runs:
        raise ArgumentError("nothing to compare: a family needs two networks of its largest width, one of them as the baseline, "
                            f"and enough narrower ones to match that width together; {'; '.join(reasons)}", "folder")
    return runs


def _of_family(family: str, by_width: dict[int, list[Member]], shared: dict) -> list[FamilyComparison]:
    largest = max(by_width)
    wides, half = by_width[largest], len(by_width[largest]) // 2
    pairs = list(zip(wides[:half], wides[half:]))
    runs, most = [], 0
    for width in sorted(by_width, reverse=True)[1:]:
        copies, narrow = largest // width, by_width[width]
        count = min(half, len(narrow) // copies) if largest % width == 0 else 0
        most = max(most, count)
        runs += [_run(family, *pairs[r], narrow[r * copies:(r + 1) * copies], r, shared) for r in range(count)]
    return [*(_run(family, *pairs[r], [pairs[r][1]], r, shared) for r in range(most)), *runs]


def _run(family: str, wide: Member, other: Member, narrow: Sequence[Member], seed: int, shared: dict) -> FamilyComparison:
    return FamilyComparison(family=family, wide=wide.name, other=other.name, narrow=tuple(m.name for m in narrow), kind=wide.kind,
                            width=wide.width, alpha=str(Fraction(narrow[0].width, wide.width)), seed=seed, **shared).check()
