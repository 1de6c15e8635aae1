#!/bin/sh
# Compiles the native helper. `build.sh sanitize` makes the AddressSanitizer + UndefinedBehaviorSanitizer build instead.
set -eu
cd "$(dirname "$0")"
out=${OUT:-build}
mkdir -p "$out"
flags="-D_GNU_SOURCE -std=gnu11 -Wall -Wextra -Werror -fno-common -fvisibility=hidden"
case ${1:-release} in
release) exec ${CC:-cc} $flags -O2 -static -Wl,--gc-sections -ffunction-sections -s -o "$out/executor" *.c ;;
sanitize) exec ${CC:-cc} $flags -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -o "$out/executor-sanitize" *.c ;;
*) echo "usage: build.sh [release|sanitize]" >&2; exit 2 ;;
esac
