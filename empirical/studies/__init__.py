"""The studies of this room, by name; imported only when they are asked for."""

from lab.study import Study, load

STUDIES: dict[str, str] = {
    "resnet18-digits": "empirical.studies.width:RESNET18_DIGITS",
    "resnet18-digits-loss": "empirical.studies.width:RESNET18_DIGITS_LOSS",
    "resnet18-digits-loss-high": "empirical.studies.width:RESNET18_DIGITS_LOSS_HIGH",
    "resnet18-digits-loss-low": "empirical.studies.width:RESNET18_DIGITS_LOSS_LOW",
    "resnet18-digits-slices": "empirical.studies.width:RESNET18_DIGITS_SLICES",
    "resnet18-digits-parameters": "empirical.studies.width:RESNET18_DIGITS_PARAMETERS",
    "resnet18-digits-wider": "empirical.studies.width:RESNET18_DIGITS_WIDER",
    "transformer-entailment": "empirical.studies.width:TRANSFORMER_ENTAILMENT",
    "resnet18-cifar10": "empirical.studies.width:RESNET18_CIFAR10",
    "resnet18-cifar10-loss": "empirical.studies.width:RESNET18_CIFAR10_LOSS",
    "vgg16-cifar10": "empirical.studies.width:VGG16_CIFAR10",
    "vgg16-cifar10-loss": "empirical.studies.width:VGG16_CIFAR10_LOSS",
    "transformer-snli": "empirical.studies.width:TRANSFORMER_SNLI",
    "transformer-snli-loss": "empirical.studies.width:TRANSFORMER_SNLI_LOSS",
    "units-alexnet": "empirical.studies.units:STARTS",
    "units-resnet56": "empirical.studies.units:RESNET56",
    "units-inception": "empirical.studies.units:INCEPTION",
    "units-mlp": "empirical.studies.units:MLP",
    "units-resnet18-cifar10": "empirical.studies.units:RESNET18_CIFAR10",
    "units-vgg16-cifar10": "empirical.studies.units:VGG16_CIFAR10",
    "units-transformer-entailment": "empirical.studies.units:TRANSFORMER",
    "hull-digits": "empirical.studies.hull:HULL_DIGITS",
    "hull-images": "empirical.studies.hull:HULL_IMAGES",
    "hull-resnet18-cifar10": "empirical.studies.hull:HULL_RESNET18",
}


def named(own: Study) -> Study:
    """The declared study that has the name and the kind of run of a user's own, where there is one, else the user's."""
    declared = load(STUDIES[own.name]) if own.name in STUDIES else own
    return declared if declared.run == own.run else own
