"""Machine code of compiled functions: made where it is wanted, and for whole kernels at once.

Numba optimises a function and makes machine code of it, links the result into each function that calls it, optimises that
and makes machine code of it, and so on: what stands at the bottom of five calls is optimised six times. Here machine code is
made only of functions that Python calls, which saves a sixth of the time. And a kernel that is compiled ``whole`` contains the
functions that it calls as they were written, and is optimised once, together with them: that is what LLVM's passes are made
for, and it takes half the time. Either may give the faster code, so a kernel says what it wants.

In a whole kernel the functions that it calls have names of their own. Otherwise, where two kernels contain a function, the
machine code of the first would serve both, and the last bits of sums whose order is left to the compiler would depend on which
kernel came first, and on whether it was compiled or read from the disk.

A kernel that is compiled ``apart`` is not linked into those that call it: they know its address (:func:`publish`).
"""

import copy
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import llvmlite.binding as llvm
from numba.core.base import user_function
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.compiler import Compiler
from numba.core.registry import cpu_target

__all__: list[str] = []  # used by `lab.compiled` alone


class _Library(JITCodeLibrary):
    """The code of one function, and what it is to be linked with."""

    whole = False
    _emitted = False
    _written: Any = None  # its own code, without what it calls
    _codegen: Any

    def finalize(self) -> None:
        """No more is added; nothing is made of it yet."""
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        for library in self._linking_libraries:
            self._reload_init.update(library._reload_init)
            self._dynamic_globals += library._dynamic_globals
        self._written = self._final_module
        self._finalized = True

    def _finalize_final_module(self) -> None:
        self._emitted = True  # called for code that was read from the disk
        super()._finalize_final_module()

    def _linked(self, whole: bool):
        """A module with its own code and that of the functions it calls: as they were written, or optimised."""
        module = self._written.clone()
        for library in dict.fromkeys(self._linking_libraries):
            module.link_in(library.shared(whole) if isinstance(library, _Library) else library._get_module_for_linking(),
                           preserve=True)
        return module

    def shared(self, whole: bool):
        """The module that is linked into callers; of code read from the disk, the one that was kept."""
        if self._written is None:
            return self._shared_module
        if whole:
            return _for_linking(self._linked(True))
        if self._shared_module is None:
            emitted, self._final_module = self._final_module, self._linked(False)
            self._optimize_final_module()
            self._final_module, self._shared_module = emitted, _for_linking(self._final_module)
        return self._shared_module

    def _get_module_for_linking(self):
        self._ensure_finalized()
        return self.shared(self.whole)

    def _emit(self) -> None:
        """Optimise, and make machine code."""
        self._ensure_finalized()
        if self._emitted:
            return
        if self.whole:
            self._final_module = self._linked(True)
            self._name_apart()
            self._optimize_final_module()
        else:
            self._final_module = self._linked(False)
            self._optimize_final_module()
            if self._shared_module is None:
                self._shared_module = _for_linking(self._final_module.clone())
        self._final_module.verify()
        self._finalize_final_module()
        self._codegen.keep_promises()

    def _name_apart(self) -> None:
        own = next(function.name for function in self._written.functions if not function.is_declaration)
        for function in self._final_module.functions:
            if function.linkage == llvm.Linkage.linkonce_odr and not function.name.startswith("NRT_"):  # which passes look for
                function.name = f"{function.name}.{own}"

    def get_pointer_to_function(self, name: str) -> int:
        """Address of a function, 0 if there is none of this name."""
        self._ensure_finalized()
        if not self._emitted:
            try:
                if self._written.get_function(name).is_declaration:
                    return 0
            except NameError:
                return 0
            self._emit()
        return super().get_pointer_to_function(name)

    def serialize_using_object_code(self):
        """What is kept on the disk."""
        self._emit()
        return super().serialize_using_object_code()

    def get_llvm_str(self) -> str:
        """The code as LLVM's text."""
        self._emit()
        return super().get_llvm_str()

    def get_asm_str(self) -> str:
        """The machine code as text."""
        self._emit()
        return super().get_asm_str()


def _for_linking(module):
    """A module of which several others may hold a copy."""
    for function in module.functions:
        if not function.is_declaration and function.linkage == llvm.Linkage.external:
            function.linkage = "linkonce_odr"
    return module


class _Codegen(JITCPUCodegen):
    """The maker of libraries. A function's environment is set once there is machine code that refers to it."""

    _library_class = _Library
    _promised: dict

    def set_env(self, env_name, env) -> None:
        if self._engine.is_symbol_defined(env_name) and self._engine.get_global_value_address(env_name):
            super().set_env(env_name, env)
        else:
            self._promised[env_name] = env

    def keep_promises(self) -> None:
        """Set the environments that new machine code refers to."""
        for name in [name for name in self._promised if self._engine.is_symbol_defined(name)]:
            self.set_env(name, self._promised.pop(name))


class Whole(Compiler):
    """The compiler of a kernel that is optimised together with all it calls."""

    def __init__(self, typingctx, targetctx, library, *rest):
        if library is None:
            library = targetctx.codegen().create_library("kernel")
            library.enable_object_caching()
            library.whole = True
        super().__init__(typingctx, targetctx, library, *rest)


@dataclass(frozen=True)
class _Needed:
    """A kernel, by its name, that has to be there before one that calls it is read from the disk."""

    module: str
    name: str
    types: tuple

    def __call__(self) -> None:
        getattr(import_module(self.module), self.name).provide(self.types)


def publish(kernel: Any, compiled: Any, version: str) -> None:
    """Let other kernels call this one by its address, under a name that is the same in every process."""
    function, context, types = kernel.py_func, kernel.targetctx, tuple(compiled.signature.args)
    description = copy.copy(compiled.fndesc)
    description.mangled_name = f"{function.__module__}.{function.__qualname__}{types}.{version}"
    llvm.add_symbol(description.mangled_name, compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))
    call, needed = user_function(description, ()), _Needed(function.__module__, function.__qualname__, types)

    def call_by_address(context, builder, signature, arguments):
        context.active_code_library._reload_init.add(needed)
        return call(context, builder, signature, arguments)

    call_by_address.signature, call_by_address.libs = call.signature, ()  # type: ignore[attr-defined]  # as Numba's have
    context.remove_user_function(compiled.entry_point)
    context._defns[compiled.entry_point].append(call_by_address, call.signature)


def install() -> None:
    """Have functions compiled in this way from now on."""
    codegen = cpu_target.target_context.codegen()
    if not isinstance(codegen, _Codegen):
        codegen.__class__, codegen._promised = _Codegen, {}
