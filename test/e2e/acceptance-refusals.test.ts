import assert from "node:assert/strict";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { docker, dockerIsRecent } from "../support/docker.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

/**
 * docker run's flags, apart from those that other tests use. Each with how dockerd's CLI against us ends, how ours ends,
 * and what is then said: nothing is ignored.
 */
const refused: [flags: string, dockerSays: RegExp, sampanSays: RegExp][] = [
  ["--blkio-weight-device /dev/nosuch:100", /\/dev\/nosuch/, /\/dev\/nosuch/],
  ["--cpu-rt-period 10000 --cpu-rt-runtime 5000", /realtime|supported|CpuRealtime/i, /not in this version/],
  ["--device /dev/nosuch", /\/dev\/nosuch/, /\/dev\/nosuch/],
  ["--device-read-bps /dev/nosuch:1mb", /\/dev\/nosuch/, /\/dev\/nosuch/],
  ["--gpus all", /DeviceRequests/, /not in this version/],
  [
    "--ip 1.2.3.4",
    /user specified IP address is supported on user defined/,
    /user specified IP address is supported on user defined/,
  ],
  [
    "--ip6 ::2",
    /user specified IP address is supported on user defined/,
    /user specified IP address is supported on user defined/,
  ],
  ["--ipc container:nosuch", /No such container: nosuch/, /No such container: nosuch/],
  ["--isolation hyperv", /Isolation/, /not in this version/],
  ["--log-driver journald", /Cannot honour the log driver journald/, /journald/],
  ["--memory-swap 100m", /always set the Memory limit/, /always set the Memory limit/],
  ["--mount type=image,src=busybox,dst=/x", /mounts of type image/, /image/],
  ["--mount type=npipe,src=a,dst=/x", /mounts of type npipe/, /npipe/],
  ["--network bridge", /network bridge not found/, /network bridge not found/],
  ["--network mine", /network mine not found/, /network mine not found/],
  ["--network-alias a", /only supported for user-defined networks/, /only supported for user-defined networks/],
  ["--add-host a:host-gateway", /unable to derive the IP value for host-gateway/, /unable to derive the IP value/],
  ["--network container:nosuch", /No such container: nosuch/, /No such container: nosuch/],
  ["--pid container:nosuch", /No such container: nosuch/, /No such container: nosuch/],
  ["--pull never --platform linux/s390x", /linux\/s390x/, /linux\/s390x/],
  ["--runtime nosuch", /unknown or invalid runtime name: nosuch/, /unknown or invalid runtime name: nosuch/],
  ["--security-opt apparmor=mine", /apparmor=mine/, /apparmor=mine/],
  ["--security-opt nosuch=1", /nosuch=1/, /nosuch=1/],
  ["--stop-signal NOSUCH", /invalid signal: NOSUCH/, /invalid signal: NOSUCH/],
  ["--storage-opt size=10G", /supported only for overlay over xfs/, /supported only for overlay over xfs/],
  ["--sysctl kernel.panic=1", /kernel\.panic/, /sysctl 'kernel\.panic=1' is not allowed/],
  ["--tmpfs /x:nosuch", /invalid tmpfs option/, /invalid tmpfs option/],
  ["--ulimit nofile=100000000", /nofile/, /nofile/],
  ["--volume /tmp:/x:nosuch", /invalid mode: nosuch/, /invalid mode: nosuch/],
  ["--volume-driver nosuch", /VolumeDriver/, /VolumeDriver/],
  ["--volumes-from nosuch", /No such container: nosuch/, /No such container: nosuch/],
  ["--workdir relative", /absolute path/, /absolute path/],
  ["--no-such-flag", /unknown flag: --no-such-flag/, /no-such-flag/],
];

