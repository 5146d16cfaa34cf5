"""The errors a user is meant to see: one clear line that says what to do."""


class InputError(ValueError):
    """Data or parameters that cannot be used (wrong shape, NaN, damaged file). A command ends with exit code 1."""


class UsageError(InputError):
    """A flag or an argument that cannot be carried out, whatever the data (out of range, of the wrong type). A command ends with
    exit code 2."""
