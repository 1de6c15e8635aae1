import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { openCgroups } from "../cgroups/index.ts";
import { SampanError } from "../errors/index.ts";
import { openImages } from "../images/store.ts";
import { createExecutor } from "../kernel/executor.ts";
import { openNetworks } from "../network/index.ts";
import { defaultNetworking } from "../network/options.ts";
import { createRuntime, kernelFeatures } from "../runtime/runtime.ts";
import { isNewDatabase, openDatabase, syncDatabase } from "../storage/database.ts";
import { openLayerStore } from "../storage/layers/store.ts";
import type { Layout } from "../storage/layout.ts";
import { openSnapshotStore } from "../storage/snapshots/index.ts";
import { ContainersFiles } from "./archive/files.ts";
import { EngineBuilds } from "./builds/builds.ts";
import type { CreateRequest } from "./config.ts";
import { Discards } from "./container/discards.ts";
import { EngineContainers } from "./containers.ts";
import { EgressLog } from "./egress/log.ts";
import { Events } from "./events/log.ts";
import { EngineExecs } from "./exec/execs.ts";
import { explain } from "./explain.ts";
import { HealthChecks } from "./health/checks.ts";
import { HealthRecords } from "./health/records.ts";
import { isFullId } from "./identity/ids.ts";
import { EngineImages } from "./images/images.ts";
import { LogShipping } from "./logs/shipping.ts";
import { EngineNetworks } from "./networks/networks.ts";
import { ownedContainers } from "./owners/owned.ts";
import { EngineOwners } from "./owners/owners.ts";
import type { EngineParts } from "./parts.ts";
import { Registry } from "./records/registry.ts";
import { ContainerTable } from "./records/store.ts";
import { recover } from "./recovery.ts";
import { checkLayerStorage } from "./request/storage-options.ts";
import { readCeilings } from "./request/ulimits.ts";
import { EngineSecrets } from "./secrets/secrets.ts";
import { SecretStore } from "./secrets/store.ts";
import { EngineStats } from "./stats/stats.ts";
import { infoOf, versionOf } from "./system/info.ts";
import { readMachine } from "./system/machine.ts";
import type { Engine, EngineInfo, EngineOptions, EngineVersion, Explanation } from "./types.ts";
import { UserIds } from "./users/users.ts";
import { NamedVolumes } from "./volumes/engine-volumes.ts";
import { Volumes } from "./volumes/volumes.ts";

/** The native helper of this checkout. */
const helper = join(import.meta.dirname, "../../native/build/executor");

