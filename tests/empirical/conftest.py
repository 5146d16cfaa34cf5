"""One thread: the networks of these tests are too small for more, which would wait for each other on a busy machine."""

import torch

torch.set_num_threads(1)
