"""Exact index distribution of GOE matrices: Pfaffians of half-line moments.

Results and sources are stated in :mod:`theory.random_landscape`. If z marks a negative eigenvalue, de Bruijn's formula gives
E[z^index] = Pf A(z)/Pf A(1), A_ij(z) = iint sign(y - x) x^i y^j phi(x) phi(y) dx dy, phi(x) = e^(-x^2/2) (z if x < 0),
i, j < N, and for odd N a last row int x^i phi. In polar coordinates on the quadrant x, y > 0

    A++_ij = 2^((i+j)/2) Gamma((i+j)/2 + 1) D_ij,   D_ij = (int_{pi/4}^{pi/2} - int_0^{pi/4}) cos^i t sin^j t dt,
    D_ij = [(i-1) D_{i-2,j} - 2^(1-(i+j)/2)]/(i+j) for i >= 2,   D_ij = -D_ji,   D_01 = sqrt 2 - 1,

and the other quadrants follow by reflection: A = A++ [1 - (-1)^(i+j) z^2] + z m_i m_j [(-1)^i - (-1)^j],
m_i = int_0^oo x^i e^(-x^2/2) dx. Everything lies in Q(sqrt 2, sqrt pi), so results are exact for small N, and have any number
of digits for large N (monomials lose digits in proportion to N, so the working precision grows with N).
"""

import functools
import math
from typing import Any

import numpy as np

from lab import checks
from lab.errors import ArgumentError

LARGEST = 200          # for larger matrices the arithmetic takes minutes
LARGEST_SYMBOLIC = 8


def _size(n, largest=LARGEST):
    return checks.whole_number("the matrix size", n, 1, largest)


def angular(n, number, root2):
    """D_ij (n, n) as nested lists; ``number`` makes numbers of the arithmetic that is used, ``root2`` is its sqrt 2."""
    D = [[number(0)] * n for _ in range(n)]
    for total in range(1, 2 * n - 1):
        for i in range(max(0, total - n + 1), min(n, total + 1)):
            j = total - i
            if i <= j:
                continue  # antisymmetric: the entries with i > j, then their mirror images
            if i == 1:
                value = number(1) - root2  # D_10
            else:
                power = root2 ** (2 - total) if total > 2 else number(1)
                value = ((i - 1) * D[i - 2][j] - power) / total
            D[i][j], D[j][i] = value, -value
    return D


def half_line(n, number, root2, gamma_half):
    """(A++ (n, n), m (n,)) of the module's docstring. ``gamma_half(k)`` is Gamma(k/2)."""
    D = angular(n, number, root2)
    A = [[root2 ** (i + j) * gamma_half(i + j + 2) * D[i][j] for j in range(n)] for i in range(n)]
    m = [root2 ** (i - 1) * gamma_half(i + 1) for i in range(n)]
    return A, m


def weighted(A, m, z):
    """A(z), bordered if its size is odd."""
    n = len(m)
    full = [[A[i][j] * (1 - (-1) ** (i + j) * z**2) + z * m[i] * m[j] * ((-1) ** i - (-1) ** j) for j in range(n)]
            for i in range(n)]
    if n % 2:
        border = [m[i] * (1 + (-1) ** i * z) for i in range(n)]
        full = [[*row, b] for row, b in zip(full, border)] + [[-b for b in border] + [border[0] * 0]]
    return full


def pfaffian(A):
    """Pfaffian of an antisymmetric matrix (nested lists of any field's numbers), by elimination with pivoting."""
    A = [list(row) for row in A]
    n = len(A)
    result = A[0][0] * 0 + 1
    for k in range(0, n - 1, 2):
        pivot = max(range(k + 1, n), key=lambda i: abs(A[k][i]))
        if A[k][pivot] == 0:
            return result * 0
        if pivot != k + 1:
            A[k + 1], A[pivot] = A[pivot], A[k + 1]
            for row in A:
                row[k + 1], row[pivot] = row[pivot], row[k + 1]
            result = -result
        result *= A[k][k + 1]
        tau = [A[k][j] / A[k][k + 1] for j in range(k + 2, n)]
        for i in range(k + 2, n):
            for j in range(i + 1, n):
                # Schur complement of the 2 x 2 block (k, k+1)
                change = tau[i - k - 2] * A[k + 1][j] - tau[j - k - 2] * A[k + 1][i]
                A[i][j] = A[i][j] - change
                A[j][i] = -A[i][j]
    return result


def _numbers(mp, n):
    return half_line(n, mp.mpf, mp.sqrt(2), lambda k: mp.gamma(mp.mpf(k) / 2))


def _digits(n):
    return 40 + 2 * n


@functools.lru_cache(maxsize=256)
def _positive(n):
    import mpmath

    with mpmath.workdps(_digits(n)):
        A, m = _numbers(mpmath.mp, n)
        return mpmath.log(pfaffian(weighted(A, m, 0)) / pfaffian(weighted(A, m, 1)))


def log_positive_probability(n: int) -> float:
    """ln P(all eigenvalues of an n x n GOE matrix are positive), to at least 10 digits.

    Source: de Bruijn 1955 (Pfaffian), derived here in this form (``random-goe-positive``).

    Parameters
    ----------
    n : int
        Size of the matrix, in 1 ... 200 (a second at 100, ten at 200).

    Returns
    -------
    float
        Natural logarithm, below 0.

    Raises
    ------
    InputError
        If ``n`` is not a whole number in this range.

    Examples
    --------
    >>> round(log_positive_probability(4), 6)
    -6.008933
    """
    return float(_positive(_size(n)))


