"""Published numbers, and whether ours meet them. Each file of this folder declares its numbers as ``PUBLISHED``.

A :class:`Published` number declares, before any comparison, where it was read, the protocol that produced it, our study that
follows this protocol, at full size or reduced, and the gap that matters. :func:`meet` compares.

Rule. The gap is our number minus theirs, with an interval from both uncertainties (theirs if it is stated or follows from the
number of runs), at an error that all gaps of a group share (the name before the slash; Bonferroni). The interval is widened by
half a unit of the last printed digit. The number is

``met``                if the interval contains 0 and extends no farther than the tolerance to either side of the gap, or lies
                       within the tolerance entirely;
``too wide to tell``   if it contains 0, but is wider;
``off``                if it does not contain 0 (for a bound: if it lies on the wrong side);
``not yet measured``   if our study has no table, or none of that setting;
``not reached``        if nothing here can reach it, with the reason.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lab.combine import difference, widened
from lab.discover import by_name, declared
from lab.estimate import Estimate, exact
from lab.tables import Table

__all__ = ["Meeting", "Published", "meet", "published"]

MET, WIDE, OFF, OPEN, OUT = "met", "too wide to tell", "off", "not yet measured", "not reached"
VERDICTS = (MET, WIDE, OFF, OPEN, OUT)


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published number, and how it is compared with ours.

    Attributes
    ----------
    name : str
        ``"group/number"``; the numbers of a group share one error.
    quantity : str
        What it is, in words.
    value : float
        The number.
    digits : float, default 0
        Half a unit of its last printed digit.
    theirs : callable or None
        From our table to their number with its uncertainty, if that is stated or follows from their number of runs.
    protocol : str
        How they obtained it.
    source : str
        Paper or repository.
    read : str
        Where it was read, or "recalled".
    study : str
        Name of our study; "" for a formula.
    ours : callable or None
        From our table's frame (None for a formula) to our number, or to None if the table lacks it; None if the number cannot be
        reached here.
    tolerance : float
        The smallest gap that matters.
    reduced : str
        What is smaller in our study than in theirs; "" at full size.
    why : str
        What is known about the gap, or the reason why the number is not reached.
    sense : {"", "at most", "at least"}
        Whether the number was published as a bound.

    Examples
    --------
    >>> published()["safran-shamir/k8-n8"].value
    0.126
    """

    name: str
    quantity: str
    value: float
    tolerance: float
    protocol: str
    source: str
    read: str
    study: str = ""
    ours: Callable | None = None
    theirs: Callable | None = None
    digits: float = 0.0
    reduced: str = ""
    why: str = ""
    sense: str = ""

    @property
    def group(self) -> str:
        """The name before the slash."""
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Meeting:
    """A published number compared with ours.

    Attributes
    ----------
    number : Published
        What was published.
    theirs : Estimate
        Their number, with its uncertainty where that is known.
    ours : Estimate or None
        Ours; None if there is none.
    gap : Estimate or None
        Ours minus theirs, with the interval that decides.
    verdict : str
        One of ``VERDICTS``.

    Examples
    --------
    >>> (meeting,) = meet([published()["removable/imagenet-resnet18"]], {})
    >>> meeting.verdict, meeting.ours
    ('not reached', None)
    """

    number: Published
    theirs: Estimate
    ours: Estimate | None = None
    gap: Estimate | None = None
    verdict: str = OPEN


def published() -> dict[str, Published]:
    """All declared numbers by name.

    Returns
    -------
    dict of str to Published
        In the order of the files' names.

    Raises
    ------
    lab.discover.DeclarationError
        A file of ``figures/published`` without ``PUBLISHED``, or a name that is taken.

    Examples
    --------
    >>> list(published())[0]
    'copy-average/points'
    """
    return by_name(declared(__name__, "PUBLISHED", Published), lambda number: number.name)


def meet(numbers: Sequence[Published], tables: Mapping[str, Table]) -> list[Meeting]:
    """Each published number compared with ours.

    Parameters
    ----------
    numbers : sequence of Published
        The numbers to compare.
    tables : mapping of str to Table
        Tables by study; the numbers of a study without a table are not yet measured.

    Returns
    -------
    list of Meeting
        In the order of the numbers.

    Examples
    --------
    >>> meet([published()["safran-shamir/k8-n8"]], {})[0].verdict
    'not yet measured'
    """
    every = published().values()
    together = {number.group: sum(other.group == number.group and other.ours is not None for other in every) for number in every}
    return [_meet(number, tables.get(number.study), together.get(number.group, 1)) for number in numbers]


def _meet(number: Published, table: Table | None, tests: int) -> Meeting:
    stated = Estimate(number.value)
    if number.ours is None:
        return Meeting(number, stated, verdict=OUT)
    if number.study and table is None:
        return Meeting(number, stated)
    frame = None if table is None else table.frame
    ours = number.ours(frame)
    if ours is None:
        return Meeting(number, stated)
    theirs = stated if number.theirs is None else number.theirs(frame)
    gap = _gap(ours, theirs, number, tests)
    return Meeting(number, theirs, ours, gap, judge(gap, number.tolerance, number.sense))


def _gap(ours: Estimate, theirs: Estimate, number: Published, tests: int) -> Estimate:
    known = theirs if theirs.has_interval else exact(theirs.mean)
    gap = widened(difference(ours, known), tests)
    low, high = (gap.low, gap.high) if gap.has_interval else (math.nan, math.nan)
    return Estimate(gap.mean, low - number.digits, high + number.digits, gap.n, "both uncertainties")


def judge(gap: Estimate, tolerance: float, sense: str = "") -> str:
    """The verdict on a gap; without an interval (a single run), it is too wide to tell unless the gap exceeds the tolerance."""
    mean, low, high = gap.mean, gap.low, gap.high
    if sense == "at least":
        mean, low, high = -mean, -high, -low
    if not gap.has_interval:
        return OFF if (mean if sense else abs(mean)) > tolerance else WIDE
    if sense:
        return MET if high <= tolerance else OFF if low > 0 else WIDE
    if -tolerance <= low and high <= tolerance:
        return MET
    if not low <= 0 <= high:
        return OFF
    return MET if max(mean - low, high - mean) <= tolerance else WIDE
