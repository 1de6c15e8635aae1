import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { play } from "../support/play.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const net = world();

/** By context, the lines of its Dockerfile. */
const contexts: Readonly<Record<string, readonly string[]>> = {
  stages: [
    "FROM probe AS base",
    "ARG WHO=nobody",
    "RUN echo made for $WHO > /who",
    "FROM base",
    "COPY file /file",
    "RUN exit 1",
  ],
  empty: ["FROM scratch", "COPY file /file"],
  uptime: ["FROM probe AS first", "RUN cat /proc/uptime > /time", "FROM probe", "COPY --from=first /time /time"],
  // What a command has is told as NAME=VALUE, with the names that its files have on cgroup v1 and v2.
  limits: [
    "FROM probe",
    "RUN cd /sys/fs/cgroup; for name in \\",
    "  cpu/cpu.shares cpu.weight cpu/cpu.cfs_period_us cpu/cpu.cfs_quota_us cpu.max \\",
    "  cpuset/cpuset.cpus cpuset.cpus cpuset/cpuset.mems cpuset.mems \\",
    "  memory/memory.limit_in_bytes memory.max memory/memory.memsw.limit_in_bytes memory.swap.max; \\",
    '  do [ ! -e $name ] || echo "$name=$(cat $name)"; done',
    'RUN echo "files=$(ulimit -n)"; echo "links=$(ls /sys/class/net | tr "\\n" ,)"; \\',
    "  echo \"shm=$(df -k /dev/shm | awk 'END { print $2 }')\"; echo \"host=$(awk '/extra/ { print $1 }' /etc/hosts)\"",
  ],
};

