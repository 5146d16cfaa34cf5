"""Every two of many models: a comparison for each pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import InputError
from theory.compare.result import MEASURES, FeatureComparison

if TYPE_CHECKING:
    import pandas

DIRECTED = {"span_error": "reverse_span_error"}  # measures that are not the same both ways, and their reverse
SAME = {"span_error": 0.0, "nonlinear": 0.0}  # a model against itself, where that is not 1


@dataclass(frozen=True, repr=False)
class FeatureMatrix:
    """Features of many models, each against each.

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
        """One measure of every pair, rows the sources, columns the targets; on the diagonal what a model is to itself.

        Parameters
        ----------
        measure : "span_error", or a similarity: "cka", "debiased_cka", "cca", "svcca", "procrustes", "neighbours".
        """
        import pandas

        return pandas.DataFrame(self._cells(measure), index=self.models, columns=self.models)

    def _cells(self, measure: str) -> np.ndarray:
        symmetric = {"cka", "debiased_cka", "cca", "svcca", "procrustes", "neighbours"}
        if measure not in symmetric | set(DIRECTED):
            raise InputError(f"measure must be one of {', '.join(sorted(symmetric | set(DIRECTED)))}, not {measure!r}", "measure")
        cells = np.full((len(self.models),) * 2, SAME.get(measure, 1.0))
        place = {name: i for i, name in enumerate(self.models)}
        for (a, b), found in self.comparisons.items():
            for (i, j), name in (((a, b), measure), ((b, a), DIRECTED.get(measure, measure))):
                value = getattr(found, name)
                cells[place[i], place[j]] = np.nan if value is None else value.mean
        return cells

    def table(self) -> "pandas.DataFrame":
        """One row a pair: source, target and the measures."""
        import pandas

        rows = []
        for (a, b), found in self.comparisons.items():
            values = {name: getattr(found, name) for _, name in MEASURES}
            rows.append({"source": a, "target": b, **{name: e.mean for name, e in values.items() if e is not None}})
        return pandas.DataFrame(rows)

    def to_frame(self) -> "pandas.DataFrame":
        """One row a number: source, target and the columns of :meth:`FeatureComparison.to_frame`."""
        import pandas

        return pandas.concat([found.to_frame().assign(source=a, target=b) for (a, b), found in self.comparisons.items()],
                             ignore_index=True)

    def to_json(self) -> dict:
        """Plain JSON types: ``models``, ``matrices`` (span error, CKA, debiased CKA) and the ``comparisons``."""
        shown = {name: [[None if np.isnan(x) else float(x) for x in row] for row in self._cells(name)]
                 for name in ("span_error", "cka", "debiased_cka")}
        return {"models": list(self.models), "matrices": shown,
                "comparisons": [found.to_json() for found in self.comparisons.values()]}

    def plot(self, axes=None):
        """Draw the span errors as shades; returns the axes. ``axes`` of matplotlib, None for those of a new figure."""
        from lab.pictures import drawing
        from theory.compare.picture import draw_matrix

        with drawing(axes, height=3.4) as axes:
            draw_matrix(self.to_json(), axes)
            return axes

    def __repr__(self) -> str:
        return f"FeatureMatrix({len(self.models)} models: {', '.join(self.models)})"

    def _repr_html_(self) -> str:
        return self.matrix().to_html(float_format=lambda x: f"{x:.3f}")
