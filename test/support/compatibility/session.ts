import type { Step } from "./call.ts";

type More = Partial<Omit<Step, "name" | "method" | "path">>;

function step(name: string, method: string, path: string, more: More = {}): Step {
  return { name, method, path, ...more };
}

const filters = (wanted: object) => `filters=${encodeURIComponent(JSON.stringify(wanted))}`;

/** What a daemon says of itself. */
const about = [
  step("ping", "GET", "/_ping"),
  step("ping without body", "HEAD", "/_ping"),
  step("version", "GET", "/version"),
  step("info", "GET", "/info"),
  step("version too new", "GET", "/v1.99/info"),
  step("version too old", "GET", "/v1.1/info"),
  step("unknown route", "GET", "/nosuch"),
  step("options", "OPTIONS", "/anything"),
  step("services without swarm", "GET", "/services"),
  step("swarm", "GET", "/swarm"),
  step("nodes without swarm", "GET", "/nodes"),
  step("plugins", "GET", "/plugins"),
  step("unknown plugin", "GET", "/plugins/nosuch/json"),
];

const images = (archive: Uint8Array): Step[] => [
  step("no images", "GET", "/images/json"),
  step("load", "POST", "/images/load?quiet=1", { body: archive }),
  step("images", "GET", "/images/json"),
  step("images of 1.43", "GET", "/v1.43/images/json"),
  step("image", "GET", "/images/busybox/json"),
  step("image of 1.43", "GET", "/v1.43/images/busybox/json"),
  step("unknown image", "GET", "/images/nosuch/json"),
  step("history", "GET", "/images/busybox/history"),
  step("tag", "POST", "/images/busybox/tag?repo=other&tag=v1"),
  step("tag without name", "POST", "/images/busybox/tag"),
  step("tag with a bad name", "POST", "/images/busybox/tag?repo=UPPER&tag=v1"),
  step("tag of nothing", "POST", "/images/nosuch/tag?repo=other"),
  step("images by reference", "GET", `/images/json?${filters({ reference: ["other"] })}`),
  step("images by label", "GET", `/images/json?${filters({ label: ["nosuch"] })}`),
  step("images by nonsense", "GET", `/images/json?${filters({ nonsense: ["1"] })}`),
  step("filters that are no JSON", "GET", "/images/json?filters=x"),
  step("untag", "DELETE", "/images/other:v1"),
  step("remove an unknown image", "DELETE", "/images/nosuch"),
  step("prune no images", "POST", "/images/prune"),
  step("pull a bad name", "POST", "/images/create?fromImage=UPPER"),
];

const sleeper = {
  Image: "busybox",
  Cmd: ["sh", "-c", 'trap "exit 7" TERM; echo out; sleep 0.1; echo err >&2; while :; do sleep 0.1; done'],
  Env: ["A=1", "B"],
  Hostname: "box",
  Labels: { x: "y" },
  User: "tester",
  WorkingDir: "/tmp",
  ExposedPorts: { "80/tcp": {} },
  StopSignal: "SIGTERM",
  StopTimeout: 5,
  HostConfig: {
    Memory: 64 << 20,
    CpuShares: 512,
    PidsLimit: 50,
    CapAdd: ["NET_ADMIN"],
    CapDrop: ["MKNOD"],
    ExtraHosts: ["other:192.0.2.9"],
    Dns: ["192.0.2.53"],
    Tmpfs: { "/scratch": "size=1m" },
    Binds: ["data:/data:ro"],
    Mounts: [{ Type: "volume", Source: "more", Target: "/more" }],
    ShmSize: 1 << 20,
    Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }],
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 },
    LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
    ReadonlyRootfs: false,
    Init: true,
  },
};

const made = [
  step("no containers", "GET", "/containers/json?all=1"),
  step("create", "POST", "/containers/create?name=one", { body: sleeper, keep: ["one", "Id"] }),
  step("create of no image", "POST", "/containers/create", { body: { Image: "nosuch" } }),
  step("create without image", "POST", "/containers/create", { body: {} }),
  step("create with a used name", "POST", "/containers/create?name=one", { body: sleeper }),
  step("create with a bad name", "POST", "/containers/create?name=-", { body: sleeper }),
  step("create without body", "POST", "/containers/create"),
  step("create with little memory", "POST", "/containers/create", {
    body: { Image: "busybox", HostConfig: { Memory: 1 } },
  }),
  step("create with unknown network", "POST", "/containers/create?name=lost", {
    body: { Image: "busybox", HostConfig: { NetworkMode: "nosuch" } },
  }),
  step("start with unknown network", "POST", "/containers/lost/start"),
  step("remove what never ran", "DELETE", "/containers/lost"),
  step("created container", "GET", "/containers/one/json"),
  step("unknown container", "GET", "/containers/nosuch/json"),
  step("created container in the list", "GET", "/containers/json?all=1"),
  step("nothing runs", "GET", "/containers/json"),
  step("top of what does not run", "GET", "/containers/one/top"),
  step("pause of what does not run", "POST", "/containers/one/pause"),
  step("kill of what does not run", "POST", "/containers/one/kill"),
  step("stop of what does not run", "POST", "/containers/one/stop"),
  step("resize of what does not run", "POST", "/containers/one/resize?h=1&w=1"),
  step("exec in what does not run", "POST", "/containers/one/exec", { body: { Cmd: ["true"] } }),
  step("stats of what does not run", "GET", "/containers/one/stats?stream=0&one-shot=1"),
  step("attach without streams", "POST", "/containers/nosuch/attach?stream=1"),
];

