"""How every formula of this room is derived, and how every prediction is checked.

A theory module may define two tables. In a package they stand in files of their own (``derive.py``, ``check.py``), which
load SymPy and SciPy when they are asked for and not before.

``DERIVATIONS : dict[str, callable]``
    name ("erf-i3") → function made by :func:`derivation`; calling it without arguments returns a :class:`Derivation`.
    Its keyword arguments are the inputs that may be replaced (another activation, another normalisation).
``CHECKS : dict[str, callable]``
    name → ``check(rng)`` that returns or yields :class:`Prediction` objects; evaluated only when asked for. ``rng`` is
    a ``numpy.random.Generator`` of the check's own, so that ``--only`` changes no number.

They are found by their names, wherever in this room they are. ``python -m theory list | derive NAME | check``.
"""

import functools
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from importlib import import_module
from textwrap import wrap

from lab.arrays import floats
from lab.console import called
from lab.discover import DeclarationError, binding, by_name, matching
from lab.errors import ArgumentError, InputError
from lab.streams import generator

SIGMAS = 4.5      # a Monte Carlo comparison may be this many standard errors off (two-sided chance 7e-6)
RELATIVE = 1e-8   # a deterministic comparison, relative


# ---------------------------------------------------------------------------------------------------- derivations
@dataclass(frozen=True)
class Step:
    """One step: what is done, and the SymPy object it leaves (an Eq, any expression, or None for words alone)."""

    text: str
    equation: object = None

    @property
    def shown(self):
        """The equation as a reader sees it: a bare zero has a left-hand side."""
        import sympy as sp

        left = named("what is left", r"\text{what is left}")
        return sp.Eq(left, 0, evaluate=False) if _is_zero(self.equation) else self.equation


@dataclass
class Derivation:
    """A formula, derived step by step.

    Attributes
    ----------
    name : as on the command line.
    statement : what is derived, one sentence in plain text.
    source : paper and equation, or "derived here".
    status : "derived"; or "cited": the general proof is the source's, the steps derive limiting cases.
    symbols : symbol → meaning, for every symbol that the statement does not explain.
    steps : the steps, in order.
    result : the SymPy expression or equation at the end (of the limiting cases, where cited).
    """

    name: str
    statement: str
    source: str
    status: str = "derived"
    symbols: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    result: object = None

    def step(self, text: str, equation=None):
        """Append a step; returns its equation, so that a derivation reads ``x = d.step("...", x)``.

        A bare zero, which some inputs lead to, is shown as what is left being 0; where zero is the point of a step, say what
        vanishes: :meth:`vanishes`.
        """
        self.steps.append(Step(text, equation))
        return equation

    def vanishes(self, text: str, expression, what: str = "difference") -> None:
        """Append a step that shows ``what = 0``.

        Parameters
        ----------
        text : what is done.
        expression : a SymPy expression, matrix or tuple that must be zero.
        what : what it is, in words or signs, for the left-hand side.

        Raises
        ------
        ArithmeticError : it is not zero.
        """
        import sympy as sp

        if not _is_zero(expression):
            raise ArithmeticError(f"{self.name}: {what} does not vanish: {expression}")
        self.steps.append(Step(text, sp.Eq(named(what, f"\\text{{{_tex(what)}}}"), 0, evaluate=False)))

    def conclude(self, result):
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

        lines = [f"{_markdown(self.statement)} *({self.status}; source: {_markdown(self.source)})*", ""]
        lines += [f"- {_markdown(name)}: {_markdown(meaning)}" for name, meaning in self.symbols.items()]
        lines += [""] * bool(self.symbols)
        for number, step in enumerate(self.steps, 1):
            lines += [f"{number}. {_markdown(step.text)}", ""]
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

        lines = [f"\\paragraph{{{_tex(self.name)}}} {_tex(self.statement)} "
                 f"\\emph{{({_tex(self.status)}; source: {_tex(self.source)})}}"]
        if self.symbols:
            lines += ["\\begin{description}",
                      *(f"\\item[\\texttt{{{_tex(k)}}}] {_tex(v)}" for k, v in self.symbols.items()),
                      "\\end{description}"]
        if self.steps:
            lines.append("\\begin{enumerate}")
            for step in self.steps:
                lines.append(f"\\item {_tex(step.text)}")
                if step.equation is not None:
                    lines.append(f"\\[ {sp.latex(step.shown)} \\]")
            lines.append("\\end{enumerate}")
        if self.result is not None:
            lines.append(f"Result: \\[ {sp.latex(self.result)} \\]")
        return "\n".join(lines) + "\n"


def _is_zero(expression) -> bool:
    """Whether it is the number 0, or a matrix or tuple of nothing else (an empty one, too: there is nothing to show)."""
    import sympy as sp

    if isinstance(expression, sp.Tuple | sp.MatrixBase | tuple):
        return all(map(_is_zero, expression))
    return expression is not None and expression == 0


