"""The process behind a command: how it is called, signals that end it, standard streams that cannot be written."""

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager

from lab.errors import InputError

_STOPPING = (signal.SIGTERM, signal.SIGHUP)
_ONE_STOP = 2.0  # seconds within which further signals are the same wish (``timeout`` sends its signal twice)


_program = "python -m"  # what stands before a room's name on the command line


@contextmanager
def program(words: str):
    """Context in which commands are spelt with these words before the room's name (``widthlab``)."""
    global _program
    before, _program = _program, words
    try:
        yield
    finally:
        _program = before


def called(command: str) -> str:
    """A command as a person can type it here: ``python -m theory list``, or ``widthlab theory list``."""
    return " ".join([_program, *command.split()])


class Terminated(KeyboardInterrupt):
    """The process was told to end (SIGTERM, SIGHUP)."""


@contextmanager
def interruptible():
    """Within it SIGTERM and SIGHUP end the work as Ctrl-C does, so that workers are ended and the user is told.

    A signal that is ignored already (``nohup``) or has a handler is left alone.
    """
    told: float | None = None

    def stop(number, _):
        nonlocal told
        if told is None or time.monotonic() - told > _ONE_STOP:
            told = time.monotonic()
            raise Terminated(signal.Signals(number).name)

    def late(number, _):  # the second signal of one wish must not cut off the last words of a process that is ending
        if time.monotonic() - (told or 0.0) > _ONE_STOP:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    late.given_back = True  # type: ignore[attr-defined]  # as good as the default, to the next who asks
    ours = ([number for number in _STOPPING if (handler := signal.getsignal(number)) is signal.SIG_DFL
             or getattr(handler, "given_back", False)]
            if threading.current_thread() is threading.main_thread() else [])
    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL if told is None else late)


def check_streams() -> None:
    """Refuse to work for a standard output that is closed; without a standard error, remarks go nowhere.

    (Python has None in place of a closed stream; printing to None goes to standard output.)

    Raises
    ------
    InputError
        If standard output is closed.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (it lasts as long as the process)
    if sys.stdout is None:
        raise InputError("standard output is closed, so the result could not be written: send it to a file or to /dev/null")


def spell_out() -> None:
    """Characters that the encoding of a standard stream lacks are spelt out (``\\u2211``): no result is lost for want of a
    sign."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and "utf" not in (stream.encoding or "").lower():
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def output():
    """For writing to standard output, which is flushed: what cannot be written is an error.

    Raises
    ------
    InputError
        If the disk behind standard output is full, or it cannot be written for another reason.
    BrokenPipeError
        If the reader has gone (``| head``).
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise InputError(f"cannot write the result to standard output: {error.strerror}") from None


def discard_output() -> None:
    """Send what is still to be written to standard output nowhere: Python would try again when it ends, and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