suite("build: every flag, seen from inside", { ...requires("docker", "cc", "ip", "nft"), ...requiresRoot() }, () => {
  before(() => {
    // The daemon's own builder is the classic one of docker's command line.
    net.machine.env.DOCKER_BUILDKIT = "0";
    for (const [name, lines] of Object.entries(contexts)) {
      const directory = join(net.machine.directory, name);
      mkdirSync(directory);
      writeFileSync(join(directory, "Dockerfile"), `${lines.join("\n")}\n`);
      writeFileSync(join(directory, "file"), "in the context\n");
    }
    writeFileSync(join(net.machine.directory, "stages/Other"), "FROM probe\nRUN echo by another file > /who\n");
  });

  const file = (name: string) => readFileSync(join(net.machine.directory, name), "utf8");

  test("what is built: file, target, arguments, names, labels, platform", async () => {
    await play(
      net,
      `
      build -t named --tag named:other --label a=b --build-arg WHO=me --target base --platform linux/amd64 stages
      run --rm --network none named:other cat /who
      ~ ^made for me$
      inspect -f '{{.Config.Labels.a}} {{.Architecture}}' named
      ~ ^b amd64$
      build --compress -t named:file -f stages/Other stages
      run --rm --network none named:file cat /who
      ~ ^by another file$
      rmi -f named named:other named:file
      build --quiet --target base stages
      ~ (?<![^])sha256:[0-9a-f]{64}$
      docker build --iidfile docker.iid empty
      sampan build --iidfile sampan.iid empty
      ! build stages
      ~ returned a non-zero code: 1|exit code: 1
      ! build --target nosuch stages
      ~ nosuch
      ! build --file nosuch stages
      ~ nosuch
      ! build --platform nosuch/os/variant/more stages
      ~ nosuch
      ! build --tag UPPER stages
      ~ [Ii]nvalid
      `,
    );
    for (const program of ["docker", "sampan"]) assert.match(file(`${program}.iid`), /^sha256:[0-9a-f]{64}$/);
  });

  test("what commands have: processors, memory, files, hosts, networks", () =>
    play(
      net,
      `
      build --no-cache -c 512 --cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0 limits
      ~ cpu.shares=512$|cpu.weight=59$
      ~ cpu.cfs_period_us=50000$|cpu.max=25000 50000$
      ~ cpu.cfs_quota_us=25000$|cpu.max=25000 50000$
      ~ cpuset.cpus=0$
      ~ cpuset.mems=0$
      build --no-cache --cpu-shares 2048 --memory 64m --memory-swap 96m limits
      ~ cpu.shares=2048$|cpu.weight=79$
      ~ memory.limit_in_bytes=67108864$|memory.max=67108864$
      ~ memory.memsw.limit_in_bytes=100663296$|memory.swap.max=33554432$
      build --no-cache -m 64m --memory-swap -1 limits
      ~ memory.memsw.limit_in_bytes=9223372036854771712$|memory.swap.max=max$
      build --no-cache --ulimit nofile=100:200 --shm-size 10m --add-host extra:10.0.0.9 --network none limits
      ~ files=100$
      ~ links=lo,$
      ~ shm=10240$
      ~ host=10.0.0.9$
      ! build --no-cache --cpuset-cpus 4000 limits
      ~ Requested CPUs are not available
      ! build --no-cache --memory 1k limits
      ~ Minimum memory limit allowed is 6MB
      ! build --no-cache --network nosuch limits
      ~ nosuch
      ! build --add-host extra limits
      ~ bad format for add-host|extra
      ! build --ulimit nosuch=1 limits
      ~ nosuch
      `,
    ));

  test("cgroup parents", () =>
    play(
      net,
      `
      build --no-cache --cgroup-parent /sampan-flags limits
      ~ files=
      ! build --no-cache --cgroup-parent ../../sampan-flags limits
      ~ [Cc]group
      `,
    ));

  test("the cache: used, not used, brought from elsewhere, pruned", () =>
    play(
      net,
      `
      build -t first uptime
      build -t second uptime
      ~ Using cache|CACHED
      inspect -f '{{.RootFS.Layers}}' first second
      ~ (?<![^])(.*)\\n\\1$
      build --no-cache --rm=false --force-rm -t third uptime
      ~ (?<![^])(?![^]*(Using cache|CACHED))
      inspect -f '{{.RootFS.Layers}}' first third
      ~ (?<![^])(.*)\\n(?!\\1$)
      ps -aq
      ~ (?<![^])$(?![^])
      docker build --cache-from first -t fourth uptime
      sampan build --cache-to type=local,dest=kept uptime
      rmi -f first second third
      rmi -f fourth
      sampan build --no-cache-filter first uptime
      builder prune --force --filter until=24h
      ~ Total.*0B
      builder prune --force --keep-storage 10gb
      ~ Total.*0B
      builder prune -a -f
      ~ Total
      builder prune --all --force
      ~ Total.*0B
      sampan build --cache-from type=local,src=kept uptime
      ~ CACHED
      build --pull empty
      ! build --pull uptime
      ~ probe
      `,
    ));

  test("what goes elsewhere: outputs, progress, metadata, entitlements, contexts of other names", async () => {
    await play(
      net,
      `
      sampan build --output plain empty
      sampan build -o type=tar,dest=out.tar --progress plain empty
      ~ ^#[0-9]+ (DONE|CACHED)
      sampan build --load --metadata-file metadata.json -t loaded empty
      sampan build --allow network.host --build-context probe=docker-image://probe --call check uptime
      ~ no warnings found
      sampan build --check uptime
      ~ no warnings found
      sampan build --provenance=false empty
      ! sampan build --push empty
      ~ tag is needed when pushing
      ! sampan build --allow nosuch empty
      ~ unknown entitlement: nosuch
      sampan rmi loaded
      `,
    );
    assert.equal(file("plain/file"), "in the context\n");
    assert.ok(file("out.tar").includes("in the context"));
    assert.match(JSON.parse(file("metadata.json"))["image.name"], /loaded/);
  });

  test("refused: what Linux, this daemon or this version does not have", () =>
    play(
      net,
      `
      build --isolation default empty
      ! build --isolation hyperv empty
      ~ isolation
      ! build --security-opt seccomp=unconfined empty
      ~ security options
      ! build --squash empty
      ~ squash
      ! sampan build --annotation a=b empty
      ~ annotations of images are not in this version
      ! sampan build --attest type=sbom empty
      ~ attestations are not in this version
      ! sampan build --sbom true empty
      ~ attestations are not in this version
      ! sampan build --provenance mode=max empty
      ~ attestations are not in this version
      ! sampan build --builder other empty
      ~ other builders are not in this version
      ! sampan build --policy file empty
      ~ build policies are not in this version
      `,
    ));
});
