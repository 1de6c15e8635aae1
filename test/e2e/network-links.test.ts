import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { image } from "../support/uplink.ts";

const net = world();
const sampanOnly =
  net.machine.engine === "sampan" ? {} : { skip: "dockerd forgets the IPv4 address, and cannot restart" };

/** The variables with a prefix, sorted. */
async function variables(text: Promise<string>, prefix: string): Promise<string[]> {
  return (await text)
    .split("\n")
    .filter((line) => line.startsWith(prefix))
    .toSorted();
}

/** The lines of /etc/hosts for a name, without the container's id. */
async function hosts(container: string, name: string): Promise<string[]> {
  const text = await net.sh(container, "cat /etc/hosts");
  return text
    .split("\n")
    .filter((line) => line.split(/\s/).includes(name))
    .map((line) => line.replace(/ [0-9a-f]{12}\b/, "").replace("\t", " "));
}

/** Waits until a container that has just started again answers. */
function reached(who: string, target: string, name: string): Promise<unknown> {
  const answers = async () => (await net.answer(who, target))?.split(" ")[0] === name;
  return eventually(`${who} reaches ${name}`, answers);
}

suite("links on the default network", requires("docker", "ip", "nft", "cc", "busybox"), () => {
  test("tell ports, addresses and the other's variables", async () => {
    const ports = ["-p", "5432", "--expose", "80-81", "--expose", "53/udp"];
    await net.serve("data", [...ports, "-e", "TOKEN=a b=c", "-e", "EMPTY=", "-e", "HOME=/x"]);
    const address = await net.address("data", "bridge");
    const run = ["run", "--rm", "--name", "asker", "--link", "data:my-db", "-e", "MY_DB_PORT_80_TCP_PROTO=mine"];
    const each = (port: number, protocol: string) => {
      const name = `MY_DB_PORT_${port}_${protocol.toUpperCase()}`;
      const said = protocol === "tcp" && port === 80 ? "mine" : protocol;
      const url = `${protocol}://${address}:${port}`;
      return [`${name}=${url}`, `${name}_ADDR=${address}`, `${name}_PORT=${port}`, `${name}_PROTO=${said}`];
    };
    const expected = [
      "MY_DB_NAME=/asker/my-db",
      "MY_DB_ENV_TOKEN=a b=c",
      "MY_DB_ENV_EMPTY=",
      `MY_DB_PORT=tcp://${address}:80`,
      ...[...each(80, "tcp"), ...each(81, "tcp"), ...each(5432, "tcp"), ...each(53, "udp")],
      `MY_DB_PORT_80_TCP_START=tcp://${address}:80`,
      "MY_DB_PORT_80_TCP_PORT_START=80",
      `MY_DB_PORT_80_TCP_END=tcp://${address}:81`,
      "MY_DB_PORT_80_TCP_PORT_END=81",
    ];
    assert.deepEqual(await variables(net.ok(...run, image, "env"), "MY_DB_"), expected.toSorted());
    await net.clear();
  });

  test("follow who is linked to: other addresses, another name", async () => {
    await net.serve("data", ["--expose", "80"]);
    await net.serve("asker", ["--link", "data:db", "--link", "data"]);
    await net.sh("asker", "echo 192.0.2.1 mine >>/etc/hosts");
    assert.equal(
      await net.inspect("asker", "{{json .HostConfig.Links}}").then(sorted),
      "/data:/asker/data /data:/asker/db",
    );
    const before = await net.address("data", "bridge");
    await net.ok("stop", "-t", "0", "data");
    await net.serve("squatter");
    await net.ok("start", "data");
    const address = await net.address("data", "bridge");
    assert.notEqual(address, before);
    assert.deepEqual(await hosts("asker", "data"), [`${address} db data`, `${address} data`]);
    assert.deepEqual(await hosts("asker", "mine"), ["192.0.2.1 mine"]);
    await reached("asker", "tcp:db:7000", "data");
    await net.ok("rename", "data", "store");
    await net.ok("rename", "asker", "client");
    const shown = await net.inspect("client", "{{json .HostConfig.Links}}").then(sorted);
    assert.equal(shown, "/store:/client/data /store:/client/db");
    assert.deepEqual(await variables(net.ok("exec", "client", "env"), "DB_"), [
      "DB_NAME=/client/db",
      `DB_PORT=tcp://${address}:80`,
      `DB_PORT_80_TCP=tcp://${address}:80`,
      `DB_PORT_80_TCP_ADDR=${address}`,
      "DB_PORT_80_TCP_PORT=80",
      "DB_PORT_80_TCP_PROTO=tcp",
    ]);
    await net.ok("restart", "-t", "0", "client");
    await reached("client", "tcp:db:7000", "data");
    await net.clear();
  });

  test("are refused to who does not run or is on other networks, and none there", async () => {
    await net.ok("network", "create", "elsewhere");
    await net.serve("data", ["-e", "TOKEN=x"]);
    await net.ok("create", "--name", "asker", "--link", "data:db", "--link", "data:db", image, "env");
    await net.ok("stop", "-t", "0", "data");
    await net.fails(/Cannot link to a non running container: \/data AS \/asker\/db/, "start", "asker");
    await net.fails(
      /could not get container for nobody: No such container: nobody/,
      "create",
      "--link",
      "nobody",
      image,
    );
    await net.ok("start", "data");
    await net.serve("guest", ["--network", "elsewhere", "--link", "data:db"]);
    assert.deepEqual(await variables(net.ok("exec", "guest", "env"), "DB_"), []);
    assert.equal(await net.inspect("guest", "{{json .HostConfig.Links}}"), "null");
    await net.clear();
  });

  test("are made when all start with the daemon: those first that others need", sampanOnly, async () => {
    const always = ["--restart", "always"];
    await net.serve("data", always);
    await net.serve("middle", [...always, "--link", "data:db"]);
    const users = ["asker", "guest", "watcher"];
    await net.serve("asker", [...always, "--link", "middle:mid", "--link", "data:db"]);
    await net.ok("run", "-d", "--name", "guest", ...always, "--network", "container:middle", image, "sleep", "1000");
    await net.ok("run", "-d", "--name", "watcher", ...always, "--pid", "container:asker", image, "sleep", "1000");
    const names = ["data", "middle", ...users];
    const pids = (await Promise.all(names.map((name) => net.inspect(name, "{{.State.Pid}}")))).map(Number);
    await net.machine.kill();
    // the last lives in the PID namespace of another one, and goes with it
    for (const pid of pids.slice(0, -1)) process.kill(pid, "SIGKILL");
    await eventually("all have ended", async () => !pids.some((pid) => existsSync(`/proc/${pid}`)));
    await net.machine.start();
    const running = async () =>
      (await net.ok("ps", "--filter", "status=running", "--format", "{{.Names}}")).split("\n").toSorted();
    await eventually("all run again", async () => (await running()).join() === names.toSorted().join());
    await reached("asker", "tcp:mid:7000", "middle");
    await net.clear();
  });

  test("have lines for both families", sampanOnly, async () => {
    await net.machine.stop();
    await net.machine.start(["--ipv6", "--fixed-cidr-v6", "fd00:77::/64"]);
    await net.serve("data");
    await net.serve("asker", ["--link", "data:db"]);
    const both = async () => [await net.address("data", "bridge"), await net.address("data", "bridge", "v6")];
    const lines = (await both()).map((address) => `${address} db data`);
    assert.deepEqual(await hosts("asker", "db"), lines);
    await net.ok("stop", "-t", "0", "data");
    await net.serve("squatter");
    await net.ok("start", "data");
    assert.notDeepEqual(
      (await both()).map((address) => `${address} db data`),
      lines,
    );
    assert.deepEqual(
      await hosts("asker", "db"),
      (await both()).map((address) => `${address} db data`),
    );
    await net.clear();
  });
});

function sorted(list: string): string {
  return (JSON.parse(list) as string[]).toSorted().join(" ");
}
