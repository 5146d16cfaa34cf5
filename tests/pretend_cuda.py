"""A CUDA device that is not there, for tests on machines without a GPU.

Inside :func:`pretend_cuda` tensors can be put on "cuda": they say so, hold their numbers in the CPU's memory, and refuse what
a real device refuses: being mixed with tensors on the CPU, NumPy, a generator of the CPU. Their values are real, so whole
studies run. Copies between the two sides, and what makes the host wait for the device, are counted; in
``torch.cuda.set_sync_debug_mode("error")`` a wait raises, as on a real device. Streams do nothing.

It shows nothing of kernels, memory, speed or streams. Worker processes do not inherit it: work in this process. It leans on
private behaviour of torch, so its own test (``tests/empirical/test_pretend_cuda.py``) plants the faults that it is to find.
"""

import contextlib
from dataclasses import dataclass
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

aten = torch.ops.aten
CUDA = torch.device("cuda", 0)
_CROSSING = {aten.copy_.default, aten._to_copy.default}  # between devices on purpose
# indices may lie on the CPU, values may not
_INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
_WAITING = {aten._local_scalar_dense.default, aten.nonzero.default, aten.masked_select.default}


@dataclass
class Counts:
    """What has happened between host and device."""

    to_host: int = 0
    to_device: int = 0
    waits: int = 0
    strict: bool = False

    def wait(self) -> None:
        """The host waits for the device."""
        self.waits += 1
        if self.strict:
            raise RuntimeError("called a synchronizing CUDA operation")


_counts = Counts()


class Pretend(torch.Tensor):
    """A tensor "on the device" around one on the CPU."""

    @staticmethod
    def __new__(cls, elem):
        self = torch.Tensor._make_wrapper_subclass(
            cls, elem.size(), strides=elem.stride(), storage_offset=elem.storage_offset(), dtype=elem.dtype,
            layout=elem.layout, device=elem.device, requires_grad=False)
        self.elem = elem
        return self

    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)
    __torch_function__ = torch._C._disabled_torch_function_impl

    def get_device(self):
        return 0

    def __repr__(self):
        return f"Pretend({self.elem!r})"

    def numpy(self, *args, **kwargs):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory "
                        "first.")

    def __array__(self, *args, **kwargs):
        return self.numpy()

    def tolist(self):
        _counts.wait()
        return self.elem.tolist()

    def untyped_storage(self):
        return self.elem.untyped_storage()

    def data_ptr(self):
        return self.elem.data_ptr()

    def __reduce_ex__(self, protocol):
        return self.elem.detach().__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        with torch.inference_mode(False), torch.no_grad():  # wrappers and what they wrap are ordinary tensors always
            return cls._run(func, args, dict(kwargs or {}))

    @classmethod
    def _run(cls, func, args, kwargs):
        if func in _WAITING:
            _counts.wait()
        flat = args[2:3] if func in _INDEXING and isinstance(args[0], Pretend) else tree_flatten((args, kwargs))[0]
        if func not in _CROSSING and any(isinstance(t, torch.Tensor) and not isinstance(t, Pretend) and t.dim() for t in flat):
            raise RuntimeError("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! "
                               f"({func})")
        inner_args, inner_kwargs = tree_map(lambda t: t.elem if isinstance(t, Pretend) else t, (args, kwargs))
        out = func(*inner_args, **inner_kwargs)
        if func is aten.copy_.default and not isinstance(args[0], Pretend):  # from the device, in place
            _counts.to_host += 1
            _counts.wait()
            return out
        return return_and_correct_aliasing(func, args, kwargs, tree_map(_wrap, out))


def _wrap(value):
    return Pretend(value) if isinstance(value, torch.Tensor) and not isinstance(value, Pretend) else value


class _Move(torch.autograd.Function):
    """Between host and device, with gradients, as ``.to()`` has them."""

    @staticmethod
    def forward(ctx, x, there):
        ctx.there = there
        return Pretend(x.clone()) if there else x.elem.clone()

    @staticmethod
    def backward(ctx, gradient):
        return (gradient.elem.clone() if ctx.there else Pretend(gradient.clone())), None


def _is_cuda(device) -> bool:
    return isinstance(device, str | torch.device) and torch.device(device).type == "cuda"


def _move(x, there: bool):
    if isinstance(x, Pretend) == there:
        return x
    if there:
        _counts.to_device += 1
    else:
        _counts.to_host += 1
        _counts.wait()
    if torch.is_inference_mode_enabled():
        with torch.inference_mode(False), torch.no_grad():
            return Pretend(x.clone()) if there else x.elem.clone()
    return _Move.apply(x, there)


