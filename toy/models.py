"""The toy models of this room, found where they are: each package or file of ``toy`` declares its ``MODEL``.

A model is a package (``toy/bumps``) or, if it is small, a single file. Its name on the command line is the file's, with
dashes. It offers ``simulate(...)`` and, where there is theory, ``predict(...)``, both with a frozen result of its own; its
command, ``add_arguments(parser)`` and ``run(args)``, stands in the package's ``command.py`` or in the single file.

The arguments of a model are those of ``simulate`` and of ``predict``, under one name and with one default. Only how a
simulation is carried out (:data:`RUN_TIME`) is left to ``simulate``; other exceptions stand in the declaration.
"""

import re
from dataclasses import dataclass

from lab.discover import DeclarationError, read, sources

MODEL = None
RUN_TIME = frozenset({"threads", "time_limit", "progress", "start", "first_replica", "gradient_tol", "rtol", "atol", "time_cap",
                      "max_steps"})  # how a simulation is carried out: no argument of a prediction


@dataclass(frozen=True)
class Model:
    """What a toy model says of itself; literals, for it is read without loading the model.

    Attributes
    ----------
    help : one line for ``python -m toy --help``.
    no_theory : why the model has no ``predict``; "" where it has one.
    simulation_only : arguments of ``simulate``, beside those of :data:`RUN_TIME`, that theory has no word on.
    theory_only : arguments of ``predict`` that a simulation does without.
    """

    help: str
    no_theory: str = ""
    simulation_only: tuple[str, ...] = ()
    theory_only: tuple[str, ...] = ()


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