def derivation(name: str, statement: str, source: str, status: str = "derived",
               symbols: dict[str, str] | None = None) -> Callable:
    """Decorator: ``f(d, **inputs)`` fills the empty Derivation d; the name, statement … stay readable without a call.

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

    def wrapper(function):
        @functools.wraps(function)
        def call(**inputs) -> Derivation:
            d = Derivation(name, statement, source, status, dict(symbols or {}))
            function(d, **inputs)
            return d

        call.__signature__ = inspect.Signature(list(inspect.signature(function).parameters.values())[1:])
        call.name, call.statement, call.source, call.status = name, statement, source, status
        call.is_derivation = True
        return call

    return wrapper


@functools.cache
def _name_class():
    import sympy as sp

    class Name(sp.Symbol):
        """A symbol that prints as given: left-hand sides such as <g'(z_i)>."""

        def __new__(cls, text, latex):
            made = sp.Symbol.__xnew__(cls, text)
            made.latex = latex
            return made

        def _latex(self, printer):
            return self.latex

        def _pretty(self, printer):
            from sympy.printing.pretty.stringpict import prettyForm

            return prettyForm(self.name)

    return Name


def named(text: str, latex: str | None = None):
    """A SymPy symbol for a left-hand side, printed exactly as ``text`` (and ``latex``; default: text made LaTeX)."""
    return _name_class()(text, latex if latex is not None else _tex(text).replace("$", ""))


# ---------------------------------------------------------------------------------------------------- predictions
@dataclass(frozen=True)
class Prediction:
    """A formula's value beside an independent number.

    Attributes
    ----------
    name : "erf-i3/near-singular".
    symbolic : the formula's value.
    numeric : the same by quadrature, enumeration, plain Monte Carlo …
    standard_error : of ``numeric`` if it is random (one number), else None.
    tolerance : in the unit of ``deviation``; default 4.5 standard errors, or 1e-8.
    method : how ``numeric`` was got.
    scale : what a deterministic difference is divided by; default max(|symbolic|, |numeric|). Give it where the true
        value is zero.
    """

    name: str
    symbolic: float
    numeric: float
    standard_error: float | None = None
    tolerance: float | None = None
    method: str = ""
    scale: float | None = None

    @property
    def deviation(self) -> float:
        """|symbolic − numeric| in standard errors (Monte Carlo) or relative to ``scale`` (deterministic)."""
        if self.symbolic == self.numeric:
            return 0.0
        difference = abs(self.symbolic - self.numeric)
        unit = self.standard_error
        if unit is None:
            unit = self.scale if self.scale is not None else max(abs(self.symbolic), abs(self.numeric))
        return difference / unit if unit > 0 else math.inf

    @property
    def limit(self) -> float:
        """The tolerance in force."""
        if self.tolerance is not None:
            return self.tolerance
        return RELATIVE if self.standard_error is None else SIGMAS

    @property
    def passed(self) -> bool:
        """Within tolerance (a NaN anywhere fails)."""
        return bool(self.deviation <= self.limit)

    def to_json(self) -> dict:
        """The fields, with deviation, tolerance in force and verdict."""
        return {**asdict(self), "deviation": self.deviation, "tolerance": self.limit, "passed": self.passed}


def monte_carlo(name: str, symbolic: float, samples, method: str = "Monte Carlo", tolerance: float | None = None):
    """Prediction whose numeric value is the mean of independent samples.

    Raises
    ------
    InputError : fewer than two samples.
    """
    samples = floats(samples, "samples").ravel()
    if samples.size < 2:
        raise InputError(f"{name}: a Monte Carlo mean needs at least two samples")
    error = float(samples.std(ddof=1)) / math.sqrt(samples.size)
    return Prediction(name, float(symbolic), float(samples.mean()), error, tolerance, method)


# -------------------------------------------------------------------------------------------------------- registry
def modules() -> Iterator[tuple[str, object]]:
    """(name, module) of every theory module that has one of the tables.

    Raises
    ------
    lab.discover.DeclarationError : a table's name is misspelt, or a module's derivation is not in its table.
    """
    makers = set(matching("theory", r"@derivation\("))
    for name in sorted(makers.union(binding("theory", "DERIVATIONS"), binding("theory", "CHECKS"))):
        module = import_module(name)
        listed = set(getattr(module, "DERIVATIONS", {}).values())
        for made in vars(module).values() if name in makers else ():
            if getattr(made, "is_derivation", False) and made not in listed:
                raise DeclarationError(f"{name}: the derivation {made.name!r} is not in its table DERIVATIONS")
        yield name, module


