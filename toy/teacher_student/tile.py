"""The one matrix product behind every loop of the simulator, held in registers.

``product`` computes, for P rows and Q vectors of sixteen lanes,

    C[p, q] (+)= sum over k < K of A[k, p] * B[k, q]

where B[k, q] and C[p, q] are vectors and A[k, p] is one number for all lanes (``LANEWISE = False``: lanes are neurons or
samples) or a vector of its own (``LANEWISE = True``: lanes are replicas). All three live in flat float32 arrays:

    C[p, q] at c_at + p * c_row + 16 q,    B[k, q] at b_at + k * b_row + 16 q,    A[k, p] at a_at + k * a_k + p * a_p.

Forward pass, update, teacher and Gram matrix of the inputs are this product with different strides.

Why it is not a plain loop: LLVM keeps the accumulators of a tile in memory and uses half-width registers; a tile whose
P x Q accumulators are named one by one stays in registers and runs at the speed of the multiply units. So C is cut in
tiles, the largest first (``_TILES``), whose LLVM instructions are generated below. The sum over k has one order, whatever
the tiles: results do not depend on them. :func:`product_plain` is the same sum as three loops and a vector.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from lab import vector as vec
from lab.compiled import njit

LANES = vec.LANES
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_WORD = ir.IntType(64)
# Vectors in a row of tiles, and the rows of the tiles that cover P of them. Sixteen accumulators cover the latency of the
# multiply units and leave registers for the operands. A square tile is best: per k it loads P + Q operands for P Q
# multiplications, and loads are what limits it. Of 174 GFLOP/s that one core of an Ice Lake multiplies, 4 x 4 reaches 155 to
# 170, 8 x 2 reaches 135 to 150, 16 x 1 (an operand loaded for every multiplication) 60 to 100.
_TILES: dict[bool, dict[int, tuple[int, ...]]] = {
    False: {4: (4, 1), 2: (8, 4, 1), 1: (16, 4, 1)},
    True: {4: (4, 2, 1), 1: (4, 2, 1)},
}


class _Operand(NamedTuple):
    """A matrix in a flat array: pointer, and the places of its first element, of the next row and column (LLVM values)."""

    data: Any
    at: Any
    row: Any
    column: Any

    def pointer(self, builder, row, column):
        """Pointer to an element."""
        place = builder.add(self.at, builder.add(builder.mul(row, self.row), builder.mul(column, self.column)))
        return builder.gep(self.data, [place])


def _constant(n):
    return ir.Constant(_WORD, n)


def _read(builder, pointer):
    """The vector at a pointer of no particular alignment."""
    result = builder.load(builder.bitcast(pointer, _VECTOR.as_pointer()))
    result.align = 4
    return result


def _write(builder, pointer, value):
    builder.store(value, builder.bitcast(pointer, _VECTOR.as_pointer())).align = 4


def _spread(builder, pointer):
    """One number in all lanes."""
    number = builder.load(pointer)
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _tile(builder, P, Q, left, C, A, B, p, q, K, accumulate):
    """Code of the P x Q tile of C that begins at (p, q); ``left`` reads an element of A as a vector."""
    fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), "llvm.fma.v16f32")
    zero = _constant(0)
    rows = [builder.add(p, _constant(i)) for i in range(P)]
    # One pointer a row: its vectors are at constant distances, which cost neither an addition nor a register. (With an index for
    # each of 16 vectors, products of 16 terms took 1.18 of the time, of 64 terms 1.05: the indices went through memory.)
    places = {(i, j): builder.gep(row, [_constant(LANES * j)])
              for i, row in enumerate(C.pointer(builder, row, q) for row in rows) for j in range(Q)}
    lefts, right = [A.pointer(builder, zero, row) for row in rows], B.pointer(builder, zero, q)

    # 1. accumulators begin at zero, or at C
    before = builder.block
    with builder.if_then(accumulate):
        loaded = {at: _read(builder, place) for at, place in places.items()}
        filled = builder.block
    start = {at: builder.phi(_VECTOR) for at in places}
    for at in places:
        start[at].add_incoming(ir.Constant(_VECTOR, [0.0] * LANES), before)
        start[at].add_incoming(loaded[at], filled)

    # 2. for k < K: Q vectors of B are loaded, then P times one element of A; P Q multiplications and additions
    head, loop, done = builder.block, builder.append_basic_block("tile"), builder.append_basic_block("tile.end")
    builder.cbranch(builder.icmp_signed(">", K, zero), loop, done)
    builder.position_at_end(loop)
    k, ahead_a, ahead_b = (builder.phi(_WORD) for _ in range(3))
    sums = {at: builder.phi(_VECTOR) for at in places}
    here = builder.gep(right, [ahead_b])
    vectors = [_read(builder, builder.gep(here, [_constant(LANES * j)])) for j in range(Q)]
    results = {}
    for i in range(P):
        factor = left(builder, builder.gep(lefts[i], [ahead_a]))
        results.update({(i, j): builder.call(fma, (factor, vectors[j], sums[i, j])) for j in range(Q)})
    for phi, step in ((k, _constant(1)), (ahead_a, A.row), (ahead_b, B.row)):
        following = builder.add(phi, step)
        phi.add_incoming(zero, head)
        phi.add_incoming(following, loop)
        if phi is k:
            more = builder.icmp_signed("<", following, K)
    for at in places:
        sums[at].add_incoming(start[at], head)
        sums[at].add_incoming(results[at], loop)
    builder.cbranch(more, loop, done)

    # 3. C is written
    builder.position_at_end(done)
    ends = {at: builder.phi(_VECTOR) for at in places}
    for at in places:
        ends[at].add_incoming(start[at], head)
        ends[at].add_incoming(results[at], loop)
    for at, place in places.items():
        _write(builder, place, ends[at])


def _cover(builder, total, sizes):
    """Loops over 0 .. total - 1 in pieces, as many of each size (a power of two, falling) as fit: (size, first index)."""
    first = _constant(0)
    for size in sizes:
        whole = builder.and_(builder.sub(total, first), _constant(-size))  # down to a multiple of the size
        count = builder.ashr(whole, _constant(size.bit_length() - 1))
        with cgutils.for_range(builder, count, intp=_WORD) as pieces:
            yield size, builder.add(first, builder.mul(pieces.index, _constant(size)))
        first = builder.add(first, whole)


def _tiled(lanewise):
    """An intrinsic: the whole product, tile by tile."""

    def product(typing, c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate):
        def code(context, builder, signature, values):
            def data(i):
                return context.make_array(signature.args[i])(context, builder, values[i]).data

            _, c_at, c_row, _, a_at, a_k, a_p, _, b_at, b_row, P, Q, K, accumulate = values
            lanes = _constant(LANES)
            C, A, B = (_Operand(data(0), c_at, c_row, lanes), _Operand(data(3), a_at, a_k, a_p),
                       _Operand(data(7), b_at, b_row, lanes))
            heights = _TILES[lanewise]
            for wide, q in _cover(builder, Q, heights):
                for high, p in _cover(builder, P, heights[wide]):
                    _tile(builder, high, wide, _read if lanewise else _spread, C, A, B, p, q, K, accumulate)
            return context.get_dummy_value()

        index = types.intp
        return types.void(c, index, index, a, index, index, index, b, index, index, index, index, index, types.boolean), code

    return intrinsic(product)


def _transpose(typing, out, out_at, out_row, a, at, row):
    """An intrinsic: out[j, i] = a[i, j] for sixteen by sixteen."""

    def code(context, builder, signature, values):
        to, source = (context.make_array(signature.args[i])(context, builder, values[i]).data for i in (0, 3))
        _, out_at, out_row, _, at, row = values
        rows = [_read(builder, builder.gep(source, [builder.add(at, builder.mul(row, _constant(i)))])) for i in range(LANES)]
        # each of four rounds interleaves rows i and i + 8: the four bits of a row's number become those of a lane's
        halves = [ir.Constant(ir.VectorType(ir.IntType(32), LANES), [half + i // 2 + i % 2 * LANES for i in range(LANES)])
                  for half in (0, LANES // 2)]
        for _ in range(4):
            rows = [builder.shuffle_vector(rows[i], rows[i + LANES // 2], half)
                    for i in range(LANES // 2) for half in halves]
        for i, value in enumerate(rows):
            _write(builder, builder.gep(to, [builder.add(out_at, builder.mul(out_row, _constant(i)))]), value)
        return context.get_dummy_value()

    index = types.intp
    return types.void(out, index, index, a, index, index), code


def transpose_plain(out, out_at, out_row, a, at, row):
    """The transposition as it is defined (NumPy)."""
    for i in range(LANES):
        for j in range(LANES):
            out[out_at + j * out_row + i] = a[at + i * row + j]


def product_plain(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate, lanewise):
    """The product as it is defined (NumPy)."""
    for p in range(P):
        for q in range(Q):
            place = slice(c_at + p * c_row + LANES * q, c_at + p * c_row + LANES * (q + 1))
            total = c[place].copy() if accumulate else np.zeros(LANES, np.float32)
            for k in range(K):
                i, j = a_at + k * a_k + p * a_p, b_at + k * b_row + LANES * q
                total += (a[i:i + LANES] if lanewise else a[i]) * b[j:j + LANES]
            c[place] = total


if config.DISABLE_JIT:  # type: ignore[attr-defined]  # set where Numba is loaded
    def product(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate):
        product_plain(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate, False)

    def product_lanewise(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate):
        product_plain(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate, True)

    transpose = transpose_plain
else:
    _shared, _lanewise = _tiled(False), _tiled(True)
    _compiled = njit("void(f4[::1], i8, i8, f4[::1], i8, i8, i8, f4[::1], i8, i8, i8, i8, i8, b1)", cache=True,
                     error_model="numpy")

    transpose = intrinsic(_transpose)  # type: ignore[assignment]  # as a kernel sees it: the plain one's arguments

    @_compiled
    def product(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate):
        """The product with one number of A for all lanes; its twin is :func:`product_plain`."""
        _shared(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate)

    @_compiled
    def product_lanewise(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate):
        """The product with a vector of A's own; its twin is :func:`product_plain` with ``lanewise``."""
        _lanewise(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate)
