"""The studies of this room, by name; imported only when they are asked for."""

STUDIES: dict[str, str] = {
    "resnet18-digits": "empirical.studies.width:RESNET18_DIGITS",
    "resnet18-cifar10": "empirical.studies.width:RESNET18_CIFAR10",
    "units-alexnet": "empirical.studies.units:STARTS",
    "units-mlp": "empirical.studies.units:MLP",
    "hull-digits": "empirical.studies.hull:HULL_DIGITS",
    "hull-images": "empirical.studies.hull:HULL_IMAGES",
}
