"""Compare features of any origin: :func:`compare` for a pair or several, :func:`compare_all` for every pair of many models."""

import os
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from lab import checks
from lab.arrays import is_tensor, real
from lab.errors import InputError
from lab.threads import fixed
from theory.compare.blocks import (
    Block,
    block,
    groups_of,
    index_of,
    is_batches,
    is_frame,
    joined,
    match,
    vector,
)
from theory.compare.matrix import FeatureMatrix
from theory.compare.pair import Labels, Measured, Pair, Subset, measure, numbers
from theory.compare.result import FeatureComparison, assembled
from theory.compare.sites import PARTS, Site
from theory.compare.splits import HELD_OUT, Split, split_rows
from theory.measures import RIDGES, one_hot
from theory.moments import Moments
from theory.moments.layout import Names

SUBSET = 2000
MOST_CLASSES = 1000
ROLES = ("source", "target", "baseline", "labels", "ids", "groups")


def compare(source: object, target: object = None, *, baseline: object = None, labels: object = None, ids: object = None,
            groups: object = None, split: object = HELD_OUT, ridges: Sequence[float] = RIDGES, seed: int = 0,
            subset: int = SUBSET, few_rows: bool = False) -> FeatureComparison:
    """Compare features of two models on the same inputs: how much of each do the other's features explain?

    The rows are split into a part to fit regressions on, a part to choose their ridge on, and a held-out part to score them on;
    the split and the ridge are in the result.

    Parameters
    ----------
    source : array, data frame, path, iterator of batches, or list or mapping of these
        Features, one row per input: an array (NumPy, torch on any device, or anything that converts to one) of shape
        (rows, units); a data frame, whose index gives the rows' ids unless it is a plain range; the path of a ``.npy``, ``.npz``
        or ``.safetensors`` file; an iterator of batches of any of these. Or several such blocks as a list or a mapping of names:
        copies of a narrow network, side by side. They share one ridge, so their scales should be similar.
    target : as source, optional
        A list makes several pairs (one per seed, say), with a list of as many sources. Leave it out if ``source`` is an iterator
        of batches that hold everything: mappings with the keys "source", "target" and, optionally, "baseline", "labels", "ids",
        "groups"; or pairs (source, target).
    baseline : as source, or "next", optional
        Block to compare the source with, such as a second network like the target; a list if there are several pairs; "next" for
        the target of the next pair.
    labels : array of shape (rows,) or (rows, units), or path, optional
        Targets of probes: classes (whole numbers or words), or numbers.
    ids : array of shape (rows,), or mapping of str to such, optional
        Ids of the rows, if blocks have none of their own: a vector for all blocks, or a mapping from "source", "target",
        "baseline", "labels" and "groups" to a vector each. Rows in another order or of another set are an error.
    groups : array of shape (rows,), or path, optional
        Which rows belong together (tokens of a sentence, crops of an image): they stay on one side of the split and are resampled
        together. Files may have their own.
    split : float, mapping or array, default 0.5
        Share of rows that is held out to score on, in (0, 1); or your own split, see
        :func:`theory.compare.splits.split_rows`.
    ridges : sequence of float
        Relative to the mean variance of the source's units; the best is chosen on rows that were not fitted on.
    seed : int, default 0
        Seed of the split and of all other random draws.
    subset : int, default 2000
        Rows on which nonlinear measures are fitted; half as many serve for their score and for neighbours. 0 leaves both out.
    few_rows : bool, default False
        Whether to continue if rows do not outnumber the units; only held-out measures are meaningful then.

    Returns
    -------
    FeatureComparison
        Intervals are over pairs if there are several, otherwise by a bootstrap over rows, by group.

    Raises
    ------
    InputError
        Rows that do not match, a split that leaks, values that are not finite, no more rows than units, constant features.

    Examples
    --------
    >>> import numpy as np
    >>> from theory.compare import compare
    >>> rng = np.random.default_rng(0)
    >>> inputs = rng.normal(size=(2000, 8))
    >>> wide = np.maximum(inputs @ rng.normal(size=(8, 16)), 0)
    >>> narrow = np.maximum(inputs @ rng.normal(size=(8, 4)), 0)
    >>> comparison = compare(narrow, wide, subset=0)
    >>> 0 < comparison.span_error.low < comparison.span_error.high < comparison.null.mean
    True
    >>> comparison.nulls["cka"].mean < comparison.cka.low
    True
    """
    target_list = isinstance(target, list | tuple) and _several(target)
    given = {"labels": labels, "ids": ids, "groups": groups}
    if target is None:
        source, target, baseline, given = _from_batches(source, baseline, given)
    pairs = _pairs(source, target, baseline) if target_list else [_pair(source, target, baseline)]
    return compare_pairs(pairs, **given, split=split, ridges=ridges, seed=seed, subset=subset, few_rows=few_rows)


