"""The run store: names and folders, damaged files, locks, temporary files of killed processes."""

import errno
import json
import os
import subprocess
import sys
import time

import pytest

from lab import store as store_module
from lab.cli import main
from lab.errors import ArgumentError, InputError
from lab.places import plain_name, usable_folder
from lab.store import RunStore, exclusive, read_config, read_failure, read_result, write_atomically
from lab.study import compute
from lab.sweep import dry_run, sweep
from lab.tables import Table, write_table
from tests.lab.experiments import Square
from tests.lab.test_sweep import FUNCTION, STUDY

ROOM = {"squares": "tests.lab.squares|squares"}


@pytest.mark.parametrize("name", ["", "..", ".", ".hidden", "-x", "a/b", "../../x", "/abs", "a\\b", "a\nb", "a\x00b", " a", "a ",
                                  "x" * 121, "é" * 61, "\ud83d", "tables", None, 3])
def test_a_name_is_one_plain_part_of_a_path(tmp_path, name):
    with pytest.raises(InputError):
        plain_name(name)
    with pytest.raises(InputError):
        sweep(name, FUNCTION, [Square(1)], store=RunStore(tmp_path))
    assert not list(tmp_path.iterdir())


def test_ordinary_names_pass():
    assert [plain_name(n) for n in ("resnet18-digits", "Mein Versuch 1", "α=1,β", "x" * 120)][1] == "Mein Versuch 1"


def test_a_table_s_name_is_looked_at_before_it_is_written(tmp_path):
    with pytest.raises(InputError):
        write_table(Table("../x", STUDY.tabulate([(Square(1), {"value": 1.0})]), {}), tmp_path)


