#!/usr/bin/env bash
# Makes .venv and installs what a lock file names, with hashes, by plain pip.
# Nothing but errors is printed.
# usage: tools/setup-venv.sh requirements.lock     PYTHON=python3.12 chooses the interpreter
set -euo pipefail
cd "$(dirname "$0")/.."
lock=$1
venv=.venv

fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  # A version manager may leave names on PATH that do not run: each candidate is tried, not only looked up.
  local candidate
  for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if fits "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo "sev1 needs Python 3.11 or newer${PYTHON:+, and $PYTHON is not}. Install it, or name one: make run PYTHON=/path/to/python3" >&2
  return 1
}

if ! fits "$venv/bin/python"; then
  python=$(find_python)
  if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    echo "$python has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2
    exit 1
  fi
  echo "Setting up $venv with $("$python" --version) …"
  "$python" -m venv --clear "$venv"
fi

echo "Installing $lock …"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
"$venv/bin/python" -m pip install -qq --require-hashes -r "$lock"
"$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --editable .