def compare_pairs(pairs: Sequence[Pair], *, labels=None, ids=None, groups=None, split=HELD_OUT, ridges=RIDGES, seed=0,
                  subset=SUBSET, few_rows=False) -> FeatureComparison:
    """:func:`compare` for pairs of :class:`~theory.compare.blocks.Block`; parameters as there."""
    ridges, seed, subset, few_rows = _checked(ridges, seed, subset, few_rows)
    rows = [_matched(pair, ids, {"labels": labels, "groups": groups}) for pair in pairs]
    if len(set(rows)) > 1 and not (labels is groups is None and isinstance(split, float)):
        raise InputError(f"pairs have different numbers of rows ({min(rows):,} … {max(rows):,}): labels, groups and your "
                         "own split need pairs of the same rows")
    targets = None if labels is None else read_labels(labels, rows[0])
    groups = groups_of([one for pair in pairs for one in pair.blocks]) if groups is None else _column(groups, "groups")

    @cache
    def split_of(count: int) -> Split:
        return split_rows(count, split=split, groups=groups, seed=seed)

    with fixed(1):  # the same digits on any number of cores
        measured = [measure(pair, split_of(count), labels=targets, ridges=ridges, subset=subset, seed=seed, few_rows=few_rows,
                            intervals=len(pairs) == 1) for pair, count in zip(pairs, rows)]
    return assembled(measured, blocks=_names(pairs), ridges=ridges, split=split_of(rows[0]).how, seed=seed)


def compare_moments(parts: Mapping[str, Moments], *, source: Names, target: str, baseline: str | None = None,
                    rows: Mapping[str, Mapping[str, np.ndarray]] | None = None, ridges: Sequence[float] = RIDGES,
                    seed: int = 0) -> FeatureComparison:
    """:func:`compare` for features that were streamed into moments, so that their rows are no longer available.

    Parameters
    ----------
    parts : mapping of str to Moments
        Moments of different rows, for "fit", "tune" and "score". With the block ``theory.compare.sites.SHUFFLED`` there are
        nulls, with ``TARGET`` (labels in one-hot form) there are probes.
    source : str or sequence of str
        Block, or blocks side by side.
    target : str
        Block.
    baseline : str, optional
        Block.
    rows : mapping of str to mapping, optional
        Rows that were kept, for nonlinear and neighbour measures: ``{"fit": {block: array}, "score": {...}}``.
    ridges : sequence of float
        As in :func:`compare`.
    seed : int, default 0
        As in :func:`compare`.

    Returns
    -------
    FeatureComparison
        Without intervals. For these, average the results of several seeds, or pass the features themselves to :func:`compare`.

    Raises
    ------
    InputError
        Blocks that do not exist, or features that do not vary.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(300, 4))
    >>> parts = {part: Moments.from_samples({"a": x[i::3, :2], "b": x[i::3]}) for i, part in enumerate(PARTS)}
    >>> 0.3 < compare_moments(parts, source="a", target="b").span_error.mean < 0.7
    True
    """
    ridges, seed, _, _ = _checked(ridges, seed, 0, False)
    used = [source] if isinstance(source, str) else list(source)
    with fixed(1):
        site = Site(*(parts[part] for part in PARTS), ridges=ridges)
        measured = numbers(site, target, baseline, used, seed=seed)
        measured.rows = {part: parts[part].count or 0 for part in PARTS}
        if rows is not None:
            on = Subset(dict(rows["fit"]), dict(rows["score"]), target, baseline, used, ridge=measured.values["ridge"], seed=seed,
                        groups=np.arange(len(rows["score"][target])))
            measured.values |= on.values
            measured.rows |= {f"subset_{part}": len(rows[part][target]) for part in ("fit", "score")}
    blocks = {"source": _joined_names(used), "target": target} | ({} if baseline is None else {"baseline": baseline})
    return assembled([measured], blocks=blocks, ridges=ridges, split="as streamed", seed=seed)