def derivations() -> dict[str, Callable]:
    """Every derivation by name.

    Raises
    ------
    lab.discover.DeclarationError : two modules use one name (see also :func:`modules`).
    """
    return _collect("DERIVATIONS")


def check_functions() -> dict[str, Callable]:
    """Every check by name.

    Raises
    ------
    lab.discover.DeclarationError : two modules use one name.
    """
    return _collect("CHECKS")


def slow(check: Callable) -> Callable:
    """Decorator of a check that takes ten seconds or more: a quick look leaves it out."""
    check.is_slow = True
    return check


def quick_checks() -> list[str]:
    """A quick look at every kind of formula: the name of each module's first check that is not :func:`slow`."""
    return [name for _, module in modules()
            for name in [name for name, check in getattr(module, "CHECKS", {}).items() if not hasattr(check, "is_slow")][:1]]


def _collect(table: str) -> dict[str, Callable]:
    """The tables of that name of all modules, as one."""
    entries = [(name, entry) for name, module in modules() for entry in getattr(module, table, {}).items()]
    return dict(by_name(entries, lambda entry: entry[0]).values())


def find_derivation(name: str) -> Callable:
    """The derivation of that name.

    Raises
    ------
    ArgumentError : no such derivation (names the closest ones).
    """
    table = derivations()
    if name not in table:
        from difflib import get_close_matches

        close = get_close_matches(name, table, n=3, cutoff=0.4)
        hint = f"; did you mean {', '.join(close)}?" if close else f"; see {called('theory list')}"
        raise ArgumentError(f"no derivation is called {name!r}{hint}")
    return table[name]


def run_check(name: str, function: Callable, seed: int = 0) -> list[Prediction]:
    """One check's predictions, with a random stream keyed by (seed, name)."""
    rng = generator(seed, "check", name)
    outcome = function(rng)
    predictions = [outcome] if isinstance(outcome, Prediction) else list(_flatten(outcome))
    if not predictions:
        raise RuntimeError(f"the check {name!r} made no prediction")
    return predictions


def _flatten(outcome: Iterable) -> Iterator[Prediction]:
    for item in outcome:
        if isinstance(item, Prediction):
            yield item
        else:
            yield from item


def _indent(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())


_TEX = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_MATH = {"<": "<", ">": ">", "−": "-", "±": r"\pm", "·": r"\cdot", "×": r"\times", "√": r"\surd", "∫": r"\int",
         "∂": r"\partial", "∇": r"\nabla", "∞": r"\infty", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx",
         "∈": r"\in", "→": r"\to", "←": r"\leftarrow", "Σ": r"\Sigma", "Π": r"\Pi", "Λ": r"\Lambda", "Δ": r"\Delta",
         "Γ": r"\Gamma", "Φ": r"\Phi", "Ω": r"\Omega", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta",
         "ε": r"\varepsilon", "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu",
         "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi",
         "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "½": r"\tfrac12", "¼": r"\tfrac14", "¾": r"\tfrac34",
         "â": r"\hat a", "ŵ": r"\hat w", "ŷ": r"\hat y", "′": "'", "ᵀ": r"^{\mathsf T}", "ℓ": r"\ell",
         "∝": r"\propto", "≪": r"\ll", "≫": r"\gg",
         "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|", "…": r"\dots",
         **{c: f"^{{{d}}}" for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ⁻⁺", "0123456789n-+")},
         **{c: f"_{{{d}}}" for c, d in zip("₀₁₂₃₄₅₆₇₈₉ₙ₊", "0123456789n+")}}
_PUNCTUATION = {"–": "--", "—": "---", "“": "``", "”": "\x27\x27", "’": "\x27"}
_INDEXED = re.compile(r"([A-Za-zΑ-ω]'*)_(\{[^}]*\}|\w+)")


def _tex(text: str) -> str:
    """Plain text with Unicode mathematics as LaTeX; C_ab becomes an index."""
    return _indexed(text, lambda c: f"${_MATH[c]}$" if c in _MATH else _TEX.get(c, _PUNCTUATION.get(c, c)))


def _markdown(text: str) -> str:
    """Plain text as Markdown, which knows Unicode; C_ab becomes an index."""
    return _indexed(text, lambda c: f"\\{c}" if c in "\\`*_{}[]<>#|$^~" else c)


def _indexed(text: str, spelt: Callable[[str], str]) -> str:
    """The text with ``C_ab`` as formulas between dollars, and every other character as it is spelt."""
    pieces, last = [], 0
    for match in _INDEXED.finditer(text):
        base, index = ("".join(f"{_MATH[c]} " if c in _MATH else c for c in part).strip()
                       for part in (match[1], match[2].strip("{}")))
        pieces += [*map(spelt, text[last:match.start()]), f"${base}_{{{index}}}$"]
        last = match.end()
    return "".join([*pieces, *map(spelt, text[last:])])
