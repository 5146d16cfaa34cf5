"""Old public names: still accepted, with a warning that gives the new one.

:func:`renamed` is for arguments of functions; the function keeps its explicit signature, so that ``help`` shows only the new
names. :func:`old_flag` is for flags of a command. The table of old and new names is in ``CONTRIBUTING.md``.
"""

import functools
import warnings
from argparse import ArgumentParser
from collections.abc import Callable

from lab.errors import InputError


def renamed(**names: str) -> Callable[[Callable], Callable]:
    """Decorator: keyword arguments with an old name, ``old="new"``, are passed on under the new one.

    Parameters
    ----------
    **names : str
        Old name = new name of a parameter of the function.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    InputError
        By the decorated function, if an argument is given under both names.

    Examples
    --------
    >>> @renamed(rate="learning_rate")
    ... def train(learning_rate=0.1):
    ...     return learning_rate
    >>> train(learning_rate=0.2)
    0.2
    """

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def call(*args, **kwargs):
            for old in names.keys() & kwargs.keys():
                new = names[old]
                if new in kwargs:
                    raise InputError(f"{function.__name__}: {old} is the old name of {new}; give {new} alone")
                warnings.warn(f"{function.__name__}: {old} is now called {new}", DeprecationWarning, stacklevel=2)
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


class Keyed:
    """Base of a dataclass that used to be a dictionary: its fields can still be read by key, with a warning.

    Examples
    --------
    >>> class Data(Keyed):
    ...     x = 3
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     Data()["x"]
    3
    """

    def __getitem__(self, name: str):
        if name.startswith("_") or not hasattr(self, name):
            raise KeyError(name)
        warnings.warn(f'{type(self).__name__}["{name}"] is now {type(self).__name__}.{name}', DeprecationWarning, stacklevel=2)
        return getattr(self, name)


def old_flag(parser: ArgumentParser, old: str, new: str) -> None:
    """Make ``old`` an undocumented alias of the parser's flag ``new``.

    Raises
    ------
    KeyError
        If the parser has no such flag.
    """
    action = parser._option_string_actions[new]  # argparse has no public way to add a spelling that help does not show
    parser._option_string_actions[old] = action
