"""A queue of numbered tasks that kernels on several threads share (:mod:`lab.team`).

``queue`` is a (1,) int64 array, at first zero; each call of ``take`` gives one thread the next number, and no number twice. So a
kernel that works on eight replicas at a time refills its lanes from all that is left, not from a share of its own, and threads
finish within one replica of each other. What is computed for a task must not depend on the thread or lane that took it.
"""

import threading

from llvmlite import ir
from numba import config, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

_settings = config  # a module whose values are set at run time

if not _settings.DISABLE_JIT:

    @intrinsic
    def take(typing, queue):
        """The number of the next task, which may be beyond the last one."""
        if not (isinstance(queue, types.Array) and queue.dtype == types.int64 and queue.ndim == 1):
            raise TypingError("a queue is a (1,) int64 array")

        def code(context, builder, sig, values):
            data = context.make_array(sig.args[0])(context, builder, values[0]).data
            return builder.atomic_rmw("add", data, ir.Constant(ir.IntType(64), 1), "monotonic")

        return types.int64(queue), code
else:
    _LOCK = threading.Lock()

    def take(queue):
        """The number of the next task, which may be beyond the last one."""
        with _LOCK:
            number = int(queue[0])
            queue[0] += 1
        return number
