"""
Compare two trained networks
============================

*How much of a wide network's features do narrow networks span?* Any PyTorch modules and any loader will do.
"""

# %%
# Three networks on scikit-learn's digits: two wide ones that differ only in their start, and a narrow one.

import torch
from sklearn.datasets import load_digits
from torch import nn

digits = load_digits()
inputs = torch.tensor(digits.data / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)


def trained(width: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return model.eval()


models = {"wide": trained(128, seed=0), "another wide": trained(128, seed=1), "narrow": trained(8, seed=2)}

# %%
# One pass over a loader collects the features at named sites, here the second hidden layer of each network, which the module
# names ``3``. The modules are not changed.

from torch.utils.data import DataLoader, TensorDataset

from widthlab import compare, from_module

features = from_module(models, DataLoader(TensorDataset(inputs, labels), batch_size=256), sites=["3"])
features

# %%
# How much of the wide network's features does a linear map from the narrow ones leave unexplained? Regressions are fitted on some
# rows, the ridge is chosen on others, and scores come from a third set of rows. The second wide network is the baseline: two
# networks that differ only in their start.

comparison = compare(features["narrow/3"], features["wide/3"], baseline=features["another wide/3"], labels=features.labels)
comparison.table()

# %%
comparison.plot()

# %%
# Every number is an estimate with an interval:
print(comparison.span_error)
assert comparison.span_error.mean > comparison.baseline.mean  # a narrow network spans less than a second wide network does
