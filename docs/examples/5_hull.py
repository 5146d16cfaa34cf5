"""
Project onto a hull
===================

*Do test points lie outside the convex hull of the training points, and does that make them special?* Distances come with a
certificate: a point of the hull at that distance, and a hyperplane which shows that no point is closer.
"""

# %%
# Half of scikit-learn's digits are the training points, a sample of the others the test points.

import numpy as np
from sklearn.datasets import load_digits

from widthlab import project, share_interval

pixels = load_digits().data / 16
order = np.random.default_rng(0).permutation(len(pixels))
training, test = pixels[order[:900]], pixels[order[900:960]]
projection = project(training, test, tol=1e-4)
projection

# %%
# Nearly all are outside, and the bounds on the distances agree:
print(f"outside: {projection.outside.mean():.2f}; widest gap between the bounds: "
      f"{np.max(projection.upper - projection.lower):.1e}")
projection.to_frame().describe().loc[["mean", "min", "max"], ["lower", "upper", "support"]]

# %%
# But so are training points that are left out of the hull: being outside is an effect of dimension.

from theory.hull import leave_one_out

left_out = leave_one_out(training, rows=np.arange(60), tol=1e-4)
print(f"training points, left out: {left_out.outside.mean():.2f} outside")

# %%
# In the first few principal components, where points are dense, most lie inside.

from matplotlib import pyplot as plt

_, _, directions = np.linalg.svd(training - training.mean(axis=0), full_matrices=False)
dimensions = (2, 4, 8, 16, 32)
shares = []
for dimension in dimensions:
    reduced = project(training @ directions[:dimension].T, test @ directions[:dimension].T, tol=1e-3)
    shares.append(share_interval(int(reduced.outside.sum()), len(test)))

mean, low, high = (np.array([getattr(share, end) for share in shares]) for end in ("mean", "low", "high"))
plt.figure(figsize=(4.2, 2.9))
plt.errorbar(dimensions, mean, [mean - low, high - mean], fmt="o")
plt.xscale("log", base=2)
plt.xlabel("principal components")
plt.ylabel("test points outside the hull")
assert np.all(np.diff(mean) >= 0) and mean[0] < 0.5 < mean[-1]
