import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { composes, Project } from "../support/compose.ts";
import { world } from "../support/netns.ts";
import { requires } from "../support/requires.ts";
import { uplink, upstreamAnswer } from "../support/uplink.ts";

const net = world();
const found = composes();
const needs = found.length > 0 ? requires("docker", "ip", "nft", "cc") : requires("docker-compose");

/** Front end and database that do not meet; a proxy between them; a published port, a health check to wait for. */
const tiers = `
services:
  proxy:
    image: probe
    command: probe serve proxy 7000
    networks: {frontend: {aliases: [www, shop.test]}, backend: {}}
    ports: ["8080:7000", "127.0.0.1:8081:7001/udp", "7000"]
    depends_on:
      db: {condition: service_healthy}
  app:
    image: probe
    command: probe serve app 7000
    networks: [frontend]
    expose: ["7000"]
    extra_hosts: ["elsewhere:192.0.2.55"]
    dns_search: corp.test
  db:
    image: probe
    hostname: database
    command: sh -c "sleep 0.3; exec probe serve db 7000"
    networks: {backend: {ipv4_address: 10.88.1.10, aliases: [store]}}
    healthcheck: {test: [CMD, probe, ask, "500", "tcp:127.0.0.1:7000"], interval: 1s, timeout: 2s, retries: 10}
  worker:
    image: probe
    command: probe serve worker 7000
    networks: [backend]
networks:
  frontend: {}
  backend:
    internal: true
    ipam: {config: [{subnet: 10.88.1.0/24}]}
`;

/** The implicit network of a project, scaled, with links and a shared network of another project. */
const scaled = `
services:
  web:
    image: probe
    command: probe serve web 7000
    ports: ["7000"]
  client:
    image: probe
    command: probe serve client 7000
    links: ["web:site"]
    networks: {default: {}, shared: {aliases: [visitor]}}
  sidecar:
    image: probe
    command: sleep 1000
    network_mode: "service:client"
  hosted:
    image: probe
    command: sleep 1000
    network_mode: host
networks:
  shared: {external: true, name: shared}
`;

async function said(who: string, target: string, milliseconds = 700): Promise<string | undefined> {
  return (await net.answer(who, target, milliseconds))?.split(" ")[0];
}

/** Another port makes one container of the project anew. */
async function replaceProxy(project: Project, app: string): Promise<void> {
  const [proxy, db] = [await project.container("proxy"), await project.container("db")];
  project.write(`version: "2.4"${tiers.replace("8080:7000", "8085:7000")}`);
  await project.ok("up", "-d");
  assert.notEqual(await project.container("proxy"), proxy);
  assert.equal(await project.container("db"), db);
  await net.serves(await project.container("proxy"));
  assert.equal(await said("outside", `tcp:${uplink.machine.v4}:8085`), "proxy");
  assert.equal(await said(app, "tcp:www:7000"), "proxy");
}

suite("Compose projects", needs, () => {
  for (const [i, compose] of found.entries()) {
    test(`${compose.title}: two networks, one internal, aliases, health, ports`, async () => {
      const project = new Project(net, compose, `tiers${i}`, `version: "2.4"${tiers}`);
      await project.ok("up", "-d");
      const services = ["proxy", "app", "db", "worker"] as const;
      const [proxy = "", app = "", db = "", worker = ""] = await Promise.all(
        services.map((name) => project.container(name)),
      );
      await Promise.all([proxy, app, db, worker].map((container) => net.serves(container)));
      // aliases and services are heard where both are
      for (const name of ["proxy", "www", "shop.test"])
        assert.equal(await said(app, `tcp:${name}:7000`), "proxy", name);
      for (const name of ["db", "store"]) assert.equal(await said(proxy, `tcp:${name}:7000`), "db", name);
      assert.equal(await said(worker, "tcp:proxy:7000"), "proxy");
      assert.equal(await said(app, "tcp:10.88.1.10:7000"), "timeout");
      assert.match(await net.sh(app, "nslookup -type=a db"), new RegExp(upstreamAnswer), "not ours, so the world's");
      // the internal network has no way out
      assert.notEqual(await said(worker, `tcp:${uplink.outside.v4}:7000`), "outside");
      assert.equal(await said(app, `tcp:${uplink.outside.v4}:7000`), "outside");
      assert.equal(await said("outside", `tcp:${uplink.machine.v4}:8080`), "proxy");
      assert.match(await project.ok("port", "proxy", "7000"), /^0\.0\.0\.0:\d+$/m);
      assert.match(await net.sh(app, "cat /etc/hosts"), /192\.0\.2\.55\s+elsewhere/);
      assert.match(await net.sh(app, "cat /etc/resolv.conf"), /^search corp\.test$/m);
      // a second "up" changes nothing
      await project.ok("up", "-d");
      assert.equal(await project.container("proxy"), proxy);
      if (compose.replaces || net.machine.engine === "sampan") await replaceProxy(project, app);
      await project.ok("down", "-t", "2");
      assert.equal(
        await net.ok("network", "ls", "-q", "--filter", `label=com.docker.compose.project=${project.name}`),
        "",
      );
    });

    test(`${compose.title}: a scaled service, links, shared and joined networks`, async () => {
      await net.ok("network", "create", "shared");
      await net.serve("visited", ["--network", "shared"]);
      const project = new Project(net, compose, `scaled${i}`, `version: "3.5"${scaled}`);
      await project.ok("up", "-d", "--scale", "web=3");
      const client = await project.container("client");
      const webs = await Promise.all([1, 2, 3].map((n) => project.container("web", n)));
      await Promise.all([client, ...webs].map((container) => net.serves(container)));
      const addresses = await Promise.all(webs.map((id) => net.address(id, `${project.name}_default`)));
      const out = await net.sh(client, "nslookup -type=a web");
      const named = [...out.matchAll(/^Address:\s*([\d.]+)$/gm)].map(([, address]) => address);
      assert.deepEqual([...new Set(named)].toSorted(), addresses.toSorted());
      assert.equal(await said(client, "tcp:site:7000"), "web");
      assert.equal(await said("visited", "tcp:visitor:7000"), "client");
      assert.equal(await said(await project.container("sidecar"), "tcp:127.0.0.1:7000"), "client");
      assert.match(await net.sh(await project.container("hosted"), "ip -o addr"), /192\.0\.2\.2\/24/);
      const ports = await Promise.all(webs.map((id) => net.ok("port", id, "7000")));
      for (const port of ports) assert.equal(await said("machine", `tcp:127.0.0.1:${/:(\d+)/.exec(port)?.[1]}`), "web");
      assert.equal(new Set(ports).size, 3);
      await project.ok("up", "-d", "--scale", "web=1");
      assert.equal(await project.container("web", 3), "");
      await project.ok("down", "-t", "2");
      await net.ok("rm", "-f", "visited");
      await net.ok("network", "rm", "shared");
    });
  }
});
