"""Study: the span gap at matched loss, against how far above the narrow students' floor that loss lies.

Narrow students with fewer units than the teacher (K < M) converge to a positive loss, their floor. If narrow and wide students
stop at a loss well above the floor, both have learnt the same strong units; at the floor, the wide student that has just reached
the same loss has learnt others. Whether matching the training loss removes the gap therefore depends on which loss is matched,
and this can be tested on real networks.
"""

import pandas as pd

from lab.study import Study
from toy.graded_teacher.study import Cell, tabulate_comparison

ABOVE = (1.0, 1.02, 1.1, 1.3, 1.6, 2.0, 3.0)


def configs(scale: str) -> list[Cell]:
    """Sixteen neurons as copies of width 1 and 2 (1 and 4 for the teacher of eight units), at multiples of their floor."""
    replicas = {"quick": 3, "run": 8, "full": 16}[scale]
    ridges = (1e-6, 1e-4, 1e-2)  # early-stopped copies differ by residual training error, which a small ridge reads as signal
    return [Cell(teacher, K, 16 // K, 16, "matched loss", ridges, replicas=replicas, above_floor=above)
            for teacher, widths in (("graded", (1, 2)), ("square root", (1, 4)))
            for K in (widths[:1] if scale == "quick" else widths) for above in (ABOVE[::3] if scale == "quick" else ABOVE)]


def tabulate(finished) -> pd.DataFrame:
    """The columns of ``study.tabulate_comparison``, and ``above_floor``: the loss as a multiple of the narrow students' floor."""
    return pd.concat([tabulate_comparison([(c, result)]).assign(above_floor=c.above_floor) for c, result in finished],
                     ignore_index=True)


LOSS = Study("graded-loss", "graded teacher: the gap at matched loss against the narrow floor",
             "toy.graded_teacher.study:run_comparison", configs, tabulate, processes=True)
