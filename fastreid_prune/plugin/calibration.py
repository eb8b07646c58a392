"""The training set of a scoring run with injected errors, trained as ``purify.injection_plan`` planned."""

import logging
import os
from typing import Any

import numpy as np
from fastreid.data.common import CommDataset
from fastreid.data.data_utils import read_image
from PIL import Image

from fastreid_prune.plugin.items import relative_name
from fastreid_prune.purify.injection_plan import CalibrationPlan, plan_calibration
from fastreid_prune.purify.synthetic_outliers import compose
from fastreid_prune.scored_run.injected import COMPOSED_FOLDER, record_of

logger = logging.getLogger("fastreid.prune")


def planted(
    train_set: CommDataset, root: str, *, switched: float, composed: float, clips: float
) -> CommDataset:
    """The training set with errors planted.

    The choice depends on the samples alone, so that runs with other seeds can be merged and a resumed run trains
    on the same.

    Args:
        train_set: fastreid's own kind of data set; any other is returned as it is.
        root: the folder of the data sets.
        switched, composed, clips: the shares, as for :func:`plan_calibration`.
    """
    if type(train_set) is not CommDataset:
        logger.warning(
            f"PRUNE.PURIFY.CALIBRATE: no errors are injected into a training set of type {type(train_set).__name__}."
        )
        return train_set
    pids = np.array([str(item[1]) for item in train_set.img_items], dtype=object)
    if len(set(pids.tolist())) < 3 or len(pids) < 100:
        logger.warning(
            f"PRUNE.PURIFY.CALIBRATE: no errors are injected into {len(pids)} images; at least 100 are needed."
        )
        return train_set
    camids = np.array([str(item[2]) if len(item) > 2 else "" for item in train_set.img_items], dtype=object)
    plan = plan_calibration(pids, camids, switched=switched, composed=composed, clips=clips)
    logger.info(
        f"Injected to calibrate the verdicts: {len(plan.switched)} wrong labels, {len(plan.composed)} synthetic "
        f"outliers, {len(plan.clips)} moved clips."
    )
    return PlantedDataset(train_set, root, plan)


class PlantedDataset(CommDataset):
    """A training set with switched labels, moved clips and, after its own images, composed ones.

    Attributes:
        calibration: the record of it for the trajectory's meta.
    """

    def __init__(self, train_set: CommDataset, root: str, plan: CalibrationPlan):
        own = train_set.img_items
        trained_as = plan.trained_as
        items = [(item[0], trained_as.get(row, item[1]), *item[2:]) for row, item in enumerate(own)]
        folder = os.path.join(os.path.abspath(root), COMPOSED_FOLDER)
        names = [
            os.path.join(folder, f"{one.kind}_{number:05d}.png") for number, one in enumerate(plan.composed)
        ]
        items += [
            (name, one.pid, *own[one.first][2:]) for name, one in zip(names, plan.composed, strict=True)
        ]
        super().__init__(items, train_set.transform, train_set.relabel)
        self._composed = dict(zip(range(len(own), len(items)), plan.composed, strict=True))
        self.calibration: dict[str, Any] = record_of(
            [relative_name(item[0], root) for item in own],
            {row: str(own[row][1]) for row in trained_as},
            {relative_name(name, root): one.kind for name, one in zip(names, plan.composed, strict=True)},
            [clip.rows for clip in plan.clips],
        )

    def __getitem__(self, index: int) -> dict[str, Any]:
        """As fastreid's; the composed images are made when they are asked for."""
        if index not in self._composed:
            return super().__getitem__(index)
        one = self._composed[index]
        path, pid, camid = self.img_items[index][:3]
        first, second = (np.asarray(read_image(self.img_items[row][0])) for row in (one.first, one.second))
        image = Image.fromarray(compose(one.kind, first, second, np.random.default_rng(one.seed)))
        if self.transform is not None:
            image = self.transform(image)
        if self.relabel:
            pid, camid = self.pid_dict[pid], self.cam_dict[camid]
        return {"images": image, "targets": pid, "camids": camid, "img_paths": path}
