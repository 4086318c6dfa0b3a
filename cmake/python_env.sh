#!/bin/bash
# python_env.sh FOLDER: the virtual environment that the Python package is built and tested in, made once and again when
# python/requirements.txt changes. Where PyPI cannot be reached it says so in one line, and everything else goes on.
set -u
folder=$1
wanted=$(dirname "$0")/../python/requirements.txt
python=/usr/bin/python3
[ -x $python ] || python=python3
cmp -s "$wanted" "$folder/requirements.txt" && exit 0
skip() {
  rm -rf "$folder"
  echo "Python package: SKIPPED ($1)"
  exit 0
}
[ "${DAMBENCH_SKIP_PYTHON:-}" ] && skip "DAMBENCH_SKIP_PYTHON is set"
rm -rf "$folder" && mkdir -p "$(dirname "$folder")"
$python -m venv "$folder" >/dev/null 2>&1 || skip "no Python 3 that can make virtual environments"
"$folder/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 -r "$wanted" >"$folder/pip.log" 2>&1 ||
  skip "what it needs cannot be installed from PyPI"
cp "$wanted" "$folder/requirements.txt"
