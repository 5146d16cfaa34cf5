"""What the rooms declare is found in their folders; what is missing or misspelt is an error."""

import sys
from dataclasses import dataclass, field

import pytest

from lab import discover
from lab.discover import DeclarationError


@dataclass(frozen=True)
class Thing:
    """What the folders of these tests declare."""

    name: str
    options: dict = field(default_factory=dict)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Makes a package of files with the given texts and returns its name."""
    made = []

    def make(**files):
        name = f"folder_of_things_{len(made)}_{tmp_path.name}".replace("-", "_")
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        for module, text in files.items():
            path = tmp_path / name / f"{module.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text)
        made.append(name)
        return name

    monkeypatch.syspath_prepend(tmp_path)
    yield make
    for name in [module for module in sys.modules if module.partition(".")[0] in made]:
        del sys.modules[name]


IMPORT = f"from {__name__} import Thing\n"


def test_things_are_found_in_the_order_of_their_files(folder):
    name = folder(b=f'{IMPORT}THING = Thing("last")', a=f'{IMPORT}THING = (Thing("first"), Thing("second", {{"x": 1}}))',
                  c="THING = None", _private="1 / 0")
    for look in (discover.declared, discover.read):
        found = [(module.rpartition(".")[2], thing.name) for module, thing in look(name, "THING", Thing)]
        assert found == [("a", "first"), ("a", "second"), ("b", "last")]
    assert dict(discover.read(name, "THING", Thing))[f"{name}.a"].options == {"x": 1}


def test_reading_runs_nothing(folder):
    name = folder(a='1 / 0\nTHING = Thing("there")')
    assert [thing.name for _, thing in discover.read(name, "THING", Thing)] == ["there"]
    with pytest.raises(ZeroDivisionError):
        list(discover.declared(name, "THING", Thing))


@pytest.mark.parametrize("text, message", [
    ("", "declares no THING"),
    (f'{IMPORT}THNIG = Thing("a")', "is THNIG misspelt"),
    ("THING = 3", "not 3"),
])
@pytest.mark.parametrize("look", [discover.declared, discover.read])
def test_a_missing_or_misspelt_declaration_is_an_error(folder, look, text, message):
    with pytest.raises(DeclarationError, match=message):
        list(look(folder(a=text), "THING", Thing))


@pytest.mark.parametrize("text", ["name = 'a'\nTHING = Thing(name)", "THING = Thing('a', colour='red')", "THING = Thong('a')"])
def test_what_is_read_must_be_literal(folder, text):
    with pytest.raises(DeclarationError, match="literals that Thing takes"):
        list(discover.read(folder(a=text), "THING", Thing))


def test_names_are_found_at_any_depth_and_near_misses_refused(folder):
    name = folder(a="def evidence():\n    pass\n", b="x = 1\n", c__d="evidence = list\n")
    assert discover.binding(name, "evidence") == [f"{name}.a", f"{name}.c.d"]
    with pytest.raises(DeclarationError, match="defines evidnce: is it meant to be evidence"):
        discover.binding(folder(a="def evidnce():\n    pass\n"), "evidence")


def test_one_name_twice_is_an_error():
    with pytest.raises(DeclarationError, match="'x' is taken by a"):
        discover.by_name([("a", Thing("x")), ("b", Thing("x"))], lambda thing: thing.name)


def test_lazy_names(folder):
    name = folder(a="def a():\n    return 1\nb = 2\n", c="1 / 0\n")
    package = __import__(name)
    package.__getattr__, package.__dir__, package.__all__ = discover.lazy(name, {".a": ["a", "b"]})
    assert {"a", "b"} <= set(dir(package)) and f"{name}.a" not in sys.modules
    __import__(f"{name}.a")  # a module of a function's name does not take its place
    assert package.a() == 1 and package.b == 2
    with pytest.raises(AttributeError, match="no attribute 'z'"):
        _ = package.z


def test_public_names_come_from_the_files(folder):
    name = folder(a='__all__ = ["x"]\nx = 1\n', b='1 / 0\n__all__ = ["y", "z"]\n')
    assert discover.exports(name) == {f"{name}.a": ["x"], f"{name}.b": ["y", "z"]}
    with pytest.raises(DeclarationError, match="has no __all__"):
        discover.exports(folder(a="x = 1\n"))
    with pytest.raises(DeclarationError, match="'x' is taken"):
        discover.exports(folder(a='__all__ = ["x"]\n', b='__all__ = ["x"]\n'))


def test_public_is_what_a_module_defines_and_lists():
    source = 'from x import f\ndef g():\n    """Text."""\nclass H: ...\ndef _i(): ...\n'
    assert discover.public(source) == {"g": "Text.", "H": ""}
    assert discover.public(f"{source}__all__: list[str] = ['H', 'f']\n") == {"H": ""}
    assert list(discover.public(f"{source}__all__ = list(globals())\n")) == ["g", "H"]  # computed: no list to read
