"""The process behind a command: signals, standard streams that cannot be written, files that shadow a room."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.cli import main
from lab.console import Terminated, interruptible

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SQUARES = [sys.executable, "-m", "tests.lab.squares"]


def processes_of(session: int) -> list[int]:
    """Processes of a session that are alive."""
    found = subprocess.run(["ps", "-e", "-o", "pid=,sess=,stat="], capture_output=True, text=True).stdout
    rows = [line.split() for line in found.splitlines()]
    return [int(pid) for pid, of, state in rows if int(of) == session and not state.startswith("Z")]


@pytest.mark.parametrize("sign, jobs", [
    (signal.SIGTERM, "2"), (signal.SIGINT, "2"),
    *[pytest.param(sign, jobs, marks=pytest.mark.slow) for sign, jobs in ((signal.SIGTERM, "1"), (signal.SIGHUP, "2"))]])
def test_a_stopped_sweep_says_so_ends_its_workers_and_goes_on(tmp_path, sign, jobs):
    command = [*SQUARES, "--numbers", "12", "--out", str(tmp_path), "--jobs", jobs]
    process = subprocess.Popen([*command, "--pause", "0.3"], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True,
                               # a shell's background jobs, of which this may be one, begin deaf to it
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while len(done := list(tmp_path.glob("squares/*/result.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(sign)
    process.send_signal(sign) if sign == signal.SIGTERM else None  # as timeout does
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 1 and time.monotonic() - began < 5
    assert said.splitlines()[-1].endswith("interrupted; finished work is stored, and the same command resumes from there")
    assert "Traceback" not in said
    while processes_of(process.pid):
        assert time.monotonic() - began < 5
        time.sleep(0.05)
    resumed = subprocess.run([*command[:-2], "--json"], cwd=ROOT, capture_output=True, text=True)
    assert json.loads(resumed.stdout) == {"values": [float(x * x) for x in range(12)]}
    assert all((path.parent / "started").read_text() == "x" for path in done)


def test_handlers_are_given_back_and_those_of_others_left_alone(monkeypatch):
    before = signal.getsignal(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    try:
        with pytest.raises(Terminated), interruptible():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)  # as timeout sends it twice: the same wish
        with pytest.raises(Terminated), interruptible():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        monkeypatch.setattr("lab.console._ONE_STOP", 0.0)
        killed = []
        monkeypatch.setattr("lab.console.os.kill", lambda *told: killed.append(told))
        signal.raise_signal(signal.SIGTERM)  # later it is another, and is heard as ever
        assert killed == [(os.getpid(), signal.SIGTERM)] and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        with interruptible():
            pass
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, before)


def shell(line, folder):
    return subprocess.run(["bash", "-c", line.replace("COMMAND", " ".join(SQUARES) + f" --out {folder}")], cwd=ROOT,
                          capture_output=True, text=True)


@pytest.mark.parametrize("line, says", [("COMMAND --json >&-", "standard output is closed"), ("COMMAND >&-", "is closed"),
                                        ("COMMAND --json >/dev/full", "No space left on device")])
def test_a_result_that_cannot_be_written_is_a_failure(tmp_path, line, says):
    found = shell(line, tmp_path)
    last = found.stderr.splitlines()[-1]
    assert found.returncode == 1 and says in last and last.startswith("python -m tests.lab squares: ")
    assert "Exception ignored" not in found.stderr


def test_a_closed_standard_error_leaves_standard_output_to_the_result(tmp_path):
    found = shell("COMMAND --json 2>&-", tmp_path)
    assert found.returncode == 0 and json.loads(found.stdout) == {"values": [0.0, 1.0, 4.0]}


def test_a_reader_that_has_gone_is_silent(tmp_path):
    found = shell("COMMAND --json | true; exit ${PIPESTATUS[0]}", tmp_path)
    assert found.returncode in (0, 1) and "Traceback" not in found.stderr and "Exception" not in found.stderr


@pytest.mark.parametrize("file, room, command", [("lab.py", "toy", ["--help"]), ("lab/__init__.py", "theory", ["list"]),
                                                 ("theory.py", "toy", ["bumps", "--help"]),
                                                 ("theory.py", "toy", ["double-descent", "--quick"])])
def test_a_file_that_shadows_a_room_is_named(tmp_path, file, room, command):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("value = 1\n")
    found = subprocess.run([sys.executable, "-m", room, *command], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    if found.returncode:
        assert found.returncode == 1 and len(found.stderr.splitlines()) == 1
        assert f"{tmp_path / file} has the name of a room of the laboratory" in found.stderr
    else:  # the help of bumps needs no theory; an editable install finds the modules of a package whatever stands in its place
        editable = any("editable" in str(finder).lower() for finder in sys.meta_path)
        assert command[0] == "bumps" or (editable and file == "lab/__init__.py" and found.stdout and not found.stderr)


def test_an_import_error_of_another_kind_is_not_hidden(monkeypatch):
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        main("room", {"work": "no_such_module"}, ["work"])
