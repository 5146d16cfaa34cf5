"""The studies of this room, by name; imported only when they are asked for."""

STUDIES: dict[str, str] = {
    "resnet18-digits": "empirical.studies.width:RESNET18_DIGITS",
    "resnet18-digits-loss": "empirical.studies.width:RESNET18_DIGITS_LOSS",
    "transformer-entailment": "empirical.studies.width:TRANSFORMER_ENTAILMENT",
    "resnet18-cifar10": "empirical.studies.width:RESNET18_CIFAR10",
    "vgg16-cifar10": "empirical.studies.width:VGG16_CIFAR10",
    "transformer-mnli": "empirical.studies.width:TRANSFORMER_MNLI",
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
