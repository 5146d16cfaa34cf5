"""Results as tables, in a line, and as pictures."""

from dataclasses import dataclass

import numpy as np
import pytest

from lab.errors import ArgumentError, InputError
from lab.estimate import mean_interval
from lab.results import Results


@dataclass(frozen=True)
class Curves(Results, axes="times: moment; loss: replica moment; end passed: replica", picture="loss ~ times | end"):
    times: np.ndarray
    loss: np.ndarray
    end: np.ndarray
    width: int = 3

    @property
    def passed(self) -> np.ndarray:
        return self.end > 0


@dataclass(frozen=True)
class Line(Results, axes="times: moment; loss: moment", picture="loss ~ times", theory=True):
    times: tuple
    loss: tuple | None


@dataclass(frozen=True)
class Plain(Results, theory=True):
    share: float


@pytest.fixture
def curves() -> Curves:
    return Curves(np.array([0.5, 1.0]), np.array([[1.0, 0.5], [3.0, 0.7], [2.0, 0.9]]), np.array([1.0, -1.0, 2.0]))


def test_a_table_has_a_row_for_every_combination_of_axes(curves):
    frame = curves.to_frame()
    assert list(frame) == ["replica", "moment", "times", "loss", "end", "passed", "width"] and len(frame) == 6
    assert frame.loss.tolist() == [1.0, 0.5, 3.0, 0.7, 2.0, 0.9] and frame.times.tolist() == [0.5, 1.0] * 3
    assert frame.end.tolist() == [1, 1, -1, -1, 2, 2] and frame.passed.sum() == 4
    assert list(curves.to_frame("replica")) == ["replica", "end", "passed", "width"]
    assert len(curves.to_frame("moment", "replica")) == 6 and Plain(0.5).to_frame().to_dict("list") == {"share": [0.5]}
    with pytest.raises(ArgumentError, match="no axis 'unit' for rows: there are moment, replica"):
        curves.to_frame("unit")


def test_what_theory_leaves_open_is_no_number():
    assert list(Line((1, 2), None).to_frame()) == ["moment", "times"]
    assert Line((1, 2), (None, 0.5)).to_frame().loss.isna().tolist() == [True, False]


def test_an_array_with_other_axes_than_declared_is_a_mistake(curves):
    with pytest.raises(TypeError, match="loss has 1 axes"):
        Curves(curves.times, curves.end, curves.end).to_frame()


def test_the_repr_is_short(curves):
    assert repr(curves) == ("Curves(times=[0.5, 1], loss=float64[3, 2] 0.5 … 3, end=[1, -1, 2], width=3)")
    large = Curves(np.arange(1e4), np.full((100, 10**4), np.nan), np.zeros(10**4))
    assert len(repr(large)) < 300 and "float64[100, 10000]" in repr(large)
    assert repr(Line(tuple(range(99)), None)) == "Line(times=(0, 1, 2, 3, 4, 5, … 99 of them), loss=None)"


def test_a_picture_shows_means_with_intervals_and_theory_as_a_line(curves):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    assert curves.plot(axes, color="k") is axes
    (container,) = axes.containers
    np.testing.assert_allclose(container[0].get_ydata(), [2.0, 0.7])
    low, high = container[2][0].get_segments()[0][:, 1]
    estimate = mean_interval([1.0, 3.0, 2.0])
    assert (low, high) == (pytest.approx(estimate.low), pytest.approx(estimate.high))
    Line((0.5, 1.0), (2.0, 0.6)).plot(axes)
    assert axes.lines[-1].get_marker() == "" and axes.get_xlabel() == "times"
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"loss", "loss (theory)"}
    spread = Figure().subplots()
    Curves(curves.times[:0], curves.loss[:, :0], curves.end).plot(spread)
    assert spread.patches and spread.get_xlabel() == "end"
    with pytest.raises(InputError, match="Plain has no picture"):
        Plain(0.5).plot()
