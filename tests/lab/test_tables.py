"""Tables on disk: what a manifest must say, and what becomes of damaged files."""

import json
import os
import random

import pandas as pd
import pytest

from lab.errors import InputError
from lab.store import write_together
from lab.tables import Table, read_manifest, read_table, stems, write_table

FACTS = {"scale": "full", "own": False, "plan": "12345678", "planned": 1, "whole": True, "command": "python -m toy bumps",
         "runs": ["a"], "failed": [], "environment": {}}
NOISE = random.Random(0).randbytes(99)
FRAME = pd.DataFrame({"x": [1, 2, 3], "y": [0.1, 1 / 3, float("nan")], "word": ["a", "None", "ü"]})


@pytest.fixture
def folder(tmp_path):
    write_table(Table("t", FRAME, FACTS), tmp_path)
    return tmp_path


def test_a_table_comes_back(folder):
    table = read_table("t", folder)
    pd.testing.assert_frame_equal(table.frame, FRAME)
    assert table.runs == ("a",) and table.stem == "t" and stems(folder) == ["t"] and read_table("u", folder) is None


def test_a_partial_table_goes_when_the_whole_one_comes(folder):
    partial = Table("t", FRAME[:1], {**FACTS, "planned": 2, "whole": False})
    assert write_table(partial, folder).name == "t.partial.csv" and len(read_table("t", folder).frame) == 3
    assert len(read_table("t.partial", folder).frame) == 1
    write_table(Table("t", FRAME, FACTS), folder)
    assert stems(folder) == ["t"] and len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"x", b"\n", b"\xff\xfe\x00", b"x,y,word\n", b"x,y,word\n1,0.1,a\n2,0.3", NOISE])
def test_a_damaged_csv_is_one_line(folder, content):
    (folder / "t.csv").write_bytes(content)
    check(folder, "t.csv")


@pytest.mark.parametrize("content", [b"", b"x", b"[]", b"{}", b"null", b"\xff\xfe\x00", b"[" * 99999, b'{"runs": ', b"9" * 9999,
                                     b'{"scale": "full"}', NOISE])
def test_a_damaged_manifest_is_one_line(folder, content):
    (folder / "t.manifest.json").write_bytes(content)
    check(folder, "t.manifest.json")


@pytest.mark.parametrize("key", [*FACTS, "table", "digest"])
@pytest.mark.parametrize("value", [None, ...])
def test_a_manifest_without_a_key_is_one_line(folder, key, value):
    path = folder / "t.manifest.json"
    facts = {**json.loads(path.read_text()), key: value}
    path.write_text(json.dumps({k: v for k, v in facts.items() if v is not ...}))
    check(folder, "t.manifest.json")


@pytest.mark.parametrize("changes", [{"scale": "huge"}, {"table": "u"}, {"runs": [1]}, {"whole": "yes"}, {"planned": True},
                                     {"whole": False}, {"runs": ["a", "b"]}, {"wall_seconds": "1"}, {"summary": [1]}])
def test_a_manifest_of_another_kind_is_one_line(folder, changes):
    path = folder / "t.manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    check(folder, "t.manifest.json")


def test_files_that_do_not_belong_together(folder):
    (folder / "t.csv").write_text((folder / "t.csv").read_text().replace("2", "5"))  # by hand
    check(folder, "t.csv")
    (folder / "t.csv").unlink()
    check(folder, "t.csv")
    (folder / "t.csv").mkdir()
    check(folder, "t.csv")


def check(folder, file):
    with pytest.raises(InputError) as caught:
        read_table("t", folder)
    text = str(caught.value)
    assert text.startswith(f"{folder / file} is damaged (") and "compute the table again" in text and len(text.splitlines()) == 1
    if file == "t.manifest.json":
        with pytest.raises(InputError, match="is damaged"):
            read_manifest("t", folder)


def test_a_full_disk_leaves_the_old_pair(folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    calls = []

    def full(*_):
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"t.manifest.json: No space left"):
        write_table(Table("t", FRAME[:2], FACTS), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    write_together({})
