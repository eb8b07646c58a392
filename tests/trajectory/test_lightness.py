"""Recording and scoring start with torch and numpy alone."""

import subprocess
import sys


def test_recording_and_scoring_need_neither_fastreid_nor_yacs():
    code = (
        "import sys, fastreid_prune.trajectory, fastreid_prune.trajectory.ranks, fastreid_prune.scores\n"
        "found = {'fastreid', 'yacs', 'faiss', 'pyarrow', 'sklearn', 'torchvision', 'click'} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
