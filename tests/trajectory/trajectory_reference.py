"""A second, naive implementation of what a recorder keeps: one visit at a time, in float64."""

import numpy as np

from fastreid_prune.trajectory import Trajectory


class Reference:
    """Takes ``(sample, logits [C], label)`` one by one; arrays as in ``Trajectory``, or NaN, 0 and -1."""

    def __init__(self, num_samples, num_classes):
        self.n, self.c = num_samples, num_classes
        self.epochs = [[]]

    def visit(self, sample, logits, label):
        self.epochs[-1].append((int(sample), np.asarray(logits, dtype=np.float64), int(label)))

    def end_epoch(self):
        self.epochs.append([])

    def arrays(self):
        epochs = self.epochs[:-1]
        t, n = len(epochs), self.n
        out = {name: np.full((t, n), np.nan) for name in ("given_logit", "best_other_logit", "loss", "el2n")}
        for name, empty in (("visits", 0), ("correct", 0), ("forgotten", 0), ("predicted", -1)):
            out[name] = np.full((t, n), empty)
        mean = np.full((n, self.c), np.nan)
        for i in range(n):
            knew = False
            seen = []
            for e, visits in enumerate(epochs):
                own = [(z, y) for sample, z, y in visits if sample == i]
                for z, y in own:
                    right = int(np.argmax(z)) == y
                    out["forgotten"][e, i] += knew and not right
                    out["correct"][e, i] += right
                    out["predicted"][e, i] = int(np.argmax(z))
                    knew = right
                    seen.append(z)
                out["visits"][e, i] = len(own)
                if own:
                    out["given_logit"][e, i] = np.mean([z[y] for z, y in own])
                    out["best_other_logit"][e, i] = np.mean([np.delete(z, y).max() for z, y in own])
                    out["loss"][e, i] = np.mean([_loss(z, y) for z, y in own])
                    out["el2n"][e, i] = np.mean([_el2n(z, y) for z, y in own])
            if seen:
                mean[i] = np.mean(seen, axis=0)
        return mean, out


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _loss(z, y):
    return np.log(np.exp(z - z.max()).sum()) + z.max() - z[y]


def _el2n(z, y):
    return np.linalg.norm(softmax(z) - np.eye(len(z))[y])


def assert_same(trajectory: Trajectory, mean, records, exact=True):
    """``trajectory`` holds ``mean`` and ``records``; counts to the number, floats to float32."""
    compare = np.testing.assert_array_equal if exact else np.testing.assert_allclose
    compare(np.asarray(trajectory.mean_logits[:]), mean.astype(np.float32))
    for name, expected in records.items():
        found = getattr(trajectory.epochs, name)
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6, err_msg=name)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=name)


def assert_equal(a: Trajectory, b: Trajectory):
    """All arrays are the same, bit for bit."""
    np.testing.assert_array_equal(np.asarray(a.mean_logits[:]), np.asarray(b.mean_logits[:]))
    np.testing.assert_array_equal(a.labels, b.labels)
    for name, array in vars(a.epochs).items():
        np.testing.assert_array_equal(array, getattr(b.epochs, name), err_msg=name)
    assert (a.features is None) == (b.features is None)
    if a.features is not None:
        np.testing.assert_array_equal(np.asarray(a.features[:]), np.asarray(b.features[:]))
