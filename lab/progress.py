"""Progress on standard error: a bar on a terminal, timestamped lines elsewhere."""

import sys
import time
from typing import Any

from lab import cli


class Progress:
    """Counts finished pieces of work; a context manager.

    On a terminal this is a tqdm bar. In a log it is at most one line every ``every`` seconds, and one at the end, so that logs
    stay readable.

    Parameters
    ----------
    total : int
        Number of pieces.
    label : str
        Name of the work.
    every : float, default 15
        Seconds between two lines in a log.
    """

    def __init__(self, total: int, label: str, every: float = 15.0):
        self.total, self.label, self.every = total, label, every
        self.done = 0
        self._bar: Any = None  # tqdm's, on a terminal
        self._start = self._last = time.monotonic()

    def __enter__(self):
        if sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self.total, desc=self.label, file=sys.stderr, dynamic_ncols=True, leave=False)
        return self

    def step(self, count: int = 1, note: str = "") -> None:
        """Count finished pieces; ``note`` is shown after the count."""
        self.done += count
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(count)
        elif time.monotonic() - self._last >= self.every and self.done < self.total:
            self._last = time.monotonic()
            self._line(note)

    def note(self, text: str) -> None:
        """Print a line without disturbing the bar."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            cli.note(f"{time.strftime('%H:%M:%S')} {text}")

    def _line(self, note: str) -> None:
        elapsed = time.monotonic() - self._start
        tail = f"  {note}" if note else ""
        cli.note(f"{time.strftime('%H:%M:%S')} {self.label}: {self.done}/{self.total} ({elapsed:.0f} s){tail}")

    def __exit__(self, *failure):
        if self._bar is not None:
            self._bar.close()
        if failure[0] is None and self.total:
            self._line("")
