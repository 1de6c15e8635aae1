import { writeFileSync } from "node:fs";
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

suite("create: every flag, as inspect tells it", {
  ...requires("docker", "cc", "ip", "nft"),
  ...requiresRoot(),
}, () => {
  before(() => {
    const { directory } = net.machine;
    writeFileSync(join(directory, "variables"), "FROM_FILE=yes\n");
    writeFileSync(join(directory, "labels"), "from.file=yes\n");
  });

  test("process", () =>
    play(
      net,
      `
      create --name made -i -t -e A=b --env-file variables --entrypoint echo --user 5:6 --group-add 7 --workdir /x --init --stop-signal QUIT --stop-timeout 3 --oom-score-adj 100 --pull never --quiet --platform linux/amd64 --runtime runc probe said
      inspect -f '{{json .Config.Env}} {{.Config.OpenStdin}} {{.Config.Tty}} {{json .Config.Entrypoint}} {{json .Config.Cmd}} {{.Config.User}} {{.Config.WorkingDir}}' made
      ~ "A=b".*"FROM_FILE=yes"|"FROM_FILE=yes","A=b"
      ~ true true ."echo". ."said". 5:6 /x$
      inspect -f '{{.HostConfig.GroupAdd}} {{.HostConfig.Init}} {{.Config.StopSignal}} {{.Config.StopTimeout}} {{.HostConfig.OomScoreAdj}} {{.HostConfig.Runtime}}' made
      ~ ^.7. true QUIT 3 100 (runc|sampan)$
      rm made
      create --name made --attach stdout probe true
      inspect -f '{{.Config.AttachStdin}} {{.Config.AttachStdout}} {{.Config.AttachStderr}}' made
      ~ ^false true false$
      rm made
      docker create --name made --cidfile docker.cid probe
      sampan create --name made --cidfile sampan.cid probe
      inspect -f '{{.HostConfig.ContainerIDFile}}' made
      ~ [.]cid$
      rm made
      ! create --workdir relative probe
      ~ absolute path
      ! create --pull nosuch probe
      ~ invalid (pull option|argument)|must be one of
      `,
    ));

  test("identity, labels, annotations, restart policy, --rm", () =>
    play(
      net,
      `
      create --name made --hostname h --domainname d.e -l a=b --label-file labels --annotation c=d --restart always probe
      inspect -f '{{.Config.Hostname}} {{.Config.Domainname}} {{.Config.Labels}} {{.HostConfig.Annotations}} {{.HostConfig.RestartPolicy.Name}}' made
      ~ ^h d.e map.a:b from.file:yes. map.c:d. always$
      rm made
      create --name made --rm probe
      inspect -f '{{.HostConfig.AutoRemove}}' made
      ~ ^true$
      start -a made
      ! inspect made
      ~ [Nn]o such
      ! create --restart always --rm probe
      ~ [Cc]onflicting|can't create
      `,
    ));

  test("limits", () =>
    play(
      net,
      `
      create --name made -m 64m --memory-swap 96m --memory-reservation 20m -c 300 --cpu-period 50000 --cpu-quota 20000 --cpuset-cpus 0 --cpuset-mems 0 --pids-limit 33 --shm-size 10m --ulimit nofile=100:200 probe
      inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.MemoryReservation}} {{.HostConfig.CpuShares}} {{.HostConfig.CpuPeriod}} {{.HostConfig.CpuQuota}}' made
      ~ ^67108864 100663296 20971520 300 50000 20000$
      inspect -f '{{.HostConfig.CpusetCpus}} {{.HostConfig.CpusetMems}} {{.HostConfig.PidsLimit}} {{.HostConfig.ShmSize}} {{json .HostConfig.Ulimits}}' made
      ~ ^0 0 33 10485760 .{"Name":"nofile","Hard":200,"Soft":100}|^0 0 33 10485760 .{"Name":"nofile","Soft":100,"Hard":200}
      rm made
      create --name made --cpus 0.5 --cgroup-parent /sampan-flags probe
      inspect -f '{{.HostConfig.NanoCpus}} {{.HostConfig.CgroupParent}}' made
      ~ ^500000000 /sampan-flags$
      rm made
      ! create --cpus 1 --cpu-period 50000 probe
      ~ [Cc]onflicting options
      ! create --memory-swap 100m probe
      ~ always set the Memory limit
      `,
    ));

  test("limits of cgroup v1 and of block devices", onMachine, () =>
    play(
      net,
      `
      create --name made -m 64m --memory-swappiness 10 --oom-kill-disable --blkio-weight 300 probe
      inspect -f '{{.HostConfig.MemorySwappiness}} {{.HostConfig.OomKillDisable}} {{.HostConfig.BlkioWeight}}' made
      ~ ^10 true 300$
      rm made
      create --name made --blkio-weight-device ${disk.path}:100 --device-read-bps ${disk.path}:1mb --device-write-bps ${disk.path}:2mb --device-read-iops ${disk.path}:3 --device-write-iops ${disk.path}:4 probe
      inspect -f '{{json .HostConfig.BlkioWeightDevice}} {{json .HostConfig.BlkioDeviceReadBps}} {{json .HostConfig.BlkioDeviceWriteBps}} {{json .HostConfig.BlkioDeviceReadIOps}} {{json .HostConfig.BlkioDeviceWriteIOps}}' made
      ~ "Weight":100.*"Rate":1048576.*"Rate":2097152.*"Rate":3}.*"Rate":4}
      rm made
      `,
    ),
  );

  test("refused: real-time CPU, containers for Windows, GPUs", onMachine, () =>
    play(
      net,
      `
      ! create --cpu-rt-period 10000 probe
      ~ CpuRealtimePeriod|real-time CPU limits
      ! create --cpu-rt-runtime 5000 probe
      ~ CpuRealtimePeriod|real-time CPU limits
      ! create --cpu-count 1 probe
      ~ [Ww]indows
      ! create --cpu-percent 1 probe
      ~ [Ww]indows
      ! create --io-maxbandwidth 1m probe
      ~ [Ww]indows
      ! create --io-maxiops 1 probe
      ~ [Ww]indows
      ! create --gpus all probe
      ~ GPU
      ! create --isolation hyperv probe
      ~ invalid isolation .hyperv.: linux only supports 'default'
      ! sampan create --kernel-memory 10m probe
      ~ kernel memory limits are
      ! sampan create --use-api-socket probe
      ~ handing the API socket
      `,
    ),
  );

  test("rights and devices", () =>
    play(
      net,
      `
      create --name made --cap-add SYS_TIME --cap-drop CHOWN --device /dev/null:/dev/mine:r --device-cgroup-rule 'c 10:200 rwm' --security-opt no-new-privileges --sysctl net.ipv4.ip_default_ttl=9 --read-only probe
      inspect -f '{{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}} {{json .HostConfig.Devices}} {{.HostConfig.DeviceCgroupRules}}' made
      ~ ^.(CAP_)?SYS_TIME. .(CAP_)?CHOWN. .{"PathOnHost":"/dev/null","PathInContainer":"/dev/mine","CgroupPermissions":"r"}. .c 10:200 rwm.$
      inspect -f '{{.HostConfig.SecurityOpt}} {{.HostConfig.Sysctls}} {{.HostConfig.ReadonlyRootfs}}' made
      ~ ^.no-new-privileges.* map.net.ipv4.ip_default_ttl:9. true$
      rm made
      create --name made --privileged probe
      inspect -f '{{.HostConfig.Privileged}}' made
      ~ ^true$
      rm made
      ! create --cap-add NOSUCH probe
      ~ (?:unknown|invalid) capability
      `,
    ));

  test("files", () =>
    play(
      net,
      `
      ! create --name made --volumes-from nobody probe
      ~ No such container: nobody
      create --name owner -v flags:/o probe
      create --name made -v flags:/v:ro --volume-driver local --mount type=tmpfs,dst=/m --tmpfs /x:size=1m --volumes-from owner:ro probe
      inspect -f '{{.HostConfig.Binds}} {{.HostConfig.VolumeDriver}} {{json .HostConfig.Mounts}} {{.HostConfig.Tmpfs}} {{.HostConfig.VolumesFrom}}' made
      ~ ^.flags:/v:ro. local .{"Type":"tmpfs","Target":"/m"}. map./x:size=1m. .owner:ro.$
      rm made owner
      volume rm flags
      ! create --storage-opt size=10G probe
      ~ supported only for overlay over xfs with 'pquota' mount option
      `,
    ));

  test("namespaces", () =>
    play(
      net,
      `
      create --name made --pid host --ipc private --uts host --cgroupns host --userns host probe
      inspect -f '{{.HostConfig.PidMode}} {{.HostConfig.IpcMode}} {{.HostConfig.UTSMode}} {{.HostConfig.CgroupnsMode}} {{.HostConfig.UsernsMode}}' made
      ~ ^host private host host host$
      rm made
      ! create --pid container:nosuch probe
      ~ No such container: nosuch
      `,
    ));

  test("networks", () =>
    play(
      net,
      `
      network create --ipv6 --subnet 10.99.0.0/24 --subnet fd00:99::/64 flags
      create --name target --network flags probe
      create --name made --network flags --ip 10.99.0.9 --ip6 fd00:99::9 --mac-address 02:42:0a:63:00:09 --network-alias known --link-local-ip 169.254.9.9 --link target:linked probe
      inspect -f '{{json (index .NetworkSettings.Networks "flags").IPAMConfig}} {{(index .NetworkSettings.Networks "flags").Links}} {{(index .NetworkSettings.Networks "flags").Aliases}}' made
      ~ "IPv4Address":"10.99.0.9","IPv6Address":"fd00:99::9","LinkLocalIPs":."169.254.9.9".
      ~ .target:linked. .known.$
      rm made target
      network rm flags
      create --name made --add-host a:1.2.3.4 --dns 1.1.1.1 --dns-option ndots:2 --dns-search x.y --expose 90/udp -p 127.0.0.1:18080:80 -P probe
      inspect -f '{{.HostConfig.ExtraHosts}} {{.HostConfig.Dns}} {{.HostConfig.DnsOptions}} {{.HostConfig.DnsSearch}} {{json .Config.ExposedPorts}} {{json .HostConfig.PortBindings}} {{.HostConfig.PublishAllPorts}}' made
      ~ ^.a:1.2.3.4. .1.1.1.1. .ndots:2. .x.y. {"80/tcp":{},"90/udp":{}} {"80/tcp":.{"HostIp":"127.0.0.1","HostPort":"18080"}.} true$
      rm made
      `,
    ));

  test("health checks and logs", () =>
    play(
      net,
      `
      create --name made --health-cmd true --health-interval 1s --health-timeout 2s --health-retries 3 --health-start-period 4s --health-start-interval 500ms --log-driver local --log-opt max-size=1m probe
      inspect -f '{{json .Config.Healthcheck}}' made
      ~ {"Test":."CMD-SHELL","true".,"Interval":1000000000,"Timeout":2000000000,"StartPeriod":4000000000,"StartInterval":500000000,"Retries":3}
      inspect -f '{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}}' made
      ~ ^local map.max-size:1m.$
      rm made
      create --name made --no-healthcheck probe
      inspect -f '{{json .Config.Healthcheck}}' made
      ~ {"Test":."NONE".}
      rm made
      ! create --log-driver nosuch probe
      ~ nosuch
      `,
    ));
});
