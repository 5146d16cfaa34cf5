"""The public surface: what `dir()` of a room shows, of its modules and of the models in it; and what is asked of it."""

import inspect
from functools import cache
from importlib import import_module

from numpydoc.docscrape import ClassDoc, NumpyDocString

from lab import discover

ROOMS = ("lab", "theory", "toy", "toy.mlp", "empirical", "figures")


def public(room: str) -> dict[str, object]:
    """Functions and classes a user reaches by `dir()` from a room downwards, by the name they are defined under.

    A module shows what is public in it (`lab.discover.public`, as on the site) and what its `__all__` passes on from others,
    where it is public in the module that defines it.
    """
    surface: dict[str, object] = {}
    todo, done = [import_module(room)], set()
    while todo:
        module = todo.pop()
        done.add(module.__name__)
        listed = getattr(module, "__all__", None)
        for name in (name for name in listed or dir(module) if not name.startswith("_")):
            thing = getattr(module, name)
            if inspect.ismodule(thing):
                if thing.__name__.startswith(f"{room}.") and thing.__name__ not in done:
                    todo.append(thing)
            elif inspect.isfunction(thing) | inspect.isclass(thing) and thing.__module__.startswith(f"{room}."):
                borrowed = listed is None and thing.__module__ != module.__name__  # merely imported there
                if not borrowed and thing.__name__ in _public_in(thing.__module__):
                    surface[f"{thing.__module__}.{thing.__qualname__}"] = thing
    return dict(sorted(surface.items()))


@cache
def _public_in(module: str) -> dict[str, str]:
    return discover.public(inspect.getsource(import_module(module)))


def _parameters(thing) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p for p in inspect.signature(thing).parameters.values()
            if not p.name.startswith("_") and p.name != "self" and p.kind not in kinds]


def defects(thing) -> list[str]:
    """What is missing of: annotations; one entry with a type for each parameter; what is returned; an example."""
    text = inspect.getdoc(thing) or ""
    found = ["no docstring"] * (not text) + ["no example"] * (">>> " not in text)
    if inspect.isclass(thing):
        docs = [ClassDoc(base, config={"show_class_members": False}) for base in thing.__mro__  # a base describes what it has
                if base is thing or base.__module__.partition(".")[0] in ROOMS]
        documented = [entry for doc in docs for entry in (*doc["Parameters"], *doc["Attributes"])]
        wanted = [] if issubclass(thing, Exception) else _parameters(thing)
    else:
        doc = NumpyDocString(text)
        documented, wanted = [*doc["Parameters"], *doc["Other Parameters"]], _parameters(thing)
        returns = inspect.signature(thing).return_annotation
        if returns is inspect.Signature.empty:
            found.append("return value is not annotated")
        elif returns not in (None, "None") and not (doc["Returns"] or doc["Yields"]):
            found.append("no Returns section")
        found += [f"{p.name} is not annotated" for p in wanted if p.annotation is p.empty]
    typed = {name.strip().lstrip("*"): entry.type for entry in documented for name in entry.name.split(",")}
    found += [f"several parameters in one entry: {entry.name}" for entry in documented if "," in entry.name]
    found += [f"{p.name} has no entry with a type" for p in wanted if not typed.get(p.name)]
    if not inspect.isclass(thing):
        known = {p.lstrip("*") for p in inspect.signature(thing).parameters}
        found += [f"{name} is documented and is no parameter" for name in typed if name not in known]
    return found
