#!/bin/sh
# Compiles the native helper with cc alone: native/build.sh [sanitize]
#   native/build/executor            what Sampan runs: static, optimised for size
#   native/build/executor-sanitize   the same with address and undefined behaviour checked at run time; only tests use it
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
cc=${CC:-cc}
common="-std=gnu11 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64"

# compile NAME FLAGS...: builds aside and renames, so that whoever runs the old one is not disturbed.
compile() {
  name=$1
  shift
  # shellcheck disable=SC2086 # the flags are words
  "$cc" $common "$@" -o "$here/build/$name.$$" "$here"/*.c || {
    rm -f "$here/build/$name.$$"
    exit 1
  }
  mv -f "$here/build/$name.$$" "$here/build/$name"
}

mkdir -p "$here/build"
case ${1:-} in
'') compile executor -Os -static -s -ffunction-sections -fdata-sections -Wl,--gc-sections ;;
sanitize) compile executor-sanitize -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all ;;
*)
  echo "usage: native/build.sh [sanitize]" >&2
  exit 2
  ;;
esac
