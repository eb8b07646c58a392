"""What workflows and Dockerfiles call exists: scripts, extras, and one fastreid everywhere."""

import re

import pytest
import yaml
from written_commands import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CALLERS = [*WORKFLOWS, *sorted(ROOT.glob("Dockerfile*")), *sorted((ROOT / "tools").glob("*.sh"))]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_jobs_whose_steps_do_something(path):
    read = yaml.safe_load(path.read_text())
    assert read["name"] and True in read  # YAML takes the key "on" for true
    assert all(job["runs-on"] and job["steps"] for job in read["jobs"].values())
    assert all(("run" in step) != ("uses" in step) for job in read["jobs"].values() for step in job["steps"])
    needed = {job["needs"] for job in read["jobs"].values() if "needs" in job}
    assert needed <= set(read["jobs"])


@pytest.mark.parametrize("path", CALLERS, ids=lambda path: path.name)
def test_what_is_called_exists(path):
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines)
    setup = (ROOT / "setup.py").read_text()
    assert not [
        script
        for script in re.findall(r"(?:bash|source) ([\w.]+/[\w./]+)", text)
        if not (ROOT / script).is_file()
    ]
    extras = {extra for group in re.findall(r"\.\[([\w,]+)\]", text) for extra in group.split(",")}
    assert not [extra for extra in extras if f'"{extra}": ' not in setup]
    assert set(re.findall(r"fastreid==([\d.]+)", text)) <= {"1.4.0"}
