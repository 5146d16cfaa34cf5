"""Executors of a user's own, futures that fail in odd ways, scripts that processes cannot load."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.store import RunStore
from lab.sweep import sweep
from tests.lab.experiments import Odd, Square

FUNCTION = "tests.lab.experiments:square"
ROOT = Path(__file__).parents[2]


class Faulty(Executor):
    """Carries out runs at once, but for the second, which raises as it is submitted or when its result is asked for."""

    def __init__(self, error, at_once):
        self.error, self.at_once, self.count = error, at_once, 0

    def submit(self, function, *arguments):
        self.count += 1
        future = Future()
        if self.count != 2:
            future.set_result(function(*arguments))
        elif self.at_once:
            raise self.error
        else:
            future.set_exception(self.error)
        return future


ERRORS = [CancelledError(), asyncio.CancelledError(), TimeoutError(), ConnectionError("reset"), MemoryError(), OSError(5, "I/O"),
          RuntimeError("cannot schedule new futures after shutdown"), Odd("odd"), GeneratorExit(), BrokenExecutor("dead")]


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__module__}.{type(error).__name__}")
def test_a_future_that_raises_fails_its_run_and_the_rest_goes_on(tmp_path, error, at_once):
    configs = [Square(x) for x in range(4)]
    outcome = sweep("squares", FUNCTION, configs, store=RunStore(tmp_path), executor=Faulty(error, at_once))
    assert [config.x for config, _ in outcome.finished] == [0, 2, 3]
    (config, reason), = outcome.failed
    assert config.x == 1 and reason in (str(error), "the executor has lost its workers",
                                        f"{type(error).__name__}: {error}".removesuffix(": "))
    assert sweep("squares", FUNCTION, configs, store=RunStore(tmp_path)).failed == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_ends_the_sweep(tmp_path, error):
    with pytest.raises(error):
        sweep("squares", FUNCTION, [Square(x) for x in range(4)], store=RunStore(tmp_path), executor=Faulty(error(), False))


def test_a_run_that_raises_no_exception_proper_is_a_failed_run(tmp_path):
    outcome = sweep("squares", FUNCTION, [Square(1, behaviour="odd"), Square(2)], store=RunStore(tmp_path))
    assert outcome.failed[0][1] == "Odd: odd" and len(outcome.finished) == 1


def test_a_cancelled_future_of_a_real_executor(tmp_path):
    class Hasty(ThreadPoolExecutor):
        def submit(self, function, *arguments):
            future = super().submit(function, *arguments)
            future.cancel()
            return future

    with Hasty(1) as executor:
        outcome = sweep("squares", FUNCTION, [Square(x) for x in range(6)], store=RunStore(tmp_path), executor=executor,
                        options={"pause": 0.02})
    assert len(outcome.finished) >= 1 and {reason for _, reason in outcome.failed} == {"CancelledError"}


SCRIPT = f"""from lab.store import RunStore
from lab.sweep import sweep
from tests.lab.experiments import Odd, Square
outcome = sweep("squares", {FUNCTION!r}, [Square(x) for x in range(4)], store=RunStore("runs"), jobs=2)
print(len(outcome.finished))
"""


def carry_out(tmp_path, *arguments, **options):
    return subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, **options)


def test_a_script_without_guard_is_named_as_the_cause(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    found = carry_out(tmp_path, "script.py")
    assert found.returncode == 1 and "memory" not in found.stderr
    assert "if __name__ == '__main__':" in found.stderr.splitlines()[-1]
    assert found.stderr.count("Traceback") == 1  # the script's own; none of its workers'
    assert not list(tmp_path.rglob("result.json"))


def test_a_script_from_standard_input_is_refused_and_one_as_an_argument_works(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    found = carry_out(tmp_path, "-", input=SCRIPT)
    assert found.returncode == 1 and "is not a file: save the script" in found.stderr.splitlines()[-1]
    assert carry_out(tmp_path, "-c", SCRIPT).stdout == "4\n"