const running = [
  step("start", "POST", "/containers/one/start"),
  step("start again", "POST", "/containers/one/start"),
  step("running container", "GET", "/containers/one/json", { pause: 500 }),
  step("running container of 1.43", "GET", "/v1.43/containers/one/json"),
  step("running container with size", "GET", "/containers/one/json?size=1"),
  step("list", "GET", "/containers/json"),
  step("list of 1.43", "GET", "/v1.43/containers/json"),
  step("list with size", "GET", "/containers/json?size=1"),
  step("list by label", "GET", `/containers/json?${filters({ label: ["x=z"] })}`),
  step("list by nonsense", "GET", `/containers/json?${filters({ nonsense: ["1"] })}`),
  step("list by unknown status", "GET", `/containers/json?${filters({ status: ["nonsense"] })}`),
  step("top", "GET", "/containers/one/top"),
  step("top with columns", "GET", "/containers/one/top?ps_args=-o%20pid,comm"),
  step("stats", "GET", "/containers/one/stats?stream=0&one-shot=1"),
  step("stats with a second look", "GET", "/containers/one/stats?stream=0"),
  step("logs", "GET", "/containers/one/logs?stdout=1&stderr=1"),
  step("logs of 1.41", "GET", "/v1.41/containers/one/logs?stdout=1&stderr=1"),
  step("logs with times", "GET", "/containers/one/logs?stdout=1&timestamps=1"),
  step("logs, the last lines", "GET", "/containers/one/logs?stdout=1&tail=2"),
  step("logs of no stream", "GET", "/containers/one/logs"),
  step("logs with a bad tail", "GET", "/containers/one/logs?stdout=1&tail=x"),
  step("logs of nothing", "GET", "/containers/nosuch/logs?stdout=1"),
  step("resize", "POST", "/containers/one/resize?h=20&w=80"),
  step("resize to nonsense", "POST", "/containers/one/resize?h=x&w=80"),
  step("remove what runs", "DELETE", "/containers/one"),
  step("changes", "GET", "/containers/one/changes"),
];

const execs = [
  step("exec", "POST", "/containers/one/exec", {
    body: { Cmd: ["sh", "-c", "cat; echo e >&2; exit 3"], AttachStdin: true, AttachStdout: true, AttachStderr: true },
    keep: ["exec", "Id"],
  }),
  step("exec without command", "POST", "/containers/one/exec", { body: {} }),
  step("exec before its start", "GET", "/exec/{{exec}}/json"),
  step("exec start", "POST", "/exec/{{exec}}/start", { body: { Detach: false, Tty: false }, input: "in\n" }),
  step("exec after its end", "GET", "/exec/{{exec}}/json", { pause: 200 }),
  step("exec start again", "POST", "/exec/{{exec}}/start", { body: {} }),
  step("exec of a terminal", "POST", "/containers/one/exec", {
    body: { Cmd: ["echo", "hello"], AttachStdout: true, Tty: true },
    keep: ["terminal", "Id"],
  }),
  step("exec start of a terminal", "POST", "/exec/{{terminal}}/start", { body: { Tty: true } }),
  step("exec of no program", "POST", "/containers/one/exec", {
    body: { Cmd: ["/nosuch"], AttachStdout: true },
    keep: ["broken", "Id"],
  }),
  step("exec start of no program", "POST", "/exec/{{broken}}/start", { body: {} }),
  step("exec of no program after its end", "GET", "/exec/{{broken}}/json", { pause: 200 }),
  step("exec detached", "POST", "/containers/one/exec", { body: { Cmd: ["true"] }, keep: ["detached", "Id"] }),
  step("exec start detached", "POST", "/exec/{{detached}}/start", { body: { Detach: true } }),
  step("unknown exec", "GET", "/exec/nosuch/json"),
  step("start of an unknown exec", "POST", "/exec/nosuch/start", { body: {} }),
  step("resize of an ended exec", "POST", "/exec/{{exec}}/resize?h=1&w=1"),
];

