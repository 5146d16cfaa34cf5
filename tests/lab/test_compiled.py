"""Kernels where nothing can be cached, and parallel kernels called from several threads at a time."""

import re
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from lab.compiled import njit
from lab.kernel_cache import _constant, ingredients

ROOT = Path(__file__).parents[2]

KERNELS = """
from lab.compiled import njit

@njit("f8(f8)", cache=True)
def eager(x):
    return 2 * x

@njit(cache=True)
def lazy(x):
    return 3 * x

print(eager(1.0), lazy(1.0))
"""

NOTHING_WRITABLE = """
import sys
from numba.core import caching

def refuse(self):
    raise OSError(30, "Read-only file system")

caching._CacheLocator.ensure_cache_path = refuse
""" + KERNELS

FULL = """
from numba.core import caching

def refuse(self, name, data):
    raise OSError(28, "No space left on device")

caching.IndexDataCacheFile._save_data = refuse
""" + KERNELS

FOUR_THREADS = """
from concurrent.futures import ThreadPoolExecutor
import numba
import numpy as np
from numba import prange
from lab.compiled import njit

@njit("f8(f8[::1])", parallel=True)
def total(x):
    result = 0.0
    for i in prange(x.shape[0]):
        result += x[i]
    return result

with ThreadPoolExecutor(4) as pool:
    found = list(pool.map(lambda n: total(np.ones(n)), [100_000] * 400))
print(numba.threading_layer(), set(found))
"""


def run(script, tmp_path, **environment):
    (tmp_path / "script.py").write_text(script)
    return subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT), "PATH": "", "WIDTHLAB_SILENT_COMPILER": "1", **environment})


def test_a_kernel_that_names_a_type_of_numpy_is_kept_by_that_type():
    def kernel(of):
        spaces: dict = {"_f": of}
        exec("def kernel(x):\n    return _f(x)", spaces)
        return spaces["kernel"]

    assert ingredients(kernel(np.float32)) == ingredients(kernel(np.float32)) != ingredients(kernel(np.float64))


def test_kernels_run_where_nothing_can_be_cached_and_say_so_once(tmp_path):
    found = run(NOTHING_WRITABLE, tmp_path)
    assert found.stdout == "2.0 3.0\n", found.stderr
    assert len(found.stderr.splitlines()) == 1 and "NUMBA_CACHE_DIR" in found.stderr


@pytest.mark.slow
def test_kernels_run_on_a_full_disk_and_beside_a_damaged_cache(tmp_path):
    found = run(FULL, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert found.stdout == "2.0 3.0\n" and found.stderr.count("No space left on device") == 1, found.stderr
    assert run(KERNELS, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache")).stderr == ""
    kept = list((tmp_path / "cache").rglob("*.nbi"))
    assert len(kept) == 4  # two functions in each of the two scripts
    for path in kept:
        path.write_bytes(path.read_bytes()[:-20])
    found = run(KERNELS, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert found.stdout == "2.0 3.0\n" and len(found.stderr.splitlines()) == 1, found.stderr


CALLER = """
from callee import CONSTANT, inlined
from lab.compiled import njit

@njit("f8(f8)", cache=True)
def caller(x):
    return CONSTANT * inlined(x)

print(caller(1.0), sum(caller.stats.cache_hits.values()))
"""
CALLEE = """
from lab.compiled import njit

CONSTANT = {}

@njit
def inlined(x):
    return x + {}
"""


@pytest.mark.parametrize("constant, added", [(2.0, 3.0), (1.0, 4.0)])
def test_an_edit_in_another_file_invalidates_what_was_compiled_from_it(constant, added, tmp_path):
    def called(constant, added):
        (tmp_path / "callee.py").write_text(CALLEE.format(constant, added))
        return run(CALLER, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))

    assert called(1.0, 3.0).stdout == "4.0 0\n"
    assert called(1.0, 3.0).stdout == "4.0 1\n"
    assert called(constant, added).stdout == f"{constant * (1 + added)} 0\n"


def test_compiling_is_announced_once(tmp_path):
    script = KERNELS.replace("from", "import lab.compiled; lab.compiled._Announcement.MOMENT = 0.0\nfrom", 1)
    found = run(script, tmp_path, WIDTHLAB_SILENT_COMPILER="", NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert found.stderr.count("compiling") == 1 and "__main__.eager" in found.stderr, found.stderr
    found = run(script, tmp_path, WIDTHLAB_SILENT_COMPILER="", NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert found.stderr == "" and found.stdout == "2.0 3.0\n"


AHEAD = """
from lab.compile_ahead import prepare
from lab.compiled import njit

@njit("f8(f8)", cache=True)
def unwanted(x):
    return x.no_such_thing

@njit("f8(f8)", cache=True)
def one(x):
    return 2 * x

@njit("f8(f8)", cache=True)
def other(x):
    return 3 * x

prepare(one, other, max)
print(one(1), other(1), one.signatures)
"""


def test_kernels_are_compiled_ahead_and_announced_once_and_only_those_that_are_wanted(tmp_path):
    found = run(AHEAD, tmp_path, WIDTHLAB_SILENT_COMPILER="", NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert found.stdout == "2.0 3.0 [(float64,)]\n", found.stderr
    assert len(found.stderr.splitlines()) == 1 and found.stderr.startswith("compiling __main__."), found.stderr
    assert len(list((tmp_path / "cache").rglob("*.nbi"))) == 2
    found = run(AHEAD, tmp_path, WIDTHLAB_SILENT_COMPILER="", NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert found.stderr == "" and found.stdout == "2.0 3.0 [(float64,)]\n"


def test_a_kernel_that_names_a_set_is_kept_in_every_process():
    one, two = frozenset((0, 8)), frozenset((8, 0))
    assert repr(one) != repr(two) and _constant((1, one)) == _constant((1, two))


def test_a_function_is_compiled_once_for_a_type_of_argument():
    @njit
    def shared(x, k):
        return x + k

    @njit("f8(f8, i8)")
    def caller(x, k):
        return shared(x, 0) + shared(x, 1) + shared(x, k)

    assert caller(1.0, 2) == 6.0 and len(shared.signatures) == 1


def test_a_function_that_does_not_compile_says_so():
    with pytest.raises(numba.errors.TypingError):
        njit("f8(f8)", cache=True)(lambda x: x.no_such_thing)(1.0)


def test_fast_math_stays_with_the_kernel_that_names_it():
    @njit
    def shared(x):
        return x * x + 1.0

    @njit("f8(f8)", fastmath={"contract"})
    def fast(x):
        return x * shared(x) + 2.0

    assert "contract" in fast.inspect_llvm(fast.signatures[0])
    assert "contract" not in shared.inspect_llvm(shared.signatures[0])


def test_parallel_kernels_bear_several_threads_in_every_layer(tmp_path):
    found = run(FOUR_THREADS, tmp_path, NUMBA_THREADING_LAYER="workqueue", NUMBA_NUM_THREADS="2")
    assert found.stdout == "workqueue {100000.0}\n", found.stderr


def test_no_kernel_goes_around_the_laboratory_s_compiler():
    own = re.compile(r"^from numba import .*\bnjit\b|^[^#\n]*\bnumba\.njit\b", re.M)
    sources = [path for room in ("lab", "theory", "toy", "empirical", "figures") for path in (ROOT / room).rglob("*.py")]
    assert [path.name for path in sources if own.search(path.read_text())] == ["compiled.py"]