def compare_all(features: object, *, labels: object = None, ids: object = None, groups: object = None,
                split: object = HELD_OUT, ridges: Sequence[float] = RIDGES, seed: int = 0, subset: int = 0,
                few_rows: bool = False) -> FeatureMatrix:
    """Compare all pairs of several models on the same inputs.

    Parameters
    ----------
    features : path, or mapping of str to block
        A folder with a file of features for each model (``.npy``, ``.npz``, ``.safetensors``), which is named after its file; or
        a mapping from names to anything that :func:`compare` takes as a block.
    labels : array, optional
        As in :func:`compare`.
    ids : array or mapping, optional
        As in :func:`compare`.
    groups : array of shape (rows,), optional
        As in :func:`compare`.
    split : float, mapping or array, default 0.5
        As in :func:`compare`.
    ridges : sequence of float
        As in :func:`compare`.
    seed : int, default 0
        As in :func:`compare`.
    subset : int, default 0
        As in :func:`compare`; with 0, nonlinear and neighbour measures are left out.
    few_rows : bool, default False
        As in :func:`compare`.

    Returns
    -------
    FeatureMatrix
        With a :class:`FeatureComparison` for each pair.

    Raises
    ------
    InputError
        Fewer than two models; as :func:`compare`.

    Examples
    --------
    >>> import numpy as np
    >>> from theory.compare import compare_all
    >>> x = np.random.default_rng(0).normal(size=(500, 6))
    >>> matrix = compare_all({"few": x[:, :3], "all": x, "turned": x[:, ::-1]})
    >>> matrix.matrix("span_error").round(2).loc["few"].tolist()
    [0.0, 0.51, 0.51]
    """
    if isinstance(features, str | os.PathLike):
        from theory.compare.files import in_folder

        features = in_folder(features)
    if not isinstance(features, Mapping) or len(features) < 2:
        raise InputError("give a folder of files, or a mapping from names to features, of two models or more")
    blocks = [block(value, str(name)).named(str(name)) for name, value in features.items()]
    match([(one, ids) for one in blocks])
    comparisons = {}
    for i, one in enumerate(blocks):
        for other in blocks[i + 1:]:
            comparisons[one.name, other.name] = compare_pairs(
                [Pair((one,), other)], labels=labels, groups=groups, split=split, ridges=ridges, seed=seed, subset=subset,
                few_rows=few_rows)
    return FeatureMatrix(tuple(one.name for one in blocks), comparisons)


def _checked(ridges, seed, subset, few_rows) -> tuple[tuple[float, ...], int, int, bool]:
    ridges = tuple(checks.real_numbers("ridges", ridges, least=0).tolist())
    return ridges, checks.seed(seed), checks.whole_number("subset", subset, 0, 10**5), checks.switch("few_rows", few_rows)


# ----------------------------------------------------------------------------------------------------- reading the input
def _is_block(value) -> bool:
    """Whether this is features of one model, rather than a vector or a number."""
    return (isinstance(value, str | os.PathLike | Block) or is_frame(value) or is_batches(value)
            or getattr(value, "ndim", 0) == 2)


def _several(value) -> bool:
    """Whether a list or tuple holds blocks, or lists of blocks, rather than numbers."""
    return bool(len(value)) and all(_is_block(part) or isinstance(part, Mapping)
                                    or (isinstance(part, list | tuple) and _several(part)) for part in value)


def _sources(value, name: str) -> tuple[Block, ...]:
    if isinstance(value, Mapping):
        return tuple(block(part, str(key)).named(str(key)) for key, part in value.items())
    if isinstance(value, list | tuple) and _several(value):
        return tuple(block(part, f"{name} {i + 1}") for i, part in enumerate(value))
    return (block(value, name),)


def _pair(source, target, baseline, number: str = "") -> Pair:
    return Pair(_sources(source, f"source{number}"), block(target, f"target{number}"),
                None if baseline is None else block(baseline, f"baseline{number}"))


def _pairs(source, target, baseline) -> list[Pair]:
    if not isinstance(source, list | tuple) or not _several(source) or len(source) != len(target):
        raise InputError(f"{len(target)} targets make as many pairs: give a list of {len(target)} sources")
    count = len(target)
    if isinstance(baseline, str) and baseline == "next":
        if count < 2:
            raise InputError("the baseline next is the target of the next pair: give two pairs or more", "baseline")
        pairs = [_pair(s, t, None, f" {i + 1}") for i, (s, t) in enumerate(zip(source, target))]
        return [Pair(one.sources, one.target, pairs[(i + 1) % count].target) for i, one in enumerate(pairs)]
    others = [None] * count if baseline is None else baseline
    if not isinstance(others, list | tuple) or len(others) != count:
        raise InputError(f"{count} pairs take a list of {count} baselines, or next for the target of the next pair", "baseline")
    return [_pair(s, t, b, f" {i + 1}") for i, (s, t, b) in enumerate(zip(source, target, others))]


