#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the Debian packages from a copy of the sources, and asks lintian. The
# packages are in OUT then, and nothing else is touched.
#
#   build.sh OUT
set -euo pipefail

out=$(realpath -m -- "$1")
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."

rm -rf "$out"
mkdir -p "$out/source"
tar -c --exclude=./build --exclude=./.git --exclude=__pycache__ . |
	tar -x -C "$out/source"
cd "$out/source"
dpkg-buildpackage --build=binary --no-sign --no-check-builddeps
cd ..
rm -rf source

# A finding of an error or a warning fails, and so does a hint at what lintian
# says without being asked.
found=$(lintian --allow-root ./*.changes 2>&1) || true
if [ -n "$found" ]; then
	echo "$found"
	exit 1
fi
ls ./*.deb
