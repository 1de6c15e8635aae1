import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { play } from "../support/play.ts";
import { patience, requires, requiresRoot } from "../support/requires.ts";

const net = world();

suite("commands on containers: every flag", { ...requires("docker", "cc", "ip", "nft"), ...requiresRoot() }, () => {
  before(async () => {
    writeFileSync(join(net.machine.directory, "variables"), "FROM_FILE=yes\n");
    await net.ok("run", "-d", "--name", "first", "-l", "who=first", "probe", "sleep", "1000");
    await net.ok("run", "-d", "--name", "second", "-l", "who=second", "probe", "sleep", "1000");
  });
  after(() => net.clear());

  test("exec", () =>
    play(
      net,
      `
      exec -e A=b --env-file variables first sh -c 'echo $A $FROM_FILE'
      ~ ^b yes$
      exec --user 5:6 --workdir /tmp first sh -c 'id -u; pwd'
      ~ ^5$
      ~ ^/tmp$
      exec first grep CapEff /proc/self/status
      ~ 00000000a80425fb$
      exec --privileged first sh -c 'grep CapEff /proc/self/status | grep -v 00000000a80425fb'
      exec -t first tty
      ~ ^/dev/pts/
      exec -i --detach-keys ctrl-x first cat
      exec -d first touch /detached
      until exec first rm /detached
      ! exec nosuch true
      ~ No such container: nosuch
      ! exec first nosuch-program
      ~ nosuch-program
      `,
    ));

  test("ps", () =>
    play(
      net,
      `
      create --name third -l who=third probe
      ps --format '{{.Names}}'
      ~ ^second$
      ~ (?<![^])(?![^]*third)
      ps -a --format '{{.Names}}'
      ~ ^third$
      ps --last 2 --format '{{.Names}}'
      ~ ^third.second$|^third$
      ~ (?<![^])(?![^]*first)
      ps --latest --format '{{.Names}}'
      ~ ^third$
      ~ (?<![^])(?![^]*second)
      ps -aq --no-trunc
      ~ ^[0-9a-f]{64}$
      ps --all --quiet
      ~ ^[0-9a-f]{12}$
      ps -s --filter name=first
      ~ virtual
      ps --filter label=who=second --format '{{.Names}}'
      ~ ^second$
      ~ (?<![^])(?![^]*first)
      rm third
      ! ps --filter nosuch=1
      ~ invalid filter
      `,
    ));

  test("inspect", () =>
    play(
      net,
      `
      inspect --size --type container -f '{{.SizeRootFs}} {{.Name}}' first
      ~ ^[1-9][0-9]+ /first$
      container inspect -s --format '{{.SizeRootFs}} {{.Name}}' first
      ~ ^[1-9][0-9]+ /first$
      container inspect --format '{{.Name}} {{.SizeRw}}' first
      ~ ^/first <(nil|no value)>$
      ! inspect --type image first
      ~ [Nn]o such image: first
      ! inspect --type nosuch first
      ~ nosuch
      `,
    ));

  test("start, attach, kill, stop, restart, wait", () =>
    play(
      net,
      `
      create --name ends -i probe sh -c 'trap "echo terminated; exit 7" TERM; trap "echo hung-up; exit 8" HUP; echo ready; touch /ready; while :; do sleep 0.1; done'
      start ends
      until exec ends rm /ready
      kill --signal HUP ends
      wait ends
      ~ ^8$
      start ends
      until exec ends rm /ready
      stop --signal HUP --timeout 5 ends
      inspect -f '{{.State.ExitCode}}' ends
      ~ ^8$
      start ends
      until exec ends rm /ready
      stop -t 5 ends
      inspect -f '{{.State.ExitCode}}' ends
      ~ ^7$
      start ends
      until exec ends rm /ready
      restart --signal HUP --timeout 5 ends
      logs ends
      ~ hung-up[^]*ready
      rm -f ends
      create --name says -i probe sh -c 'echo said; cat'
      start --attach --interactive --detach-keys ctrl-x says
      ~ ^said$
      rm says
      run -d --name short probe sh -c 'sleep ${3 * patience}; echo attached'
      attach --no-stdin --sig-proxy=false --detach-keys ctrl-x short
      ~ ^attached$
      rm short
      ! attach short
      ~ No such container: short
      ! kill --signal NOSUCH first
      ~ [Ii]nvalid signal
      ! restart --signal NOSUCH first
      ~ [Ii]nvalid signal
      ! stop --signal NOSUCH first
      ~ [Ii]nvalid signal
      ! start nosuch
      ~ No such container: nosuch
      `,
    ));

  test("refused: checkpoints", () =>
    play(
      net,
      `
      create --name held probe
      ! start --checkpoint one held
      ~ [Cc]heckpoint
      ! start --checkpoint-dir /tmp --checkpoint one held
      ~ [Cc]heckpoint
      rm held
      `,
    ));

  test("logs", () =>
    play(
      net,
      `
      run --name logged --log-opt tag=tagged probe sh -c 'echo one; sleep 1.1; echo two >&2; echo three'
      logs --details logged
      ~ ^tag=tagged one$
      logs --timestamps --tail 1 logged
      ~ ^20[0-9-]+T[0-9:.]+Z (three|two)$
      ~ (?<![^])(?![^]*one)
      logs --follow --since 1h logged
      ~ ^three$
      logs --until 1h logged
      ~ (?<![^])(?![^]*one)
      rm logged
      ! logs --tail 1 nosuch
      ~ No such container: nosuch
      ! logs --since nosuch first
      ~ nosuch
      `,
    ));

  test("commit", () =>
    play(
      net,
      `
      exec first touch /committed
      commit --author me --message why --change 'ENV A=b' --pause=false first made:new
      inspect -f '{{.Author}} {{.Comment}} {{.Config.Env}}' made:new
      ~ ^me why .*A=b
      commit -p first made:paused
      run --rm made:new ls /committed
      ~ ^/committed$
      rmi made:new made:paused
      ! commit --change 'NOSUCH a' first
      ~ (?:unknown instruction|not a valid change command)
      `,
    ));

  test("cp", () =>
    play(
      net,
      `
      exec first sh -c 'mkdir -p /cp; echo here >/cp/file; ln -sf file /cp/link; chown 5:6 /cp/file'
      cp first:/cp/file copied
      cp --quiet first:/cp/link link-copied
      cp -L first:/cp/link followed
      cp -a copied first:/cp/archived
      cp --archive followed first:/cp/followed
      exec first sh -c 'cat /cp/followed; stat -c %u:%g /cp/archived'
      ~ ^here$
      ~ ^0:0$
      exec first rm -rf /cp
      ! cp first:/nosuch .
      ~ /nosuch
      `,
    ));

  test("diff, export, port, rename, top, pause, unpause", () =>
    play(
      net,
      `
      run -d --name done -p 127.0.0.1:18099:80 probe sh -c 'touch /changed; sleep 1000'
      until exec done test -e /changed
      diff done
      ~ ^A /changed$
      export -o exported.tar done
      export --output exported.tar done
      port done 80
      ~ ^127.0.0.1:18099$
      rename done redone
      pause redone
      ps --filter status=paused --format '{{.Names}}'
      ~ ^redone$
      unpause redone
      top redone
      ~ sleep
      rm -f redone
      `,
    ));

  test("update", () =>
    play(
      net,
      `
      run -d --name changed -m 64m probe sleep 1000
      update -c 300 --memory 32m --memory-swap 48m --memory-reservation 10m --pids-limit 44 --cpuset-cpus 0 --cpuset-mems 0 --restart on-failure:2 changed
      ~ changed
      exec changed sh -c 'cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpu.weight 2>&-; true'
      ~ ^(300|39)$
      exec changed sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>&-; true'
      ~ ^33554432$
      exec changed sh -c 'cat /sys/fs/cgroup/memory/memory.soft_limit_in_bytes /sys/fs/cgroup/memory.low 2>&-; true'
      ~ ^10485760$
      exec changed sh -c 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>&-; true'
      ~ ^44$
      exec changed sh -c 'cat /sys/fs/cgroup/cpuset/cpuset.mems /sys/fs/cgroup/cpuset.mems 2>&-; true'
      ~ ^0$
      update --cpu-period 50000 --cpu-quota 20000 changed
      exec changed sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>&-; true'
      ~ ^20000
      inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.Memory}} {{.HostConfig.CpuQuota}}' changed
      ~ ^on-failure 33554432 20000$
      rm -f changed
      run -d --name changed probe sleep 1000
      update --cpus 0.5 changed
      exec changed sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>&-; true'
      ~ ^50000
      rm -f changed
      ! update --memory 1m first
      ~ Minimum memory limit allowed is 6MB
      ! update --cpuset-mems 99 first
      ~ memory nodes are not available
      ! update first
      ~ must provide one or more flags
      `,
    ));

  test("update: what the machine has", net.machine.engine === "dockerd" ? { skip: "another machine" } : {}, () =>
    play(
      net,
      `
      update --blkio-weight 300 second
      exec second sh -c 'cat /sys/fs/cgroup/blkio/blkio.*weight /sys/fs/cgroup/io.*weight 2>&-; true'
      ~ ^(default )?(300|2930)$
      ! update --cpu-rt-period 10000 second
      ~ real-?time|CpuRealtimePeriod
      ! update --cpu-rt-runtime 10000 second
      ~ real-?time|CpuRealtimeRuntime
      `,
    ),
  );

  test("stats", () =>
    play(
      net,
      `
      stats --no-stream --no-trunc
      ~ ^[0-9a-f]{64} +(first|second)
      create --name idle probe
      stats --all --no-stream --format '{{.Name}}'
      ~ ^idle$
      rm idle
      stats --no-stream --format '{{.Name}}' first
      ~ ^first$
      ! stats --no-stream nosuch
      ~ No such container: nosuch
      `,
    ));

  test("rm and prune", () =>
    play(
      net,
      `
      run -d --name going -v /anonymous probe sleep 1000
      ! rm going
      ~ (?:is running|running container)
      rm --force --volumes going
      volume ls -q
      ~ (?<![^])(?![^]*[0-9a-f]{64})
      create --name pruned -l prune=yes probe
      create --name spared -l prune=no probe
      container prune --force --filter label=prune=yes
      ~ Deleted Containers
      ! inspect pruned
      ~ [Nn]o such
      rm spared
      ! rm nosuch
      ~ No such container: nosuch
      `,
    ));

  test("refused: rm --link of what is no link", () =>
    play(
      net,
      `
      ! rm --link first
      ~ [Ll]ink
      ! rm --link first/second
      ~ [Ll]ink|No such container: first/second
      `,
    ));
});
