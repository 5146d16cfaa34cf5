"""Attributes of a real setting that may separate where a claim holds from where it does not (``Evidence.levels``)."""

from empirical.declared import architecture


def levels(arch: str, data: str) -> dict[str, str]:
    """Kind of network, of data, and whether layers are normalised over the batch.

    Parameters
    ----------
    arch : name on the command line; "" without a network.
    data : name of the data set, for a person.
    """
    if not arch:
        return {"data": _kind(data)}
    network = architecture(arch)
    if network.own:
        return {"architecture": "own", "data": data}
    if network.takes == "sentence pairs":
        return {"architecture": "transformer", "data": "text", "batch norm": "without"}
    return {"architecture": "mlp" if network.name == "mlp" else "convolutional", "data": _kind(data),
            "batch norm": "with" if network.batch_norm else "without"}


def _kind(data: str) -> str:
    return "digits" if data.startswith("digits") else "images"
