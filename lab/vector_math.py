"""Elementary functions as short polynomials, which vectorise where calls into the C library do not.

Names end in 32 (float32 scalars or vectors of :mod:`lab.vector`) or 64 (float64 scalars; LLVM vectorises loops over
them). Nothing branches: both sides are computed and one is selected. Polynomials were fitted for this file in 60-digit
arithmetic at the Chebyshev points of the stated interval (erf32: weighted minimax); lowest coefficient first.

Largest errors against 50-digit values (tests/lab/test_vector_math.py holds them to it), absolute unless stated otherwise:

============== ========= ========= ==========================================================
function        32        64       range
============== ========= ========= ==========================================================
erf_pair        4e-7      1e-15    all finite x: erf(x/sqrt 2) and its derivative in x
tanh_pair       3e-7      4e-16    all finite x: tanh and its derivative
exp             3e-7      5e-16    relative; x clipped to [-87, 88] ([-708, 709])
log             2e-7      4e-16    relative to max(1, |log x|); normal x > 0
sincos_half_turn 3e-7     5e-16    sin and cos of pi t, |t| <= 1/2
sincos          4e-7      5e-16    |x| <= 1e3 (1e5)
asin            4e-7      5e-16    |x| <= 1
atan2           5e-7      9e-16    all finite x, y; atan2(0, 0) = 0
============== ========= ========= ==========================================================
"""

import numpy as np

from lab import vector as vec
from lab.compiled import njit

# The one place where fast-math is chosen. No nnan or ninf: divergence must stay visible. No reassoc: sums keep order.
FAST = {"contract", "nsz", "arcp"}

_jit = njit(cache=True, error_model="numpy")

_LOG32 = (0.9999999741, -0.4999999638, 0.3333419329, -0.2500135219, 0.1995593336, -0.165779929, 0.1497740128,
          -0.1426925821, 0.08533313083)
_MINUS_TWO_LOG32 = (-1.9999999362, 1.0000075012, -0.6666921204, 0.4993781392, -0.3982669836, 0.3455641214, -0.3225249582,
                    0.19790701474)
_LOG64 = (0.66666666666666666, 0.40000000000000877, 0.28571428570803612, 0.22222222391713917, 0.18181795640132906,
          0.15386239702814681, 0.13268773138656364, 0.13086626147844823)
_EXP32 = (1.0, 1.000000038, 0.5000000047, 0.1666641551, 0.0416663529, 0.008375126398, 0.001394110843)
_EXP64 = (1.0, 1.0, 0.5, 0.16666666666666702, 0.041666666666666692, 0.0083333333333095271, 0.0013888888888871888,
          0.00019841269909217101, 2.4801587350110796e-5, 2.7557224958392623e-6, 2.7557251904174913e-7,
          2.5114869528657765e-8, 2.09215799649503e-9)
_SIN32 = (3.14159264, -5.167710077, 2.550077387, -0.5982904113, 0.07765591228)
_COS32 = (0.9999999998, -4.934802137, 4.058709155, -1.335211949, 0.2349370686, -0.0243959321)
_SIN64 = (3.1415926535897932, -5.1677127800499696, 2.5501640398773005, -0.59926452931894468, 0.082145886573102895,
          -0.0073704305059169434, 0.00046629981618983938, -2.1903497074626017e-5, 7.6978267682241906e-7)
_COS64 = (1.0, -4.9348022005446793, 4.0587121264167675, -1.335262768854555, 0.23533063035799502,
          -0.025806891376592964, 0.0019295741872812348, -0.00010463741681752138, 4.3007241727348469e-6,
          -1.3435212950953201e-7)
_ASIN32 = (0.1666666634, 0.07500094543, 0.04459940153, 0.03110066274, 0.01714923836, 0.0336908472)
_ASIN64 = (0.16666666666666649, 0.075000000000207644, 0.044642857103423643, 0.030381947367098481,
           0.022372047631744509, 0.017355259955786338, 0.013929652902326467, 0.011875494382638069,
           0.0078029494773481761, 0.016035514349163303, -0.010749050339721047, 0.028169218060897625)