const changed = [
  step("pause", "POST", "/containers/one/pause"),
  step("pause again", "POST", "/containers/one/pause"),
  step("paused container in the list", "GET", "/containers/json"),
  step("exec in what is paused", "POST", "/containers/one/exec", { body: { Cmd: ["true"] } }),
  step("unpause", "POST", "/containers/one/unpause"),
  step("unpause again", "POST", "/containers/one/unpause"),
  step("update", "POST", "/containers/one/update", {
    body: { Memory: 128 << 20, MemorySwap: 256 << 20, RestartPolicy: { Name: "no" } },
  }),
  step("update to little memory", "POST", "/containers/one/update", { body: { Memory: 1 } }),
  step("update of nothing", "POST", "/containers/nosuch/update", { body: {} }),
  step("rename", "POST", "/containers/one/rename?name=two"),
  step("rename to a bad name", "POST", "/containers/two/rename?name=-"),
  step("rename to no name", "POST", "/containers/two/rename"),
  step("rename to its own name", "POST", "/containers/two/rename?name=two"),
  step("kill with an unknown signal", "POST", "/containers/two/kill?signal=NONSENSE"),
  step("kill with a harmless signal", "POST", "/containers/two/kill?signal=WINCH"),
  step("restart", "POST", "/containers/two/restart?t=5"),
  step("changed container", "GET", "/containers/two/json"),
];

const files = (archive: Uint8Array): Step[] => [
  step("copy in", "PUT", "/containers/two/archive?path=/tmp", { body: archive }),
  step("copy to no directory", "PUT", "/containers/two/archive?path=/nosuch", { body: archive }),
  step("copy to a file", "PUT", "/containers/two/archive?path=/etc/passwd", { body: archive }),
  step("copy without path", "PUT", "/containers/two/archive", { body: archive }),
  step("look at a file", "HEAD", "/containers/two/archive?path=/tmp/file"),
  step("look at a link", "HEAD", "/containers/two/archive?path=/bin/sh"),
  step("look at nothing", "HEAD", "/containers/two/archive?path=/nosuch"),
  step("copy out", "GET", "/containers/two/archive?path=/tmp/dir"),
  step("copy nothing out", "GET", "/containers/two/archive?path=/nosuch"),
  step("changes by a copy", "GET", "/containers/two/changes"),
  step("export of nothing", "GET", "/containers/nosuch/export"),
  step("commit", "POST", "/commit?container=two&repo=made&tag=v1&comment=c&author=a&pause=1", {
    body: { Cmd: ["echo", "made"], Labels: { l: "1" } },
    keep: ["made", "Id"],
  }),
  step("commit of nothing", "POST", "/commit?container=nosuch"),
  step("committed image", "GET", "/images/made:v1/json"),
  step("history of a committed image", "GET", "/images/made:v1/history"),
  step("remove an image", "DELETE", "/images/made:v1"),
];

const ended = [
  step("wait", "POST", "/containers/two/wait", {
    during: [step("stop", "POST", "/containers/two/stop?t=5")],
  }),
  step("stop again", "POST", "/containers/two/stop"),
  step("wait for what has ended", "POST", "/containers/two/wait"),
  step("wait for nonsense", "POST", "/containers/two/wait?condition=nonsense"),
  step("ended container", "GET", "/containers/two/json"),
  step("ended container in the list", "GET", `/containers/json?${filters({ exited: ["7"] })}`),
  step("create one to attach to", "POST", "/containers/create?name=talk", {
    body: { Image: "busybox", Cmd: ["cat"], OpenStdin: true, StdinOnce: true, AttachStdin: true },
  }),
  step("attach", "POST", "/containers/talk/attach?stream=1&stdin=1&stdout=1&stderr=1", {
    input: "said\n",
    during: [step("start what is attached", "POST", "/containers/talk/start")],
  }),
  step("attach without upgrade", "POST", "/containers/talk/attach?logs=1&stdout=1"),
  step("attach to nothing", "POST", "/containers/nosuch/attach?stream=1&stdout=1"),
  step("start what cannot be", "POST", "/containers/create?name=broken", {
    body: { Image: "busybox", Cmd: ["/nosuch"] },
  }),
  step("start of no program", "POST", "/containers/broken/start"),
  step("container of no program", "GET", "/containers/broken/json"),
  step("remove", "DELETE", "/containers/two?force=1"),
  step("remove again", "DELETE", "/containers/two"),
  step("prune", "POST", "/containers/prune"),
];

