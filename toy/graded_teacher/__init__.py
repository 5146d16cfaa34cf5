"""Students of a graded teacher: exact second moments, population gradient flow, no sampling.

``kernels``  loss and gradient, eight students at a time
``model``    :func:`simulate`, :func:`moments`; ``predict`` is ``theory.span.predict``, same argument names
``compare``  concatenated narrow students against a wide one
``study``    the studies behind figures and claims
"""

from theory.span import predict
from toy.graded_teacher.compare import Comparison, compare, loss_levels, measure
from toy.graded_teacher.model import Students, Teacher, initial_state, loss_and_gradient, moments, simulate

__all__ = ["Comparison", "Students", "Teacher", "compare", "initial_state", "loss_and_gradient", "loss_levels",
           "measure", "moments", "predict", "simulate"]
