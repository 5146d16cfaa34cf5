"""
Compare two trained networks
============================

*How much of a wide network's features do narrow networks hold?* Any PyTorch modules will do, and any loader.
"""

# %%
# Three networks on scikit-learn's digits: two wide ones that differ in their start alone, and a narrow one.

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
# One pass over a loader leaves the features at named sites: here the second hidden layer of each network, ``3`` by its name in
# the module. Modules are left as they were.

from torch.utils.data import DataLoader, TensorDataset

from widthlab import compare, from_module

features = from_module(models, DataLoader(TensorDataset(inputs, labels), batch_size=256), sites=["3"])
features

# %%
# How much of the wide network's features does a linear map from the narrow ones leave unexplained? Regressions are fitted on some
# rows, their ridge is chosen on others, and what is reported is scored on yet others. The second wide network says what two
# networks that differ in their start alone would give.

found = compare(features["narrow/3"], features["wide/3"], baseline=features["another wide/3"], labels=features.labels)
found.table()

# %%
found.plot()

# %%
# Every number is an estimate with its interval:
print(found.span_error)
assert found.span_error.mean > found.baseline.mean  # a narrow network holds less of the wide one than another wide one does
