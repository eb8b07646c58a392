#!/usr/bin/env bash
# From nothing to a table: score a data set, prune it, retrain on all / random / entropy / auto, evaluate.
#   bash tools/quickstart.sh                    the embedded data set
#   bash tools/quickstart.sh path/to/data NAME  your own in Market-1501's layout; results in quickstart/NAME
# Options of fastreid's configuration may follow, such as SOLVER.MAX_EPOCH 24.
here=$PWD
data=
cd "$(dirname "$0")/.."

ratio=0.3
truth=()
if [ $# -gt 0 ]; then
    if [ "$1" = --help ] || [ "$1" = -h ]; then
        sed -n '2,5s/^# \{0,1\}//p' "$0"
        exit
    fi
    data=$(cd "$here" && cd "$1" 2>/dev/null && pwd) || data=
    if [ ! -d "$data/Market-1501-v15.09.15" ] && [ ! -d "$data/bounding_box_train" ]; then
        echo "$1: neither a folder Market-1501-v15.09.15 nor bounding_box_train in it. Give the folder that holds them." >&2
        exit 2
    fi
    name=${2:-$(basename "$data")}
    shift $(($# > 1 ? 2 : 1))
fi
source tools/environment.sh
if [ -z "$data" ]; then
    data=quickstart/demo-data
    name=demo
    [ -f "$data/truth.csv" ] || fastreid-prune demo "$data"
    truth=(--truth "$data/truth.csv")
    set -- PRUNE.CAPTURE.KEEP_LOGITS True # for the page's trajectories; small here
fi
options=("$@")
out=quickstart/$name
mkdir -p "$out"
export FASTREID_DATASETS=$data

train() { # NAME CONFIG OPTIONS...: one training, its output in a log
    local run=$1 config=$2 began=$SECONDS
    shift 2
    rm -rf "${out:?}/$run"
    if ! python tools/train_net.py --config-file "configs/Demo/$config.yml" OUTPUT_DIR "$out/$run" "$@" \
        ${options[@]+"${options[@]}"} >"$out/$run.log" 2>&1; then
        echo "training on $run failed; the end of $out/$run.log:"
        tail -n 20 "$out/$run.log"
        exit 1
    fi
    printf 'training: %-18s %s s\n' "$run" "$((SECONDS - began))"
}

both() { # NAME NAME: two trainings on what manifests keep, at the same time where there are cores for two
    local cores run
    cores=$(python -c 'import os; print(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())')
    local -a running=()
    for run in "$@"; do
        local -a choice=()
        [ "$run" = all ] || choice=(PRUNE.MANIFEST "$out/$run.csv")
        OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(((cores + 1) / 2))} train "$run" retrain ${choice[@]+"${choice[@]}"} &
        running+=($!)
        [ "$cores" -gt 1 ] || wait $! || exit 1
    done
    local failed=0
    for run in "${running[@]}"; do wait "$run" || failed=1; done
    [ $failed = 0 ] || exit 1
}

train score score
fastreid-prune judge "$out/score" ${truth[@]+"${truth[@]}"}
fastreid-prune prune "$out/score" --ratio $ratio --method auto -o "$out/auto.csv"
for method in random entropy; do
    fastreid-prune prune "$out/score" --ratio $ratio --method $method -o "$out/$method.csv" >/dev/null
done
both all random
both entropy auto

runs=("all=$out/all" "random=$out/random" "entropy=$out/entropy" "auto=$out/auto")
fastreid-prune compare "${runs[@]}" ${truth[@]+"${truth[@]}"}
retrained=()
for run in "${runs[@]}"; do retrained+=(--retrained "$run"); done
fastreid-prune report "$out/score" -o "$out/report.html" --images "$data" --ratio $ratio "${retrained[@]}" >/dev/null
echo "page:      $out/report.html (open it in a browser: what was found, and a place to judge it)"
echo "data:      $data"
echo "scores:    $out/score/prune/scores.csv"
echo "manifests: $out/{random,entropy,auto}.csv"
echo "runs:      $out/{score,all,random,entropy,auto}, a log beside each"
