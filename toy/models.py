"""The toy models, found by their files: each package or file of ``toy`` declares its ``MODEL``.

A model is a package (``toy/bumps``) or, if it is small, a single file. Its name on the command line is the file's, with
dashes. It offers ``simulate(...)`` and, where there is theory, ``predict(...)``, each with its own frozen result; its
command, ``add_arguments(parser)`` and ``run(args)``, is in the package's ``command.py`` or in the single file.

``simulate`` and ``predict`` share their arguments, with one name and one default each. ``simulate`` alone has arguments on how a
run is carried out (:data:`RUN_TIME`); a model declares any other exception.
"""

import re
from dataclasses import dataclass

from lab.discover import DeclarationError, read, sources

MODEL = None
RUN_TIME = frozenset({"threads", "time_limit", "progress", "start", "first_replica", "gradient_tol", "rtol", "atol", "time_cap",
                      "max_steps"})


@dataclass(frozen=True)
class Model:
    """Declaration of a toy model; its arguments are literals, because it is read without loading the model.

    Attributes
    ----------
    help : str
        One line for ``python -m toy --help``.
    no_theory : str
        Why the model has no ``predict``; empty if it has one.
    simulation_only : tuple of str
        Arguments that only ``simulate`` takes, in addition to :data:`RUN_TIME`.
    theory_only : tuple of str
        Arguments that only ``predict`` takes.

    Examples
    --------
    >>> models()["toy.multi_view"].no_theory, Model("dice", no_theory="they are thrown").no_theory
    ('', 'they are thrown')
    """

    help: str
    no_theory: str = ""
    simulation_only: tuple[str, ...] = ()
    theory_only: tuple[str, ...] = ()


def models() -> dict[str, Model]:
    """The models of this room.

    Returns
    -------
    dict of str to Model
        Module name → declaration, in alphabetical order.

    Raises
    ------
    lab.discover.DeclarationError
        For a package or file of this room without ``MODEL``.

    Examples
    --------
    >>> list(models())[0]
    'toy.bumps'
    """
    return dict(read("toy", "MODEL", Model))


def commands() -> dict[str, str]:
    """The commands of ``python -m toy``.

    Returns
    -------
    dict of str to str
        Name of the command → ``"module|help"``.

    Raises
    ------
    lab.discover.DeclarationError
        As for :func:`models`, and for a model without a command.

    Examples
    --------
    >>> commands()["bumps"].partition("|")[0]
    'toy.bumps.command'
    """
    every, declared = sources("toy", below=True), {}
    for module, model in models().items():
        command = f"{module}.command" if f"{module}.command" in every else module
        if not re.search(r"^def run\(", every[command], re.M):
            raise DeclarationError(f"{module} has no command: define add_arguments(parser) and run(args) in {command}")
        declared[module.rpartition(".")[2].replace("_", "-")] = f"{command}|{model.help}"
    return declared
