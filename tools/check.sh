#!/usr/bin/env bash
# What is checked without running anything: style and format (ruff), types (mypy), who may import whom (import-linter).
# Run in an environment with the extra `test` installed; tools/test.sh makes one and runs this first.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
ruff check . || failed=1
ruff format --check . || failed=1
mypy || failed=1
lint-imports --no-logo || failed=1
exit $failed
