"""Errors for the user: one clear line that says what to do.

The library's messages name its arguments. An error lists the arguments that its message names, and :mod:`lab.cli` replaces them
by the command's flags. So the library does not know about flags, and commands translate nothing by hand.
"""


class InputError(ValueError):
    """Data that cannot be used (wrong shape, NaN, damaged file). A command ends with exit code 1.

    Parameters
    ----------
    message : str
        One line.
    *arguments : str
        Names of the arguments that the message mentions, as the message spells them.

    Examples
    --------
    >>> error = InputError("3 images do not fit into memory: lower image_size", "image_size")
    >>> print(error)
    3 images do not fit into memory: lower image_size
    >>> error.arguments
    ('image_size',)
    """

    def __init__(self, message: str = "", *arguments: str):
        super().__init__(message, *arguments)  # all in args, so that they survive pickling between processes

    def __str__(self) -> str:
        return str(self.args[0])

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that the message names."""
        return self.args[1:]


class ArgumentError(InputError):
    """An argument that is invalid for any data (out of range, of the wrong type, in conflict with another). A command ends with
    exit code 2.

    Examples
    --------
    >>> raise ArgumentError("width must be at least 1, got 0", "width")
    Traceback (most recent call last):
    lab.errors.ArgumentError: width must be at least 1, got 0
    """


class UsageError(ArgumentError):
    """Flags that cannot be combined. Only commands raise it, with flags in the message; exit code 2."""
