"""The studies of this room, by name; imported only when they are asked for."""

STUDIES: dict[str, str] = {
    "resnet18-digits": "empirical.studies.width:RESNET18_DIGITS",
}
