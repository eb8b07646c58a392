#!/usr/bin/env bash
# Runs the checks (tools/check.sh) and the tests in an environment of their own.
# --slow adds the tests that train for minutes or need large arrays; any other argument goes to pytest, and then the
# checks are left out. Without Chromium and chromedriver the page's tests in a browser are skipped.
cd "$(dirname "$0")/.."
source tools/environment.sh
for program in chromium:google-chrome chromedriver; do
    command -v "${program%:*}" "${program#*:}" >/dev/null ||
        echo "No ${program%:*} here, so tests marked browser are skipped; as root: apt-get install chromium chromium-driver"
done
selection=(-m "not slow")
arguments=()
for argument in "$@"; do
    if [ "$argument" = --slow ]; then selection=(); else arguments+=("$argument"); fi
done
if [ ${#arguments[@]} -eq 0 ]; then
    if command -v lint-imports >/dev/null; then
        bash tools/check.sh
    else
        echo "The checks need Python 3.11 or newer, and are left out; the tests run."
    fi
fi
exec python -m pytest ${selection[@]+"${selection[@]}"} ${arguments[@]+"${arguments[@]}"}
