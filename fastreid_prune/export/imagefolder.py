"""Hugging Face's ImageFolder: ``load_dataset("imagefolder", data_dir=".../imagefolder")``.

``metadata.csv`` has a row for each image that could be read, ``label`` being the identity to train with; filter on
``action`` for what stays. Without the images, put it into the folder of the data sets. All is in a folder ``train``:
without one, "train" in a data set's own paths (``bounding_box_train``) is taken for the split, and what lies outside,
as the metadata would, is left out without a word (seen with datasets 5.2).
"""

from pathlib import Path

import numpy as np
from rich.progress import track

from fastreid_prune.export.folders import Images, place_image
from fastreid_prune.export.publication import Publication
from fastreid_prune.io.tables import write_csv


def write(publication: Publication, folder: Path, images: Images) -> None:
    """Write ``imagefolder/train/metadata.csv``, with the images beside it where their root is known."""
    own = folder / "imagefolder" / "train"
    own.mkdir(parents=True)
    manifest, table = publication.manifest, publication.table
    rows = np.sort(publication.manifest_rows()[~table.unreadable])
    write_csv(
        own / "metadata.csv",
        {
            "file_name": manifest.file_name[rows],
            "label": manifest.new_pid[rows],
            "given_label": manifest.pid[rows],
            "camera": manifest.camid[rows],
            "action": manifest.action[rows],
            "score": manifest.score[rows],
            "rank": manifest.rank[rows],
            "reason": manifest.reason[rows],
        },
    )
    if images.root is not None:
        for name in track(
            manifest.file_name[rows], description=f"{publication.name}: images", transient=True
        ):
            place_image(images.root / name, own / name, images.copy)
