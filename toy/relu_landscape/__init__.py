"""The ReLU teacher–student landscape of Safran & Shamir (2018, arXiv 1712.08968): which minima does training find?

Student Σ_{i≤n} relu(w_i·x), teacher Σ_{m≤k} relu(e_m·x), e_m orthonormal, x ~ N(0, I_d), starts W_im ~ N(0, 1/d). Loss,
gradient, Hessian and escape index are closed forms (:mod:`theory.landscape`); nothing here samples inputs.

:mod:`~toy.relu_landscape.model` ``simulate`` and ``predict``; :mod:`~toy.relu_landscape.minima` loss levels, types,
spectra, escape; :mod:`~toy.relu_landscape.tickets` tickets rewound and perturbed; :mod:`~theory.landscape.axes` and
:mod:`~toy.relu_landscape.descent` the compiled part.
"""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("which minima does training find in the ReLU teacher-student landscape (Safran & Shamir)?",
              simulation_only=("learning_rate", "tolerance", "target_loss", "accelerate"), theory_only=("spurious_at_teacher",))
METHODS = ("gradient-descent", "flow", "minimise")  # how a minimum is sought

__getattr__, __dir__, __all__ = lazy(__name__, {
    ".model": ["Landscape", "Prediction", "initial_weights", "predict", "simulate"],
    ".minima": ["Level", "describe", "escape_indices", "levels"],
    ".tickets": ["Perturbation", "perturb"],
})
