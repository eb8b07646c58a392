# Makes the environment that the other scripts run in: sourced by them, from the top of the checkout.
# A second call finds it ready. TORCH="torch==2.5.1 torchvision==0.20.1" chooses another torch; PYTHON another Python.
set -euo pipefail

python_of_choice() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.10 python; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "Python 3.10 or newer with the module venv is needed, and none was found." >&2
    return 1
}

make_environment() {
    local python ready
    python=$(python_of_choice)
    ready=.venv/ready-$(cat setup.py <(echo "${TORCH:-}") | "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:12])')
    if [ ! -f "$ready" ]; then
        echo "Installing into .venv (once; torch is large)..."
        "$python" -m venv .venv
        local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
        # shellcheck disable=SC2086
        "${pip[@]}" ${TORCH:-torch torchvision}
        # A checkout of its own faiss choice stays as it is: both distributions install the module faiss.
        if .venv/bin/python -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("faiss") is None)'; then
            "${pip[@]}" -e '.[test]'
        elif .venv/bin/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
            "${pip[@]}" -e '.[test,gpu]'
        else
            "${pip[@]}" -e '.[test,cpu]'
        fi
        # last: pip would otherwise report what fastreid pins as an error at every later installation
        "${pip[@]}" --no-deps fastreid==1.4.0
        rm -f .venv/ready-*
        touch "$ready"
    fi
    export PATH="$PWD/.venv/bin:$PATH"
}

make_environment