const volumes = [
  step("volumes", "GET", "/volumes"),
  step("volume create", "POST", "/volumes/create", { body: { Name: "vol", Labels: { a: "b" } } }),
  step("volume create again", "POST", "/volumes/create", { body: { Name: "vol" } }),
  step("volume of a bad name", "POST", "/volumes/create", { body: { Name: "-" } }),
  step("volume of an unknown driver", "POST", "/volumes/create", { body: { Name: "vd", Driver: "nosuch" } }),
  step("volume of an unknown option", "POST", "/volumes/create", { body: { Name: "vo", DriverOpts: { x: "y" } } }),
  step("volume", "GET", "/volumes/vol"),
  step("unknown volume", "GET", "/volumes/nosuch"),
  step("volumes by label", "GET", `/volumes?${filters({ label: ["a=b"] })}`),
  step("volumes by nonsense", "GET", `/volumes?${filters({ nonsense: ["a"] })}`),
  step("container with a volume", "POST", "/containers/create?name=uses", {
    body: { Image: "busybox", HostConfig: { Binds: ["vol:/v"] } },
  }),
  step("remove a used volume", "DELETE", "/volumes/vol"),
  step("remove its container", "DELETE", "/containers/uses"),
  step("remove a volume", "DELETE", "/volumes/vol"),
  step("remove an unknown volume", "DELETE", "/volumes/nosuch"),
  step("prune volumes", "POST", `/volumes/prune?${filters({ all: ["true"] })}`),
];

const networks = [
  step("networks", "GET", "/networks"),
  step("network bridge", "GET", "/networks/bridge"),
  step("network create", "POST", "/networks/create", {
    body: { Name: "net", IPAM: { Config: [{ Subnet: "10.99.0.0/24" }] }, Labels: { a: "b" } },
    keep: ["net", "Id"],
  }),
  step("network create again", "POST", "/networks/create", { body: { Name: "net" } }),
  step("network without name", "POST", "/networks/create", { body: {} }),
  step("network of an unknown driver", "POST", "/networks/create", { body: { Name: "nd", Driver: "nosuch" } }),
  step("network in a used range", "POST", "/networks/create", {
    body: { Name: "nr", IPAM: { Config: [{ Subnet: "10.99.0.0/24" }] } },
  }),
  step("container in a network", "POST", "/containers/create?name=in", {
    body: {
      Image: "busybox",
      Cmd: ["sleep", "60"],
      ExposedPorts: { "80/tcp": {} },
      HostConfig: { NetworkMode: "net", PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "18080" }] }, Init: true },
      NetworkingConfig: { EndpointsConfig: { net: { Aliases: ["alias"], IPAMConfig: { IPv4Address: "10.99.0.9" } } } },
    },
  }),
  step("start in a network", "POST", "/containers/in/start"),
  step("networked container", "GET", "/containers/in/json"),
  step("networked container of 1.44", "GET", "/v1.44/containers/in/json"),
  step("list of networked containers", "GET", "/containers/json"),
  step("network", "GET", "/networks/net"),
  step("connect", "POST", "/networks/bridge/connect", { body: { Container: "in" } }),
  step("connect again", "POST", "/networks/bridge/connect", { body: { Container: "in" } }),
  step("connect of nothing", "POST", "/networks/net/connect", { body: { Container: "nosuch" } }),
  step("connected container", "GET", "/containers/in/json"),
  step("disconnect", "POST", "/networks/bridge/disconnect", { body: { Container: "in" } }),
  step("disconnect again", "POST", "/networks/bridge/disconnect", { body: { Container: "in" } }),
  step("remove a used network", "DELETE", "/networks/net"),
  step("remove a predefined network", "DELETE", "/networks/bridge"),
  step("kill", "POST", "/containers/in/kill"),
  step("remove the networked container", "DELETE", "/containers/in?force=1&v=1"),
  step("unknown network", "GET", "/networks/nosuch"),
  step("networks by name", "GET", `/networks?${filters({ name: ["net"] })}`),
  step("networks by nonsense", "GET", `/networks?${filters({ nonsense: ["a"] })}`),
  step("remove a network", "DELETE", "/networks/net"),
  step("prune networks", "POST", "/networks/prune"),
];

const afterwards = [
  step("events", "GET", "/events?since={{begin}}&until={{now}}"),
  step("events of 1.43", "GET", `/v1.43/events?since={{begin}}&until={{now}}&${filters({ event: ["rename"] })}`),
  step("events by nonsense", "GET", `/events?since=0&until=1&${filters({ nonsense: ["a"] })}`),
  step("disk usage", "GET", "/system/df"),
  step("disk usage of containers", "GET", "/system/df?type=container"),
  step("disk usage of nonsense", "GET", "/system/df?type=nonsense"),
];

/** A session that asks for everything a container's life has, the same for every engine. */
export function session(image: Uint8Array, tree: Uint8Array): Step[] {
  return [
    ...about,
    ...images(image),
    ...made,
    ...running,
    ...execs,
    ...changed,
    ...files(tree),
    ...ended,
    ...volumes,
    ...networks,
    ...afterwards,
  ];
}
