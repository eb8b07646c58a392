#!/usr/bin/env bash
# Runs the tests that another Python or torch can break on every Python found from 3.10 to 3.14, with the oldest and the
# newest torch that each takes.
#   bash tools/test_matrix.sh [TESTS…]     what pytest takes; by default the way of a user: record, train, judge, prune,
#                                          retrain, evaluate, export, audit, page (three to four minutes a pair)
# PYTHONS="3.10 3.12" and TORCHS=oldest choose some of the pairs; RUN="nice -n 19" goes before pytest.
# Each pair has an environment of its own in .matrix/ (5 GB; removed after its tests, unless KEEP=1), a log beside it, and a
# line in the table at the end. Status 1 if a pair failed.
set -uo pipefail
cd "$(dirname "$0")/.."
tests=(
    tests/io tests/trajectory tests/scores tests/evaluation tests/manifest tests/datasets/test_reading.py
    tests/plugin/test_compat.py tests/plugin/test_retraining.py
    tests/purify/test_judge.py tests/scored_run/test_pruning.py tests/formats/test_exporting.py
    tests/formats/test_importing_lists.py tests/lab/audit/test_audit.py tests/report/test_report_page.py
    tests/api/test_any_loop.py
)
[ $# -eq 0 ] || tests=("$@")
# the oldest torch that is promised and has a wheel for that Python, and the torchvision that goes with it
declare -A oldest=(
    [3.10]="torch==2.3.1 torchvision==0.18.1"
    [3.11]="torch==2.3.1 torchvision==0.18.1"
    [3.12]="torch==2.3.1 torchvision==0.18.1"
    [3.13]="torch==2.6.0 torchvision==0.21.0"
    [3.14]="torch==2.9.0 torchvision==0.24.0"
)

find_python() { # VERSION: an interpreter of it, from the path or from pyenv
    local candidate
    for candidate in "python$1" "$HOME"/.pyenv/versions/"$1".*/bin/python; do
        if command -v "$candidate" >/dev/null && "$candidate" -c "import sys; sys.exit(sys.version_info[:2] != ($(tr . , <<<"$1")))" 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

test_pair() { # PYTHON VERSION NAME TORCH: the outcome of one pair, in words
    local place=.matrix/$2-$3 log=.matrix/$2-$3.log
    local pip=("$place/bin/python" -m pip install --quiet --disable-pip-version-check)
    {
        [ -x "$place/bin/python" ] || "$1" -m venv "$place"
        # shellcheck disable=SC2086
        "${pip[@]}" $4 && "${pip[@]}" -e '.[cpu,report]' pytest pytest-timeout hypothesis $4 && "${pip[@]}" --no-deps fastreid==1.4.0
    } >"$log" 2>&1 || {
        echo "cannot be installed: $(tail -n 1 "$log")"
        return 1
    }
    # shellcheck disable=SC2086
    PATH="$PWD/$place/bin:$PATH" ${RUN:-} python -m pytest -q -m "not slow" "${tests[@]}" >>"$log" 2>&1
    local status=$?
    tail -n 1 "$log" | tr -d =
    return $status
}

mkdir -p .matrix
failed=0
lines=()
for version in ${PYTHONS:-3.10 3.11 3.12 3.13 3.14}; do
    python=$(find_python "$version") || continue
    for name in ${TORCHS:-oldest newest}; do
        torch="torch torchvision"
        [ $name = newest ] || torch=${oldest[$version]}
        outcome=$(test_pair "$python" "$version" "$name" "$torch") || failed=1
        found=$(".matrix/$version-$name/bin/python" -c 'import numpy, torch; print(torch.__version__, "|", numpy.__version__)' 2>/dev/null || echo "– | –")
        lines+=("| $version | $found | $outcome |")
        echo "${lines[-1]}"
        [ -n "${KEEP:-}" ] || rm -rf ".matrix/$version-$name"
    done
done
printf '\n| Python | torch | numpy | quick tests |\n|---|---|---|---|\n'
printf '%s\n' "${lines[@]}"
exit $failed
