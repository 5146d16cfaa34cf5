"""Tests; the processes they start do not announce that kernels are being compiled, as what they write is compared."""

import os

os.environ.setdefault("WIDTHLAB_SILENT_COMPILER", "1")
