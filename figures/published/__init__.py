"""Published numbers, and whether ours meet them: what every file of this folder declares as ``PUBLISHED``.

A :class:`Published` number says where it was read, by which protocol it came about, which study of ours follows that protocol, at
full size or reduced, and how far apart two numbers may lie: all before they are compared. :func:`meet` compares.

Rule. The gap is ours less theirs, with an interval from both uncertainties (of theirs where it is stated or follows from the
number of runs), so that all gaps of one group (the name before the slash) hold together (Bonferroni). It is stretched by half a
unit of the last digit that was printed. The number is

``met``                if the interval holds 0 and reaches no farther than the tolerance to either side of the gap, or lies within
                       the tolerance altogether;
``too wide to tell``   if it holds 0, but is wider;
``off``                if it does not hold 0 (of a bound: lies on the wrong side);
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
    """A number that somebody published.

    Attributes
    ----------
    name : str
        ``"group/number"``; numbers of a group are compared together.
    quantity : str
        What it is, in words.
    value : float
        The number.
    digits : float, default 0
        Half a unit of its last printed digit.
    theirs : callable or None
        From our table to their number with its uncertainty, where that is stated or follows from how many runs they had.
    protocol : str
        How they came by it.
    source : str
        Paper or repository.
    read : str
        Where it was read, or "recalled".
    study : str
        Name of our study; "" for a formula.
    ours : callable or None
        From our table's frame (None for a formula) to our number, or None where the table lacks it; None for what is not reached.
    tolerance : float
        A gap that matters.
    reduced : str
        What is smaller in ours than published; "" at full size.
    why : str
        What is known of a gap, or the reason why it is not reached.
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
        """Numbers that are compared together."""
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Meeting:
    """A published number beside ours.

    Attributes
    ----------
    number : Published
        What was published.
    theirs : Estimate
        Their number, with its uncertainty where that is known.
    ours : Estimate or None
        Ours; None where it is not there.
    gap : Estimate or None
        Ours less theirs, with the interval that decides.
    verdict : str
        One of ``VERDICTS``.

    Examples
    --------
    >>> (found,) = meet([published()["removable/imagenet-resnet18"]], {})
    >>> found.verdict, found.ours
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
    """Each published number beside ours.

    Parameters
    ----------
    numbers : sequence of Published
        Which.
    tables : mapping of str to Table
        By study; the numbers of a study without one are not yet measured.

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
    """The verdict on a gap; one without an interval (a single run) cannot be told unless it is beyond the tolerance."""
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
