"""Scripts that carry a copy of fastreid under another name."""

import importlib.util
import re
import shutil
from pathlib import Path

import pytest

from fastreid_prune.plugin.copies import find_copy


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    """A project with a whole copy of fastreid inside it, as trackers have one, and its training script."""
    root = tmp_path_factory.mktemp("tracker")
    source = Path(importlib.util.find_spec("fastreid").origin).parent
    copy = root / "reid" / "fastreid"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for file in copy.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        text = re.sub(r"\bimport fastreid\b(?!\.)", "import reid.fastreid as fastreid", text)
        file.write_text(re.sub(r"(from|import) fastreid\b", r"\1 reid.fastreid", text), encoding="utf-8")
    (root / "tools").mkdir()
    (root / "tools" / "helpers.py").write_text("from reid.fastreid.config import get_cfg\n")
    (root / "tools" / "train.py").write_text(
        "import sys\n"
        "sys.path.append('.')\n"
        "from helpers import get_cfg\n"
        "from reid.fastreid.engine import DefaultTrainer, default_argument_parser, default_setup, launch\n"
        "def main(args):\n"
        "    cfg = get_cfg()\n"
        "    cfg.merge_from_list(args.opts)\n"
        "    cfg.freeze()\n"
        "    default_setup(cfg, args)\n"
        "    trainer = DefaultTrainer(cfg)\n"
        "    trainer.resume_or_load(resume=args.resume)\n"
        "    print('trained by', type(trainer).__mro__[0].__module__, flush=True)\n"
        "    trainer.train()\n"
        "if __name__ == '__main__':\n"
        "    args = default_argument_parser().parse_args()\n"
        "    launch(main, args.num_gpus, dist_url='auto', args=(args,))\n"
    )
    return root


def test_a_copy_is_found_through_the_modules_that_a_script_imports(tracker, tmp_path):
    folders = [tracker / "tools", tracker]
    assert find_copy(tracker / "tools" / "train.py", folders) == ("reid.fastreid", tracker)
    assert find_copy(tracker / "tools" / "helpers.py", folders) == ("reid.fastreid", tracker)
    plain = tmp_path / "plain.py"
    plain.write_text("from fastreid.config import get_cfg\nimport reid.fastreid\n")
    assert find_copy(plain, folders) is None
    nothing = tmp_path / "nothing.py"
    nothing.write_text("def broken(:\n")
    assert find_copy(nothing, folders) is None


def test_both_names_are_the_same_patched_modules(tracker, run_command):
    said = run_command(
        "-c",
        "import sys; sys.argv = ['x']\n"
        "from fastreid_prune.plugin.launcher import register_for\n"
        f"copy = register_for({str(tracker / 'tools' / 'train.py')!r})\n"
        "import fastreid.data.build, reid.fastreid.data.build\n"
        "from reid.fastreid.config import get_cfg\n"
        "assert fastreid.data.build is reid.fastreid.data.build\n"
        "assert 'PRUNE' in get_cfg()\n"
        "print(copy.__name__, fastreid.__name__)\n",
    )
    assert said.stdout.strip() == "reid.fastreid reid.fastreid"


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_a_script_on_its_own_copy_scores_and_prunes(tracker, options, run_command, tmp_path, processes):
    said = run_command(
        "-m", "fastreid_prune", "run", tracker / "tools" / "train.py", "--num-gpus", processes, *options,
        "PRUNE.CAPTURE.ENABLED", "True", "PRUNE.RATIO", "0.3", "PRUNE.SEED", "0",
    )  # fmt: skip
    assert "the script carries its own fastreid, reid.fastreid in" in said.stdout
    assert "trained by reid.fastreid.engine.defaults" in said.stdout
    assert (tmp_path / "run" / "prune" / "manifest.csv").exists()
