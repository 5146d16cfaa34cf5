"""
Sweep your own architecture
===========================

*What does width buy in my network?* A factory that takes a width multiplier, a function that returns data, and the sweep of the
laboratory: copies that together have as many features as the wide network, nulls, baselines, probes, resumed where it was
stopped.
"""

# %%
# The two functions stand in a file of their own, so that other processes can import them. ``my_network.py``:

from pathlib import Path

import my_network

print(Path(my_network.__file__).read_text())

# %%
# The sweep. From a terminal it is ``widthlab sweep --model my_network:make --data my_network:load --alphas 1 1/2 1/4``. What is
# finished lies in ``out`` and is not repeated.

import tempfile

from widthlab import sweep

folder = tempfile.mkdtemp()
found = sweep(my_network.make, my_network.load, alphas=["1", "1/2", "1/4"], seeds=2, epochs=4, sites="penultimate", out=folder,
              jobs=1)
found

# %%
# Span errors both ways, beside that of a second wide network:
found.plot()

# %%
# The table has a row for every comparison. At the smallest width:
found.to_frame().query("alpha == '1/4' and copies == all_copies")[["seed", "span_error", "baseline_span_error", "null_span_error",
                                                                  "probe_narrow", "probe_wide"]]

# %%
# ``widthlab report --runs DIR`` shows such sweeps beside those of the laboratory; more seeds and epochs make them worth showing.
assert len(found.rows) == 3 and not found.failed
