"""The studies of this room, by name; imported only when they are asked for."""

STUDIES: dict[str, str] = {
    "relu_landscape": "toy.relu_landscape.study:STUDY",
    "relu_tickets": "toy.relu_landscape.study:STUDY_TICKETS",
    "multi_view": "toy.multi_view.study:STUDY",
    "first_reach": "toy.first_reach.study:STUDY",
}
