#!/usr/bin/env bash
# Runs the tests in an environment of their own; --slow adds those that train for minutes or need large arrays.
# Any other argument goes to pytest.
cd "$(dirname "$0")/.."
source tools/environment.sh
selection=(-m "not slow")
arguments=()
for argument in "$@"; do
    if [ "$argument" = --slow ]; then selection=(); else arguments+=("$argument"); fi
done
exec python -m pytest ${selection[@]+"${selection[@]}"} ${arguments[@]+"${arguments[@]}"}
