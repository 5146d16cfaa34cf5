"""Real networks: VGG, ResNet, Transformer, MLP over a sweep of widths (PyTorch)."""
