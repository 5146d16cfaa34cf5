"""Notation of derivations: symbols that print as given, and plain text with Unicode mathematics as LaTeX and Markdown."""

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sympy

__all__ = ["named"]

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


def tex(text: str) -> str:
    """Plain text with Unicode mathematics as LaTeX; C_ab becomes an index."""
    return _indexed(text, lambda c: f"${_MATH[c]}$" if c in _MATH else _TEX.get(c, _PUNCTUATION.get(c, c)))


def markdown(text: str) -> str:
    """Plain text as Markdown, which supports Unicode; C_ab becomes an index."""
    return _indexed(text, lambda c: f"\\{c}" if c in "\\`*_{}[]<>#|$^~" else c)


def _indexed(text: str, spelt: Callable[[str], str]) -> str:
    """The text with ``C_ab`` as a formula between dollars, and every other character passed through ``spelt``."""
    pieces, last = [], 0
    for match in _INDEXED.finditer(text):
        base, index = ("".join(f"{_MATH[c]} " if c in _MATH else c for c in part).strip()
                       for part in (match[1], match[2].strip("{}")))
        pieces += [*map(spelt, text[last:match.start()]), f"${base}_{{{index}}}$"]
        last = match.end()
    return "".join([*pieces, *map(spelt, text[last:])])


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


def named(text: str, latex: str | None = None) -> "sympy.Symbol":
    """A SymPy symbol for a left-hand side, printed exactly as given.

    Parameters
    ----------
    text : str
        The symbol in plain text, as terminals show it.
    latex : str, optional
        The symbol in LaTeX; by default ``text`` with its Unicode mathematics translated.

    Returns
    -------
    sympy.Symbol
        The symbol.

    Examples
    --------
    >>> from sympy import Eq, latex
    >>> Eq(named("<g'(z)>", r"\\langle g'(z)\\rangle"), 2)
    Eq(<g'(z)>, 2)
    >>> latex(named("η_c"))
    '\\\\eta_{c}'
    """
    return _name_class()(text, latex if latex is not None else tex(text).replace("$", ""))