/** Composes an engine of a root directory, and takes over the containers that run there. One process per root. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { layout, log, insecureRegistries = [], mirrors = {}, registryConfig } = options;
  const layerStorage = { directory: layout.containers, usualLimit: options.layerLimit };
  mkdirSync(layout.root, { recursive: true, mode: 0o711 });
  checkLayerStorage(layerStorage);
  mkdirSync(layout.run, { recursive: true, mode: 0o711 });
  const db = openDatabase(layout.stateDb);
  const isNew = isNewDatabase(db);
  if (isNew) refuseLost(db, layout);
  const executor = createExecutor({ binary: helper, socket: layout.executorSocket });
  const cgroups = openCgroups({ name: `sampan${layout.suffix}` });
  const layers = openLayerStore({ directory: layout.layers, executor });
  await layers.sweep();
  const table = new ContainerTable(db);
  const snapshots = openSnapshotStore({ layout, layers, executor });
  const kernel = kernelFeatures(release());
  const networkDefaults = options.networking ?? defaultNetworking;
  const events = new Events();
  const egress = new EgressLog(events, (id) => networking.find(id));
  const onEgress = egress.note.bind(egress);
  const networking = await openNetworks({ layout, db, executor, log, options: networkDefaults, onEgress });
  const registry = new Registry(table);
  const parts: EngineParts = {
    layout,
    log,
    registry,
    events,
    egress,
    health: new HealthChecks(new HealthRecords(db, (error) => log.warn({ error }, "health results were not kept"))),
    shipping: new LogShipping({ executor, log }),
    images: openImages({ layout, db, layers, insecureRegistries, mirrors, registryConfig }),
    snapshots,
    discards: new Discards({ executor, snapshots, log }),
    executor,
    kernel,
    runtime: createRuntime({ executor, cgroups, kernel }),
    cgroups,
    secrets: new SecretStore(layout.root),
    users: new UserIds(registry, layout, options.usersRemap),
    volumes: new Volumes(layout.volumes, { db, executor }),
    networking,
    networkDefaults,
    layerStorage,
    machine: readMachine(),
    ceilings: readCeilings(),
  };
  const configured = { insecureRegistries, mirrors: Object.values(mirrors).flat() };
  const engine = new ComposedEngine(parts, db, configured, async () => {
    parts.health.close();
    await parts.shipping.close();
    await parts.discards.close();
    parts.runtime.close();
    await networking.close();
    await executor.close();
    cgroups.close();
    db.close();
  });
  if (isNew) await syncDatabase(db);
  await recover(parts, table, engine.containers);
  engine.owners.recover();
  engine.builds.recover();
  return engine;
}

/** Without its database, all that a root holds would be of nobody, and swept. */
function refuseLost(db: DatabaseSync, { root, stateDb, containers, layers }: Layout): void {
  const kept = [containers, layers].filter(
    (directory) => existsSync(directory) && readdirSync(directory).some(isFullId),
  );
  if (kept.length === 0) return;
  db.close();
  const remedy = `put ${stateDb} back, or begin anew with another root, or after moving ${kept.join(" and ")} elsewhere`;
  throw new SampanError(
    "internal",
    `Cannot use ${root}: its state database was lost, and nothing knows what is in it: ${remedy}`,
  );
}

class ComposedEngine implements Engine {
  readonly containers: EngineContainers;
  readonly execs: EngineExecs;
  readonly images: EngineImages;
  readonly networks: EngineNetworks;
  readonly owners: EngineOwners;
  readonly stats: EngineStats;
  readonly volumes: NamedVolumes;
  readonly files: ContainersFiles;
  readonly secrets: EngineSecrets;
  readonly builds: EngineBuilds;
  readonly #parts: EngineParts;
  readonly #configured: { readonly insecureRegistries: readonly string[]; readonly mirrors: readonly string[] };
  readonly #release: () => Promise<void>;

  constructor(
    parts: EngineParts,
    db: DatabaseSync,
    configured: { readonly insecureRegistries: readonly string[]; readonly mirrors: readonly string[] },
    release: () => Promise<void>,
  ) {
    this.#parts = parts;
    this.#configured = configured;
    this.#release = release;
    this.containers = new EngineContainers(parts);
    this.execs = new EngineExecs(parts);
    this.images = new EngineImages(parts);
    this.networks = new EngineNetworks(parts);
    this.secrets = new EngineSecrets(parts);
    this.owners = new EngineOwners(ownedContainers(parts, this.containers), parts.log);
    this.stats = new EngineStats(parts);
    this.volumes = new NamedVolumes(parts);
    this.files = new ContainersFiles(parts);
    this.builds = new EngineBuilds(parts, db, this.images);
  }

  get events(): Events {
    return this.#parts.events;
  }

  info(): EngineInfo {
    return infoOf(this.#parts, this.#configured);
  }

  version(): EngineVersion {
    return versionOf();
  }

  explain(request: CreateRequest): Promise<Explanation> {
    return explain(this.#parts, request);
  }

  busy(): boolean {
    for (const { isRunning, state } of this.#parts.registry.all()) {
      if (isRunning || state.status === "restarting") return true;
    }
    return false;
  }

  async close(): Promise<void> {
    this.stats.close();
    this.owners.close();
    this.containers.close();
    await this.#release();
  }
}