def positive_probability(n: int) -> float:
    """P(all eigenvalues of an n x n GOE matrix are positive).

    Source: as :func:`log_positive_probability`, its logarithm.

    Parameters
    ----------
    n : int
        Size of the matrix, in 1 ... 200.

    Returns
    -------
    float
        In (0, 1/2]; it underflows to 0 from about n = 52 on.

    Raises
    ------
    InputError
        If ``n`` is not a whole number in this range.

    Examples
    --------
    >>> round(positive_probability(2), 6), round((2 - 2**0.5) / 4, 6)
    (0.146447, 0.146447)
    """
    return math.exp(log_positive_probability(n))


@functools.lru_cache(maxsize=32)
def positive_probability_exact(n: int) -> Any:
    """P(all eigenvalues of an n x n GOE matrix are positive), exactly.

    Source: as :func:`index_polynomial_exact`, of which it is the constant coefficient.

    Parameters
    ----------
    n : int
        Size of the matrix, in 1 ... 8.

    Returns
    -------
    sympy expression
        In sqrt 2 and pi.

    Raises
    ------
    InputError
        If ``n`` is not a whole number in this range.

    Examples
    --------
    >>> positive_probability_exact(2)
    1/2 - sqrt(2)/4
    """
    return index_polynomial_exact(n).coeff_monomial(1)


@functools.lru_cache(maxsize=32)
def index_polynomial_exact(n: int) -> Any:
    """E[z^index] of an n x n GOE matrix, exactly.

    Source: de Bruijn 1955 (Pfaffian), derived here in this form (``random-goe-index``).

    Parameters
    ----------
    n : int
        Size of the matrix, in 1 ... 8.

    Returns
    -------
    sympy.Poly
        In z, with exact coefficients: that of z^k is P(index = k).

    Raises
    ------
    InputError
        If ``n`` is not a whole number in this range.

    Examples
    --------
    >>> index_polynomial_exact(2).coeffs()
    [1/2 - sqrt(2)/4, sqrt(2)/2, 1/2 - sqrt(2)/4]
    """
    import sympy as sp

    n = _size(n, LARGEST_SYMBOLIC)
    z = sp.Symbol("z")
    A, m = half_line(n, sp.Integer, sp.sqrt(2), lambda k: sp.gamma(sp.Rational(k, 2)))
    A = [[sp.expand(a) for a in row] for row in A]
    top = sp.Poly(sp.expand(_pfaffian_expansion(weighted(A, m, z))), z)
    bottom = sp.expand(_pfaffian_expansion(weighted(A, m, sp.Integer(1))))
    return sp.Poly([sp.expand(sp.radsimp(sp.expand(c / bottom))) for c in top.all_coeffs()], z)


def _pfaffian_expansion(A):
    """Pfaffian by expansion along the first row, for symbolic entries, among which no pivot can be chosen by size."""
    if not A:
        return 1
    import sympy as sp

    total = 0
    for j in range(1, len(A)):
        keep = [k for k in range(1, len(A)) if k != j]
        total += (-1) ** (j - 1) * A[0][j] * _pfaffian_expansion([[A[a][b] for b in keep] for a in keep])
    return sp.expand(total)


@functools.lru_cache(maxsize=64)
def _index_distribution(n):
    import mpmath

    # the smallest coefficient is of order exp(-0.275 n^2), which needs as many additional digits
    with mpmath.workdps(_digits(n) + int(0.13 * n * n)):
        A, m = _numbers(mpmath.mp, n)
        nodes = [mpmath.expjpi(mpmath.mpf(2 * k) / (n + 1)) for k in range(n + 1)]
        values = [pfaffian(weighted(A, m, z)) for z in nodes]
        out = []
        for index in range(n + 1):
            out.append(mpmath.re(sum(v * mpmath.conj(nodes[(index * k) % (n + 1)]) for k, v in enumerate(values))))
        total = sum(out)
        return tuple(float(p / total) for p in out)


def index_distribution(n: int) -> np.ndarray:
    """P(index = 0 ... n): distribution of the number of negative eigenvalues of an n x n GOE matrix.

    Source: derived here (``random-goe-index``).

    Parameters
    ----------
    n : int
        Size of the matrix, in 1 ... 40 (seconds at 40).

    Returns
    -------
    ndarray, shape (n + 1,)
        Probabilities, each to at least 10 digits.

    Raises
    ------
    InputError
        If ``n`` is not a whole number in this range.

    Examples
    --------
    >>> index_distribution(2).round(4)
    array([0.1464, 0.7071, 0.1464])
    """
    return np.array(_index_distribution(_size(n, 40)))


def rate_estimates(n: int) -> np.ndarray:
    """Half the second difference of -ln P over sizes 2 ... n-1: tends to ln(3)/4 if P ~ exp(-ln(3)/4 N^2).

    Source: derived here (``goe-rate`` compares it with the limit); the limit is that of Dean & Majumdar 2006.

    Parameters
    ----------
    n : int
        Largest size, in 3 ... 200.

    Returns
    -------
    ndarray, shape (n - 2,)
        Values for N = 2 ... n - 1; independent signs (2^-N) would give 0.

    Raises
    ------
    InputError
        If ``n`` is not a whole number in this range.

    Examples
    --------
    >>> rate_estimates(5).round(4), round(math.log(3) / 4, 4)
    (array([0.2715, 0.273 , 0.2736]), 0.2747)
    """
    n = _size(n)
    if n < 3:
        raise ArgumentError("a second difference needs sizes up to at least 3")
    minus_log = -np.array([log_positive_probability(k) for k in range(1, n + 1)])
    return 0.5 * np.diff(minus_log, 2)
