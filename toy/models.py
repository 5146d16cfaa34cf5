"""The toy models of this room, found where they are: each package or file of ``toy`` declares its ``MODEL``.

A model is a package (``toy/bumps``) or, if it is small, a single file. Its name on the command line is the file's, with
dashes. It offers ``simulate(...)`` and, where there is theory, ``predict(...)`` with the same arguments; its command,
``add_arguments(parser)`` and ``run(args)``, stands in the package's ``command.py`` or in the single file.
"""

import re
from dataclasses import dataclass

from lab.discover import DeclarationError, read, sources

MODEL = None


@dataclass(frozen=True)
class Model:
    """What a toy model says of itself; literals, for it is read without loading the model.

    Attributes
    ----------
    help : one line for ``python -m toy --help``.
    no_theory : why the model has no ``predict``; "" where it has one.
    """

    help: str
    no_theory: str = ""


def models() -> dict[str, Model]:
    """Module name → model, in alphabetical order.

    Raises
    ------
    lab.discover.DeclarationError : a package or file of this room without ``MODEL``.
    """
    return dict(read("toy", "MODEL", Model))


def commands() -> dict[str, str]:
    """The commands of ``python -m toy``: name → ``"module|help"``.

    Raises
    ------
    lab.discover.DeclarationError : as for :func:`models`; or a model without a command.
    """
    every, found = sources("toy", below=True), {}
    for module, model in models().items():
        command = f"{module}.command" if f"{module}.command" in every else module
        if not re.search(r"^def run\(", every[command], re.M):
            raise DeclarationError(f"{module} has no command: define add_arguments(parser) and run(args) in {command}")
        found[module.rpartition(".")[2].replace("_", "-")] = f"{command}|{model.help}"
    return found
