"""The one matrix product behind every loop of the simulator, held in registers.

``product`` computes, for P rows and Q vectors of sixteen lanes,

    C[p, q] (+)= sum over k < K of A[k, p] * B[k, q]

where B[k, q] and C[p, q] are vectors and A[k, p] is one number for all lanes (``LANEWISE = False``: lanes are neurons or
samples) or a vector of its own (``LANEWISE = True``: lanes are replicas). All three live in flat float32 arrays:

    C[p, q] at c_at + p * c_row + 16 q,    B[k, q] at b_at + k * b_row + 16 q,    A[k, p] at a_at + k * a_k + p * a_p.

Forward pass, update, teacher, Gram matrix of the inputs: each is this product with other strides.

Why it is not a plain loop: LLVM keeps the accumulators of a tile in memory and uses half-width registers; a tile whose
P x Q accumulators are named one by one stays in registers and runs at the speed of the multiply units. A tile is written
out below as LLVM instructions (``_tile``); :func:`product_plain` is the same sum as three loops and a vector.
"""

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from lab import vector as vec
from lab.compiled import njit

LANES = vec.LANES
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_FMA = "llvm.fma.v16f32"


def _tile(P, Q, lanewise):
    """An intrinsic: one P x Q tile of the product."""

    def tile(typing, c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, K, accumulate):
        def code(context, builder, signature, values):
            word = context.get_value_type(types.intp)

            def data(i):
                return context.make_array(signature.args[i])(context, builder, values[i]).data

            def constant(n):
                return ir.Constant(word, n)

            def at(pointer, index, kind=_VECTOR):
                return builder.bitcast(builder.gep(pointer, [index]), kind.as_pointer())

            def read(pointer, index):
                result = builder.load(at(pointer, index))
                result.align = 4
                return result

            def spread(pointer, index):  # one number in all lanes
                number = builder.load(builder.gep(pointer, [index]))
                one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
                return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

            C, A, B = data(0), data(3), data(7)
            c_at, c_row, a_at, a_k, a_p, b_at, b_row, K, accumulate = (values[i] for i in (1, 2, 4, 5, 6, 8, 9, 10, 11))
            fma = builder.module.globals.get(_FMA) or ir.Function(
                builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), _FMA)
            places = [[builder.add(builder.add(c_at, builder.mul(c_row, constant(p))), constant(LANES * q))
                       for q in range(Q)] for p in range(P)]
            steps = [builder.mul(a_p, constant(p)) for p in range(P)]
            zero = ir.Constant(_VECTOR, [0.0] * LANES)
            before = builder.block
            with builder.if_then(accumulate):
                loaded = [[read(C, places[p][q]) for q in range(Q)] for p in range(P)]
                filled = builder.block
            head = builder.block
            start = []
            for p in range(P):
                row = []
                for q in range(Q):
                    value = builder.phi(_VECTOR)
                    value.add_incoming(zero, before)
                    value.add_incoming(loaded[p][q], filled)
                    row.append(value)
                start.append(row)
            loop, done = builder.append_basic_block("tile"), builder.append_basic_block("tile.end")
            builder.cbranch(builder.icmp_signed(">", K, constant(0)), loop, done)
            builder.position_at_end(loop)
            k, ia, ib = (builder.phi(word) for _ in range(3))
            sums = [[builder.phi(_VECTOR) for _ in range(Q)] for _ in range(P)]
            for phi, first in ((k, constant(0)), (ia, a_at), (ib, b_at)):
                phi.add_incoming(first, head)
            rights = [read(B, builder.add(ib, constant(LANES * q))) for q in range(Q)]
            results = []
            for p in range(P):
                left = (read if lanewise else spread)(A, builder.add(ia, steps[p]))
                results.append([builder.call(fma, (left, rights[q], sums[p][q])) for q in range(Q)])
            following = builder.add(k, constant(1))
            k.add_incoming(following, loop)
            ia.add_incoming(builder.add(ia, a_k), loop)
            ib.add_incoming(builder.add(ib, b_row), loop)
            for p in range(P):
                for q in range(Q):
                    sums[p][q].add_incoming(start[p][q], head)
                    sums[p][q].add_incoming(results[p][q], loop)
            builder.cbranch(builder.icmp_signed("<", following, K), loop, done)
            builder.position_at_end(done)
            ends = []
            for p in range(P):
                for q in range(Q):
                    value = builder.phi(_VECTOR)
                    value.add_incoming(start[p][q], head)
                    value.add_incoming(results[p][q], loop)
                    ends.append((value, places[p][q]))
            for value, place in ends:
                builder.store(value, at(C, place)).align = 4
            return context.get_dummy_value()

        index = types.intp
        return types.void(c, index, index, a, index, index, index, b, index, index, index, types.boolean), code

    return intrinsic(tile)


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


if config.DISABLE_JIT:
    def product(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate):
        product_plain(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate, False)

    def product_lanewise(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate):
        product_plain(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate, True)
else:
    # sixteen accumulators cover the latency of the multiply units and leave registers for the operands
    _8x2, _4x2, _2x2, _1x2 = (_tile(p, 2, False) for p in (8, 4, 2, 1))
    _16x1, _8x1, _4x1, _2x1, _1x1 = (_tile(p, 1, False) for p in (16, 8, 4, 2, 1))
    _L4x4, _L2x4, _L1x4 = (_tile(p, 4, True) for p in (4, 2, 1))
    _L4x1, _L2x1, _L1x1 = (_tile(p, 1, True) for p in (4, 2, 1))

    @njit("void(f4[::1], i8, i8, f4[::1], i8, i8, i8, f4[::1], i8, i8, i8, i8, i8, b1)", cache=True, error_model="numpy")
    def product(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate):
        q = 0
        while q < Q:
            wide = 2 if Q - q >= 2 else 1
            cq, bq = c_at + LANES * q, b_at + LANES * q
            p = 0
            while p < P:
                rest = P - p
                at, ap = cq + p * c_row, a_at + p * a_p
                if wide == 2:
                    if rest >= 8:
                        _8x2(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 8
                    elif rest >= 4:
                        _4x2(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 4
                    elif rest >= 2:
                        _2x2(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 2
                    else:
                        _1x2(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 1
                else:
                    if rest >= 16:
                        _16x1(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 16
                    elif rest >= 8:
                        _8x1(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 8
                    elif rest >= 4:
                        _4x1(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 4
                    elif rest >= 2:
                        _2x1(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 2
                    else:
                        _1x1(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 1
            q += wide

    @njit("void(f4[::1], i8, i8, f4[::1], i8, i8, i8, f4[::1], i8, i8, i8, i8, i8, b1)", cache=True, error_model="numpy")
    def product_lanewise(c, c_at, c_row, a, a_at, a_k, a_p, b, b_at, b_row, P, Q, K, accumulate):
        q = 0
        while q < Q:
            wide = 4 if Q - q >= 4 else 1
            cq, bq = c_at + LANES * q, b_at + LANES * q
            p = 0
            while p < P:
                rest = P - p
                at, ap = cq + p * c_row, a_at + p * a_p
                if wide == 4:
                    if rest >= 4:
                        _L4x4(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 4
                    elif rest >= 2:
                        _L2x4(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 2
                    else:
                        _L1x4(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 1
                else:
                    if rest >= 4:
                        _L4x1(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 4
                    elif rest >= 2:
                        _L2x1(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 2
                    else:
                        _L1x1(c, at, c_row, a, ap, a_k, a_p, b, bq, b_row, K, accumulate)
                        p += 1
            q += wide
