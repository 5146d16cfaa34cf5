"""Contributions of each row to the numbers of a pair, for resampling.

There are three sets of rows, with a class for each, all of the same form (:class:`Rowwise`):

``Scored``  the rows that regressions and fitted directions are scored on
``Fitted``  the rows that they are fitted on; similarities are in-sample there, as in width sweeps
``Subset``  a few rows, for measures that need all pairs of rows, or many passes
"""

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lab.combine import bounded
from lab.errors import InputError
from lab.estimate import Estimate
from lab.streams import generator
from theory.compare.on_rows import compare_rows
from theory.compare.resample import Resampling
from theory.compare.sites import SHUFFLED, TARGET, Site
from theory.measures import calibrated_cka, calibrated_neighbours, compared
from theory.measures.debiased import debiased_cka_of
from theory.measures.influence import PairedRows, cca_influence, debiased_cka_influence, procrustes_influence
from theory.measures.neighbours import shared_neighbours
from theory.measures.ridge import ridge_map
from theory.measures.similarity import KEPT, mean_squared_cca, procrustes_similarity, svcca
from theory.measures.units import effective_rank_influence
from theory.moments import Moments
from theory.moments.layout import Names

if TYPE_CHECKING:
    from theory.compare.pair import Work

Rows = dict[str, np.ndarray]
Influenced = tuple[Callable[..., float], Callable[..., Callable]]
HELD_OUT: dict[str, Influenced] = {  # measures with fitted directions, on the score rows: the number, and the influence of a row
    "held_out_cca": (mean_squared_cca, cca_influence),
    "held_out_svcca": (svcca, partial(cca_influence, keep=KEPT, squared=False)),
    "held_out_procrustes": (procrustes_similarity, procrustes_influence),
}
DIFFERENCES = {"gap": ("span_error", "baseline_span_error"), "reverse_gap": ("reverse_span_error", "baseline_span_error"),
               "probe_error_gap": ("probe_narrow", "probe_wide")}
NEIGHBOURS = 10
_PRODUCTS = ("xx", "yy", "xcy", "xcx", "ycy")  # attributes of PairedRows
_RANKS = {"rank_narrow": ("xx", "xcx"), "rank_wide": ("yy", "ycy"), "rank_other": ("baseline_xx", "baseline_xcx")}


def _side(pieces: Rows, names: Names) -> np.ndarray:
    """The named blocks side by side."""
    return pieces[names] if isinstance(names, str) else pieces[names[0]] if len(names) == 1 else np.hstack(
        [pieces[name] for name in names])


