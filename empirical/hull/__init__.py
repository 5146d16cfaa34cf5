"""The hull of the training set on real data: spaces, distances with controls, directions.

Question (S3: Yousefzadeh, arXiv 2101.09849, 2203.10366, 2203.10447): do test points lie outside the convex hull of the
training set, in pixels, wavelet coefficients and learned features, and is that more than an effect of dimension?
Distances and certificates come from :mod:`theory.hull`.
"""

from lab.discover import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {
    ".ambiguity": ["ambiguity", "explained"],
    ".directions": ["PixelNetwork", "adversarial_steps", "directions"],
    ".measure": ["gaussian_like", "measure", "nearest"],
    ".spaces": ["Space", "components", "features", "pixels", "wavelets"],
})
