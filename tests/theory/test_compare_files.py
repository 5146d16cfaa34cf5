"""Features in files, and the command that compares them."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import theory.__main__
from lab.cli import main
from lab.errors import InputError
from theory.compare import compare
from theory.compare.files import in_folder, read_block, read_column

RNG = np.random.default_rng(0)
N = 200
NARROW, WIDE = RNG.standard_normal((N, 3)).astype(np.float32), RNG.standard_normal((N, 4)).astype(np.float32)
WIDE[:, :2] += NARROW[:, :2]
IDS = np.arange(N) + 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("features")
    np.save(where / "narrow.npy", NARROW)
    np.savez(where / "wide.npz", features=WIDE, ids=IDS, labels=IDS % 3)
    save_file({"deep": torch.tensor(WIDE), "flat": torch.tensor(NARROW).bfloat16(), "ids": torch.tensor(IDS)},
              where / "both.safetensors")
    np.save(where / "labels.npy", IDS % 3)
    np.save(where / "ids.npy", IDS)
    np.save(where / "turned.npy", IDS[::-1])
    np.savez(where / "labelled.npz", labels=IDS % 3, ids=IDS[::-1])
    np.save(where / "words.npy", np.array([{"a": 1}], object), allow_pickle=True)
    (where / "broken.npz").write_bytes((where / "wide.npz").read_bytes()[:300])
    (where / "broken.safetensors").write_bytes(b"\x10" * 40)
    return where


def test_files_hold_what_was_written(folder):
    assert np.array_equal(read_block(folder / "narrow.npy").rows, NARROW) and read_block(folder / "narrow.npy").ids is None
    wide = read_block(str(folder / "wide.npz"))
    assert np.array_equal(wide.rows, WIDE) and np.array_equal(wide.ids, IDS) and wide.name == "wide"
    deep = read_block(f"{folder}/both.safetensors:deep")
    assert np.array_equal(deep.rows, WIDE) and np.array_equal(deep.ids, IDS) and deep.name == "both:deep"
    flat = read_block(f"{folder}/both.safetensors:flat").rows
    assert flat.dtype == np.float32 and np.array_equal(flat, torch.tensor(NARROW).bfloat16().float().numpy())
    assert np.array_equal(read_column(folder / "wide.npz", "labels"), read_column(folder / "labels.npy", "labels"))


@pytest.mark.parametrize("name, says", [
    ("absent.npy", "No such file"), ("words.npy", "damaged or not a file of features"), ("broken.npz", "broken.npz is truncated"),
    ("broken.safetensors", "damaged or not"), ("both.safetensors", "say which array holds the features, .*both.safetensors:NAME"),
    ("both.safetensors:none", "no array 'none'"), ("features.csv", "give one of .npy, .npz, .safetensors")])
def test_files_that_cannot_be_read_are_a_line(folder, name, says):
    with pytest.raises(InputError, match=says):
        read_block(folder / name)


def test_a_folder_needs_two_models_of_different_names(tmp_path):
    np.save(tmp_path / "a.npy", NARROW)
    with pytest.raises(InputError, match="holds 1 files"):
        in_folder(tmp_path)
    np.savez(tmp_path / "a.npz", NARROW)
    with pytest.raises(InputError, match=r"a.npy and a.npz|a.npz and a.npy"):
        in_folder(tmp_path)


def run(capsys, *argv) -> tuple[int, str, str]:
    code = main("theory", theory.__main__.COMMANDS, ["compare", *map(str, argv)])
    return code, *capsys.readouterr()


def test_the_command_prints_what_the_function_returns(folder, tmp_path, capsys):
    files, other = [folder / "narrow.npy", folder / "wide.npz"], f"{folder}/both.safetensors:deep"
    code, out, _ = run(capsys, *files, "--labels", folder / "labels.npy", "--baseline", other, "--subset", "50", "--plot",
                       tmp_path / "x.svg", "--json")
    found = compare(*files, labels=IDS % 3, baseline=other, subset=50)
    assert code == 0 and json.loads(out) == json.loads(json.dumps(found.to_json())) and (tmp_path / "x.svg").exists()
    code, out, _ = run(capsys, folder / "narrow.npy", f"{folder}/both.safetensors:flat", folder / "wide.npz", "--subset", "0")
    assert code == 0 and "narrow + both:flat → wide" in out and "span error" in out
    code, out, _ = run(capsys, *files, *files, "--pairs", "--baseline", "next", "--subset", "0", "--json")
    assert code == 0 and json.loads(out)["span_error"]["n"] == 2 and json.loads(out)["baseline"]["mean"] < 1e-9


def test_groups_in_files_are_heeded(folder, tmp_path, capsys):
    np.savez(tmp_path / "grouped.npz", features=WIDE, groups=IDS // 4)
    np.savez(tmp_path / "otherwise.npz", features=WIDE, groups=IDS // 2)
    code, out, _ = run(capsys, folder / "narrow.npy", tmp_path / "grouped.npz", "--subset", "0", "--json")
    assert code == 0 and "by group" in json.loads(out)["split"] and json.loads(out)["cka"]["n"] < N / 4
    code, _, err = run(capsys, tmp_path / "grouped.npz", tmp_path / "otherwise.npz", "--subset", "0")
    assert code == 1 and "belong together: give --groups" in err


def test_the_command_takes_a_folder(tmp_path, capsys):
    for name in ("a", "b", "c"):
        np.save(tmp_path / f"{name}.npy", WIDE @ RNG.standard_normal((4, 3)))
    code, out, _ = run(capsys, tmp_path, "--plot", tmp_path / "all.svg", "--json")
    assert code == 0 and json.loads(out)["models"] == ["a", "b", "c"] and len(json.loads(out)["comparisons"]) == 3
    code, _, err = run(capsys, tmp_path, "--pairs")
    assert code == 2 and "--pairs goes with files" in err


@pytest.mark.parametrize("argv, code, says", [
    (["narrow.npy"], 2, "cannot be compared"), (["narrow.npy", "absent.npy"], 1, "No such file"),
    (["wide.npz", "both.safetensors:deep", "--ids", "turned.npy"], 1, "another order"),
    (["narrow.npy", "wide.npz", "--ids", "ids.npy", "ids.npy", "ids.npy"], 2, "--ids takes"),
    (["narrow.npy", "wide.npz", "--labels", "labelled.npz"], 1, "rows of labels are in another order than those of wide"),
    (["narrow.npy", "wide.npz", "--pairs", "--baseline", "narrow.npy", "narrow.npy"], 1, "baseline"),
    (["narrow.npy", "wide.npz", "narrow.npy", "--pairs"], 2, "do not make pairs"),
    (["narrow.npy", "wide.npz", "--baseline", "narrow.npy", "wide.npz"], 2, "--baseline takes one")])
def test_what_the_command_refuses(folder, capsys, monkeypatch, argv, code, says):
    monkeypatch.chdir(folder)
    found, out, err = run(capsys, *argv)
    assert found == code and not out and says in err and err.count("\n") == 1
