"""ResNet-18 and VGG-16 on CIFAR-10."""

from empirical.settings import matched
from empirical.studies.width.study import ALPHAS, SAME_LOSS, files_study

# base widths for two cores; the published scale uses those of the papers
_CIFAR10 = {"base_width": 8, "train_size": 10_000}
_CIFAR10_LOSS = matched("cifar10")
RESNET18_CIFAR10 = files_study("resnet18-cifar10", "ResNet-18 on CIFAR-10", "resnet18", "cifar10", published={},
                               reduced={**_CIFAR10, "epochs": 16}, label="ResNet-18, CIFAR-10 (JPEG re-encoding)")
# only at alpha = 1/2, and at a loss that the wide network reaches after about ten epochs, so that both have learnt (at 1/8 a
# network has a single channel in its first layer, and ends above the loss that the wide one passes in its third epoch)
RESNET18_CIFAR10_LOSS = files_study(
    "resnet18-cifar10-loss", "ResNet-18 on CIFAR-10, matched in training loss where both have learnt", "resnet18",
    "cifar10", published=_CIFAR10_LOSS, reduced={**_CIFAR10_LOSS, **_CIFAR10, "epochs": 40, "target_loss": 1.1},
    label=SAME_LOSS, control_of="resnet18-cifar10", alphas=ALPHAS[:2])
VGG16_CIFAR10 = files_study("vgg16-cifar10", "VGG-16 on CIFAR-10", "vgg16", "cifar10", published={},
                            reduced={**_CIFAR10, "epochs": 14}, label="VGG-16, CIFAR-10 (JPEG re-encoding)")
