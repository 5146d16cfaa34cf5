"""What is known of a published checkpoint before it is read."""

from dataclasses import dataclass

RESNET, ENCODER = "resnet", "encoder"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A published checkpoint.

    Attributes
    ----------
    name : of its file or folder.
    kind : :data:`RESNET` or :data:`ENCODER`.
    family : what members that differ in width alone have in common.
    width : of a ResNet that of the first block's first convolution, of others that of the residual stream.
    """

    name: str
    kind: str
    family: str
    width: int
