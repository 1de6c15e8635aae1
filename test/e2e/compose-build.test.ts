import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, suite, test } from "node:test";
import { linkPlugins } from "../support/buildx.ts";
import { composes, Project } from "../support/compose.ts";
import { world } from "../support/netns.ts";
import { requires } from "../support/requires.ts";

const net = world();
const found = composes();
const needs = found.length > 0 ? requires("docker", "ip", "nft", "cc") : requires("docker-compose");

/** Services whose images are built: of one context and another, with all that a classic build takes. */
const services = `
services:
  web:
    build:
      context: .
      args: {GREETING: hello, UNSET: }
      target: web
      labels: {org.example.part: web}
      network: none
      extra_hosts: ["machine:host-gateway"]
    image: project/web:1
    depends_on: [worker]
  worker:
    build: {context: worker, dockerfile: other/Dockerfile}
`;

const files: Readonly<Record<string, readonly string[]>> = {
  Dockerfile: [
    "FROM probe AS base",
    "ARG GREETING=nothing",
    "COPY said /said",
    'RUN grep machine /etc/hosts > /hosts; echo "$GREETING $(cat /said)" > /greeting; ls /sys/class/net | tr "\\\\n" " " > /networks',
    "FROM base AS web",
    'CMD ["probe", "serve", "web", "7000"]',
    "FROM base AS never",
    "RUN false",
  ],
  said: ["to the first"],
  ignored: ["never sent"],
  ".dockerignore": ["ignored"],
  "worker/other/Dockerfile": ["FROM probe", "COPY . /sent", 'CMD ["probe", "serve", "worker", "7000"]'],
  "worker/file": ["of the worker"],
};

function put(project: Project, name: string, lines: readonly string[]): void {
  const path = join(project.directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${lines.join("\n")}\n`);
}

function projectOf(compose: (typeof found)[number], name: string, yaml: string): Project {
  const project = new Project(net, compose, name, `version: "3.8"${yaml}`);
  for (const [file, lines] of Object.entries(files)) put(project, file, lines);
  return project;
}

/** By the classic API and by BuildKit's protocol, which the first generation leaves to docker's command line. */
const ways = found.flatMap((compose) => [
  { compose, buildKit: false, how: "", failure: /returned a non-zero code: 3/ },
  ...(compose.replaces
    ? [{ compose, buildKit: true, how: " with BuildKit", failure: /did not complete successfully: exit code: 3/ }]
    : []),
]);

suite("Compose builds", needs, () => {
  before(() => {
    const config = join(net.machine.directory, "docker-config");
    linkPlugins(config);
    Object.assign(net.machine.env, { DOCKER_CONFIG: config, BUILDX_CONFIG: join(config, "buildx") });
  });

  for (const [i, { compose, buildKit, how, failure }] of ways.entries()) {
    const builder = () => {
      net.machine.env.DOCKER_BUILDKIT = buildKit ? "1" : "0";
    };

    test(`${compose.title}: build, up, and up --build after a change${how}`, async () => {
      builder();
      const project = projectOf(compose, `built${i}`, services);
      await project.ok("build");
      assert.equal(await net.inspect("project/web:1", '{{index .Config.Labels "org.example.part"}}'), "web");
      await project.ok("up", "-d");
      const web = await project.container("web");
      await Promise.all([net.serves(web), net.serves(await project.container("worker"))]);
      assert.equal(await net.sh(web, "cat /greeting"), "hello to the first");
      assert.equal(await net.sh(web, "cat /networks"), "lo ");
      assert.match(await net.sh(web, "cat /hosts"), /^(?:\d+\.){3}\d+\s+machine$/);
      const worker = await project.container("worker");
      assert.equal(await net.sh(worker, "cd /sent && find . -type f | sort"), "./file\n./other/Dockerfile");
      // Nothing has changed: nobody is replaced.
      await project.ok("up", "-d", "--build");
      assert.equal(await project.container("web"), web);
      put(project, "said", ["to the second"]);
      await project.ok("up", "-d", "--build");
      const replaced = await project.container("web");
      assert.notEqual(replaced, web);
      assert.equal(await project.container("worker"), worker);
      await net.serves(replaced);
      assert.equal(await net.sh(replaced, "cat /greeting"), "hello to the second");
      await project.ok("down", "-t", "2", "--rmi", "all");
      assert.equal(await net.ok("images", "-q", "project/web"), "");
    });

    test(`${compose.title}: build arguments of the command line, no cache, one service, a failure${how}`, async () => {
      builder();
      const project = projectOf(compose, `asked${i}`, services);
      await project.ok("build", "--build-arg", "GREETING=good day", "web");
      assert.equal(
        await net.ok("run", "--rm", "--network", "none", "project/web:1", "cat", "/greeting"),
        "good day to the first",
      );
      const first = await net.inspect("project/web:1", "{{.Id}}");
      await project.ok("build", "--no-cache", "web");
      assert.notEqual(await net.inspect("project/web:1", "{{.Id}}"), first);
      put(project, "Dockerfile", ["FROM probe AS web", "RUN echo why it fails; exit 3"]);
      const { status, stdout, stderr } = await project.run("build", "web");
      assert.notEqual(status, 0);
      assert.match(`${stdout}${stderr}`, /why it fails/);
      assert.match(`${stdout}${stderr}`, failure);
      await net.ok("rmi", "-f", "project/web:1");
    });
  }
});
