"""What a user can reach is annotated and documented, and its examples run."""

import doctest
from importlib import import_module

import numpy as np
import pytest

from tests.surface import ROOMS, defects, public

# Modules whose docstrings are still to be brought to this form; a name leaves this list and never enters it.
UNFINISHED: tuple[str, ...] = ()


def _held(room):
    return {name: thing for name, thing in public(room).items() if not name.startswith(UNFINISHED)}


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_public_is_documented(room):
    missing = {name: found for name, thing in _held(room).items() if (found := defects(thing))}
    assert not missing, "\n".join(f"{name}: {'; '.join(found)}" for name, found in missing.items())


@pytest.mark.parametrize("room", ROOMS)
def test_examples_in_docstrings_run(room, monkeypatch, tmp_path):
    """In a folder of their own, since an example may write files; numbers are compared as they are printed."""
    monkeypatch.chdir(tmp_path)
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    printed: list[str] = []
    for name, thing in _held(room).items():
        for test in finder.find(thing, name, globs={"np": np, **vars(import_module(thing.__module__))}):
            assert not any(example.options.get(doctest.SKIP) for example in test.examples), f"{name} skips an example"
            runner.run(test, out=printed.append)
    assert not runner.failures, "".join(printed)


def test_defects_are_found():
    def good(x: int) -> int:
        """Twice a number.

        Parameters
        ----------
        x : int
            A number.

        Returns
        -------
        int
            Twice the number.

        Examples
        --------
        >>> 1 + 1
        2
        """

    def bad(x, y: int):
        """Sum.

        Parameters
        ----------
        x, z : float
        """

    assert defects(good) == []
    assert defects(bad) == ["no example", "return value is not annotated", "x is not annotated",
                            "several parameters in one entry: x, z",
                            "y has no entry with a type", "z is documented and is no parameter"]
