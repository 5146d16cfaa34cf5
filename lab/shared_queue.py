"""A queue of numbered tasks that kernels on several threads share (:mod:`lab.team`).

``queue`` is a (1,) int64 array, at first zero; each call of ``take`` gives one thread the next number, and no number twice. So a
kernel that works on eight replicas at a time refills its lanes from all that is left, not from a share of its own, and threads
finish within one replica of each other. What is computed for a task must not depend on the thread or lane that took it.
"""

import threading
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

_settings: Any = config  # a module whose values are set at run time
_LOCK = threading.Lock()


def _take(typing, queue):
    """The number of the next task, which may be beyond the last one."""
    if not (isinstance(queue, types.Array) and queue.dtype == types.int64 and queue.ndim == 1):
        raise TypingError("a queue is a (1,) int64 array")

    def code(context, builder, sig, values):
        data = context.make_array(sig.args[0])(context, builder, values[0]).data
        return builder.atomic_rmw("add", data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(queue), code


def _take_plain(queue):
    with _LOCK:
        number = int(queue[0])
        queue[0] += 1
    return number


take: Any = _take_plain if _settings.DISABLE_JIT else intrinsic(_take)
