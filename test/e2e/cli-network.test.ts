import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { type Finished, runProgram } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sampan as program } from "../support/sandbox.ts";
import { openTerminal } from "../support/terminal.ts";
import { image, uplink } from "../support/uplink.ts";

const net = world();

/** Sampan's command line, to whatever engine the machine has: with SAMPAN_TEST_ENGINE=dockerd it proves itself there. */
function environment(): NodeJS.ProcessEnv {
  const { env } = net.machine;
  return { ...env, SAMPAN_HOST: env.DOCKER_HOST };
}

function sampan(...args: string[]): Promise<Finished> {
  return runProgram(program, args, { cwd: net.machine.directory, env: environment(), input: "" });
}

/** `sampan ARGS…`, which has to succeed; its output without the last line's end. */
async function ok(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sampan(...args);
  assert.equal(status, 0, `sampan ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout.replace(/\n$/, "");
}

async function fails(status: number, stderr: RegExp, ...args: string[]): Promise<void> {
  const finished = await sampan(...args);
  assert.match(finished.stderr, stderr, `sampan ${args.join(" ")}`);
  assert.equal(finished.status, status);
}

/** Both command lines print the same of the same daemon. */
async function alike(...args: string[]): Promise<string> {
  const [ours, theirs] = [await sampan(...args), await net.docker(args)];
  // Time passes between two looks: "Up 2 seconds", "Up About a minute"
  const timeless = (text: string) => text.replaceAll(/(\bUp|\(\d+\)) (?:\d+|Less than a|About an?) [a-z]+/g, "$1 …");
  const tidy = ({ status, stdout, stderr }: Finished) => ({
    status,
    stdout: timeless(stdout).replace(/ +$/gm, ""),
    stderr,
  });
  assert.deepEqual(tidy(ours), tidy(theirs), args.join(" "));
  return ours.stdout.replace(/\n$/, "");
}

const serve = (name: string, ...ports: number[]): string[] => [image, "probe", "serve", name, ...ports.map(String)];

suite("networks on the command line", requires("docker", "ip", "nft", "cc", "busybox", "tmux"), () => {
  before(async () => {
    await ok("network", "create", "--subnet", "10.85.1.0/24", "--gateway", "10.85.1.254", "--label", "k=v", "front");
    await ok("network", "create", "--internal", "--subnet", "10.85.2.0/24", "--ip-range", "10.85.2.128/25", "back");
    const publish = ["-p", "8080:7000", "-p", "127.0.0.1:9000-9002:9000-9002", "-p", "5353:53/udp", "--expose", "443"];
    await ok("run", "-d", "--name", "web", ...publish, "--network", "front", ...serve("web", 7000, 9001));
    const both = ["--network", "name=back,alias=database,ip=10.85.2.200", "--network", "name=front,gw-priority=5"];
    await ok("run", "-d", "--name", "db", ...both, "--add-host", "gate:host-gateway", ...serve("db", 7000));
    await net.serves("web");
    await net.serves("db");
  });

  test("both command lines show the same", async () => {
    await alike("ps", "--format", "{{.Names}}\t{{.Ports}}");
    await alike("ps", "-a", "--format", "table {{.Names}}\t{{.Ports}}\t{{.State}}\t{{.Status}}");
    await alike("port", "web");
    await alike("port", "web", "7000/tcp");
    await alike("port", "web", "443");
    await alike("port", "nosuch");
    await alike("network", "ls");
    await alike("network", "ls", "--filter", "type=custom", "--format", "json");
    await alike("network", "ls", "--filter", "label=k=v", "-q", "--no-trunc");
    await alike("network", "ls", "--filter", "nonsense=1");
    await alike("network", "inspect", "-f", "{{.Name}} {{.Internal}} {{json .IPAM.Config}}", "front", "back", "bridge");
    await alike("network", "inspect", "nosuch");
    await alike("inspect", "--type", "network", "-f", "{{.Name}}", "front");
  });

  test("what was asked for is there", async () => {
    // dockerd has a process that also takes IPv6 connections to containers without IPv6; Sampan has none.
    const mappings = (await ok("port", "web")).split("\n").filter((line) => !line.includes("[::]"));
    assert.deepEqual(mappings, [
      ...["53/udp -> 0.0.0.0:5353", "7000/tcp -> 0.0.0.0:8080", "9000/tcp -> 127.0.0.1:9000"],
      ...["9001/tcp -> 127.0.0.1:9001", "9002/tcp -> 127.0.0.1:9002"],
    ]);
    assert.match(
      await ok("ps", "--filter", "name=web", "--format", "{{.Ports}}"),
      /^443\/tcp, 127\.0\.0\.1:9000-9002->9000-9002\/tcp, 0\.0\.0\.0:5353->53\/udp.*, 0\.0\.0\.0:8080->7000\/tcp/,
    );
    assert.match((await net.answer("outside", `tcp:${uplink.machine.v4}:8080`)) ?? "", /^web /);
    assert.match((await net.answer("machine", "tcp:127.0.0.1:9001")) ?? "", /^web /);
    assert.match((await net.answer("web", "tcp:db:7000")) ?? "", /^db /);
    assert.match(await net.sh("db", "ip route show default"), /via 10\.85\.1\.254 /);
    assert.match(await net.sh("db", "ip -o -4 addr"), /10\.85\.2\.200\/24/);
    assert.match(await net.sh("db", "cat /etc/hosts"), /^\d+\.\d+\.\d+\.\d+\s+gate$/m);
  });

  test("connect, disconnect", async () => {
    assert.equal(await ok("network", "connect", "--ip", "10.85.2.77", "--alias", "shop", "back", "web"), "");
    assert.match((await net.answer("db", "tcp:shop:7000")) ?? "", /^web /);
    const settings = '{{with index .NetworkSettings.Networks "back"}}{{.IPAddress}} {{json .Aliases}}{{end}}';
    assert.equal(await ok("inspect", "-f", settings, "web"), '10.85.2.77 ["shop"]');
    await fails(1, /already exists in network back/, "network", "connect", "back", "web");
    assert.equal(await ok("network", "disconnect", "back", "web"), "");
    await fails(1, /is not connected to/, "network", "disconnect", "back", "web");
  });

  test("another container's network", async () => {
    const links = ["sh", "-c", "cat /sys/class/net/eth0/address"];
    const own = await net.sh("web", "cat /sys/class/net/eth0/address");
    assert.equal(await ok("run", "--rm", "--network", "container:web", image, ...links), own);
    await fails(125, /port publishing/, "run", "--rm", "--network", "container:web", "-p", "80", ...serve("x"));
    const { stderr } = await sampan("run", "--rm", "--network", "none", "-p", "80", image, "true");
    if (net.machine.engine === "sampan") {
      assert.match(stderr, /WARNING: Published ports are discarded when using none network mode/);
    }
  });

  test("what cannot be is refused in docker's words", async () => {
    await fails(
      125,
      /Bind for 0\.0\.0\.0:8080 failed: port is already allocated/,
      "run",
      "-p",
      "8080:1",
      image,
      "true",
    );
    await fails(125, /network nosuch not found/, "run", "--network", "nosuch", image, "true");
    await fails(125, /no configured subnet/, "run", "--network", "front", "--ip", "10.9.9.9", image, "true");
    await fails(1, /network with name front already exists/, "network", "create", "front");
    await fails(1, /Pool overlaps with other one/, "network", "create", "--subnet", "10.85.1.0/25", "x");
    await fails(1, /plugin "nosuch" not found/, "network", "create", "-d", "nosuch", "x");
    await fails(1, /has active endpoints \(name:"web"/, "network", "rm", "front");
    await fails(1, /bridge is a pre-defined network and cannot be removed/, "network", "rm", "bridge");
    const left = await ok("ps", "-aq", "--filter", "status=created");
    if (left !== "") await ok("rm", ...left.split("\n"));
  });

  test("prune asks, and removes what nobody uses", async () => {
    await ok("network", "create", "spare");
    await ok("network", "create", "--label", "keep=1", "kept");
    const refusing = await sampan("network", "prune");
    assert.match(refusing.stdout, /^WARNING! This will remove all custom networks[\s\S]*\[y\/N\] $/);
    assert.equal(await ok("network", "prune", "-f", "--filter", "label!=keep"), "Deleted Networks:\nspare\n");
    const { machine } = net;
    const terminal = await openTerminal(machine.directory, [program, "network", "prune"], environment());
    await terminal.shows(/\[y\/N\]/);
    await terminal.type("y");
    await terminal.press("Enter");
    await terminal.shows(/Deleted Networks:\s+kept/);
    await terminal.close();
    assert.equal(await ok("network", "ls", "-q", "--filter", "name=kept"), "");
  });
});
