"""The studies of this room, by name; imported only when they are asked for."""

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
    "units-mlp": "empirical.studies.units:MLP",
    "hull-digits": "empirical.studies.hull:HULL_DIGITS",
    "hull-images": "empirical.studies.hull:HULL_IMAGES",
}
