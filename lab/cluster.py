"""A Dask cluster as an executor of sweeps, which notices when the cluster is lost."""

import logging
import time
from concurrent.futures import Executor
from typing import Any

from lab.errors import InputError

PATIENCE = 60.0  # seconds
_ANSWER = 5.0  # seconds in which a running scheduler answers
_REMEDY = "finished runs are kept: run the same command again when it is back, or without the cluster to continue here"


class Cluster(Executor):
    """A cluster's workers, through its scheduler.

    Parameters
    ----------
    address : str
        Address of the scheduler, ``tcp://host:8786``. Its workers must have access to the same run store.
    patience : float, default 60
        Seconds without any worker, or without an answer, after which the cluster counts as lost.

    Raises
    ------
    InputError
        If dask's ``distributed`` is not installed or nothing answers at that address.
    """

    def __init__(self, address: str, patience: float = PATIENCE):
        try:
            from distributed import Client
        except ImportError:
            raise InputError("a cluster needs the package distributed: pip install 'widthlab[cluster]'") from None
        self.address, self.patience = address, patience
        try:
            self._client = Client(address, timeout="10s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(f"no Dask scheduler answers at {address}: {error}") from None
        _silence("distributed", "tornado")
        self._scheduler: Any = self._client.scheduler
        self._executor = self._client.get_executor()
        self._lost = ""
        self._seen = time.monotonic()

    def submit(self, function, /, *arguments, **options):
        """As ``concurrent.futures.Executor.submit``."""
        if self._lost:
            raise InputError(self._lost)
        self._seen = time.monotonic()  # new work restarts the clock
        return self._executor.submit(function, *arguments, pure=False, **options)

    def check(self) -> None:
        """Check the scheduler and its workers.

        Raises
        ------
        InputError
            If the connection to the scheduler is lost, or there has been no worker for ``patience`` seconds.
        """
        if self._lost:
            raise InputError(self._lost)
        if self._client.status != "running":
            self._give_up(f"the Dask scheduler at {self.address} is gone")
        if time.monotonic() - self._seen < self.patience / 10:
            return
        what = "has no worker"
        try:
            if self._client.sync(self._scheduler.ncores, callback_timeout=min(_ANSWER, self.patience)):
                self._seen = time.monotonic()
        except (OSError, TimeoutError):
            what = "does not answer"
        if time.monotonic() - self._seen > self.patience:
            self._give_up(f"the Dask scheduler at {self.address} {what} (waited {self.patience:g} s)")

    def _give_up(self, why: str) -> None:
        self._lost = f"{why}; {_REMEDY}"
        _silence("asyncio")
        self.shutdown(wait=False)
        raise InputError(self._lost)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Disconnect from the cluster, which keeps running."""
        self._client.close(timeout=2)


def _silence(*packages: str) -> None:
    """Suppress the log lines of these packages, every part of which reports a lost connection with a traceback."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in packages:
            logging.getLogger(name).setLevel(logging.CRITICAL)
