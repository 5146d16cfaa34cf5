"""Moments in a file: an ``.npz`` archive of their sums, without pickle."""

import json
import os
from pathlib import Path

import numpy as np

from lab.errors import InputError
from lab.files import read_npz, reading
from theory.moments.sums import Sums

_FORMAT = 1
_WHAT, _REMEDY = "a file of moments", "compute them again"


def write(path: str | os.PathLike, widths: dict[str, int], sums: Sums) -> None:
    """Write centred sums and the widths of their blocks, atomically."""
    from lab.store import write_arrays

    write_arrays(Path(path), {
        "format": np.array(_FORMAT), "widths": np.array(json.dumps(widths)), "single": np.array(sums.single),
        "count": np.array(-1 if sums.count is None else sums.count),
        "origin": sums.origin, "sum": sums.total, "comoment": sums.gram})


def read(path: str | os.PathLike) -> tuple[dict[str, int], Sums]:
    """What :func:`write` wrote.

    Raises
    ------
    InputError
        The file is missing, damaged or something else.
    """
    if not os.path.exists(path):
        raise InputError(f"no moments at {path}")
    file = read_npz(Path(path), _WHAT, _REMEDY)
    with reading(path, _WHAT, _REMEDY):
        if int(file["format"]) != _FORMAT:
            raise InputError(f"{path} has format {int(file['format'])}, this version reads {_FORMAT}; {_REMEDY}")
        widths, count = json.loads(str(file["widths"])), int(file["count"])
        origin, total, comoment, single = file["origin"], file["sum"], file["comoment"], bool(file["single"])
        shape = (sum(map(int, widths.values())),)
    if origin.shape != shape or total.shape != shape or comoment.shape != shape * 2 or count == 0 or count < -1:
        raise InputError(f"{path} is damaged: its arrays do not fit its blocks {widths}")
    if not (np.isfinite(origin).all() and np.isfinite(total).all() and np.isfinite(comoment).all()):
        raise InputError(f"{path} is damaged: values that are not finite")
    return widths, Sums(None if count < 0 else count, origin, total, comoment, single=single)