_ATAN32 = (-0.3333333176, 0.1999954048, -0.142639556, 0.1074373149, -0.06451928208)
_ATAN64 = (-0.33333333333333333, 0.19999999999999805, -0.14285714285659828, 0.11111111105155447,
           -0.090909087535008768, 0.076922963750321423, -0.066664248857382539, 0.058789289978347613,
           -0.052304542706501543, 0.04551593220626181, -0.034570561981419179, 0.016285756855212358)
# sqrt(2/pi) 2**r for |r| <= 1/2; and erfc(x/sqrt 2) exp(x**2/2): in x, over sqrt(2/pi) and weighted by exp(-x**2/2); in
# t = (x - 4)/(x + 4)
_GAUSS32 = (0.7978846431, 0.5530512929, 0.1916687787, 0.04428828508, 0.007719983347, 0.001059307367)
_ERFCX32 = (1.253313972, -0.9999855477, 0.6264484999, -0.3321628325, 0.1532925671, -0.06094598591, 0.01990110269,
             -0.004949657734, 0.0008515982528, -8.825286435e-05, 4.090042357e-06)
_ERFCX64 = (0.18882128260393788, -0.34079544309691088, 0.24875851067852533, -0.14341481467547285, 0.061729608212756778,
            -0.01698419096401943, 0.0010151241467546811, 0.0012776276925241808, -0.00037436850360102406,
            -9.1109585978463693e-5, 5.729668379835573e-5, 9.2614980733773071e-6, -8.60976045766922e-6,
            -1.6549293658835749e-6, 1.3400703793490972e-6, 4.265981844560537e-7, -2.0920011653214211e-7,
            -1.672246278393553e-7, -4.4003414391834609e-8, -4.3838439094951397e-9)

_f = np.float32
_LN2, _LOG2E = 0.6931471805599453, 1.4426950408889634
_ROOT_2_OVER_PI = 0.7978845608028654
_PI = 3.141592653589793


@_jit
def _log_parts32(x):
    """x = 2**e (1 + f) with 1 + f from sqrt(1/2) to sqrt(2): e and f."""
    bits = vec.sub(vec.bits_of(x), np.uint32(0x3F3504F3))
    e = vec.from_signed(vec.shift_right_signed(bits, np.uint32(23)))
    m = vec.float_of(vec.add(vec.bit_and(bits, np.uint32(0x7FFFFF)), np.uint32(0x3F3504F3)))
    return e, m - _f(1)


@_jit
def log32(x):
    """Natural logarithm of a normal positive float32."""
    e, f = _log_parts32(x)
    return vec.fma(e, _f(_LN2), f * vec.polynomial(f, _LOG32))


@_jit
def minus_two_log32(x):
    """-2 log x, the squared radius of a pair of Gaussians; not negative for x <= 1."""
    e, f = _log_parts32(x)
    return vec.fma(e, _f(-2 * _LN2), f * vec.polynomial(f, _MINUS_TWO_LOG32))


@_jit
def log64(x):
    """Natural logarithm of a normal positive float64."""
    low = np.uint64(0x3FE6A09E667F3BCD)
    bits = np.uint64(vec.bits_of(x)) + (np.uint64(0x3FF0000000000000) - low)
    e = np.float64(np.int64(bits >> np.uint64(52)) - np.int64(1023))
    m = vec.float_of((bits & np.uint64(0xFFFFFFFFFFFFF)) + low)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    return vec.fma(e, _LN2, 2.0 * s + s * z * vec.polynomial(z, _LOG64))


@_jit
def exp32(x):
    """e**x; beyond [-87, 88] the value at the end."""
    x = vec.minimum(vec.maximum(x, _f(-87)), _f(88))
    n = vec.nearest(x * _f(_LOG2E))
    r = vec.fma(n, _f(-0.693145751953125), x)
    r = vec.fma(n, _f(-1.42860682030941723212e-6), r)
    return vec.polynomial(r, _EXP32) * vec.exp2i(n)


