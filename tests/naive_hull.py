"""Slow, independent ways to the distance from a point to a hull."""

import numpy as np


def nnls_distance(points, query):
    """Non-negative least squares over all points: (P^T; gamma 1^T) u = (0; gamma) projects exactly for any gamma."""
    from scipy.optimize import nnls

    P = np.asarray(points, dtype=np.float64) - np.asarray(query, dtype=np.float64)
    gamma = np.sqrt((P**2).sum(axis=1).mean()) or 1.0
    target = np.zeros(P.shape[1] + 1)
    target[-1] = gamma
    weights, _ = nnls(np.vstack([P.T, np.full(len(P), gamma)]), target, maxiter=100 * len(P) + 100)
    return np.linalg.norm(weights @ P) / weights.sum()


def one_class_distance(points, query):
    """The one-class support vector machine with a linear kernel and nu = 1/n has the same dual."""
    from sklearn.svm import OneClassSVM

    P = np.asarray(points, dtype=np.float64) - query
    machine = OneClassSVM(kernel="linear", nu=1 / len(P), tol=1e-12).fit(P)
    weights = machine.dual_coef_[0] / machine.dual_coef_.sum()
    return np.linalg.norm(weights @ machine.support_vectors_)


def clarabel_distance(points, query):
    """The quadratic program by an interior point method."""
    import clarabel
    from scipy import sparse

    P = np.asarray(points, dtype=np.float64) - query
    n, d = P.shape
    # variables (alpha, x): x = P^T alpha, sum alpha = 1, alpha >= 0, minimise |x|^2 / 2
    quadratic = sparse.block_diag([sparse.csc_array((n, n)), sparse.eye_array(d)], format="csc")
    rows = sparse.bmat([[P.T, -np.eye(d)], [np.ones((1, n)), np.zeros((1, d))], [-np.eye(n), np.zeros((n, d))]],
                       format="csc")
    bound = np.concatenate([np.zeros(d), [1.0], np.zeros(n)])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    cones = [clarabel.ZeroConeT(d + 1), clarabel.NonnegativeConeT(n)]
    solution = clarabel.DefaultSolver(sparse.csc_matrix(quadratic), np.zeros(n + d), sparse.csc_matrix(rows), bound,
                                      cones, settings).solve()
    return np.linalg.norm(np.array(solution.x)[n:])