def test_a_folder_that_is_a_file_is_refused_before_anything_is_computed(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("kept")
    (tmp_path / "lost").symlink_to("nowhere")
    for path in (file, file / "below" / "it", tmp_path / "lost", "", tmp_path / ("x" * 300)):
        with pytest.raises(ArgumentError):
            usable_folder(path)
        with pytest.raises(InputError):
            RunStore(path)
        assert main("tests.lab", ROOM, ["squares", "--out", str(path)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    for name in ("squares", "tables"):
        store = RunStore(tmp_path / f"with {name}")
        store.root.mkdir()
        (store.root / name).write_text("")
        with pytest.raises(InputError, match="is a file"):
            compute(STUDY, "quick", store=store)
        assert [path.name for path in store.root.rglob("*")] == [name]
    assert file.read_text() == "kept"


GOOD = {"result": {"value": 4.0}, "manifest": {"wall_seconds": 1.0, "peak_memory_mb": 1.0}}
DAMAGED = {
    "random bytes": bytes(range(256)), "empty": b"", "not UTF-8": b'{"result": "\xff"}', "cut": json.dumps(GOOD)[:-9].encode(),
    "a list": b"[]", "null": b"null", "nothing in it": b"{}", "NaN": json.dumps(GOOD).replace("4.0", "NaN").encode(),
    "deep": b"[" * 100_000, "a long number": b'{"result": ' + b"9" * 5000 + b"}",
    "no result": json.dumps({"manifest": GOOD["manifest"]}).encode(), "no manifest": b'{"result": {}}',
    "result is a list": json.dumps({**GOOD, "result": []}).encode(), "manifest is null": b'{"result": {}, "manifest": null}',
    "no seconds": b'{"result": {}, "manifest": {"peak_memory_mb": 1}}',
    "seconds are a text": b'{"result": {}, "manifest": {"wall_seconds": "1", "peak_memory_mb": 1}}',
    "no memory": b'{"result": {}, "manifest": {"wall_seconds": 1}}',
    "endless": json.dumps({**GOOD, "manifest": {"wall_seconds": 10**400, "peak_memory_mb": 1}}).encode(),
    "a folder": None,
}


def damage(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if content is None else path.write_bytes(content)


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_result_is_one_line_for_every_reader(tmp_path, content):
    store, config = RunStore(tmp_path), Square(2)
    folder = store.folder("squares", config)
    damage(folder / "result.json", content)
    for read in (lambda: read_result(folder), lambda: store.result("squares", config),
                 lambda: sweep("squares", FUNCTION, [config], store=store),
                 lambda: dry_run("squares", [config], store=store), lambda: compute(STUDY, "quick", store=store)):
        with pytest.raises(InputError, match=r"result\.json.*; delete that folder and run again"):
            read()
    assert not (folder / "started").exists()


@pytest.mark.parametrize("change", [lambda r: r["result"].clear(), lambda r: r["result"].update(value=5.0),
                                    lambda r: r["manifest"].pop("data"), lambda r: r.update(digest=None)])
def test_a_result_that_was_changed_is_noticed(tmp_path, change):
    store, config = RunStore(tmp_path), Square(2)
    sweep("squares", FUNCTION, [config], store=store)
    path = store.folder("squares", config) / "result.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored, indent=1, sort_keys=True))  # written otherwise, it is the same
    assert store.result("squares", config)["result"] == {"value": 4.0}
    change(stored)
    path.write_text(json.dumps(stored))
    with pytest.raises(InputError, match=r"not what was written.*delete that folder"):
        sweep("squares", FUNCTION, [config], store=store)


def test_a_result_of_an_older_version_is_read(tmp_path):
    damage(tmp_path / "result.json", json.dumps(GOOD).encode())
    assert read_result(tmp_path) == GOOD


@pytest.mark.parametrize("content", [c for name, c in DAMAGED.items() if name != "NaN"])
def test_a_damaged_configuration_is_one_line(tmp_path, content):
    damage(tmp_path / "config.json", content)
    with pytest.raises(InputError, match=r"config\.json.*; delete that folder"):
        read_config(tmp_path)


def test_a_failure_is_told_whatever_is_in_its_file(tmp_path):
    assert read_failure(tmp_path) is None
    for content, told in ((b"", "its traceback is empty"), (b"Traceback\nValueError: \xff", "ValueError: \ufffd")):
        (tmp_path / "failure.txt").write_bytes(content)
        assert read_failure(tmp_path) == told
    store = RunStore(tmp_path)
    damage(store.folder("squares", Square(2)) / "failure.txt", None)
    for read in (lambda: dry_run("squares", [Square(2)], store=store),
                 lambda: sweep("squares", FUNCTION, [Square(2)], store=store)):
        with pytest.raises(InputError, match=r"failure\.txt.*delete that folder"):
            read()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EIO])
def test_where_there_are_no_locks_runs_go_on_and_it_is_said_once(tmp_path, monkeypatch, capsys, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(store_module.fcntl, "flock", refuse)
    store_module._say_unlocked.cache_clear()
    outcome = sweep("squares", FUNCTION, [Square(x) for x in range(3)], store=RunStore(tmp_path))
    assert [r["value"] for _, r in outcome.finished] == [0, 1, 4]
    assert capsys.readouterr().err.count(f"no locks ({os.strerror(code)})") == 1


def test_a_killed_holder_gives_its_lock_back(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", "import time; from pathlib import Path; from lab.store import exclusive\n"
                               f"with exclusive(Path({str(tmp_path)!r})): print(flush=True); time.sleep(60)"],
                              stdout=subprocess.PIPE)
    holder.stdout.readline()
    holder.kill()
    holder.communicate()
    began = time.monotonic()
    with exclusive(tmp_path):
        assert time.monotonic() - began < 1


def test_temporary_files_of_killed_processes_are_swept(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "import os, signal; from pathlib import Path; from lab import store\n"
                                "store.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
                                f"store.write_atomically(Path({str(tmp_path)!r}) / 'result.json', '[]')"])
    assert process.wait() != 0
    stray, = tmp_path.iterdir()
    assert stray.name.startswith(".result.json.") and read_result(tmp_path) is None

    mark = f"{os.getpid()}-0123abcd.tmp"
    mine, theirs, old, other = (tmp_path / name for name in (
        f".a.{store_module._host()}-{mark}", f".a.elsewhere-{mark}", f".b.elsewhere-{mark}", ".result.json.swp.tmp"))
    for path in (mine, theirs, old, other):
        path.write_text("")
    os.utime(old, (0, 0))
    write_atomically(tmp_path / "config.json", "{}")  # any file that is written there
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", mine.name, theirs.name, other.name}


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "result.json", "{}")
    assert not list(tmp_path.iterdir())
