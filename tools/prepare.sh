# Prepares a checkout: npm dependencies, native helper, bundles. Read by bin/sampan (first use, or something changed) and
# by tools/node (tests, benches). POSIX sh; wants $root, the checkout's directory; sets $node, a Node that is new enough.
# Everything is made aside and renamed into place, under a lock, so that two first uses may happen at once.

minimum=24

prepare_say() { printf 'sampan: %s\n' "$*" >&2; }
prepare_die() {
  prepare_say "$*"
  exit 125
}

# prepare_is_new PATH: whether PATH is a Node that is new enough.
prepare_is_new() {
  [ -x "$1" ] || return 1
  v=$("$1" --version 2>/dev/null) || return 1
  v=${v#v}
  v=${v%%.*}
  case $v in '' | *[!0-9]*) return 1 ;; esac
  [ "$v" -ge "$minimum" ]
}

# Sets $node: the one of PATH when it is new enough, else the checkout's own, which came with the npm dependencies.
prepare_node() {
  node=$(command -v node 2>/dev/null) && prepare_is_new "$node" && return 0
  for node in "$root"/node_modules/node-linux-*/bin/node; do
    prepare_is_new "$node" && return 0
  done
  node=
  return 1
}

# The dependencies are current when npm's own record in node_modules is not older than the lock file.
prepare_has_modules() {
  [ -e "$root/node_modules/.package-lock.json" ] &&
    ! [ "$root/package-lock.json" -nt "$root/node_modules/.package-lock.json" ]
}

prepare_modules() {
  prepare_has_modules && return 0
  # npm ci empties what is there first, through a link as well: somebody else's dependencies.
  [ ! -L "$root/node_modules" ] ||
    prepare_die "Cannot fetch the dependencies: $root/node_modules is a link; remove it, or run 'npm ci' where it leads"
  command -v npm >/dev/null 2>&1 ||
    prepare_die "Cannot fetch the dependencies: no npm in PATH; install Node.js with npm, or run 'npm ci' in $root"
  prepare_say "fetching npm dependencies (once)"
  (cd "$root" && npm ci --no-audit --no-fund --loglevel=error >&2 </dev/null) ||
    prepare_die "Cannot fetch the dependencies: 'npm ci' failed in $root"
  touch "$root/node_modules/.package-lock.json"
}

# The native helper is current when no source is newer than it.
prepare_native() {
  for f in "$root"/native/*.c "$root"/native/*.h "$root/native/build.sh"; do
    [ -e "$f" ] || continue
    if ! [ -x "$root/native/build/executor" ] || [ "$f" -nt "$root/native/build/executor" ]; then
      prepare_say "compiling the native helper"
      sh "$root/native/build.sh" >&2 || prepare_die "Cannot compile the native helper: a C compiler named cc is needed"
      return 0
    fi
  done
}

# What root made in somebody else's checkout belongs to that person, who could not change or remove it otherwise.
prepare_own() {
  [ "$(id -u)" = 0 ] || return 0
  owner=$(stat -c %u:%g "$root") && [ "${owner%%:*}" != 0 ] || return 0
  for d in node_modules dist native/build; do
    [ ! -d "$root/$d" ] || chown -Rh "$owner" "$root/$d"
  done
}

# prepare [bundle]: makes what is missing or old. With "bundle", and only bin/sampan calls it so, the command line and the
# daemon are bundled, too.
prepare() {
  mkdir -p "$root/dist" 2>/dev/null && [ -w "$root/dist" ] ||
    prepare_die "Cannot prepare $root: not writable; run 'bin/sampan version' there once as its owner"
  exec 9>"$root/dist/.lock"
  if command -v flock >/dev/null 2>&1 && ! flock -n 9; then
    prepare_say "waiting for another preparation of $root"
    flock 9
    if [ "${1:-}" = bundle ] && ready; then return 0; fi
  fi
  prepare_modules
  prepare_node || prepare_die "Cannot find Node $minimum or newer: not in PATH and not in $root/node_modules; install it, or run 'npm ci' in $root on x64 or arm64"
  prepare_native
  if [ "${1:-}" = bundle ]; then
    "$node" "$root/tools/bundle.ts" "$node" || prepare_die "Cannot bundle $root/src"
  fi
  prepare_own
  exec 9>&-
}
