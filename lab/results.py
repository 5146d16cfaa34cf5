"""Results of simulations, predictions and measurements: tables, a short ``repr`` and a picture, from one declaration.

A result is a frozen dataclass of arrays and numbers whose class declares the axes of its arrays::

    @dataclass(frozen=True)
    class Bumps(Results, axes="times: moment; loss nearest: replica moment", picture="loss ~ times"):

``axes``
    ``names: axes``, separated by semicolons; names may be fields or properties. The rows of a table are the combinations
    of some axes, its columns all arrays without other axes.
``rows``
    default axes of the rows (if not given, those of the last array with the largest number of axes).
``picture``
    ``names ~ name`` draws arrays against an array with a single axis, or against an axis; ``name`` alone draws a histogram of
    its values. Of several, separated by ``|``, the first that has numbers is drawn.
``theory``
    True draws lines instead of markers.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from lab.errors import ArgumentError, InputError
from lab.estimate import Estimate, mean_interval, share_interval

if TYPE_CHECKING:
    import pandas
    from _typeshed import DataclassInstance
    from matplotlib.axes import Axes

_SHOWN = 6  # largest number of values that a repr shows; longer arrays are summarised
_LINE = 100  # longest repr on one line, in characters


class Results:
    """Base class of results; see :mod:`lab.results` for the declarations of a class.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Curve(Results, axes="times: moment; loss: replica moment", picture="loss ~ times"):
    ...     times: np.ndarray
    ...     loss: np.ndarray
    >>> curve = Curve(np.array([0.0, 1.0]), np.array([[2.0, 1.0], [2.0, 0.5]]))
    >>> curve
    Curve(times=[0, 1], loss=float64[2, 2] 0.5 … 2)
    >>> list(curve.to_frame()), len(curve.to_frame())
    (['replica', 'moment', 'times', 'loss'], 4)
    """

    _axes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    _rows: ClassVar[tuple[str, ...]] = ()
    _pictures: ClassVar[tuple[tuple[tuple[str, ...], str], ...]] = ()
    _theory: ClassVar[bool] = False

    def __init_subclass__(cls, axes: str = "", rows: str = "", picture: str = "", theory: bool = False, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__repr__" not in vars(cls):
            # otherwise dataclass would add its own
            cls.__repr__ = Results.__repr__  # type: ignore[method-assign]
        if axes:
            parts = [part.partition(":")[::2] for part in axes.split(";")]
            cls._axes = {name: tuple(of.split()) for names, of in parts for name in names.split()}
            cls._rows = tuple(rows.split()) or max(reversed(cls._axes.values()), key=len)
        if picture:
            parts = [part.partition("~")[::2] for part in picture.split("|")]
            cls._pictures = tuple((tuple(names.split()), x.strip()) for names, x in parts)
        cls._theory = theory

    def __repr__(self) -> str:
        shown = [f"{f.name}={_summary(getattr(self, f.name))}" for f in _fields(self) if f.repr]
        line = f"{type(self).__name__}({', '.join(shown)})"
        return line if len(line) <= _LINE else "\n  ".join([f"{type(self).__name__}(", *shown]) + ")"

    def to_frame(self, *rows: str) -> "pandas.DataFrame":
        """A table with a row for every combination of the axes, and a column for every array without other axes.

        Parameters
        ----------
        *rows : str
            Names of axes (default: those that the class declares; ``to_frame("replica")`` drops arrays with other axes).

        Returns
        -------
        pandas.DataFrame
            One column per axis, array and number.

        Raises
        ------
        ArgumentError
            If there is no such axis.
        """
        import pandas

        known = dict.fromkeys(axis for axes in self._axes.values() for axis in axes)
        if strange := [axis for axis in rows if axis not in known]:
            raise ArgumentError(f"{type(self).__name__} has no axis {strange[0]!r} for rows: there are "
                                f"{', '.join(known) or 'none'}", "rows")
        wanted = rows or self._rows
        arrays = {name: (axes, value) for name, axes, value in self._arrays() if set(axes) <= set(wanted)}
        sizes = {axis: size for axes, value in arrays.values() for axis, size in zip(axes, value.shape)}
        along = [axis for axis in wanted if axis in sizes]
        shape = [sizes[axis] for axis in along]
        places = dict(zip(along, np.indices(shape).reshape(len(along), int(np.prod(shape)))))
        columns = dict(places)
        for name, (axes, value) in arrays.items():
            columns |= _columns(name, value[tuple(places[axis] for axis in axes)])
        numbers = {name: number for f in _fields(self) if f.name not in self._axes
                   for name, number in _numbers(f.name, getattr(self, f.name))}
        return pandas.DataFrame({**columns, **numbers}, index=None if along else [0])

    def plot(self, axes: "Axes | None" = None, **style) -> "Axes":
        """Draw the result: means over replicas with 95 % intervals, or a histogram; theory as lines.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, optional
            Axes to draw on; by default those of a new figure.
        **style : object
            Passed on to matplotlib, such as ``color`` or ``label``.

        Returns
        -------
        matplotlib.axes.Axes
            The axes, so that other results can be drawn on top: ``predict(...).plot(simulate(...).plot())``.

        Raises
        ------
        InputError
            If it has no picture, for example because it consists of a few plain numbers.

        Notes
        -----
        Of an array with more axes than the picture's and that of the replicas, the first entry of each is drawn.
        """
        from lab.pictures import drawing

        arrays = {name: (of, value) for name, of, value in self._arrays() if value.size and value.dtype.kind in "bif"}
        for names, x in self._pictures:
            if drawn := [name for name in names if name in arrays]:
                with drawing(axes) as axes:
                    for name in drawn:
                        _draw(axes, name, x, arrays, self._theory, style)
                    axes.set_xlabel((x or drawn[0]).replace("_", " "))
                    axes.set_ylabel("" if len(drawn) > 1 else "number" if not x else drawn[0].replace("_", " "))
                    if len(axes.get_legend_handles_labels()[0]) > 1:
                        axes.legend()
                return axes
        raise InputError(f"{type(self).__name__} has no picture; its numbers: to_frame()")

    def _arrays(self) -> Iterator[tuple[str, tuple[str, ...], np.ndarray]]:
        """Name, axes and values of all arrays with declared axes, except those that are None."""
        for name, axes in self._axes.items():
            value = getattr(self, name)
            if value is not None:
                value = _array(value)
                if value.ndim != len(axes):
                    raise TypeError(f"{type(self).__name__}.{name} has {value.ndim} axes, declared are {axes}")
                yield name, axes, value


def _fields(result: Results) -> tuple[dataclasses.Field, ...]:
    """The fields of a result: its class is a dataclass, although :class:`Results` itself is not."""
    return dataclasses.fields(cast("DataclassInstance", result))


def _array(value) -> np.ndarray:
    """The values as an array; None among numbers becomes nan, other objects are kept."""
    if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        return np.fromiter(value, dtype=object, count=len(value))
    array = np.asarray(value)
    if array.dtype == object and all(entry is None or isinstance(entry, int | float) for entry in array.flat):
        return array.astype(float)
    return array


def _columns(name: str, values: np.ndarray) -> dict:
    """A column, or one for each field if the values are dataclasses."""
    if values.dtype == object and len(values) and dataclasses.is_dataclass(values[0]):
        return {f.name: [getattr(value, f.name) for value in values] for f in dataclasses.fields(values[0])}
    return {name: values}


def _numbers(name: str, value) -> Iterator[tuple[str, object]]:
    """The numbers and strings in a field, which are the same in every row."""
    if isinstance(value, Mapping):
        yield from ((key, number) for key, number in value.items() if np.isscalar(number))
    elif value is None or np.isscalar(value):
        yield name, value


def _draw(axes, name: str, x: str, arrays: Mapping, theory: bool, style: Mapping) -> None:
    """One array of a picture."""
    from lab.pictures import points, theory_line

    of, values = arrays[name]
    style = {"label": name.replace("_", " ") + (" (theory)" if theory else ""), **style}
    if not x:
        axes.hist(values[np.isfinite(values)].ravel(), bins="auto", histtype="stepfilled", alpha=0.6, **style)
        return
    axis = arrays[x][0][0] if x in arrays else x
    values = np.moveaxis(values, of.index(axis), 0)
    along = arrays[x][1] if x in arrays else np.arange(len(values))
    values = values.reshape(*values.shape[:2], -1)[..., 0] if values.ndim > 1 else values
    if theory:
        theory_line(axes, along, values if values.ndim == 1 else values.mean(axis=1), **style)
    elif values.ndim == 1:
        points(axes, along, values, **style)
    else:
        estimates = [_estimate(row) for row in values]
        ends = (np.array([getattr(estimate, end) for estimate in estimates], dtype=float) for end in ("mean", "low", "high"))
        points(axes, along, *ends, **style)


def _estimate(values: np.ndarray) -> Estimate:
    """Estimate over the replicas with finite values."""
    if values.dtype == bool:
        return share_interval(int(values.sum()), len(values))
    values = values[np.isfinite(values)]
    return mean_interval(values) if len(values) else Estimate(np.nan, n=0)


def _summary(value) -> str:
    """A few words on a field's value."""
    if isinstance(value, np.ndarray):
        return _summary_of_array(value)
    if isinstance(value, tuple | list):
        shown = [_summary(entry) for entry in value[:_SHOWN]] + [f"… {len(value)} of them"] * (len(value) > _SHOWN)
        text = "(" + ", ".join(shown) + ("," if len(value) == 1 else "") + ")"
        return text if len(text) <= _LINE else f"({len(value)} × {type(value[0]).__name__})"
    if isinstance(value, Results):
        return f"{type(value).__name__}(…)"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= _LINE else f"{type(value).__name__}(…)"


def _summary_of_array(value: np.ndarray) -> str:
    """The values of a short array; otherwise type, shape and range."""
    if value.ndim == 1 and value.size <= _SHOWN and value.dtype.kind in "bif":
        return "[" + ", ".join(f"{entry:.4g}" if value.dtype.kind == "f" else str(entry) for entry in value) + "]"
    text = f"{value.dtype}[{', '.join(map(str, value.shape))}]"
    if value.dtype == bool:
        return f"{text} {int(value.sum())} true"
    finite = value[np.isfinite(value)] if value.dtype.kind in "if" else value[:0]
    if not finite.size:
        return text
    lost = value.size - finite.size
    return f"{text} {finite.min():.4g} … {finite.max():.4g}" + (f" ({lost} not finite)" if lost else "")