def _from_batches(batches, baseline, given: dict) -> tuple:
    """Source, target, baseline, and labels, ids and groups from an iterator of batches that hold all of them."""
    if not is_batches(batches):
        raise InputError("a comparison takes a source and a target, or an iterator of batches with both")
    parts: dict[str, list] = {}
    for batch in batches:
        pieces = dict(batch) if isinstance(batch, Mapping) else dict(zip(ROLES, batch))
        if strange := set(pieces) - set(ROLES):
            raise InputError(f"a batch has the parts {', '.join(ROLES)}, not {min(map(str, strange))!r}")
        if parts and set(pieces) != set(parts):
            raise InputError(f"this batch has {', '.join(pieces)}, earlier ones had {', '.join(parts)}")
        for role, piece in pieces.items():
            parts.setdefault(role, []).append(piece)
    if not {"source", "target"} <= set(parts):
        raise InputError("batches must hold a source and a target, as a mapping or a pair; an iterator can be read only once")
    whole = {role: np.concatenate([vector(piece, role) if role in ("ids", "groups") else np.asarray(real(piece, role))
                                   for piece in pieces]) for role, pieces in parts.items() if role not in ROLES[:3]}
    blocks = {role: joined([block(piece, role) for piece in parts[role]]) for role in ROLES[:3] if role in parts}
    twice = [role for role, value in ({"baseline": baseline} | given).items() if value is not None and role in parts]
    if twice:
        raise InputError(f"{twice[0]} is both in the batches and an argument: give it once", twice[0])
    return blocks["source"], blocks["target"], blocks.get("baseline", baseline), given | whole


def _matched(pair: Pair, ids, columns: Mapping[str, object]) -> int:
    """Number of rows, after matching the ids of blocks, and of labels and groups (``columns``) if they have any."""
    roles = ("source", "target", "baseline", *columns)
    if isinstance(ids, Mapping) and (strange := set(ids) - set(roles)):
        raise InputError(f"ids are of {', '.join(roles)}, not of {min(map(str, strange))!r}", "ids")
    given = ids if isinstance(ids, Mapping) else dict.fromkeys(roles[:3], ids)
    known = [*((one, given.get("source")) for one in pair.sources), (pair.target, given.get("target"))]
    known += [] if pair.baseline is None else [(pair.baseline, given.get("baseline"))]
    for role, value in columns.items():
        if value is not None:
            own = _ids_of(value)
            if own is not None or role in given:
                known.append((Block(role, np.empty((len(pair.target), 1)), own), given.get(role)))
    return match(known)


def _ids_of(value) -> np.ndarray | None:
    """Ids of labels or groups: the index of a data frame, the ids in a file."""
    if isinstance(value, str | os.PathLike):
        from theory.compare.files import read_ids

        return read_ids(value)
    return index_of(value)


def _column(value, word: str) -> np.ndarray:
    """A vector, read from a file if a path is given."""
    if isinstance(value, str | os.PathLike):
        from theory.compare.files import read_column

        value = read_column(value, word)
    return vector(value, word)


def read_labels(value, rows: int) -> Labels:
    """Labels as targets of probes.

    Raises
    ------
    InputError
        If the numbers of labels and rows differ, or labels are not finite.
    """
    if isinstance(value, str | os.PathLike):
        from theory.compare.files import read_column

        value = read_column(value, "labels")
    array = real(value, "labels") if is_tensor(value) else np.asarray(value)
    if len(array) != rows:
        raise InputError(f"there are {rows:,} rows and {len(array):,} labels: give one for each row", "labels")
    if array.ndim == 1 and array.dtype.kind in "iubUSO":
        names, codes = np.unique(vector(array, "labels"), return_inverse=True)
        if len(names) > MOST_CLASSES:
            raise InputError(f"labels have {len(names):,} classes, probes take up to {MOST_CLASSES:,}: give floats to regress "
                             "on numbers", "labels")
        return Labels(one_hot(codes, len(names)), True)
    array = real(array, "labels")
    array = np.asarray(array[:, None] if array.ndim == 1 else array, np.float64)
    if array.ndim != 2 or not np.isfinite(array).all():
        raise InputError(f"labels must be a vector of classes or finite numbers of shape (rows,) or (rows, units), got shape "
                         f"{array.shape}", "labels")
    return Labels(array, False)


def _joined_names(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    return " + ".join(names) if len(names) < 4 else f"{names[0]} … {names[-1]} ({len(names)})"


def _names(pairs: Sequence[Pair]) -> dict[str, str]:
    """Names of the sides: those of the first pair, and the number of further pairs."""
    first, more = pairs[0], f" and {len(pairs) - 1} more" if len(pairs) > 1 else ""
    names = {"source": _joined_names([one.name for one in first.sources]) + more, "target": first.target.name + more}
    return names | ({} if first.baseline is None else {"baseline": first.baseline.name + more})


__all__ = ["Measured", "compare", "compare_all", "compare_moments", "compare_pairs"]
