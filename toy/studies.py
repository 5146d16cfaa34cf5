"""The studies of this room, by name; imported only when they are asked for."""

STUDIES: dict[str, str] = {
    "sgd_final_error": "toy.teacher_student.study:FINAL",
    "sgd_trajectory": "toy.teacher_student.study:TRAJECTORY",
    "sgd_units": "toy.teacher_student.study:UNITS",
    "polynomial": "toy.polynomial.study:STUDY",
    "memorise": "toy.memorise.study:STUDY",
    "multi_view": "toy.multi_view.study:STUDY",
    "first_reach": "toy.first_reach.study:STUDY",
}
