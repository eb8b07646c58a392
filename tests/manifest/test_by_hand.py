import numpy as np

from fastreid_prune.io.files import sha256
from fastreid_prune.manifest.by_hand import decided_by_hand
from fastreid_prune.manifest.decisions import Decisions
from fastreid_prune.scored_run.run_files import RunFiles


def test_every_file_of_decisions_is_on_record_and_the_later_one_holds(scored_run, tmp_path):
    table = RunFiles.open(scored_run()).scored()
    paths = [tmp_path / "first.csv", tmp_path / "second.csv"]
    for path, decision in zip(paths, ("drop", "keep"), strict=True):
        row = (table.file_name[0], table.pid[0], decision, "")
        Decisions(*(np.array([text], object) for text in row)).write(path)
    done = decided_by_hand(paths, table, table.verdicts)
    assert list(done.source.values()) == [" ".join(map(sha256, paths))]
    assert done.decided.sum() == 1 and done.confirmed[0] and not done.verdicts.outlier[0]
