"""Comparisons of all pairs of several models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import InputError
from theory.compare.result import MEASURES, FeatureComparison

if TYPE_CHECKING:
    import pandas

DIRECTED = {"span_error": "reverse_span_error"}  # measures that are not symmetric, and their reverse
SAME = {"span_error": 0.0, "nonlinear": 0.0}  # value of a model against itself, if that is not 1


@dataclass(frozen=True, repr=False)
class FeatureMatrix:
    """Features of several models, all compared with each other.

    Attributes
    ----------
    models : tuple of str
        Names, in order.
    comparisons : mapping of (str, str) to FeatureComparison
        (a, b) -> the comparison of source a with target b, for a before b.

    Examples
    --------
    >>> from theory.compare import compare_all
    >>> x = np.random.default_rng(0).normal(size=(200, 4))
    >>> compare_all({"few": x[:, :2], "all": x})
    FeatureMatrix(2 models: few, all)
    """

    models: tuple[str, ...]
    comparisons: Mapping[tuple[str, str], FeatureComparison]

    def matrix(self, measure: str = "span_error") -> "pandas.DataFrame":
        """One measure of all pairs: sources are rows, targets are columns, and the diagonal is a model against itself.

        Parameters
        ----------
        measure : {"span_error", "cka", "debiased_cka", "cca", "svcca", "procrustes", "neighbours"}
            Span error or a similarity.
        """
        import pandas

        return pandas.DataFrame(self._cells(measure), index=self.models, columns=self.models)

    def _cells(self, measure: str) -> np.ndarray:
        symmetric = {"cka", "debiased_cka", "cca", "svcca", "procrustes", "neighbours"}
        if measure not in symmetric | set(DIRECTED):
            raise InputError(f"measure must be one of {', '.join(sorted(symmetric | set(DIRECTED)))}, not {measure!r}", "measure")
        cells = np.full((len(self.models),) * 2, SAME.get(measure, 1.0))
        index = {name: i for i, name in enumerate(self.models)}
        for (a, b), comparison in self.comparisons.items():
            for (source, target), name in (((a, b), measure), ((b, a), DIRECTED.get(measure, measure))):
                value = getattr(comparison, name)
                cells[index[source], index[target]] = np.nan if value is None else value.mean
        return cells

    def table(self) -> "pandas.DataFrame":
        """One row per pair: source, target and the measures."""
        import pandas

        rows = []
        for (a, b), comparison in self.comparisons.items():
            values = {name: getattr(comparison, name) for _, name in MEASURES}
            rows.append({"source": a, "target": b, **{name: e.mean for name, e in values.items() if e is not None}})
        return pandas.DataFrame(rows)

    def to_frame(self) -> "pandas.DataFrame":
        """One row per number: source, target and the columns of :meth:`FeatureComparison.to_frame`."""
        import pandas

        return pandas.concat([comparison.to_frame().assign(source=a, target=b)
                              for (a, b), comparison in self.comparisons.items()], ignore_index=True)

    def to_json(self) -> dict:
        """Plain JSON types: ``models``, ``matrices`` (span error, CKA, debiased CKA) and the ``comparisons``."""
        shown = {name: [[None if np.isnan(x) else float(x) for x in row] for row in self._cells(name)]
                 for name in ("span_error", "cka", "debiased_cka")}
        return {"models": list(self.models), "matrices": shown,
                "comparisons": [comparison.to_json() for comparison in self.comparisons.values()]}

    def plot(self, axes=None):
        """Draw the span errors as a heat map, on matplotlib ``axes`` or on a new figure; returns the axes."""
        from lab.pictures import drawing
        from theory.compare.picture import draw_matrix

        with drawing(axes, height=3.4) as axes:
            draw_matrix(self.to_json(), axes)
            return axes

    def __repr__(self) -> str:
        return f"FeatureMatrix({len(self.models)} models: {', '.join(self.models)})"

    def _repr_html_(self) -> str:
        return self.matrix().to_html(float_format=lambda x: f"{x:.3f}")