/** Flags that only limit or place something; that they do is read back inside the container. */
const honoured: [flags: string, script: string, says: RegExp][] = [
  ["--add-host a:1.2.3.4", "cat /etc/hosts", /^1\.2\.3\.4\s+a$/m],
  ["--cap-drop ALL", "grep CapEff /proc/self/status", /\t0+$/],
  ["--cap-add SYS_TIME", "grep CapEff /proc/self/status", /00000000aa0425fb$/],
  ["--device /dev/null:/dev/mine", "ls -l /dev/mine", /1,\s+3 /],
  [
    "--dns 1.1.1.1 --dns-option ndots:2 --dns-search x.y",
    "cat /etc/resolv.conf",
    /1\.1\.1\.1\nsearch x\.y\noptions ndots:2/,
  ],
  ["--domainname d", "cat /proc/sys/kernel/domainname", /^d$/],
  ["--group-add 5", "id -G", /\b5\b/],
  ["--hostname h", "hostname; cat /etc/hostname", /^h\nh$/],
  ["--init", "cat /proc/1/comm", /init/],
  ["--ipc host", "readlink /proc/self/ns/ipc", /ipc:/],
  ["--oom-score-adj 100", "cat /proc/self/oom_score_adj", /^100$/],
  ["--pid host", "ls -d /proc/[0-9]* | wc -l", /^\d{2,}$/],
  ["--read-only", "touch /x 2>&1", /Read-only file system/],
  ["--shm-size 10m", "df -k /dev/shm", /10240/],
  ["--tmpfs /x:size=1m", "df -k /x", /1024/],
  ["--ulimit nofile=10:20", "ulimit -n; ulimit -Hn", /^10\n20$/],
  ["--user 5:6", "id -u; id -g", /^5\n6$/],
  ["--sysctl kernel.shm_rmid_forced=1", "cat /proc/sys/kernel/shm_rmid_forced", /^1$/],
  ["--sysctl net.ipv4.ip_default_ttl=9", "cat /proc/sys/net/ipv4/ip_default_ttl", /^9$/],
  ["--cgroupns host", "readlink /proc/self/ns/cgroup", /cgroup:/],
  ["--mount type=volume,src=refusals,dst=/v", "touch /v/x; ls /v", /^x$/],
  ["--mount type=volume,dst=/v,ro", "touch /v/x 2>&1", /Read-only file system/],
  ["--uts host", "hostname", /./],
  ["--workdir /x/y", "pwd", /^\/x\/y$/],
  ["--env A=b", "echo $A", /^b$/],
  ["--privileged", "grep -c ' /proc/' /proc/self/mounts; ls /dev/kmsg", /^0\n\/dev\/kmsg$/],
  ["--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", /1$/],
  ["--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status", /0$/],
];

suite("docker run's flags: honoured or refused, never ignored", {
  ...requires("docker", "busybox"),
  ...requiresRoot(),
}, () => {
  before(async () => {
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
  });

  test("refused, with what is lacking", async () => {
    const isRecent = dockerIsRecent();
    for (const [flags, dockerSays, sampanSays] of refused) {
      const args = ["run", "--rm", ...flags.split(" "), "busybox", "true"];
      const [theirs, ours] = await Promise.all([docker(box, args), box.run(args)]);
      assert.match(ours.stderr, sampanSays, `sampan ${flags}`);
      if (!isRecent && /IPAMConfig/.test(String(dockerSays))) continue; // it does not tell the daemon
      assert.match(theirs.stderr, dockerSays, `docker ${flags}`);
      // docker's CLI takes every "no such file or directory" for a missing program.
      const status = /no such file or directory/.test(theirs.stderr) ? 127 : 125;
      assert.equal(theirs.status, status, `docker ${flags}: ${theirs.stderr}`);
      assert.ok([125, status].includes(ours.status), `sampan ${flags}: ${ours.status} ${ours.stderr}`);
    }
    assert.equal(await box.ok("ps", "-aq"), "");
  });

  test("honoured, as is seen inside", async () => {
    for (const [flags, script, says] of honoured) {
      const args = ["run", "--rm", ...flags.split(" "), "busybox", "sh", "-c", script];
      for (const { stdout, stderr } of await Promise.all([docker(box, args), box.run(args)])) {
        assert.match(stdout.trim(), says, `${flags}: ${stderr}`);
      }
    }
  });

  test("--cidfile, --env-file, --label-file, --pull, --quiet, --stop-timeout, --annotation, --expose", async () => {
    const cid = join(box.directory, "cid");
    const flags = ["--cidfile", cid, "--stop-timeout", "1", "--annotation", "a=b", "--expose", "80", "--label", "k=v"];
    const id = await box.ok("create", "--name", "told", "--pull", "never", "--quiet", ...flags, "busybox");
    const format =
      "{{.Id}} {{.Config.StopTimeout}} {{.HostConfig.Annotations.a}} {{json .Config.ExposedPorts}} {{.Config.Labels.k}}";
    assert.equal(await box.ok("inspect", "--format", format, "told"), `${id} 1 b {"80/tcp":{}} v`);
    await box.fails({ status: 125, stderr: /cid/ }, "create", "--cidfile", cid, "busybox");
    await box.ok("rm", "told");
  });
});
