"""
Sweep your own architecture
===========================

*What does width buy in my network?* You provide a function that takes a width multiplier and returns a network, and a function
that returns data. The laboratory's sweep trains copies that together have as many features as the wide network, computes
baselines, nulls and probes, and resumes after an interruption.
"""

# %%
# The two functions are in their own file, ``my_network.py``, so that other processes can import them:

from pathlib import Path

import my_network

print(Path(my_network.__file__).read_text())

# %%
# The sweep; on the terminal, ``widthlab sweep --model my_network:make --data my_network:load --alphas 1 1/2 1/4``. Finished runs
# are stored in ``out`` and are not repeated.

import tempfile

from widthlab import sweep

folder = tempfile.mkdtemp()
result = sweep(my_network.make, my_network.load, alphas=["1", "1/2", "1/4"], seeds=2, epochs=4, sites="penultimate", out=folder,
               jobs=1)
result

# %%
# Span errors in both directions, with that of a second wide network as the baseline:
result.plot()

# %%
# The table has one row per comparison. At the smallest width:
columns = ["seed", "span_error", "baseline_span_error", "null_span_error", "probe_narrow", "probe_wide"]
result.to_frame().query("alpha == '1/4' and copies == all_copies")[columns]

# %%
# ``widthlab report --runs DIR`` shows such sweeps next to those of the laboratory; a real one should have more seeds and epochs.
assert len(result.rows) == 3 and not result.failed
