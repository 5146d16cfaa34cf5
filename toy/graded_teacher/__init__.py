"""Students of a graded teacher: exact second moments, population gradient flow, no sampling.

``kernels``  loss and gradient, eight students at a time
``teacher``  the teacher; exact loss, gradient and :func:`moments` of any students of it
``model``    :func:`simulate`; ``predict`` is ``theory.span.predict``, same argument names
``compare``  concatenated narrow students against a wide one
``study``    the studies behind figures and claims
"""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("students of a teacher whose units have graded strengths: narrow ones concatenated against a wide one",
              simulation_only=("times", "target_loss"), theory_only=("ridge",))

__getattr__, __dir__, __all__ = lazy(__name__, {
    "theory.span": ["predict"],
    ".compare": ["Comparison", "compare", "loss_levels", "measure"],
    ".model": ["Students", "initial_state", "simulate"],
    ".teacher": ["Teacher", "loss_and_gradient", "moments"],
})
