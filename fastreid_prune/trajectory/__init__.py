"""What training says about each sample: recorded in any loop, kept in files, merged over ranks and runs.

A plain PyTorch loop, here on scikit-learn's digits with every twentieth label wrong. All it needs beyond training is
a loader that says which samples a batch holds:

>>> import numpy as np, torch
>>> from sklearn.datasets import load_digits
>>> from torch.utils.data import DataLoader, TensorDataset
>>> from fastreid_prune import LogitRecorder, scores
>>>
>>> digits, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
>>> wrong = torch.arange(len(labels)) % 20 == 0
>>> labels = torch.where(wrong, (labels + 3) % 10, labels)
>>> data = TensorDataset(torch.arange(len(labels)), digits.float() / 16, labels)
>>>
>>> _ = torch.manual_seed(0)
>>> model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
>>> optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
>>> recorder = LogitRecorder(num_samples=len(labels), num_classes=10)
>>> for epoch in range(12):
...     for sample_index, images, targets in DataLoader(data, batch_size=64, shuffle=True):
...         logits = model(images)
...         optimizer.zero_grad()
...         torch.nn.functional.cross_entropy(logits, targets).backward()
...         optimizer.step()
...         recorder.update(sample_index, logits, targets)
...     recorder.end_epoch()

Every method ranks from this one run. Pruning drops the lowest scores; wrong labels stand out in the margin:

>>> trajectory = recorder.trajectory()
>>> keep = np.argsort(scores.compute(trajectory, "entropy"))[len(labels) * 3 // 10 :]
>>> suspects = np.argsort(scores.compute(trajectory, "aum"))[-int(wrong.sum()) :]
>>> bool(wrong[suspects].float().mean() > 0.9)
True

In Lightning, :meth:`LogitRecorder.update` goes into ``training_step`` and ``end_epoch`` into
``on_train_epoch_end``; in timm's script, both stand where the loss and the epoch's metrics are.

Where what is:

- From a batch to records: :mod:`.statistics` (what its logits say), :mod:`.visit_log` (epoch by epoch),
  :mod:`.records` (per epoch and sample).
- Recorders: :mod:`.recorder` (the mean logits), :mod:`.feature_recorder` (features and weights instead, as
  :mod:`.factors`), :mod:`.per_epoch_logits` (every epoch's logits).
- Large arrays: :mod:`.storage` (on the device, in memory or on disk), :mod:`.storage_buffer` and
  :mod:`.host_queue` (writing batches there), :mod:`.mean_rows` and :mod:`.blocks` (reading them).
- Files: :mod:`.store` with :mod:`.samples` (a trajectory's folder), :mod:`.state` (a recorder's, to resume).
- Merging: :mod:`.ranks` and :mod:`.joined_log` (of one training), :mod:`.runs` (over seeds).
"""

from fastreid_prune.trajectory.feature_recorder import FeatureRecorder
from fastreid_prune.trajectory.recorder import LogitRecorder
from fastreid_prune.trajectory.records import EpochRecords
from fastreid_prune.trajectory.runs import merge_runs
from fastreid_prune.trajectory.samples import Samples
from fastreid_prune.trajectory.state import load_state, save_state
from fastreid_prune.trajectory.store import Trajectory, load_trajectory, save_trajectory

__all__ = [
    "EpochRecords",
    "FeatureRecorder",
    "LogitRecorder",
    "Samples",
    "Trajectory",
    "load_state",
    "load_trajectory",
    "merge_runs",
    "save_state",
    "save_trajectory",
]
