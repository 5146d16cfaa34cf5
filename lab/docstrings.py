"""Docstrings that share entries: an argument that two functions share is documented once, and ``help`` shows it for both.

``simulate`` and ``predict`` of a model take the same arguments. The docstring of ``predict`` has the entries that differ; the
others come from ``simulate``, in the order of the signature::

    @arguments_as_in(simulate)
    def predict(width: int = 4, replicas: int = 100) -> Prediction:
        '''What theory predicts.

        Parameters
        ----------
        replicas : int ≥ 1, default 100
            Not used: theory does not depend on it.
        '''
"""

import inspect
import re
from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable)

_HEAD = "Parameters\n----------\n"
_ENTRY = re.compile(r"^\*{0,2}(\w+) : .*\n(?:(?:[ \t]+.*)?\n)*", re.M)  # a line "name : type", then indented lines
_NEXT = re.compile(r"^\S.*\n-{3,}$", re.M)  # the heading of the section that follows


def arguments_as_in(other: Callable) -> Callable[[F], F]:
    """Decorator: an argument without an entry in the docstring gets the entry of another function's argument of the same name.

    Parameters
    ----------
    other : callable
        Function with a numpydoc docstring.

    Returns
    -------
    callable
        The decorator, which returns the function with the completed docstring.

    Raises
    ------
    ValueError
        By the decorator, if neither docstring describes an argument, or a docstring has no section ``Parameters``.

    Examples
    --------
    >>> def simulate(width):
    ...     '''Run it.
    ...
    ...     Parameters
    ...     ----------
    ...     width : int
    ...         Hidden units.
    ...     '''
    >>> @arguments_as_in(simulate)
    ... def predict(width):
    ...     '''Predict it.
    ...
    ...     Parameters
    ...     ----------
    ...     '''
    >>> print(inspect.getdoc(predict))
    Predict it.
    <BLANKLINE>
    Parameters
    ----------
    width : int
        Hidden units.
    """

    def decorate(function: F) -> F:
        if function.__doc__ is None:  # python -OO
            return function
        before, own, after = _parts(function)
        entries = {**_entries(_parts(other)[1]), **_entries(own)}
        names = list(inspect.signature(function).parameters)
        if missing := [name for name in names if name not in entries]:
            raise ValueError(f"{function.__qualname__}: {missing[0]} is described neither here nor in {other.__qualname__}")
        function.__doc__ = f"{before}{_HEAD}{''.join(entries[name] for name in names)}" + (after and "\n" + after)
        return function

    return decorate


def _parts(function: Callable) -> tuple[str, str, str]:
    """The docstring before the parameters, their entries, and the sections that follow."""
    before, head, text = (inspect.getdoc(function) or "").partition(_HEAD.rstrip("\n"))
    if not head:
        raise ValueError(f"the docstring of {function.__qualname__} has no section Parameters")
    following = _NEXT.search(text := text.lstrip("\n") + "\n")
    end = following.start() if following else len(text)
    return before, text[:end], text[end:].rstrip("\n")


def _entries(text: str) -> dict[str, str]:
    """Name → entry, without trailing blank lines."""
    return {entry[1]: entry[0].rstrip() + "\n" for entry in _ENTRY.finditer(text)}
