"""The pages of the site that follow from what the rooms declare: theory, claims, reference. Nothing is listed here by hand."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lab.discover import public, sources
from theory.claims import Change, Claim, claims
from theory.derivation import derivations

ROOMS = ("toy", "theory", "empirical", "figures", "lab")
SOURCES = {"S0": "How does overparameterization affect features?", "S1": "Removable and/or repeated units",
           "S2": "Lottery tickets or escape dimensions?", "S3": "Extrapolation and the convex hull"}


def write(folder: Path) -> None:
    """Write all of them as Markdown below a folder; a page that has not changed keeps its time, so that builds are quick."""
    pages = {**theory_pages(derivations()), **claim_pages(claims()), **reference_pages()}
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def theory_pages(table: Mapping[str, Callable]) -> dict[str, str]:
    """Every derivation, by the module that makes it: file → text."""
    by_module: dict[str, list[str]] = {}
    for name, function in table.items():
        by_module.setdefault(function.__module__.removesuffix(".derive"), []).append(name)
    pages = {}
    for module, names in sorted(by_module.items()):
        text = f"# {title(module)}\n\nDerived by {{py:mod}}`{module}`; checked by `widthlab theory check`.\n"
        for name in names:
            text += f"\n## {name}\n\n{table[name]().to_markdown()}"
        pages[f"theory/{module.removeprefix('theory.')}.md"] = text
    words = "Every formula with its derivation, step by step. The same on a terminal: `widthlab theory derive NAME`."
    return {**pages, "theory/index.md": index("Theory", words, pages)}


def claim_pages(table: Mapping[str, Claim]) -> dict[str, str]:
    """The register of claims, a page for each source: file → text."""
    pages: dict[str, str] = {}
    for claim in table.values():
        source = claim.id.partition(".")[0].upper()
        name = f"claims/{source.lower()}.md"
        if name not in pages:
            pages[name] = f"# {source}: {SOURCES.get(source, claim.source)}\n"
        pages[name] += f"\n## {plain(claim.claim)}\n\n`{claim.id}`\n\n" + "\n".join(facts_of(claim)) + "\n"
    return {**pages, "claims/index.md": index(
        "Claims", "What the texts say, made checkable: a statistic, a rule written down beforehand, and what would refute it. "
        "Verdicts follow from the numbers: `widthlab figures verify`, `widthlab report`.", pages)}


def facts_of(claim: Claim) -> Iterator[str]:
    """A line for every field of a claim that says something, whatever fields claims have."""
    for field in dataclasses.fields(claim):
        value = getattr(claim, field.name)
        if field.name not in ("id", "claim") and value not in (None, "", (), {}):
            yield f"- **{field.name.replace('_', ' ')}**: {plain(in_words(value))}"


def in_words(value) -> str:
    """A field of a claim in words: mappings entry by entry, records of a change with date and reason."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {in_words(one)}" for key, one in value.items())
    if isinstance(value, tuple):
        return ("; " if any(map(dataclasses.is_dataclass, value)) else ", ").join(map(in_words, value))
    if isinstance(value, Change):
        return f"{value.date}: {value.what} ({value.reason})"
    return str(value)


def reference_pages() -> dict[str, str]:
    """A page for every package and every module with public names (`lab.discover.public`), below its room: file → text."""
    pages: dict[str, dict[str, str]] = {}
    for room in ROOMS:
        modules = sources(room, below=True)
        packages = {module.rpartition(".")[0] for module in modules}
        pages[room] = {f"reference/{module}.md": reference(module, names) for module, source in modules.items()
                       if (names := [name for name, text in public(source).items() if text]) or module in packages}
    every = {name: text for inside in pages.values() for name, text in inside.items()}
    for room, inside in pages.items():
        every[f"reference/{room}.md"] = index(room, f"```{{eval-rst}}\n.. automodule:: {room}\n   :no-members:\n```", inside)
    rooms = {f"reference/{room}.md": "" for room in ROOMS}
    front = "```{eval-rst}\n.. automodule:: widthlab\n   :no-members:\n```"
    return {**every, "reference/index.md": index("Reference", front, rooms)}


def reference(module: str, names: list[str]) -> str:
    """The page of a module: its docstring, and what it defines."""
    members = f":members: {', '.join(names)}" if names else ":no-members:"
    return f"# {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n   {members}\n```\n"


def index(heading: str, text: str, pages: Mapping[str, str]) -> str:
    """A page that leads to others of its folder."""
    entries = "\n".join(Path(name).stem for name in sorted(pages))
    return f"# {heading}\n\n{text}\n\n```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n"


def title(module: str) -> str:
    """A heading for a module of theory."""
    return module.removeprefix("theory.").replace("_", " ").capitalize()


def plain(text: str) -> str:
    """Text in which nothing is Markdown."""
    return re.sub(r"([\\`*_\[\]<>#|$^~{}])", r"\\\1", text)
