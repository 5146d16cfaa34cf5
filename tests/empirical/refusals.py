"""What a refusal looks like to the user."""

import pytest

from lab.errors import InputError


def refused(message, call, *args, error=InputError, **kwargs) -> str:
    """Call, expect one line of error that matches ``message``, and return it."""
    with pytest.raises(error, match=message) as caught:
        call(*args, **kwargs)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    return str(caught.value)
