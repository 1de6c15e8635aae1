import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { someBlockDevice } from "../support/block-device.ts";
import { world } from "../support/netns.ts";
import { play } from "../support/play.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const net = world();
const disk = someBlockDevice();
const isDockerd = net.machine.engine === "dockerd";
/** What the machine has as it is, and the peers' has not. */
const onMachine = isDockerd ? { skip: "dockerd beside us is on another machine" } : {};
const withJournal = existsSync("/run/systemd/journal/socket");

suite("run: every flag, seen from inside", { ...requires("docker", "cc", "ip", "nft"), ...requiresRoot() }, () => {
  before(() => {
    const { directory } = net.machine;
    writeFileSync(join(directory, "variables"), "FROM_FILE=yes\n# a remark\n");
    writeFileSync(join(directory, "labels"), "from.file=yes\n");
  });

  test("process: environment, user, groups, directory, entry point, init", () =>
    play(
      net,
      `
      run --rm -e A=b --env C=d probe sh -c 'echo $A$C'
      ~ ^bd$
      run --rm --env-file variables probe sh -c 'echo $FROM_FILE'
      ~ ^yes$
      run --rm --entrypoint echo probe said
      ~ ^said$
      run --rm --user 5:6 probe id
      ~ uid=5 gid=6
      run --rm -u tester --group-add 5 --group-add extra probe id
      ~ uid=1000.tester. gid=1000.tester. groups=5,1000.tester.,2000.extra.|groups=1000.tester.,5,2000.extra.
      run --rm --workdir /x/y probe pwd
      ~ ^/x/y$
      run --rm --init probe cat /proc/1/comm
      ~ init
      run --rm -t probe tty
      ~ ^/dev/pts/0
      run --rm --stop-signal QUIT --stop-timeout 3 probe true
      run --rm --oom-score-adj 100 probe cat /proc/self/oom_score_adj
      ~ ^100$
      run --rm --quiet --pull missing probe true
      run --rm --platform linux/amd64 probe true
      run --rm --runtime runc probe true
      ! run --rm --runtime nosuch probe true
      ~ unknown or invalid runtime name: nosuch
      ! run --rm --workdir relative probe true
      ~ absolute path
      ! run --rm --stop-signal NOSUCH probe true
      ~ invalid signal: NOSUCH
      ! run --rm --pull never --platform linux/s390x probe true
      ~ linux/s390x
      ! run --rm --user nosuch probe true
      ~ no matching entries in passwd file
      ! run --rm --no-such-flag probe true
      ~ unknown flag: --no-such-flag
      `,
    ));

  test("streams: what -a names, -i, --sig-proxy, --detach-keys, --cidfile", () =>
    play(
      net,
      `
      run --rm -a stdout probe sh -c 'echo to-out; echo to-err >&2'
      ~ ^to-out$
      ~ (?<![^])(?![^]*to-err)
      run --rm --attach stderr probe sh -c 'echo to-out; echo to-err >&2'
      ~ ^to-err$
      ~ (?<![^])(?![^]*to-out)
      run --rm -i probe cat
      run --rm --sig-proxy=false --detach-keys ctrl-x probe echo proxied
      ~ ^proxied$
      ! run --rm -a nosuch probe true
      ~ valid streams are STDIN, STDOUT and STDERR
      ! run -d -a stdout probe true
      ~ [Cc]onflicting options
      ! run --rm -it --detach-keys nosuch-key probe true
      ~ nosuch-key|the input device is not a TTY
      docker run --rm --cidfile docker.cid probe true
      ! docker run --rm --cidfile docker.cid probe true
      ~ docker.cid|container ID file found
      sampan run --rm --cidfile sampan.cid probe true
      ! sampan run --rm --cidfile sampan.cid probe true
      ~ sampan.cid|container ID file found
      `,
    ));

  test("identity: --name, --hostname, --domainname, labels, annotations, --restart", () =>
    play(
      net,
      `
      run -d --name called -h host --domainname example.org -l a=b --label-file labels --annotation c=d --restart on-failure:3 probe sleep 1000
      inspect -f '{{.Config.Hostname}} {{.Config.Domainname}} {{.Config.Labels}} {{.HostConfig.Annotations}} {{.HostConfig.RestartPolicy.Name}}' called
      ~ ^host example.org map.a:b from.file:yes. map.c:d. on-failure$
      exec called sh -c 'hostname; hostname -f; cat /proc/sys/kernel/domainname'
      ~ ^host$
      ~ ^host.example.org$
      ~ ^example.org$
      rm -f called
      ! run --restart sometimes probe true
      ~ invalid restart policy|sometimes
      ! run --rm --restart always probe true
      ~ [Cc]onflicting options|can't create
      `,
    ));

  test("memory: limits as the kernel has them", () =>
    play(
      net,
      `
      run --rm -m 64m probe sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>&-; true'
      ~ ^67108864$
      run --rm -m 64m --memory-reservation 20m probe sh -c 'cat /sys/fs/cgroup/memory/memory.soft_limit_in_bytes /sys/fs/cgroup/memory.low 2>&-; true'
      ~ ^20971520$
      run --rm -m 64m --memory-swap 96m probe sh -c 'cat /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes /sys/fs/cgroup/memory.swap.max 2>&-; true'
      ~ ^100663296$|^33554432$
      run --rm --shm-size 10m probe df -k /dev/shm
      ~ 10240
      run --rm --ulimit nofile=100:200 --ulimit core=0 probe sh -c 'ulimit -n; ulimit -Hn; ulimit -c'
      ~ ^100$
      ! run --rm --memory-swap 100m probe true
      ~ always set the Memory limit
      ! run --rm -m 1m probe true
      ~ Minimum memory limit allowed is 6MB
      ! run --rm -m 64m --memory-swappiness 101 probe true
      ~ 101
      ! run --rm --ulimit nofile=100000000 probe true
      ~ nofile|operation not permitted
      ! sampan run --rm --kernel-memory 10m probe true
      ~ kernel memory limits are
      `,
    ));

  const onlyV2 = existsSync("/sys/fs/cgroup/cgroup.controllers");
  if (!onlyV2)
    test("memory: what only cgroup v1 has", () =>
      play(
        net,
        `
      run --rm -m 64m --memory-swappiness 10 probe cat /sys/fs/cgroup/memory/memory.swappiness
      ~ ^10$
      run --rm -m 64m --oom-kill-disable probe cat /sys/fs/cgroup/memory/memory.oom_control
      ~ oom_kill_disable 1
      run --rm --device-cgroup-rule 'c 10:200 rwm' probe cat /sys/fs/cgroup/devices/devices.list
      ~ ^c 10:200 rwm$
      `,
      ));

  test("processors and processes", () =>
    play(
      net,
      `
      run --rm -c 300 probe sh -c 'cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpu.weight 2>&-; true'
      ~ ^(300|39)$
      run --rm --cpu-period 50000 --cpu-quota 20000 probe sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us /sys/fs/cgroup/cpu.max 2>&-; true'
      ~ ^20000.50000$|^20000 50000$|^20000$
      run --rm --cpus 0.5 probe sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>&-; true'
      ~ ^50000
      run --rm --cpuset-cpus 0 --cpuset-mems 0 probe sh -c 'nproc; grep Mems_allowed_list /proc/self/status'
      ~ ^1$
      ~ ^Mems_allowed_list:.0$
      run --rm --pids-limit 33 probe sh -c 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>&-; true'
      ~ ^33$
      ! run --rm --cpuset-cpus 99 probe true
      ~ Requested CPUs are not available
      ! run --rm --cpuset-mems 99 probe true
      ~ Requested memory nodes are not available
      ! run --rm --cpus 99 probe true
      ~ [Rr]ange of CPUs
      ! run --rm --cpus 1 --cpu-period 50000 probe true
      ~ [Cc]onflicting options
      ! run --rm --cpu-quota 1 probe true
      ~ CPU cfs quota can not be less
      `,
    ));

  test("refused: real-time CPU, containers for Windows, GPUs", onMachine, () =>
    play(
      net,
      `
      ! run --rm --cpu-rt-period 10000 probe true
      ~ CpuRealtimePeriod|real-time CPU limits
      ! run --rm --cpu-rt-runtime 5000 probe true
      ~ CpuRealtimePeriod|real-time CPU limits
      ! run --rm --cpu-count 1 probe true
      ~ [Ww]indows
      ! run --rm --cpu-percent 1 probe true
      ~ [Ww]indows
      ! run --rm --io-maxbandwidth 1m probe true
      ~ [Ww]indows
      ! run --rm --io-maxiops 1 probe true
      ~ [Ww]indows
      ! run --rm --gpus all probe true
      ~ GPU
      ! run --rm --isolation hyperv probe true
      ~ invalid isolation .hyperv.: linux only supports 'default'
      run --rm --isolation default probe true
      ! sampan run --rm --use-api-socket probe true
      ~ handing the API socket
      ! run --rm --blkio-weight 5 probe true
      ~ [Rr]ange of blkio weight
      ! run --rm --mount type=image,src=probe,dst=/x probe true
      ~ image
      ! run --rm --mount type=npipe,src=a,dst=/x probe true
      ~ npipe
      ! run --rm --security-opt apparmor=mine probe true
      ~ apparmor=mine
      ! run --rm --userns private probe true
      ~ invalid USER mode
      `,
    ),
  );

  test("block devices: rates of reading and writing", onMachine, () =>
    play(
      net,
      `
      run --rm --blkio-weight 300 probe sh -c 'cat /sys/fs/cgroup/blkio/blkio.*weight /sys/fs/cgroup/io.*weight 2>&-; true'
      ~ ^(default )?(300|2930)$
      run --rm --device-read-bps ${disk.path}:1mb probe sh -c 'cat /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device /sys/fs/cgroup/io.max 2>&-; true'
      ~ ^${disk.number} (1048576|rbps=1048576)
      run --rm --device-write-bps ${disk.path}:2mb probe sh -c 'cat /sys/fs/cgroup/blkio/blkio.throttle.write_bps_device /sys/fs/cgroup/io.max 2>&-; true'
      ~ ^${disk.number} (2097152|.*wbps=2097152)
      run --rm --device-read-iops ${disk.path}:100 probe sh -c 'cat /sys/fs/cgroup/blkio/blkio.throttle.read_iops_device /sys/fs/cgroup/io.max 2>&-; true'
      ~ ^${disk.number} (100|.*riops=100)
      run --rm --device-write-iops ${disk.path}:200 probe sh -c 'cat /sys/fs/cgroup/blkio/blkio.throttle.write_iops_device /sys/fs/cgroup/io.max 2>&-; true'
      ~ ^${disk.number} (200|.*wiops=200)
      ! run --rm --device-read-bps /dev/nosuch:1mb probe true
      ~ /dev/nosuch
      ! run --rm --device-write-bps /dev/nosuch:1mb probe true
      ~ /dev/nosuch
      ! run --rm --blkio-weight-device /dev/nosuch:100 probe true
      ~ /dev/nosuch
      `,
    ),
  );

  test("rights: capabilities, devices, privileges, seccomp, sysctls, --read-only", () =>
    play(
      net,
      `
      run --rm --cap-drop ALL probe grep CapEff /proc/self/status
      ~ 0000000000000000$
      run --rm --cap-add SYS_TIME probe grep CapEff /proc/self/status
      ~ 00000000aa0425fb$
      run --rm --device /dev/null:/dev/mine:rw probe ls -l /dev/mine
      ~ 1, +3 
      run --rm --security-opt no-new-privileges probe grep NoNewPrivs /proc/self/status
      ~ 1$
      run --rm --security-opt seccomp=unconfined probe grep Seccomp: /proc/self/status
      ~ 0$
      run --rm --privileged probe sh -c 'grep -c " /proc/" /proc/self/mounts; grep CapEff /proc/self/status'
      ~ ^0$
      run --rm --read-only probe sh -c 'touch /x 2>&1; true'
      ~ Read-only file system
      run --rm --sysctl net.ipv4.ip_default_ttl=9 --sysctl kernel.shm_rmid_forced=1 probe cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shm_rmid_forced
      ~ ^9$
      ~ ^1$
      ! run --rm --cap-add NOSUCH probe true
      ~ (?:unknown|invalid) capability
      ! run --rm --cap-drop NOSUCH probe true
      ~ (?:unknown|invalid) capability
      ! run --rm --device /dev/nosuch probe true
      ~ /dev/nosuch
      ! run --rm --device-cgroup-rule nosuch probe true
      ~ nosuch
      ! run --rm --security-opt nosuch=1 probe true
      ~ nosuch
      ! run --rm --sysctl kernel.panic=1 probe true
      ~ kernel.panic
      `,
    ));

  test("files: volumes, mounts, tmpfs, other containers' volumes", () =>
    play(
      net,
      `
      run --rm -v flags:/v probe sh -c 'echo kept >/v/file'
      run --rm --volume flags:/v:ro --volume-driver local probe sh -c 'cat /v/file; touch /v/x 2>&1; true'
      ~ ^kept$
      ~ Read-only file system
      ! run --rm --volume other:/v --volume-driver nosuch probe true
      ~ VolumeDriver|nosuch
      run --rm --mount type=volume,src=flags,dst=/m,ro probe cat /m/file
      ~ ^kept$
      run --rm --mount type=tmpfs,dst=/m,tmpfs-size=1m,tmpfs-mode=700 probe sh -c 'df -k /m; stat -c %a /m'
      ~ 1024
      ~ ^700$
      run --rm --tmpfs /x:size=1m,mode=755 probe sh -c 'df -k /x; stat -c %a /x'
      ~ 1024
      ~ ^755$
      create --name owner -v flags:/v probe true
      run --rm --volumes-from owner:ro probe sh -c 'cat /v/file; touch /v/x 2>&1; true'
      ~ ^kept$
      ~ Read-only file system
      rm owner
      volume rm flags
      ! run --rm --volume relative/path:/x probe true
      ~ invalid characters for a local volume name|includes invalid characters|relative/path
      ! run --rm --volume /tmp:/x:nosuch probe true
      ~ invalid mode: nosuch
      ! run --rm --mount type=nosuch,dst=/x probe true
      ~ nosuch
      ! run --rm --mount type=bind,src=/nosuch,dst=/x probe true
      ~ bind source path does not exist: /nosuch
      ! run --rm --tmpfs /x:nosuch probe true
      ~ invalid tmpfs option
      ! run --rm --volumes-from nosuch probe true
      ~ No such container: nosuch
      ! run --rm --storage-opt nosuch=1 probe true
      ~ [Uu]nknown option
      ! run --rm --storage-opt size=10G probe true
      ~ supported only for overlay over xfs with 'pquota' mount option
      `,
    ));

  test("namespaces of its own, the machine's, another container's", () =>
    play(
      net,
      `
      run -d --name other --ipc shareable probe sleep 1000
      run --rm --pid container:other probe ps -o args
      ~ ^sleep 1000$
      run --rm --pid host probe sh -c 'ls -d /proc/[0-9]* | wc -l'
      ~ ^[0-9]+$
      run --rm --ipc container:other probe df /dev/shm
      ~ ^(shm|tmpfs)
      run --rm --ipc none probe sh -c 'df /dev/shm 2>&1; true'
      ~ find mount point
      run --rm --uts host probe hostname
      run --rm --cgroupns host probe readlink /proc/self/ns/cgroup
      run --rm --cgroupns private probe cat /proc/self/cgroup
      ~ :/$
      run --rm --cgroup-parent /sampan-flags probe true
      run --rm --userns host probe true
      rm -f other
      ! run --rm --ipc container:nosuch probe true
      ~ No such container: nosuch
      ! run --rm --pid container:nosuch probe true
      ~ No such container: nosuch
      ! run --rm --uts nosuch probe true
      ~ invalid UTS mode
      ! run --rm --cgroupns nosuch probe true
      ~ invalid CGROUP mode
      `,
    ));

  test("networks: addresses, names, ports, name servers", () =>
    play(
      net,
      `
      network create --ipv6 --subnet 10.99.0.0/24 --subnet fd00:99::/64 flags
      run -d --name addressed --network flags --ip 10.99.0.9 --ip6 fd00:99::9 --mac-address 02:42:0a:63:00:09 --network-alias known --link-local-ip 169.254.9.9 probe sleep 1000
      exec addressed ip addr show eth0
      ~ 10[.]99[.]0[.]9/24
      ~ fd00:99::9/64
      ~ 02:42:0a:63:00:09
      ~ 169[.]254[.]9[.]9
      run --rm --network flags probe nslookup known
      ~ 10[.]99[.]0[.]9
      run --rm --network flags --link addressed:linked probe nslookup linked
      ~ 10[.]99[.]0[.]9
      rm -f addressed
      network rm flags
      run --rm --add-host a:1.2.3.4 probe cat /etc/hosts
      ~ ^1[.]2[.]3[.]4[ 	]+a$
      run --rm --dns 1.1.1.1 --dns-option ndots:2 --dns-search x.y probe cat /etc/resolv.conf
      ~ 1[.]1[.]1[.]1
      ~ x[.]y
      ~ ndots:2
      run -d --name published --expose 90/udp --expose 7000-7001 -P probe sleep 1000
      port published
      ~ ^90/udp -> 0[.]0[.]0[.]0:[0-9]+$
      ~ ^7000/tcp -> 0[.]0[.]0[.]0:[0-9]+$
      ~ ^7001/tcp -> 0[.]0[.]0[.]0:[0-9]+$
      rm -f published
      run -d --name published -p 127.0.0.1:18080:80 --publish 18081:81/udp probe sleep 1000
      port published
      ~ ^80/tcp -> 127[.]0[.]0[.]1:18080$
      ~ ^81/udp -> 0[.]0[.]0[.]0:18081$
      rm -f published
      run --rm --network name=bridge,driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1 probe cat /proc/sys/net/ipv4/conf/eth0/log_martians
      ~ ^1$
      run --rm --sysctl net.ipv4.conf.eth0.log_martians=1 probe cat /proc/sys/net/ipv4/conf/eth0/log_martians
      ~ ^1$
      ! run --rm --network name=bridge,driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.eth0.log_martians=1 probe true
      ~ unrecognised network interface sysctl
      ! run --rm --network nosuch probe true
      ~ network nosuch not found
      ! run --rm --network container:nosuch probe true
      ~ No such container: nosuch
      ! run --rm --ip 1.2.3.4 probe true
      ~ user specified IP address is supported on user defined
      ! run --rm --ip6 ::2 probe true
      ~ user specified IP address is supported on user defined
      ! run --rm --network-alias a probe true
      ~ only supported for user-defined networks
      ! run --rm --mac-address nosuch probe true
      ~ nosuch
      ! run --rm --link nosuch probe true
      ~ nosuch
      ! run --rm --add-host nosuch probe true
      ~ bad format for add-host
      ! run --rm -p 99999:1 probe true
      ~ 99999
      ! run --rm --dns nosuch probe true
      ~ IP address is not correctly formatted|nosuch is not an ip address
      `,
    ));

  test("health checks", () =>
    play(
      net,
      `
      run -d --name checked --health-cmd true --health-interval 1s --health-timeout 2s --health-retries 3 --health-start-period 4s --health-start-interval 500ms probe sleep 1000
      inspect -f '{{json .Config.Healthcheck}}' checked
      ~ {"Test":."CMD-SHELL","true".,"Interval":1000000000,"Timeout":2000000000,"StartPeriod":4000000000,"StartInterval":500000000,"Retries":3}
      until inspect -f '{{.State.Health.Status}}' checked
      ~ ^healthy$
      rm -f checked
      run -d --name unchecked --no-healthcheck probe sleep 1000
      inspect -f '{{json .Config.Healthcheck}}' unchecked
      ~ {"Test":."NONE".}
      rm -f unchecked
      ! run --rm --health-cmd true --health-interval 1us probe true
      ~ 1ms
      ! run --rm --health-cmd true --no-healthcheck probe true
      ~ --no-healthcheck conflicts with --health-. options
      `,
    ));

  test("log drivers and their options", () =>
    play(
      net,
      `
      run -d --name logged --log-driver json-file --log-opt max-size=1m --log-opt max-file=2 --log-opt labels=a -l a=b probe echo said
      wait logged
      logs --details logged
      ~ ^a=b said$
      rm logged
      run --name logged --log-driver local --log-opt max-size=1m probe echo said
      logs logged
      ~ ^said$
      rm logged
      run --name logged --log-driver none probe echo said
      ! logs logged
      ~ configured logging driver does not support reading
      rm logged
      ! run --rm --log-driver nosuch probe true
      ~ nosuch
      ! run --rm --log-opt nosuch=1 probe true
      ~ unknown log opt 'nosuch'
      ! run --rm --log-driver none --log-opt max-size=1m probe true
      ~ invalid logging opts for driver none
      `,
    ));

  test("refused: the journal where there is none", { skip: withJournal && "there is a journal" }, () =>
    play(
      net,
      `
      ! run --rm --log-driver journald probe true
      ~ journald is not enabled on this host
      `,
    ),
  );
});
