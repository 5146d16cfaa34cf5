"""Names and folders that commands refuse at once; damaged files of trained networks."""

import json

import pytest

from empirical.__main__ import COMMANDS as EMPIRICAL
from empirical.settings import Network, recipe
from empirical.studies.trained import TRAIN, finished_networks, trained
from figures.__main__ import COMMANDS as FIGURES
from lab.cli import main
from lab.errors import InputError
from lab.store import config_fields
from tests.lab.test_store import DAMAGED, GOOD, damage


@pytest.mark.parametrize("flags", [("sweep", "--name", "../../x"), ("sweep", "--name", "a/b"), ("units", "--name", ""),
                                   ("units", "--trained", ".."), ("hull", "--trained", "../runs")])
def test_names_are_refused_before_data_are_loaded(tmp_path, monkeypatch, capsys, flags):
    monkeypatch.setattr("empirical.data.load", None)
    assert main("empirical", EMPIRICAL, [*flags, "--out", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1 and not list(tmp_path.iterdir())


@pytest.mark.parametrize("room, flags", [
    *[(EMPIRICAL, (command, "--out")) for command in ("sweep", "units", "hull")],
    *[(FIGURES, (command, flag)) for command in ("run", "report", "gallery") for flag in ("--out", "--report", "--to")
      if (command == "gallery") == (flag == "--to") or flag == "--out"],
    (FIGURES, ("verify", "--out")), (FIGURES, ("keep", "mlp-digits", "--out"))], ids=lambda x: str(x)[:40])
def test_a_file_in_place_of_a_folder_is_refused(tmp_path, capsys, room, flags):
    file = tmp_path / "file"
    file.write_text("kept")
    assert main("room", room, [*flags, str(file)]) == 2
    said = capsys.readouterr().err
    assert "is a file, not a folder" in said and len(said.splitlines()) == 1 and file.read_text() == "kept"


@pytest.fixture
def network(tmp_path):
    """A finished network's folder, as far as :func:`finished_networks` reads it."""
    network = Network(**recipe("mlp", "digits"))
    folder = TRAIN.folder(tmp_path, network)
    damage(folder / "result.json", json.dumps(GOOD).encode())
    damage(folder / "config.json", json.dumps({"function": TRAIN.run, "schema": TRAIN.schema,
                                               "config": config_fields(network)}).encode())
    assert finished_networks(tmp_path) == [network]
    return network


@pytest.mark.parametrize("name", ["result.json", "config.json"])
@pytest.mark.parametrize("content", [DAMAGED[key] for key in ("random bytes", "a list", "nothing in it", "deep", "a folder")])
def test_damaged_files_of_a_trained_network_are_one_line(tmp_path, network, name, content):
    folder = TRAIN.folder(tmp_path, network)
    (folder / name).unlink()
    damage(folder / name, content)
    with pytest.raises(InputError, match=rf"{name}.*; delete that folder and run again"):
        finished_networks(tmp_path)
    if name == "result.json":
        with pytest.raises(InputError, match="delete that folder"):
            trained(network, tmp_path)


def test_a_configuration_that_is_no_network_s_is_one_line(tmp_path, network):
    path = TRAIN.folder(tmp_path, network) / "config.json"
    for config in ({"arch": 3}, {"alpha": None, "arch": "mlp"}, {"alpha": "x/0"}, {}):
        path.write_text(json.dumps({"function": TRAIN.run, "schema": TRAIN.schema, "config": config}))
        with pytest.raises(InputError) as caught:  # damaged, or of another run: then there is no network
            finished_networks(tmp_path)
        assert "config.json" in str(caught.value) or "no trained network" in str(caught.value)
