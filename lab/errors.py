"""The errors a user is meant to see: one clear line that says what to do.

The library speaks of its arguments. An error may say which ones its message names: :mod:`lab.cli` then puts the flags in
their place, where the command has them. So the library knows of no flag, and a command translates nothing by hand.
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
        super().__init__(message, *arguments)  # all in args, so that they outlive pickling between processes

    def __str__(self) -> str:
        return str(self.args[0])

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that the message names."""
        return self.args[1:]


class ArgumentError(InputError):
    """An argument that is impossible whatever the data (out of range, of the wrong type, at odds with another). A command
    ends with exit code 2.

    Examples
    --------
    >>> raise ArgumentError("width must be at least 1, got 0", "width")
    Traceback (most recent call last):
    lab.errors.ArgumentError: width must be at least 1, got 0
    """


class UsageError(ArgumentError):
    """Flags that cannot be carried out together. Raised by commands alone, in terms of flags; exit code 2."""
