"""Derivations, step by step, and their printed forms."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from theory.derivation.notation import markdown, named, tex

__all__ = ["Derivation", "DerivationFunction", "Step", "derivation"]


@dataclass(frozen=True)
class Step:
    """One step of a derivation.

    Parameters
    ----------
    text : str
        What is done.
    equation : sympy object, optional
        The result: an Eq, any expression, or None for a step in words.

    Examples
    --------
    >>> Step("Expand.", 0).shown
    Eq(remainder, 0)
    """

    text: str
    equation: Any = None

    @property
    def shown(self):
        """The equation as printed: a bare zero gets a left-hand side."""
        import sympy as sp

        remainder = named("remainder", r"\text{remainder}")
        return sp.Eq(remainder, 0, evaluate=False) if _is_zero(self.equation) else self.equation


@dataclass
class Derivation:
    """A formula, derived step by step.

    Parameters
    ----------
    name : str
        As on the command line.
    statement : str
        What is derived: one sentence in plain text.
    source : str
        Paper and equation, or "derived here".
    status : {"derived", "cited"}
        "cited" if the general proof is the source's, and the steps derive limiting cases.
    symbols : dict of str to str
        The meaning of every symbol that the statement does not explain.
    steps : list of Step
        The steps, in order.
    result : sympy object
        The final expression or equation (of the limiting cases, if cited).

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> d = Derivation("square", "The square of a sum.", "derived here")
    >>> d.conclude(d.step("Expand.", ((x + y) ** 2).expand()))
    Derivation('square', derived, 1 steps; to_text(), to_latex(), to_markdown())
    >>> d.result
    x**2 + 2*x*y + y**2
    """

    name: str
    statement: str
    source: str
    status: str = "derived"
    symbols: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    result: Any = None

    def step(self, text: str, equation: Any = None) -> Any:
        """Append a step and return its equation, so that a derivation reads ``x = d.step("...", x)``.

        A bare zero, to which some inputs lead, is printed as "remainder = 0". If zero is the point of a step, use
        :meth:`vanishes`, which names what vanishes.
        """
        self.steps.append(Step(text, equation))
        return equation

    def vanishes(self, text: str, expression: Any, what: str = "difference") -> None:
        """Append a step that shows ``what = 0``.

        Parameters
        ----------
        text : str
            What is done.
        expression : sympy expression, matrix or tuple
            Must be zero.
        what : str, default "difference"
            The left-hand side, in words or symbols.

        Raises
        ------
        ArithmeticError
            If the expression is not zero.
        """
        import sympy as sp

        if not _is_zero(expression):
            raise ArithmeticError(f"{self.name}: {what} does not vanish: {expression}")
        self.steps.append(Step(text, sp.Eq(named(what, f"\\text{{{tex(what)}}}"), 0, evaluate=False)))

    def conclude(self, result: Any) -> "Derivation":
        """Set the result and return the derivation."""
        self.result = result
        return self

    def to_text(self) -> str:
        """Plain text: statement, symbols, numbered steps, result."""
        import sympy as sp

        lines = [f"{self.name} ({self.status}; source: {self.source})", *wrap(self.statement, 110), ""]
        lines += [f"  {name}: {meaning}" for name, meaning in self.symbols.items()]
        lines += [""] * bool(self.symbols)
        for number, step in enumerate(self.steps, 1):
            lines += wrap(f"{number}. {step.text}", 110, subsequent_indent="   ")
            if step.equation is not None:
                lines += ["", _indent(sp.pretty(step.shown, use_unicode=True, num_columns=150), 5), ""]
        if self.result is not None:
            lines += ["Result", "", _indent(sp.pretty(self.result, use_unicode=True, num_columns=150), 5)]
        return "\n".join(lines).rstrip() + "\n"

    def to_markdown(self) -> str:
        """Markdown with formulas between ``$$``: for notebooks and the documentation."""
        import sympy as sp

        lines = [f"{markdown(self.statement)} *({self.status}; source: {markdown(self.source)})*", ""]
        lines += [f"- {markdown(name)}: {markdown(meaning)}" for name, meaning in self.symbols.items()]
        lines += [""] * bool(self.symbols)
        for number, step in enumerate(self.steps, 1):
            lines += [f"{number}. {markdown(step.text)}", ""]
            if step.equation is not None:
                lines += [_indent(f"$$\n{sp.latex(step.shown)}\n$$", 3 if number < 10 else 4), ""]
        if self.result is not None:
            lines += ["**Result**", "", f"$$\n{sp.latex(self.result)}\n$$"]
        return "\n".join(lines).rstrip() + "\n"

    def _repr_markdown_(self) -> str:
        return f"**{self.name}**\n\n{self.to_markdown()}"

    def _repr_latex_(self) -> str:
        return self.to_latex()

    def __repr__(self) -> str:
        return f"Derivation({self.name!r}, {self.status}, {len(self.steps)} steps; to_text(), to_latex(), to_markdown())"

    def to_latex(self) -> str:
        """A LaTeX fragment: a paragraph, an ``enumerate`` of steps, the result."""
        import sympy as sp

        lines = [f"\\paragraph{{{tex(self.name)}}} {tex(self.statement)} "
                 f"\\emph{{({tex(self.status)}; source: {tex(self.source)})}}"]
        if self.symbols:
            lines += ["\\begin{description}",
                      *(f"\\item[\\texttt{{{tex(k)}}}] {tex(v)}" for k, v in self.symbols.items()),
                      "\\end{description}"]
        if self.steps:
            lines.append("\\begin{enumerate}")
            for step in self.steps:
                lines.append(f"\\item {tex(step.text)}")
                if step.equation is not None:
                    lines.append(f"\\[ {sp.latex(step.shown)} \\]")
            lines.append("\\end{enumerate}")
        if self.result is not None:
            lines.append(f"Result: \\[ {sp.latex(self.result)} \\]")
        return "\n".join(lines) + "\n"


def _is_zero(expression) -> bool:
    """Whether it is the number 0, or a matrix or tuple of zeros (including an empty one)."""
    import sympy as sp

    if isinstance(expression, sp.Tuple | sp.MatrixBase | tuple):
        return all(map(_is_zero, expression))
    return expression is not None and expression == 0


class DerivationFunction:
    """A function that derives a formula; :func:`derivation` makes it.

    Parameters
    ----------
    function : callable
        ``function(d, **inputs)`` fills the empty :class:`Derivation` d.
    name : str
        As on the command line.
    statement : str
        What is derived: one sentence in plain text.
    source : str
        Paper and equation, or "derived here".
    status : {"derived", "cited"}
        As in :class:`Derivation`.
    symbols : dict of str to str
        Symbol → meaning.

    Examples
    --------
    >>> from theory.derivation import find_derivation
    >>> square = find_derivation("counting-critical")
    >>> square.name, square(r=2).result
    ('counting-critical', Eq(G(2, m), 2**m - 2))
    """

    def __init__(self, function: Callable[..., Any], name: str, statement: str, source: str, status: str,
                 symbols: dict[str, str]):
        functools.update_wrapper(self, function)
        self.__signature__ = inspect.Signature(list(inspect.signature(function).parameters.values())[1:])
        self._function = function
        self.name, self.statement, self.source, self.status, self.symbols = name, statement, source, status, symbols

    def __call__(self, **inputs: Any) -> Derivation:
        """Derive the formula, with any given inputs in place of the defaults."""
        d = Derivation(self.name, self.statement, self.source, self.status, dict(self.symbols))
        self._function(d, **inputs)
        return d


def derivation(name: str, statement: str, source: str, status: str = "derived",
               symbols: dict[str, str] | None = None) -> Callable[[Callable[..., Any]], DerivationFunction]:
    """Decorator of a function that derives a formula: ``f(d, **inputs)`` fills the empty :class:`Derivation` d.

    Name, statement and source can be read from the decorated function without calling it.

    Parameters
    ----------
    name : str
        As on the command line.
    statement : str
        What is derived: one sentence in plain text.
    source : str
        Paper and equation, or "derived here".
    status : {"derived", "cited"}
        "cited" if the general proof is the source's.
    symbols : dict of str to str, optional
        The meaning of every symbol that the statement does not explain.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    ValueError
        If the status is unknown.

    Examples
    --------
    >>> @derivation("square", "the square of a sum", "derived here")
    ... def derive_square(d, power=2):
    ...     import sympy as sp
    ...     a, b = sp.symbols("a b")
    ...     return d.conclude(d.step("Expand.", sp.expand((a + b) ** power)))
    >>> derive_square().result
    a**2 + 2*a*b + b**2
    """
    if status not in ("derived", "cited"):
        raise ValueError(f"status is 'derived' or 'cited', not {status!r}")
    return lambda function: DerivationFunction(function, name, statement, source, status, symbols or {})


def _indent(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())