def _squares(x: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", x, x)


class _Columns:
    """Columns with one number per row, collected over chunks."""

    def __init__(self) -> None:
        self._parts: dict[str, list[np.ndarray]] = {}

    def add(self, name: str, column: np.ndarray) -> None:
        self._parts.setdefault(name, []).append(np.asarray(column, np.float64))

    def whole(self) -> dict[str, np.ndarray]:
        """Name -> shape (all rows,)."""
        return {name: np.concatenate(parts) for name, parts in self._parts.items()}


def _standard(moments: Moments, pieces: Rows, names: Names) -> np.ndarray:
    """Rows about the mean of the moments, in units of their scale."""
    return (_side(pieces, names) - moments.mean(names)) / moments.scale(names)


class Rowwise(Protocol):
    """Numbers on a set of rows, with intervals from resampling the rows by group."""

    groups: np.ndarray  # group of each row
    values: dict[str, float]  # numbers that follow from the rows, but not from moments

    def estimates(self, draws: Resampling, values: dict[str, float]) -> dict[str, Estimate]: ...


class Scored:
    """Span errors, probes, the rank of the residual and held-out similarities, on the score rows."""

    def __init__(self, work: "Work", values: dict[str, float]):
        site, used, wide = work.site, work.used, work.wide
        self.groups = work.groups("score")
        self.values: dict[str, float] = {}
        regressions, left = _regressions(work), site.with_residual(wide, used).score
        self._ranked = "residual_rank" in values
        if self._ranked:
            covariance = left.covariance("residual", scale=left.scale("residual") ** 2).astype(np.float32)
        held = {name: influence(site.both, used, wide, score=site.score) for name, (_, influence) in HELD_OUT.items()
                if name in values}
        maps = {name: ridge_map(of.both, source=source, target=target, ridge=of.choice(source, target).ridge, quick=True)
                for name, (of, source, target) in regressions.items()}
        means = {name: of.both.mean(target) for name, (of, _, target) in regressions.items()}
        columns = _Columns()
        for pieces in work.chunks("score"):
            for name, (_, source, target) in regressions.items():
                weights, offset = maps[name]
                y = _side(pieces, target)
                residual = y - _side(pieces, source) @ weights - offset
                columns.add(name, _squares(residual))
                columns.add(f"{name} total", _squares(y - means[name]))
                if name == "span_error":
                    pieces["residual"] = residual
            if self._ranked:
                x = _standard(left, pieces, "residual").astype(np.float32)
                columns.add("squares", _squares(x))
                columns.add("along", np.einsum("ij,ij->i", x @ covariance, x))
            rows = PairedRows(_standard(site.score, pieces, used), _standard(site.score, pieces, wide), {})
            for name, influence in held.items():
                columns.add(name, influence(rows))
        self._columns, self._regressions, self._held = columns.whole(), list(regressions), list(held)

    def estimates(self, draws: Resampling, values: dict[str, float]) -> dict[str, Estimate]:
        """All numbers on these rows with their intervals."""
        columns = self._columns

        def share(sign: float, name: str) -> tuple[float, np.ndarray, np.ndarray]:
            return sign, columns[name], columns[f"{name} total"]

        estimates = {name: draws.shares(values[name], share(1, name)) for name in self._regressions}
        estimates |= {name: draws.shares(values[name], share(1, a), share(-1, b)) for name, (a, b) in DIFFERENCES.items()
                      if a in estimates and b in estimates}
        estimates |= {name: bounded(draws.moved(values[name], columns[name]), -1, 1) for name in self._held}
        if self._ranked:
            influence = effective_rank_influence(values["residual_rank"], columns["squares"], columns["along"])
            estimates["residual_rank"] = bounded(draws.moved(values["residual_rank"], influence), least=1)
        return estimates


def _regressions(work: "Work") -> dict[str, tuple[Site, Names, Names]]:
    """Name of each number → (site, source, target) of its regression, that of ``span_error`` first."""
    site, used, wide = work.site, work.used, work.wide
    regressions: dict[str, tuple[Site, Names, Names]] = {
        "span_error": (site, used, wide), "reverse_span_error": (site, wide, used),
        "null_span_error": (site, used, SHUFFLED), "null_reverse_span_error": (site, SHUFFLED, used)}
    if work.other is not None:
        regressions["baseline_span_error"] = (site, work.other, wide)
    if site.labelled:
        left = site.with_residual(wide, used)
        regressions |= {"probe_narrow": (site, used, TARGET), "probe_wide": (site, wide, TARGET),
                        "probe_residual": (left, "residual", TARGET), "probe_with_residual": (left, [*used, "residual"], TARGET)}
        if work.other is not None:
            regressions["probe_other"] = (site, work.other, TARGET)
    return regressions


class Fitted:
    """Similarities and effective ranks, on the rows fitted on."""

    def __init__(self, work: "Work", values: dict[str, float]):
        both, used, wide, other = work.site.both, work.used, work.wide, work.other
        self.groups = work.groups("fit", "tune")
        self.values: dict[str, float] = {}
        sides: dict[str, tuple[Names, Names]] = {"": (used, wide), "null_": (used, SHUFFLED)}
        sides |= {} if other is None else {"baseline_": (other, wide)}
        influences = {f"{prefix}{name}": (prefix, measure.influence(both, a, b)) for prefix, (a, b) in sides.items()
                      for name, measure in compared().items()
                      if measure.influence is not None and math.isfinite(values[f"{prefix}{name}"])}
        covariances = {prefix: PairedRows.covariances(both, *pair) for prefix, pair in sides.items()}
        columns = _Columns()
        for pieces in work.chunks("fit", "tune"):
            rows = {prefix: PairedRows(_standard(both, pieces, a), _standard(both, pieces, b), covariances[prefix])
                    for prefix, (a, b) in sides.items()}
            for name, (prefix, influence) in influences.items():
                columns.add(name, influence(rows[prefix]))
            for prefix in sides.keys() - {"null_"}:
                for name in _PRODUCTS:
                    columns.add(f"{prefix}{name}", getattr(rows[prefix], name))
        whole = columns.whole()
        self._influence = {name: whole[name] for name in influences}
        for name, products in _RANKS.items():
            if name in values:
                self._influence[name] = effective_rank_influence(values[name], *(whole[product] for product in products))
        for prefix in sides.keys() - {"null_"}:
            with suppress(InputError):  # too few rows
                self._add_debiased(both, prefix, sides[prefix], *(whole[f"{prefix}{name}"] for name in _PRODUCTS))

    def _add_debiased(self, both: Moments, prefix: str, pair: tuple[Names, Names], k: np.ndarray, l: np.ndarray,
                      *products: np.ndarray) -> None:
        """Add the debiased CKA, which needs no null."""
        name = f"{prefix}debiased_cka"
        self.values[name] = debiased_cka_of(both, pair[0], pair[1], k, l)
        self._influence[name] = debiased_cka_influence(self.values[name], k, l, *products)

    def estimates(self, draws: Resampling, values: dict[str, float]) -> dict[str, Estimate]:
        """All numbers on these rows with their intervals."""
        estimates = {name: draws.moved(values[name], column) for name, column in self._influence.items()}
        return {name: bounded(e, least=1) if name.startswith("rank") else e if "debiased" in name else bounded(e, 0, 1)
                for name, e in estimates.items()}


class Subset:
    """Nonlinear span errors, logistic probes, shared neighbours and calibrated similarities, on a subset of the rows.

    Similarities are calibrated only if every row is a group of its own: shuffling rows that belong together gives no null.
    """

    def __init__(self, fit: Rows, score: Rows, wide: str, other: str | None, used: list[str], *, ridge: float, seed: int,
                 groups: np.ndarray):
        self.groups = groups
        near = {"": used, **({} if other is None else {"baseline_": other})}
        k = min(NEIGHBOURS, len(groups) - 1)
        self._near = {f"{prefix}neighbours": shared_neighbours(_side(score, names), score[wide], neighbours=k)
                      for prefix, names in near.items()}
        self._on_rows = compare_rows(fit, score, wide, other, used, ridge=ridge, seed=seed)
        self.values = {**self._on_rows.values, **{name: float(column.mean()) for name, column in self._near.items()},
                       "null_neighbours": k / (len(groups) - 1)}
        self._better = {prefix: min((f"{prefix}kernel_span_error", f"{prefix}mlp_span_error"), key=self.values.__getitem__)
                        for prefix in near}
        self.values |= {f"{prefix}nonlinear_span_error": self.values[name] for prefix, name in self._better.items()}
        self._calibrated: dict[str, np.ndarray] = {}
        if len(set(groups.tolist())) == len(groups):
            with suppress(InputError):  # features that do not vary on these rows
                self._calibrate(score, used, wide, k, seed)

    def _calibrate(self, score: Rows, used: list[str], wide: str, neighbours: int, seed: int) -> None:
        """Similarities calibrated by shuffled rows, and each row's contribution to them with the null held fixed."""
        x, y, rng = _side(score, used), score[wide], generator(seed, "comparison", "calibrated", len(used))
        calibrated = {"cka": calibrated_cka(x, y, rng), "neighbours": calibrated_neighbours(x, y, rng, neighbours=neighbours)}
        moments, cka = Moments.from_samples({name: score[name] for name in [*used, wide]}), compared()["cka"]
        rows = PairedRows(_standard(moments, score, used), _standard(moments, score, wide),
                          PairedRows.covariances(moments, used, wide))
        influences = {"neighbours": self._near["neighbours"] - self.values["neighbours"]}
        if cka.influence is not None:
            influences["cka"] = cka.influence(moments, used, wide)(rows)
        for name, influence in influences.items():
            similarity = calibrated[name]
            self.values |= {f"calibrated_{name}": similarity.score, f"p_{name}": similarity.p}
            self._calibrated[f"calibrated_{name}"] = influence / (1 - similarity.null.mean())

    def estimates(self, draws: Resampling, values: dict[str, float]) -> dict[str, Estimate]:
        """All numbers on these rows with their intervals."""
        left, total, ones = self._on_rows.left, self._on_rows.total, np.ones(len(self.groups))
        terms = {name: (column, total.get(name, ones)) for name, column in (left | self._near).items()}
        better = {name: terms[of] for prefix, of in self._better.items() if of in terms
                  for name in (f"{prefix}nonlinear_span_error",)}
        terms |= better
        estimates = {name: draws.shares(values[name], (1, *term)) for name, term in terms.items()}
        estimates |= {name: bounded(draws.moved(values[name], column), most=1) for name, column in self._calibrated.items()}
        if len(better) == 2:
            estimates["nonlinear_gap"] = draws.shares(values["nonlinear_gap"], (1, *better["nonlinear_span_error"]),
                                                      (-1, *better["baseline_nonlinear_span_error"]))
        return estimates
