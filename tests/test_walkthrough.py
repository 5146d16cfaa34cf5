"""The pages of docs/contribute are carried out: their files are written into a copy of the laboratory, commands run there."""

import json
import re
import shlex

import pytest

from tests.overlay import ROOT, Overlay

# in an order in which each command finds what it needs
PAGES = {name: (ROOT / "docs" / "contribute" / f"{name}.md").read_text()
         for name in ("derivation", "claim", "measure", "architecture", "data_set", "toy_model")}
FILE = r"^`([\w/]+\.py)`(?:, continued)?\n```python\n(.*?)^```$"
COMMANDS = r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?"
TESTS = ("tests/__init__.py", "tests/toy/__init__.py", "tests/toy/test_models.py", "tests/toy/test_vocabulary.py")
CLAIM = "s0.random-copies-find-twice"


def files(*pages: str) -> dict[str, str]:
    """File -> its text, in one or several pieces."""
    found: dict[str, str] = {}
    for name, text in re.findall(FILE, "\n".join(PAGES[page] for page in pages or PAGES), re.M | re.S):
        found[name] = found.get(name, "") + text
    return found


@pytest.fixture(scope="module", params=[False, pytest.param(True, marks=pytest.mark.slow)], ids=["", "with all formulas"])
def carried_out(request, tmp_path_factory):
    """(the copy, [(command, what it printed, what the text says that it prints), ...])"""
    copy = Overlay(tmp_path_factory.mktemp("walk"), files(), TESTS, formulas=request.param)
    done = []
    for block, printed in re.findall(COMMANDS, "\n".join(PAGES.values()), re.M | re.S):
        commands = [shlex.split(line) for line in block.splitlines()]
        assert all(python == "python" for python, *_ in commands)
        output = "".join(copy.python(*argv) for _, *argv in commands)
        done.append((block, output, printed.splitlines()))
    return copy, done


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_a_file_or_a_command(page):
    text = PAGES[page]
    fences = len(re.findall(r"^```", text, re.M))
    commands = re.findall(COMMANDS, text, re.M | re.S)
    assert fences == 2 * (len(re.findall(FILE, text, re.M | re.S)) + len(commands) + sum(bool(shown) for _, shown in commands))
    assert files(page) and commands


def test_every_page_is_in_the_contents_and_in_contributing():
    pages = {path.stem for path in (ROOT / "docs" / "contribute").glob("*.md")} - {"index"}
    listed = re.search(r"```{toctree}.*?\n\n(.*?)```", (ROOT / "docs" / "contribute" / "index.md").read_text(), re.S)[1].split()
    named = re.findall(r"\(docs/contribute/(\w+)\.md\)", (ROOT / "CONTRIBUTING.md").read_text())
    assert set(listed) == set(named) == pages


def test_the_commands_print_what_the_text_says(carried_out):
    for block, output, printed in carried_out[1]:
        for line in printed:
            assert line in output, f"{block} printed {output}"


def test_the_model_has_a_command(carried_out):
    copy, _ = carried_out
    assert "networks that each find random features" in copy.python("-m", "toy", "--help")
    out = json.loads(copy.python("-m", "toy", "coverage", "--width", "4", "--copies", "2", "--quick", "--json"))
    assert out["predicted"] == 0.75**2 and out["missed"]["n"] == 100


def test_the_claim_is_in_the_ledger_and_the_picture_in_the_report(carried_out):
    report = carried_out[0].folder / "report"
    rows = {row["id"]: row for row in json.loads((report / "ledger.json").read_text())["rows"]}
    assert rows[CLAIM]["verdict"] == rows[CLAIM]["theory"]["verdict"] == rows[CLAIM]["toy"]["verdict"] == "holds"
    assert len(rows[CLAIM]["toy"]["evidence"]) == 3 and len(rows) > 30
    (section,) = (part for part in (report / "index.html").read_text().split("<section>") if '<h2 id="coverage">' in part)
    assert all(text in section for text in ("<svg", "What random copies miss", "Networks that find features at random miss"))
