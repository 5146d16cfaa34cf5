"""The studies of this room, by name; imported only when they are asked for."""

STUDIES: dict[str, str] = {
    "graded_width": "toy.graded_teacher.study:WIDTH",
    "graded_copies": "toy.graded_teacher.study:COPIES",
    "graded_ridge": "toy.graded_teacher.study:RIDGE",
    "graded_units": "toy.graded_teacher.study:UNITS",
    "graded_curves": "toy.graded_teacher.study_curves:CURVES",
    "graded_loss": "toy.graded_teacher.study_loss:LOSS",
    "graded_phase": "toy.graded_teacher.study_phase:PHASE",
    "first_reach": "toy.first_reach.study:STUDY",
    "multi_view": "toy.multi_view.study:STUDY",
    "relu_landscape": "toy.relu_landscape.study:STUDY",
    "relu_tickets": "toy.relu_landscape.study:STUDY_TICKETS",
    "bumps": "toy.bumps.study:STUDY",
    "memorise": "toy.memorise.study:STUDY",
    "double_descent": "toy.double_descent.study:STUDY",
    "sgd_final_error": "toy.teacher_student.study:FINAL",
    "sgd_trajectory": "toy.teacher_student.study:TRAJECTORY",
    "sgd_units": "toy.teacher_student.study:UNITS",
    "units": "toy.units.study:STUDY",
    "polynomial": "toy.polynomial.study:STUDY",
}
