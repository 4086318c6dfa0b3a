#!/bin/sh
# packages.sh [LIST…]: installs the packages of the lists (packages.txt unless given) that are missing (Debian and Ubuntu); elsewhere prints the list and stops.
set -eu
[ $# -gt 0 ] || set -- "$(dirname "$0")/packages.txt"
wanted=$(grep -hv '^#' "$@")

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  [ -n "${DAMBENCH_SKIP_PACKAGES:-}" ] && exit 0
  echo "This is not a Debian or Ubuntu system. Install what corresponds to these packages:" >&2
  echo "$wanted" | sed 's/^/  /' >&2
  echo "and run the same command again with DAMBENCH_SKIP_PACKAGES=1." >&2
  exit 1
fi

missing=
for package in $wanted; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

echo "installing:$missing"
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
