"""Docstrings that share entries."""

import inspect

import pytest

from lab.docstrings import arguments_as_in
from lab.names import renamed


def first(a, b, *, c=1):
    """One.

    Parameters
    ----------
    a : int ≥ 1
        Of the first.

        A second paragraph.
    b : (n, 2) array
        Points.
    c : int, default 1
        Last.

    Returns
    -------
    int
    """


def test_entries_come_in_the_order_of_the_signature_and_ones_own_win():
    @renamed(old="a")
    @arguments_as_in(first)
    def second(b, a, d=0):
        """Two.

        Parameters
        ----------
        d : int, default 0
            Own.
        b : array
            Also own.

        Returns
        -------
        float
        """

    assert inspect.getdoc(second) == (
        "Two.\n\nParameters\n----------\nb : array\n    Also own.\na : int ≥ 1\n    Of the first.\n\n    A second paragraph.\n"
        "d : int, default 0\n    Own.\n\nReturns\n-------\nfloat")


def test_what_is_described_nowhere_is_an_error():
    with pytest.raises(ValueError, match="e is described neither here nor in first"):
        @arguments_as_in(first)
        def third(e):
            """Three.

            Parameters
            ----------
            """
    with pytest.raises(ValueError, match="no section Parameters"):
        @arguments_as_in(first)
        def fourth(a):
            """Four."""
