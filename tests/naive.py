"""The slow, obvious references that the fast kernels are compared with."""
