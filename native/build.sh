#!/bin/sh
# Compiles the native helper. `build.sh sanitize` makes the AddressSanitizer + UndefinedBehaviorSanitizer build instead.
set -eu
cd "$(dirname "$0")"
out=${OUT:-build}
mkdir -p "$out"
flags="-D_GNU_SOURCE -std=gnu11 -Wall -Wextra -Werror -fno-common -fvisibility=hidden"
case ${1:-release} in
release)
  # libc.c stands in for the C library; everything is small and close together, for monitors live long
  alone="-static -nostdlib -ffreestanding -fno-stack-protector -fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables -fcf-protection=none"
  [ "$(uname -m)" = x86_64 ] || alone=${alone% -fcf-protection=none}
  exec ${CC:-cc} $flags -Os $alone -fno-pie -no-pie -Wl,--gc-sections,--build-id=none,-z,noseparate-code -ffunction-sections -s -o "$out/executor" *.c -lgcc ;;
sanitize)
  sources=$(ls *.c | grep -v '^libc.c$')
  exec ${CC:-cc} $flags -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -o "$out/executor-sanitize" $sources ;;
*) echo "usage: build.sh [release|sanitize]" >&2; exit 2 ;;
esac
