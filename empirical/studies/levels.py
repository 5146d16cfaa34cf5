"""Attributes that may separate real settings in which a claim holds from others (``Evidence.levels``)."""

from empirical.declared import architecture


def levels(arch: str, data: str) -> dict[str, str]:
    """Kind of network, kind of data, and whether layers are normalised over the batch.

    Parameters
    ----------
    arch : str
        Name of an architecture; empty without a network.
    data : str
        Name of the data set, as in tables.
    """
    if not arch:
        return {"data": _kind(data)}
    network = architecture(arch)
    if network.own:
        return {"architecture": "own", "data": data}
    if network.takes == "sentence pairs":
        return {"architecture": "transformer", "data": "text", "batch norm": "without"}
    return {"architecture": "mlp" if network.name.startswith("mlp") else "convolutional", "data": _kind(data),
            "batch norm": "with" if network.batch_norm else "without"}


def _kind(data: str) -> str:
    return "digits" if data.startswith("digits") else "images"