@_jit
def exp64(x):
    """e**x; beyond [-708, 709] the value at the end."""
    x = min(max(x, -708.0), 709.0)
    n = vec.nearest(x * _LOG2E)
    r = vec.fma(n, -0.6931471803691238, x)
    r = vec.fma(n, -1.9082149292705877e-10, r)
    return vec.polynomial(r, _EXP64) * vec.exp2i(n)


@_jit
def erf_pair32(x):
    """erf(x/sqrt 2) and its derivative sqrt(2/pi) exp(-x**2/2): one exponential for both, 25 instructions."""
    size = vec.minimum(vec.absolute(x), _f(13))  # beyond, the exponential is 0 in float32
    square = size * size
    # adding 1.5 * 2**23 rounds -log2(e) x**2/2 to the whole number n and leaves n in the last bits; n goes into the exponent
    rounded = vec.fma(square, _f(-0.5 * _LOG2E), _f(12582912))
    fraction = vec.fma(square, _f(-0.5 * _LOG2E), _f(12582912) - rounded)
    slope = vec.polynomial(fraction, _GAUSS32)
    slope = vec.float_of(vec.add(vec.bits_of(slope), vec.shift_left(vec.bits_of(rounded), 23)))
    value = vec.fma(vec.polynomial(size, _ERFCX32), -slope, _f(1))
    return vec.copysign(value, x), slope


@_jit
def erf_pair64(x):
    """erf(x/sqrt 2) and its derivative sqrt(2/pi) exp(-x**2/2): one exponential for both."""
    size = min(abs(x), 37.0)
    gauss = exp64(-0.5 * size * size)
    t = (size - 4.0) / (size + 4.0)
    value = vec.fma(vec.polynomial(t, _ERFCX64), -gauss, 1.0)
    return vec.copysign(value, x), gauss * _ROOT_2_OVER_PI


@_jit
def tanh_pair32(x):
    """tanh x and its derivative 1 - tanh(x)**2."""
    e = exp32(vec.absolute(x) * _f(-2))
    value = (_f(1) - e) / (_f(1) + e)
    return vec.copysign(value, x), _f(1) - value * value


@_jit
def tanh_pair64(x):
    """tanh x and its derivative 1 - tanh(x)**2."""
    e = exp64(-2.0 * abs(x))
    value = (1.0 - e) / (1.0 + e)
    return vec.copysign(value, x), 1.0 - value * value


@_jit
def sincos_half_turn32(t):
    """sin(pi t), cos(pi t) for |t| <= 1/2."""
    z = t * t
    return t * vec.polynomial(z, _SIN32), vec.polynomial(z, _COS32)


@_jit
def sincos_half_turn64(t):
    """sin(pi t), cos(pi t) for |t| <= 1/2."""
    z = t * t
    return t * vec.polynomial(z, _SIN64), vec.polynomial(z, _COS64)


@_jit
def sincos32(x):
    """sin x, cos x for |x| <= 1e3."""
    n = vec.nearest(x * _f(1 / _PI))
    r = vec.fma(n, _f(-3.140625), x)  # pi in three parts: n times the first is exact
    r = vec.fma(n, _f(-9.67502593994140625e-4), r)
    r = vec.fma(n, _f(-1.509957990978376e-7), r)
    s, c = sincos_half_turn32(r * _f(1 / _PI))
    odd = n - _f(2) * vec.nearest(n * _f(0.5))  # -1, 0 or 1: odd n turns both signs
    sign = _f(1) - _f(2) * vec.absolute(odd)
    return s * sign, c * sign


@_jit
def sincos64(x):
    """sin x, cos x for |x| <= 1e5."""
    n = vec.nearest(x * (1 / _PI))
    r = vec.fma(n, -3.141592502593994, x)
    r = vec.fma(n, -1.5099578831723193e-07, r)
    r = vec.fma(n, -1.0780605716316238e-14, r)
    s, c = sincos_half_turn64(r * (1 / _PI))
    sign = 1.0 - 2.0 * abs(n - 2.0 * vec.nearest(n * 0.5))
    return s * sign, c * sign


