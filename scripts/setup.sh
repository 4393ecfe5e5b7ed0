#!/usr/bin/env bash
# Installs what the notebooks need into .venv of this project and nothing anywhere else: JupyterLab and nbconvert from
# requirements.txt, the GoNB kernel and the goimports it calls from the tool lines of go.mod.
#
# Every part has a stamp with what it was made from, so a second run does only what has changed. Called by make.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv="$PWD/.venv"

fail() { echo "setup: $*" >&2; exit 1; }

# current STAMP WANT: does the stamp say that this part was made from WANT?
current() { [ "$(cat "$venv/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { mkdir -p "$venv/stamps" && printf '%s\n' "$2" >"$venv/stamps/$1"; }

# at_least VERSION MINIMUM compares MAJOR.MINOR.
at_least() {
  local major=${1%%.*} minor=${1#*.}
  minor=${minor%%[!0-9]*}
  [ "$major" -gt "${2%%.*}" ] || { [ "$major" -eq "${2%%.*}" ] && [ "${minor:-0}" -ge "${2#*.}" ]; }
}

command -v go >/dev/null || fail "Go is missing: install Go 1.26 or newer from https://go.dev/dl/"
go_version=$(go env GOVERSION 2>&1) || fail "Go 1.26 or newer is needed: $(tail -n 1 <<<"$go_version")"
at_least "${go_version#go}" 1.26 || fail "Go 1.26 or newer is needed, found ${go_version#go}: see https://go.dev/dl/"

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "Python is missing: install Python 3.11 or newer, or set PYTHON to its path"
python_version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])') || fail "$python does not run"
at_least "$python_version" 3.11 || fail "Python 3.11 or newer is needed, $python is $python_version: set PYTHON to a newer one"

# The environment's files hold its absolute path, so it is made again after the project has moved.
want="$venv python $python_version $(cksum <requirements.txt)"
if ! current python "$want"; then
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "Python's venv module is missing: install it (python3-venv on Debian and Ubuntu)"
  echo "setup: installing JupyterLab and nbconvert into .venv" >&2
  rm -rf "$venv"
  "$python" -m venv "$venv" || fail "cannot create the virtual environment .venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -r requirements.txt ||
    fail "cannot install requirements.txt: see pip's message above"
  stamp python "$want"
fi

want="$venv $go_version $(cat go.mod scripts/setup.sh scripts/gonb-kernel | cksum)"
if ! current kernel "$want"; then
  echo "setup: building the GoNB kernel" >&2
  for tool in github.com/janpfeifer/gonb golang.org/x/tools/cmd/goimports; do
    go build -o "$venv/bin/${tool##*/}" "$tool" || fail "cannot build $tool: see the message above"
  done
  cp scripts/gonb-kernel "$venv/bin/gonb-kernel"
  "$venv/bin/python" - "$venv" <<'PYTHON' || fail "cannot register the GoNB kernel"
import json, os, sys

venv = sys.argv[1]
spec = {
    "argv": [os.path.join(venv, "bin", "gonb-kernel"), "--kernel", "{connection_file}"],
    "display_name": "Go (gonb)",
    "language": "go",
    "interrupt_mode": "message",
}
kernel = os.path.join(venv, "share", "jupyter", "kernels", "gonb")
os.makedirs(kernel, exist_ok=True)
with open(os.path.join(kernel, "kernel.json"), "w") as f:
    json.dump(spec, f, indent=1)
PYTHON
  stamp kernel "$want"
fi
