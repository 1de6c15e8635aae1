import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { dockerIsRecent } from "../support/docker.ts";
import { requires } from "../support/requires.ts";
import { type Asked, ScriptedApi } from "../support/scripted-api.ts";

const id = "0123456789abcdef".repeat(4);

function network(name: string, more: object = {}): object {
  const IPAM = { Driver: "default", Options: null, Config: [{ Subnet: "10.0.0.0/16", Gateway: "10.0.0.1" }] };
  const about = { Scope: "local", Driver: "bridge", EnableIPv4: true, EnableIPv6: false, IPAM, Labels: { a: "1" } };
  const Created = "2024-05-06T07:08:09.123456789Z";
  return { Name: name, Id: (name + id).slice(0, 64), Created, ...about, Internal: false, Containers: {}, ...more };
}

const front = network("front");
const networks = [network("none", { Driver: "null" }), network("b10"), front, network("b9", { Internal: true })];
const ports = {
  "100/tcp": [{ HostIp: "0.0.0.0", HostPort: "100" }],
  "80/tcp": [
    { HostIp: "0.0.0.0", HostPort: "8080" },
    { HostIp: "::", HostPort: "8080" },
  ],
  "443/tcp": null,
  "53/udp": [{ HostIp: "127.0.0.1", HostPort: "5353" }],
};
const published = [
  { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
  { IP: "::", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
  { IP: "0.0.0.0", PrivatePort: 90, PublicPort: 90, Type: "udp" },
  { IP: "0.0.0.0", PrivatePort: 91, PublicPort: 91, Type: "udp" },
  { PrivatePort: 443, Type: "tcp" },
];
const container = {
  ...{ Id: id, Names: ["/web"], Image: "i", ImageID: id, Command: "x", Created: 1, Ports: published, Mounts: [] },
  ...{ Labels: {}, State: "running", Status: "Up", HostConfig: {}, NetworkSettings: { Networks: { front: {} } } },
};

const api = new ScriptedApi({
  "POST /containers/create": { Id: id, Warnings: [] },
  "GET /containers/json": [container],
  "GET /containers/web/json": { Id: id, Name: "/web", Config: {}, HostConfig: {}, NetworkSettings: { Ports: ports } },
  "POST /networks/create": { Id: id, Warning: "" },
  "GET /networks": networks,
  "GET /networks/front": front,
  "DELETE /networks/front": {},
  "POST /networks/front/connect": {},
  "POST /networks/front/disconnect": {},
  "POST /networks/prune": { NetworksDeleted: ["front", "b9"] },
});

const publications: readonly string[] = [
  ...["80", "8080:80", "127.0.0.1:8080:80", "127.0.0.1::80", "0:80", "[::1]:8080:80", "::1:8080:80", "[::]::80"],
  ...["8000-8002:80-82", "8000-8002:80", "80-82", "127.0.0.1:8000-8001:80-81/udp", "80/sctp", ":80", "8080:80/"],
  ...["published=8080,target=80", "target=80,published=8080-8085,protocol=udp", "target=80,mode=host"],
];

/** What both ask the daemon, in the same words. */
const sameRequests: readonly string[] = [
  ...publications.map((spec) => `create -p ${spec} i`),
  "create -p 8080:80 -p 8081:80 --expose 80 --expose 90-92/udp -P i",
  "create --network front i",
  "create --network front --network back i",
  "create --network name=front,alias=a,alias=b,ip=10.0.0.5,ip6=fd00::5,driver-opt=k=v,driver-opt=x=y,gw-priority=5 i",
  "create --network name=front,mac-address=02:42:ac:11:00:09,link-local-ip=169.254.1.1 --network back i",
  "create --network front --ip 10.0.0.5 --ip6 fd00::5 --network-alias a --network-alias b --link c:d --link e i",
  "create --network front --mac-address 02:42:ac:11:00:09 --link-local-ip 169.254.1.1 i",
  "create --network name=front --network name=back,ip=10.0.0.1 --ip 10.0.0.6 i",
  "create --network container:web i",
  "create --network host -p 80:80 i",
  "create --net front --net-alias a i",
  "create --ip 172.17.0.9 --link a:b i",
  "create --dns 1.1.1.1 --dns ::1 --dns-search . --dns-option ndots:1 --dns-opt timeout:3 i",
  "create --add-host a:1.1.1.1 --add-host b=2.2.2.2 --add-host c:host-gateway --add-host d=[fd00::1] i",
  "create --sysctl net.core.somaxconn=1 --volumes-from a --volumes-from b:ro --pid container:web i",
  "create --cgroupns host --userns host --uts host --ipc shareable i",
  "create --log-driver json-file --log-opt max-size=10m --log-opt max-file=3 i",
  "create --log-driver none i",
  "create --device-read-bps /dev/sda:1mb --device-write-bps /dev/sda:1kb --blkio-weight-device /dev/sda:200 i",
  "create --device-read-iops /dev/sda:100 --device-write-iops /dev/sda:10 i",
  "create --memory-swappiness 50 --oom-kill-disable --restart on-failure:5 i",
  "create --health-cmd true --health-interval 1m30s --health-retries 3 --health-timeout 500ms i",
  "create --health-start-period 1s --health-start-interval 2s i",
  "create --no-healthcheck i",
  "create --mount dst=/d i",
  "create --mount type=volume,src=v,dst=/d,volume-nocopy,volume-label=a=b,volume-subpath=a/b,ro i",
  "network create front",
  "network create -d macvlan -o parent=eth0 -o x --internal --attachable --label k=v --label x --ipv6 front",
  "network create --subnet 10.0.0.0/16 --gateway 10.0.0.1 --ip-range 10.0.1.0/24 --aux-address a=10.0.0.5 front",
  "network create --subnet 10.0.0.0/16,fd00::/64 --gateway fd00::1 --gateway 10.0.0.1 --ipv6 --ipv4=false front",
  "network create --ipam-driver null --ipam-opt a=b --scope local front",
  "network create --config-only front",
  "network create --config-from x front",
  "network connect front web",
  "network connect --ip 10.0.0.5 --ip6 fd00::5 --alias a --alias b,c --link d:e --gw-priority -5 front web",
  "network connect --link-local-ip 169.254.1.1 --driver-opt a=b front web",
  "network disconnect -f front web",
  "network prune -f --filter until=1h --filter label=a",
  "network ls -f name=x -f driver=bridge -f name=y",
];

/** What both print, to the letter. */
const sameOutput: readonly (readonly string[])[] = [
  ["ps", "--format", "{{.Names}} {{.Ports}} {{.Networks}}"],
  ["port", "web"],
  ["port", "web", "80"],
  ["port", "web", "53/udp"],
  ["port", "web", "53"],
  ["port", "web", "443"],
  ["port", "gone"],
  ["port"],
  ["container", "port", "web"],
  ["network", "ls"],
  ["network", "list", "--no-trunc"],
  ["network", "ls", "-q"],
  ["network", "ls", "--format", "json"],
  ["network", "ls", "--format", 'table {{.Name}}\t{{.Internal}}\t{{.IPv6}}\t{{.Label "a"}}\t{{.CreatedAt}}'],
  ["network", "inspect", "front", "gone"],
  ["network", "inspect", "-f", "{{.Name}} {{range .IPAM.Config}}{{.Subnet}}{{end}}", "front"],
  ["network", "inspect", "-f", "json", "front"],
  ["inspect", "front"],
  ["network", "rm", "-f", "gone", "front"],
  ["network", "create", "front"],
  ["network", "create"],
  ["network", "create", "a", "b"],
  ["network", "connect", "front"],
  ["network", "prune", "-f"],
  ["network", "prune"],
  ["network", "--help"],
];

/** What both refuse before they ask anybody; ours says what docker says, and which flag it is about. */
const sameRefusals: readonly string[] = [
  ...["80/foo", "foo", "99999", "99999:80", "8080:", "localhost:80:80", "9000-8000:80", "8000-8001:80-82"].map(
    (spec) => `create -p ${spec} i`,
  ),
  "create --expose 80:80 i",
  "create --network front --network host i",
  "create --network front --network name=front i",
  "create --network alias=a i",
  "create --network name=front,bar=1 i",
  "create --network name=front,gw-priority=x i",
  "create --network name=front,driver-opt=x i",
  "create --network name=front,ip=10.0.0.5 --ip 10.0.0.6 i",
  "create --network name=front,alias=a --network-alias b i",
  "create --network-alias a i",
  "create --mac-address foo i",
  "create --dns foo i",
  "create --dns-search 1.2.3.4 i",
  "create --add-host foo i",
  "create --add-host foo:bar i",
  "create --link a:b:c i",
  "create --sysctl kernel.hostname=x i",
  "create --log-driver none --log-opt a=b i",
  "create --device-read-bps sda:1mb i",
  "create --device-read-iops /dev/sda:x i",
  "create --blkio-weight-device /dev/sda:5 i",
  "create --restart on-failure:x i",
  "create --no-healthcheck --health-cmd true i",
  "create --health-interval -1s i",
  "create --health-timeout 5 i",
  "create --rm --restart always i",
  "create --mount type=bind,src=/a,dst=/d,volume-nocopy i",
  "network create --gateway 10.0.0.1 front",
  "network create --subnet 10.0.0.0/16 --subnet 10.0.1.0/24 front",
  "network create --subnet 10.0.0.0/16 --gateway 10.1.0.1 front",
  "network create --subnet 10.0.0.0/16 --ip-range 10.1.0.0/24 front",
  "network create --subnet 10.0.0.0/16 --aux-address a=10.1.0.1 front",
  "network connect --link a:b:c front web",
];

const recent = dockerIsRecent() ? {} : { skip: "needs the docker command line, version 25 or newer" };

suite("side by side with docker's command line", { ...requires("docker"), ...recent }, () => {
  before(() => api.open());
  after(() => api.close());

  for (const line of sameRequests) {
    test(`asks as docker does: ${line}`, async () => {
      const docker = await api.docker(...line.split(" "));
      const sampan = await api.sampan(...line.split(" "));
      assert.deepEqual([docker.status, sampan.status], [0, 0], docker.err + sampan.err);
      assert.deepEqual(meaning(sampan.asked), meaning(docker.asked));
    });
  }

  for (const args of sameOutput) {
    test(`prints what docker prints: ${args.join(" ")}`, async () => {
      const docker = await api.docker(...args);
      const sampan = await api.sampan(...args);
      const ours = { status: sampan.status, out: sampan.out, err: sampan.err };
      const theirs = (text: string): string => text.replaceAll("docker", "sampan");
      assert.deepEqual(ours, { status: docker.status, out: theirs(docker.out), err: theirs(docker.err) });
    });
  }

  for (const line of sameRefusals) {
    test(`refuses as docker does: ${line}`, async () => {
      const docker = await api.docker(...line.split(" "));
      const sampan = await api.sampan(...line.split(" "));
      const [first = ""] = docker.err.split("\n");
      const reason = first.replace(/^docker: /, "").replace(/^invalid argument .* flag: /, "");
      assert.ok(reason !== "" && sampan.err.includes(reason), `${sampan.err}\nis not\n${docker.err}`);
      assert.deepEqual([sampan.status, sampan.asked], [docker.status, []]);
    });
  }
});

/** The requests without what is empty or a default that docker sends and we leave out. */
function meaning(asked: readonly Asked[]): unknown {
  return asked.map((request) => ({ ...request, body: withoutEmpty(request.body) }));
}

function withoutEmpty(value: unknown, name = ""): unknown {
  if (name === "ConsoleSize" || name === "AttachStdout" || name === "AttachStderr") return undefined;
  if (name === "MemorySwappiness" && value === -1) return undefined;
  if (name === "RestartPolicy" && (value as { Name: string }).Name === "no") return undefined;
  if (name === "NetworkingConfig") return endpointsOf(value);
  // Docker's command line keeps the subnets in a hash table: their order is another every time.
  if (name === "IPAM") return withoutEmpty({ ...(value as object), Config: bySubnet(value as { Config?: Subnet[] }) });
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((each) => withoutEmpty(each) ?? {});
  if (typeof value !== "object" || value === null) return isEmpty(value) ? undefined : value;
  // A set's members have nothing in them.
  if (name === "ExposedPorts" || name === "Options" || name === "Labels") {
    return Object.keys(value).length === 0 ? undefined : value;
  }
  const kept = Object.entries(value)
    .map(([key, each]) => [key, withoutEmpty(each, key)] as const)
    .filter(([, each]) => each !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

interface Subnet {
  readonly Subnet: string;
}

function bySubnet({ Config = [] }: { readonly Config?: readonly Subnet[] }): Subnet[] {
  return Config.toSorted((a, b) => a.Subnet.localeCompare(b.Subnet));
}

/** Every network that is named; for docker the default one is, even without wishes. */
function endpointsOf(value: unknown): unknown {
  const { EndpointsConfig: endpoints } = value as { EndpointsConfig: Record<string, object> };
  const named = Object.entries(endpoints).map(([name, each]) => [name, withoutEmpty(each) ?? {}] as const);
  const wished = named.filter(([name, each]) => name !== "default" || Object.keys(each).length > 0);
  return wished.length === 0 ? undefined : Object.fromEntries(wished);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" || value === false || value === 0;
}
