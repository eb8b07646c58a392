#!/usr/bin/env bash
# Runs the tests in an environment of their own; --slow adds those that train for minutes or need large arrays.
# Any other argument goes to pytest. Without Chromium and chromedriver the page's tests in a browser are skipped.
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
exec python -m pytest ${selection[@]+"${selection[@]}"} ${arguments[@]+"${arguments[@]}"}
