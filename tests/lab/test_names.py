"""Old spellings of arguments and flags: understood, warned of, never mixed with the new ones."""

import argparse
import inspect

import pytest

from lab.errors import InputError
from lab.names import old_flag, renamed


@renamed(rate="learning_rate", batch="batch_size")
def train(x, learning_rate=0.1, *, batch_size=1):
    """Doc."""
    return x, learning_rate, batch_size


def test_an_old_argument_is_passed_on_with_a_warning():
    with pytest.warns(DeprecationWarning, match="rate is now called learning_rate"):
        assert train(0, rate=0.5) == (0, 0.5, 1)
    with pytest.warns(DeprecationWarning):
        assert train(x=0, batch=3, learning_rate=0.2) == (0, 0.2, 3)


def test_new_names_and_positions_pass_in_silence(recwarn):
    assert train(0, 0.3, batch_size=2) == (0, 0.3, 2) and not recwarn


def test_both_spellings_together_are_refused():
    with pytest.raises(InputError, match="learning_rate alone"):
        train(0, rate=0.5, learning_rate=0.5)


def test_help_shows_the_new_names_alone():
    assert list(inspect.signature(train).parameters) == ["x", "learning_rate", "batch_size"] and train.__doc__ == "Doc."


def test_an_unknown_argument_stays_unknown():
    with pytest.raises(TypeError, match="speed"):
        train(0, speed=1)


def test_an_old_flag_is_another_spelling(capsys):
    parser = argparse.ArgumentParser(prog="x", allow_abbrev=False)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    old_flag(parser, "--rate", "--learning-rate")
    assert parser.parse_args(["--rate", "0.5"]).learning_rate == 0.5
    assert parser.parse_args(["--rate=0.5"]).learning_rate == 0.5
    assert "--rate" not in parser.format_help()
    with pytest.raises(KeyError):
        old_flag(parser, "--speed", "--velocity")