@_jit
def asin32(x):
    """arc sine for |x| <= 1."""
    size = vec.absolute(x)
    far = size > _f(0.5)
    z = vec.select(far, (_f(1) - size) * _f(0.5), size * size)
    s = vec.select(far, vec.sqrt(vec.maximum(z, _f(0))), size)
    value = vec.fma(s * z, vec.polynomial(z, _ASIN32), s)
    return vec.copysign(vec.select(far, vec.fma(value, _f(-2), _f(_PI / 2)), value), x)


@_jit
def asin64(x):
    """arc sine for |x| <= 1."""
    size = abs(x)
    far = size > 0.5
    z = vec.select(far, (1.0 - size) * 0.5, size * size)
    s = vec.select(far, vec.sqrt(max(z, 0.0)), size)
    value = vec.fma(s * z, vec.polynomial(z, _ASIN64), s)
    return vec.copysign(vec.select(far, vec.fma(value, -2.0, _PI / 2), value), x)


@_jit
def atan2_32(y, x):
    """Angle of (x, y) in [-pi, pi]; 0 at the origin."""
    a, b = vec.absolute(y), vec.absolute(x)
    low, high = vec.minimum(a, b), vec.maximum(a, b)
    turned = low > high * _f(0.41421356)  # above pi/8: measured from pi/4
    top = vec.select(turned, low - high, low)
    bottom = vec.select(turned, low + high, high)
    r = top / vec.maximum(bottom, _f(1e-37))
    z = r * r
    angle = vec.fma(r * z, vec.polynomial(z, _ATAN32), r)
    angle = angle + vec.select(turned, _f(_PI / 4), _f(0))
    angle = vec.select(b < a, _f(_PI / 2) - angle, angle)
    angle = vec.select(x < _f(0), _f(_PI) - angle, angle)
    return vec.copysign(angle, y)


@_jit
def atan2_64(y, x):
    """Angle of (x, y) in [-pi, pi]; 0 at the origin."""
    a, b = abs(y), abs(x)
    low, high = min(a, b), max(a, b)
    turned = low > high * 0.41421356237309503
    top = vec.select(turned, low - high, low)
    bottom = vec.select(turned, low + high, high)
    r = top / max(bottom, 1e-300)
    z = r * r
    angle = vec.fma(r * z, vec.polynomial(z, _ATAN64), r)
    angle = angle + vec.select(turned, _PI / 4, 0.0)
    angle = vec.select(b < a, _PI / 2 - angle, angle)
    angle = vec.select(x < 0.0, _PI - angle, angle)
    return vec.copysign(angle, y)


# ------------------------------------------------------------------------------------------------- vectors of float64
@njit(forceinline=True, error_model="numpy")
def rsqrt_guess(x):
    """1/√x within 3.5 %, from the exponent's bits; for x = 0 a large number."""
    return vec.float_of(np.uint64(0x5FE6EB50C7B537A9) - (vec.bits_of(x) >> np.uint64(1)))


@njit(forceinline=True, error_model="numpy")
def root_pair(x):
    """√x and 1/√x for x ≥ 0, within a unit or two in the last place; of 0, 0 and a large number; undefined for inf or NaN.

    Hardware roots take some twenty cycles, and so do divisions; by multiplications both take seven: a guess of 1/√x from the
    bits (error 3.5 %), a cubic in x y² (8e-7), and a step of third order for each of the two.
    """
    y = rsqrt_guess(x)
    root = x * y
    z = root * y
    q = 2.189076823178275 + z * (-2.190951930273947 + z * (1.3146724744150404 - z * 0.31279811235479366))
    y = y * q
    root = root * q
    e = 1.0 - root * y
    e = e * (0.5 + 0.375 * e)
    return root + root * e, y + y * e


@njit(forceinline=True, error_model="numpy")
def rsqrt(x):
    """1/√x, see :func:`root_pair`."""
    return root_pair(x)[1]


