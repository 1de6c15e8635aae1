import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { GenericContainer, Network, type StartedTestContainer, Wait } from "testcontainers";
import { dockerEnv } from "../support/docker.ts";
import { inOwnNetwork } from "../support/own-network.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";
import { ask, postgresCommand, redisCommand, services, servicesArchive, wantsTls } from "../support/services.ts";

/** testcontainers as a project uses it: its containers are a database and a cache. */
inOwnNetwork(import.meta.url, () => {
  const box = sandbox({ start: true, env: { SAMPAN_BRIDGE: undefined } });

  suite("testcontainers", requires("debootstrap"), () => {
    const started: StartedTestContainer[] = [];
    before(async () => {
      // No Ryuk: its image is in a registry that tests do not reach.
      Object.assign(process.env, dockerEnv(box), { TESTCONTAINERS_RYUK_DISABLED: "true" });
      const { status, text } = await box.api("POST", "/images/load?quiet=1", await servicesArchive());
      assert.equal(status, 200, text);
    });
    after(async () => {
      for (const container of started) await container.stop();
    });
    const keep = (container: StartedTestContainer) => {
      started.push(container);
      return container;
    };

    test("PostgreSQL: waits for a line of its log and for its port, runs statements, is reached from outside", async () => {
      const postgres = keep(
        await new GenericContainer(services.postgres)
          .withUser("postgres")
          .withCommand([...postgresCommand])
          .withExposedPorts(5432)
          .withEnvironment({ LANG: "C.UTF-8" })
          .withTmpFs({ "/scratch": "rw,size=1m" })
          .withWaitStrategy(Wait.forAll([Wait.forLogMessage(/ready to accept/), Wait.forListeningPorts()]))
          .start(),
      );
      assert.match(await ask(postgres.getHost(), postgres.getMappedPort(5432), wantsTls), /^[NS]/);
      const statement = "create table t (n int); insert into t values (20), (22); select sum(n) from t";
      const { exitCode, output } = await postgres.exec(["psql", "-h", "/tmp", "-At", "-c", statement]);
      assert.deepEqual([exitCode, output.trim().split("\n").at(-1)], [0, "42"]);
      await postgres.restart();
      const again = await postgres.exec(["psql", "-h", "/tmp", "-At", "-c", "select count(*) from t"]);
      assert.deepEqual([again.exitCode, again.output.trim()], [0, "2"], again.output);
    });

    test("Redis: in a network with an alias, files copied in and out, a health check, logs, stop", async () => {
      await using network = await new Network().start();
      const redis = keep(
        await new GenericContainer(services.redis)
          .withCommand([...redisCommand])
          .withExposedPorts(6379)
          .withNetwork(network)
          .withNetworkAliases("cache")
          .withLabels({ project: "shop" })
          .withCopyContentToContainer([{ content: "copied", target: "/srv/file", mode: 0o644 }])
          .withHealthCheck({ test: ["CMD", "redis-cli", "ping"], interval: 500, timeout: 5000, retries: 10 })
          .withWaitStrategy(Wait.forHealthCheck())
          .start(),
      );
      assert.equal(await ask(redis.getHost(), redis.getMappedPort(6379), "PING\r\n"), "+PONG\r\n");
      assert.equal((await redis.exec(["cat", "/srv/file"])).output, "copied");
      assert.ok((await redis.copyArchiveFromContainer("/srv/file")).readable);
      const client = keep(
        await new GenericContainer(services.redis)
          .withCommand(["redis-cli", "-h", "cache", "set", "key", "value"])
          .withNetwork(network)
          .withWaitStrategy(Wait.forOneShotStartup())
          .start(),
      );
      assert.equal((await redis.exec("redis-cli get key")).output.trim(), "value");
      const lines = await (await client.logs()).setEncoding("utf8").toArray();
      assert.match(lines.join(""), /OK/);
      for (const container of started.splice(0)) await container.stop();
      const left = await box.api("GET", "/containers/json?all=1");
      assert.deepEqual(left.json, []);
    });
  });
});
