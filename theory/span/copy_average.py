"""Copy-average points of narrow students of equal, orthogonal teacher units, and their losses.

Teacher Σ_{m≤k} erf(B_m·x/√2), B_m orthogonal with the same norm b, x ~ N(0, I). A student of n < k units may copy c of the
teacher's units exactly and let each of its other n − c units average a group of the remaining ones: w = a Σ_{m∈G} B_m/√|G|, with
output weight v. Different groups do not overlap, so their losses add. The loss of a group of M units and its average is, with I2
of :mod:`theory.gaussian`,

    ½ [ M I2(B, B) − (Σ_m I2(B_m, w))² / I2(w, w) ],      v by regression,

minimised over the single number a. Averaging is cheapest in one group: the best copy-average point has n − 1 units that copy and
one that averages the other k − n + 1.

Source: Simsek et al. 2023 (arXiv 2311.01644), for unit outputs; with output weights: derived here.
"""

import math

from lab import checks


def average_loss(units: int, direction_norm: float = 1.0) -> float:
    """Half the mean squared error of one unit, with an output weight, on a teacher of M equal orthogonal units.

    Parameters
    ----------
    units : int
        M ≥ 1.
    direction_norm : float, default 1
        b > 0.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Numbers out of range.

    References
    ----------
    Derived here, see :mod:`theory.span.copy_average`.

    Examples
    --------
    >>> average_loss(1), 0 < average_loss(2) < average_loss(3)
    (0.0, True)
    """
    from scipy.optimize import minimize_scalar

    checks.whole_number("units", units)
    checks.real_number("direction_norm", direction_norm, above=0)
    square = direction_norm**2
    own = 2 / math.pi * math.asin(square / (1 + square))

    def loss(log_norm: float) -> float:
        w_square = math.exp(2 * log_norm)  # |w|²
        overlap = 2 / math.pi * math.asin(direction_norm * math.sqrt(w_square / units)
                                          / math.sqrt((1 + square) * (1 + w_square)))
        return 0.5 * (units * own - (units * overlap) ** 2 / (2 / math.pi * math.asin(w_square / (1 + w_square))))

    if units == 1:
        return 0.0
    return float(minimize_scalar(loss, bounds=(-6.0, 6.0), method="bounded", options={"xatol": 1e-12}).fun)


def copy_average_loss(teacher_width: int, width: int, direction_norm: float = 1.0) -> float:
    """Loss of the best copy-average point: all units but one copy a teacher unit each, and the last averages the others.

    Parameters
    ----------
    teacher_width : int
        Units k of the teacher.
    width : int
        Units n of the student.
    direction_norm : float, default 1
        b > 0.

    Returns
    -------
    float
        0 if width >= teacher_width.

    Raises
    ------
    InputError
        Numbers out of range.

    Examples
    --------
    >>> copy_average_loss(4, 3) == average_loss(2)
    True
    """
    checks.whole_number("width", width)
    return average_loss(max(1, checks.whole_number("teacher_width", teacher_width) - width + 1), direction_norm)


def copying_loss(teacher_width: int, width: int, direction_norm: float = 1.0) -> float:
    """Loss of the point at which every unit approximately copies a teacher unit of its own.

    By symmetry w_i = a B_i + b Σ_{j ≠ i} B_j + c Σ_m B_m, j over the other units that are copied and m over those that are not,
    with one output weight; minimal over a, b, c by descent from a copy, the output weight by regression.

    Parameters
    ----------
    teacher_width : int
        Units k of the teacher.
    width : int
        Units n of the student.
    direction_norm : float, default 1
        b > 0, norm of the B_m.

    Returns
    -------
    float
        0 if width >= teacher_width.

    Raises
    ------
    InputError
        Numbers out of range.

    References
    ----------
    Simsek et al. 2023 (arXiv 2311.01644) find such points by gradient flow; the loss: derived here.

    Examples
    --------
    >>> round(copying_loss(50, 25), 4), round(copy_average_loss(50, 25), 4)
    (0.2033, 0.195)
    """
    k, n = checks.whole_number("teacher_width", teacher_width), checks.whole_number("width", width)
    checks.real_number("direction_norm", direction_norm, above=0)
    return 0.0 if n >= k else _copying(k, n, direction_norm)[0]


def _copying(k: int, n: int, direction_norm: float) -> tuple[float, tuple[float, float, float], float]:
    """Loss, (a, b, c) and output weight of :func:`copying_loss`'s point."""
    from scipy.optimize import minimize

    square = direction_norm**2

    def i2(overlap: float, own: float, other: float) -> float:
        return 2 / math.pi * math.asin(overlap / math.sqrt((1 + own) * (1 + other)))

    def products(numbers) -> tuple[float, float]:
        """⟨y f⟩ and ⟨f²⟩ of the student f with output weights one."""
        a, b, c = (float(x) for x in numbers)
        own = square * (a * a + (n - 1) * b * b + (k - n) * c * c)
        across = square * (2 * a * b + (n - 2) * b * b + (k - n) * c * c)
        units = n * i2(own, own, own) + n * (n - 1) * i2(across, own, own)
        with_teacher = n * sum(count * i2(square * x, own, square) for count, x in ((1, a), (n - 1, b), (k - n, c)))
        return with_teacher, units

    def loss(numbers) -> float:
        with_teacher, units = products(numbers)
        return 0.5 * (k * i2(square, square, square) - with_teacher**2 / units)

    best = minimize(loss, (1.0, 0.0, 0.0), method="BFGS", jac="3-point", options={"gtol": 1e-10})
    with_teacher, units = products(best.x)
    a, b, c = best.x.tolist()
    return float(best.fun), (a, b, c), with_teacher / units