# arccos c/√(1−c²) in powers of c − ½ on 0 ≤ c ≤ 1, lowest first: interpolated at 21 Chebyshev nodes in 60-digit arithmetic;
# relative error below 4e-17
_ARC = np.array([
    1.2091995761561452, -0.5272002825625683, 0.2789327682081927, -0.1586971753802888, 0.09378606359866055,
    -0.056733710715744776, 0.034865535274291135, -0.02167167484685037, 0.013586867141375919, -0.008575526819773298,
    0.005441843341071648, -0.003469025943304075, 0.0022193303562364495, -0.0014207449636114548, 0.0009142102212697623,
    -0.0006080051604331022, 0.00039306909718902605, -0.00019625532058336833, 0.00012708400889953494, -0.00018609092229782462,
    0.00012117305831116537,
])
(_A0, _A1, _A2, _A3, _A4, _A5, _A6, _A7, _A8, _A9, _A10, _A11, _A12, _A13, _A14, _A15, _A16, _A17, _A18, _A19,
 _A20) = _ARC.tolist()


@njit(forceinline=True, error_model="numpy")
def asin_and_secant(x):
    """asin(x) and 1/√(1−x²) for −1 < x < 1, both to about 5e-16 and what the rounding of x itself makes of 1 − x².

    The erf integral I2 is an asin and its gradient the matching secant, so that one root c = √(1−x²) serves both:
    asin(x) = x arccos(c)/√(1−c²), whose second factor is a polynomial in c. It needs neither a case for each half of the interval
    nor the sign of x, and asin keeps its relative precision near 0.
    """
    cosine, secant = root_pair(1.0 - x * x)
    z = cosine - 0.5
    w = z * z
    even = ((((_A20 * w + _A18) * w + _A16) * w + _A14) * w + _A12) * w + _A10
    even = ((((even * w + _A8) * w + _A6) * w + _A4) * w + _A2) * w + _A0
    odd = ((((_A19 * w + _A17) * w + _A15) * w + _A13) * w + _A11) * w + _A9
    odd = (((odd * w + _A7) * w + _A5) * w + _A3) * w + _A1
    return x * (even + z * odd), secant


@njit(forceinline=True, error_model="numpy")
def four_asins_and_secants(x0, x1, x2, x3, opaque):
    """:func:`asin_and_secant` of four vectors: four angles, then four secants. In half the time of four calls.

    Each step of Horner's rule waits for the one before it; here the eight chains of four vectors take turns, in a true loop over
    the coefficients, since LLVM would line them up one after the other. ``opaque`` is any whole number ≥ 0 that the compiler
    does not know: LLVM does not unroll a loop whose end it does not know.
    """
    c0, s0 = root_pair(1.0 - x0 * x0)
    c1, s1 = root_pair(1.0 - x1 * x1)
    c2, s2 = root_pair(1.0 - x2 * x2)
    c3, s3 = root_pair(1.0 - x3 * x3)
    z0, z1, z2, z3 = c0 - 0.5, c1 - 0.5, c2 - 0.5, c3 - 0.5
    w0, w1, w2, w3 = z0 * z0, z1 * z1, z2 * z2, z3 * z3
    a, b = _ARC[20], _ARC[18]
    e0, e1, e2, e3 = a * w0 + b, a * w1 + b, a * w2 + b, a * w3 + b
    a, b = _ARC[19], _ARC[17]
    o0, o1, o2, o3 = a * w0 + b, a * w1 + b, a * w2 + b, a * w3 + b
    for k in range(16, min(opaque, 0), -2):
        b = _ARC[k]
        e0, e1, e2, e3 = e0 * w0 + b, e1 * w1 + b, e2 * w2 + b, e3 * w3 + b
        b = _ARC[k - 1]
        o0, o1, o2, o3 = o0 * w0 + b, o1 * w1 + b, o2 * w2 + b, o3 * w3 + b
    b = _ARC[0]
    e0, e1, e2, e3 = e0 * w0 + b, e1 * w1 + b, e2 * w2 + b, e3 * w3 + b
    return (x0 * (e0 + z0 * o0), x1 * (e1 + z1 * o1), x2 * (e2 + z2 * o2), x3 * (e3 + z3 * o3)), (s0, s1, s2, s3)
