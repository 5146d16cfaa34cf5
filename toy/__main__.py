"""``python -m toy``: one command a toy model."""

import sys

from lab.cli import main

COMMANDS = {
    "bumps": "toy.bumps.command|a target bump on the line: slide to it, or cover the line",
    "double-descent": "toy.double_descent.command|risk against the number of features, beside theory",
    "teacher-student": "toy.teacher_student.command|online SGD of two-layer students, beside the order-parameter equations",
    "polynomial": "toy.polynomial.command|a boundary in the plane, inside and outside the hull of the data",
    "memorise": "toy.memorise.command|structured labels, random labels, or noise: decision regions along training",
    "units": "toy.units.command|removable and repeated hidden units against width",
    "multi-view": "toy.multi_view.command|one class with two views: does a network learn both?",
    "first-reach": "toy.first_reach.command|a feature is learnt only if some neuron starts within its reach",
    "relu-landscape": "toy.relu_landscape.command|which minima does training find in the ReLU teacher-student landscape?",
    "graded-teacher": "toy.graded_teacher.command|students of a teacher whose units have graded strengths",
}

if __name__ == "__main__":
    sys.exit(main("toy", COMMANDS))
