"""What is needed to reproduce a number: code, versions, machine, command, time and memory."""

import hashlib
import os
import platform
import resource
import subprocess
import sys
import time
from functools import cache
from importlib import metadata
from pathlib import Path

from lab import __version__

_PACKAGES = ("numpy", "scipy", "numba", "torch", "scikit-learn", "pandas")


@cache
def code_revision() -> str:
    """Git revision of the code, with ``+changes`` if the working tree differs; the package's version if git does not track
    this file (an installation, even inside another project's checkout). The environment variable ``WIDTHLAB_REVISION`` gives it
    if the code was copied to a machine without its history."""
    if "WIDTHLAB_REVISION" in os.environ:
        return os.environ["WIDTHLAB_REVISION"]
    here = Path(__file__).resolve().parents[1]
    try:
        subprocess.run(["git", "-C", str(here), "ls-files", "--error-unmatch", "lab"], capture_output=True, check=True)
        head = subprocess.run(["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "-C", str(here), "status", "--porcelain", "--untracked-files=no"],
                               capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return f"widthlab {__version__}"
    return head.stdout.strip() + ("+changes" if dirty.stdout.strip() else "")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@cache
def processor() -> str:
    """The processor's name, according to the operating system."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _compiler() -> str:
    from llvmlite import binding

    features = binding.get_host_cpu_features().flatten()
    return f"{binding.get_host_cpu_name()} {hashlib.sha256(features.encode()).hexdigest()[:8]}"


def instruction_set() -> dict[str, str]:
    """The instruction sets that compiler and libraries use; if these differ, results differ in their last bits.

    ``llvm``: the processor's kind, and a digest of its features, for Numba. ``blas``: name, version and kernels of every loaded
    BLAS. ``torch``: its vector instructions, if it is loaded.
    """
    from threadpoolctl import threadpool_info

    blas = {" ".join(filter(None, (library["internal_api"], library["version"], library.get("architecture"))))
            for library in threadpool_info() if library["user_api"] == "blas"}
    torch = sys.modules.get("torch")
    return {"llvm": _compiler(), **({"blas": ", ".join(sorted(blas))} if blas else {}),
            **({"torch": torch.backends.cpu.get_cpu_capability()} if torch is not None else {})}


def environment() -> dict:
    """Code revision, versions and hardware of this process (with the GPU's name if torch is already loaded)."""
    facts = {
        "code": code_revision(),
        "python": platform.python_version(),
        "versions": {p: v for p in _PACKAGES if (v := _version(p))},
        "platform": platform.platform(),
        "processor": processor(),
        "instruction_set": instruction_set(),
        "cores": cores(),
    }
    torch = sys.modules.get("torch")  # never load torch for a manifest
    if torch is not None and torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name()
    return facts


class Measure:
    """Context manager that measures wall time, processor time (all threads) and peak memory of a piece of work.

    ``.cost`` holds ``{"finished", "wall_seconds", "cpu_seconds", "peak_memory_mb"}`` afterwards. On a machine that is busy
    with other work, processor time is more meaningful than wall time. The peak is that of the process, so it is an upper bound
    if the process did other work before.
    """

    def __enter__(self):
        self._start, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        # ru_maxrss is in kB on Linux, in bytes on macOS
        unit = 1e6 if sys.platform == "darwin" else 1e3
        self.cost = {
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "wall_seconds": round(time.perf_counter() - self._start, 3),
            "cpu_seconds": round(time.process_time() - self._cpu, 3),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1),
        }
