"""Teacher and student: online SGD of two-layer networks, in full and exactly in law in the span (see ``model``)."""
