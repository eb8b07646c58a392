#!/usr/bin/env bash
# From nothing to a table: makes the environment in .venv, then scores a data set, prunes it, and retrains on all, random,
# entropy and auto, side by side. Without arguments the embedded data set; else as `fastreid-prune quickstart --help` says:
#   bash tools/quickstart.sh path/to/data -o results SOLVER.MAX_EPOCH 24
here=$PWD
cd "$(dirname "$0")/.."
source tools/environment.sh
[ $# -gt 0 ] && cd "$here"
exec fastreid-prune quickstart "$@"
