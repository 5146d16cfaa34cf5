"""Description of a published checkpoint, known before its weights are read."""

from dataclasses import dataclass

RESNET, ENCODER = "resnet", "encoder"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A published checkpoint.

    Attributes
    ----------
    name : str
        Name of its file or folder.
    kind : str
        :data:`RESNET` or :data:`ENCODER`.
    family : str
        Common name of members that differ in width only.
    width : int
        Width of the first block's first convolution in a ResNet, of the residual stream in other networks.
    """

    name: str
    kind: str
    family: str
    width: int
