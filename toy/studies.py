"""The studies of this room, by name; imported only when they are asked for."""

STUDIES: dict[str, str] = {
    "first_reach": "toy.first_reach.study:STUDY",
}
