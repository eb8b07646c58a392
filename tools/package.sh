#!/usr/bin/env bash
# Builds the source distribution and the wheel into dist/, and checks them: what is in the wheel, and what its page says.
# Needs the packages build and twine.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf dist build
python -m build --outdir dist .
python -m twine check --strict dist/*
python - dist/*.whl <<'CHECK'
import sys
import zipfile
from pathlib import Path

names = zipfile.ZipFile(sys.argv[1]).namelist()
source = [path for path in Path("fastreid_prune").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
missing = sorted(path.as_posix() for path in source if path.as_posix() not in names)
if missing:
    sys.exit(f"not in the wheel: {', '.join(missing)}")
print(f"{len(names)} files, {Path(sys.argv[1]).stat().st_size / 1024:.0f} KiB: all that the package's folder holds")
CHECK