def _target(name: str, arguments: list, kwargs: dict):
    """The device that ``to``, ``cpu``, ``cuda`` or ``type_as`` is asked for, or None, and the arguments that are left."""
    if name == "cpu":
        return torch.device("cpu"), arguments
    if name == "cuda":
        return CUDA, arguments[1:]
    if arguments and isinstance(arguments[0], torch.Tensor):
        return arguments[0].device, [arguments[0].dtype, *arguments[1:]]
    if arguments and isinstance(arguments[0], str | torch.device | int) and not isinstance(arguments[0], bool):
        return arguments[0], arguments[1:]
    return kwargs.pop("device", None), arguments


class PretendMode(TorchFunctionMode):
    """Moves tensors between the two sides, and makes new ones on the device that is named."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name in ("to", "cpu", "cuda", "type_as") and args and isinstance(args[0], torch.Tensor):
            return self._to(func, name, args[0], list(args[1:]), kwargs)
        if _is_cuda(kwargs.get("device")):
            return self._made(func, args, kwargs)
        if name == "new_tensor" and isinstance(args[0], Pretend):
            with torch.inference_mode(False), torch.no_grad():
                return Pretend(func(args[0].elem, *args[1:], **kwargs))
        if name.endswith("_like") and args and isinstance(args[0], Pretend) and kwargs.get("device") is not None:
            return func(args[0].elem, *args[1:], **kwargs)
        return func(*args, **kwargs)

    @staticmethod
    def _to(func, name, x, arguments, kwargs):
        target, rest = _target(name, arguments, kwargs)
        if target is not None:
            x = _move(x, _is_cuda(target))
            if name != "to":
                return x
        rest = [r for r in rest if r is not None and not isinstance(r, bool)]  # a dtype stays, non_blocking and copy go
        kwargs.pop("non_blocking", None)
        return func(x, *rest, **kwargs) if rest or kwargs else x

    @staticmethod
    def _made(func, args, kwargs):
        generator = kwargs.get("generator")
        if generator is not None and generator.device.type != "cuda":
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
        kwargs["device"] = torch.device("cpu")
        kwargs.pop("pin_memory", None)
        gradient = kwargs.pop("requires_grad", False)
        with torch.inference_mode(False), torch.no_grad():
            out = Pretend(func(*(a.elem if isinstance(a, Pretend) else a for a in args), **kwargs))
        return out.requires_grad_() if gradient else out


class _Stream:
    """A stream that keeps nothing waiting."""

    def __init__(self, device=None, **_):
        self.device = device

    def wait_stream(self, other) -> None:
        """Nothing is ever late."""


@contextlib.contextmanager
def pretend_cuda():
    """A machine with a CUDA device; yields the :class:`Counts`."""
    real_load, real_autocast = torch.load, torch.autocast

    def load(*args, map_location=None, **kwargs):
        found = real_load(*args, map_location="cpu", **kwargs)
        return tree_map(_wrap, found) if _is_cuda(map_location) else found

    class Autocast(real_autocast):
        def __init__(self, device_type, *args, **kwargs):
            super().__init__("cpu" if device_type == "cuda" else device_type, *args, **kwargs)

    def sync_debug_mode(mode):
        _counts.strict = mode == "error"

    fakes = {"torch.cuda.is_available": lambda: True, "torch.cuda.device_count": lambda: 1,
             "torch.cuda.current_device": lambda: 0, "torch.cuda.get_device_name": lambda device=None: "Pretend",
             "torch.cuda.get_rng_state": lambda device=None: torch.get_rng_state(),
             "torch.cuda.set_rng_state": lambda state, device=None: None,
             "torch.cuda.synchronize": lambda device=None: None, "torch.cuda.set_sync_debug_mode": sync_debug_mode,
             "torch.cuda.Stream": _Stream, "torch.cuda.current_stream": _Stream,
             "torch.cuda.stream": lambda stream: contextlib.nullcontext(), "torch.load": load, "torch.autocast": Autocast}
    with contextlib.ExitStack() as stack:
        for where, what in fakes.items():
            stack.enter_context(mock.patch(where, what))
        stack.callback(torch.__future__.set_overwrite_module_params_on_conversion,
                       torch.__future__.get_overwrite_module_params_on_conversion())
        torch.__future__.set_overwrite_module_params_on_conversion(True)  # module.to() must swap its parameters, not fill them
        stack.enter_context(PretendMode())
        _counts.__init__()
        yield _counts
