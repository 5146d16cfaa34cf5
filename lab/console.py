"""The process of a command: its name on the command line, signals that end it, standard streams that cannot be written."""

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager

from lab.errors import InputError

_STOPPING = (signal.SIGTERM, signal.SIGHUP)
_ONE_STOP = 2.0  # seconds within which repeated signals count as one (``timeout`` sends its signal twice)


_program = "python -m"  # precedes a room's name on the command line


@contextmanager
def program(words: str):
    """Context in which commands are shown with these words before the room's name (``widthlab``)."""
    global _program
    before, _program = _program, words
    try:
        yield
    finally:
        _program = before


def called(command: str) -> str:
    """A command as it is typed here: ``python -m theory list``, or ``widthlab theory list``."""
    return " ".join([_program, *command.split()])


class Terminated(KeyboardInterrupt):
    """The process was told to end (SIGTERM, SIGHUP)."""


@contextmanager
def interruptible():
    """Context in which SIGTERM and SIGHUP end the work as Ctrl-C does, so that workers are ended and the user is informed.

    A signal that is ignored already (``nohup``) or has a handler is left alone.
    """
    stopped: float | None = None  # time of the first signal

    def stop(number, _):
        nonlocal stopped
        if stopped is None or time.monotonic() - stopped > _ONE_STOP:
            stopped = time.monotonic()
            raise Terminated(signal.Signals(number).name)

    def late(number, _):  # a repeated signal must not cut off the last output of a process that is ending
        if time.monotonic() - (stopped or 0.0) > _ONE_STOP:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    late.given_back = True  # type: ignore[attr-defined]  # a later call treats this handler like the default
    ours = ([number for number in _STOPPING if (handler := signal.getsignal(number)) is signal.SIG_DFL
             or getattr(handler, "given_back", False)]
            if threading.current_thread() is threading.main_thread() else [])
    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL if stopped is None else late)


def check_streams() -> None:
    """Refuse to work if standard output is closed; if standard error is closed, discard what is written to it.

    (Python has None in place of a closed stream, and printing to None goes to standard output.)

    Raises
    ------
    InputError
        If standard output is closed.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (it stays open as long as the process)
    if sys.stdout is None:
        raise InputError("standard output is closed, so the result could not be written: send it to a file or to /dev/null")


def spell_out() -> None:
    """Escape characters that the encoding of a standard stream lacks (``\\u2211``), so that no result is lost."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and "utf" not in (stream.encoding or "").lower():
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def output():
    """Context for writing to standard output, which is flushed at the end; a failed write is an error.

    Raises
    ------
    InputError
        If standard output cannot be written, for example because the disk is full.
    BrokenPipeError
        If the reader is gone (``| head``).
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
    """Discard what is still to be written to standard output; Python would try again at exit, and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
