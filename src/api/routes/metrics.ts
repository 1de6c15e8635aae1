import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { ContainerView, Engine } from "../../engine/types.ts";
import type { ApiContext } from "../context.ts";
import { sendText } from "../http/answers.ts";
import type { Api } from "../http/fastify.ts";
import type { Actions } from "../metrics/actions.ts";
import { exposition, label, type Metric } from "../metrics/exposition.ts";

const type = "text/plain; version=0.0.4; charset=utf-8";

/** GET /metrics, for Prometheus: dockerd's names where it has some. Nothing is measured but when it is asked for. */
export function metricsRoute(app: Api, { engine }: ApiContext, actions: Actions): void {
  app.get("/metrics", async (_request, reply) => {
    const lag = await eventLoopLag();
    const metrics = [...engineMetrics(engine), ...containerMetrics(engine.containers.list({ all: true }))];
    const lines = exposition([...metrics, ...requestMetrics(actions), ...processMetrics(lag)]);
    sendText(reply, 200, type, `${[...lines, ...actions.lines()].join("\n")}\n`);
  });
}

/** Seconds until a turn that is due now comes. */
async function eventLoopLag(): Promise<number> {
  const begin = performance.now();
  await setImmediate();
  return (performance.now() - begin) / 1000;
}

function engineMetrics(engine: Engine): Metric[] {
  const { version, kernelVersion, arch } = engine.version();
  const { cpus, memory, images } = engine.info();
  const about = [label("version", version), label("kernel", kernelVersion), label("architecture", arch)].join(",");
  return [
    gauge("engine_daemon_engine_info", "The version of the engine and of the kernel", { [about]: 1 }),
    gauge("engine_daemon_engine_cpus_cpus", "The number of cpus that the host system of the engine has", cpus),
    gauge("engine_daemon_engine_memory_bytes", "The number of bytes of memory that the host system has", memory),
    gauge("engine_daemon_images", "The number of images", images),
    gauge("engine_daemon_networks", "The number of networks", engine.networks.list().length),
    gauge("engine_daemon_volumes", "The number of volumes", engine.volumes.list().length),
    counter("engine_daemon_events_total", "The number of events logged", engine.events.total),
    gauge("engine_daemon_events_subscribers_total", "The number of current subscribers", engine.events.listeners),
  ];
}

function containerMetrics(views: readonly ContainerView[]): Metric[] {
  const count = (test: (view: ContainerView) => boolean) => views.filter(test).length;
  const health = (status: string) => count(({ state }) => state.running && state.health?.status === status);
  return [
    gauge("engine_daemon_container_states_containers", "The count of containers in various states", {
      'state="running"': count(({ state }) => state.status === "running"),
      'state="paused"': count(({ state }) => state.status === "paused"),
      'state="stopped"': count(({ state }) => state.status !== "running" && state.status !== "paused"),
    }),
    gauge("engine_daemon_container_health_containers", "The count of running containers by what their checks say", {
      'health="healthy"': health("healthy"),
      'health="unhealthy"': health("unhealthy"),
      'health="starting"': health("starting"),
    }),
    gauge(
      "engine_daemon_container_restarts",
      "How often restart policies have started the containers that are here",
      views.reduce((sum, { restartCount }) => sum + restartCount, 0),
    ),
  ];
}

function requestMetrics({ requests, failed }: Actions): Metric[] {
  return [
    counter("engine_daemon_requests_total", "The number of requests to the API", requests),
    counter("engine_daemon_requests_failed_total", "Those that were answered with an error", failed),
  ];
}

function processMetrics(lag: number): Metric[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const started = Date.now() / 1000 - process.uptime();
  return [
    counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds", (user + system) / 1e6),
    gauge("process_resident_memory_bytes", "Resident memory size in bytes", rss),
    gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds", started),
    gauge("process_open_fds", "Number of open file descriptors", readdirSync("/proc/self/fd").length),
    gauge("nodejs_heap_size_used_bytes", "Bytes of the heap in use", heapUsed),
    gauge("nodejs_heap_size_total_bytes", "Bytes of the heap", heapTotal),
    gauge("nodejs_external_memory_bytes", "Bytes outside the heap", external),
    gauge("nodejs_eventloop_lag_seconds", "How late the event loop was when it was asked", lag),
    gauge(
      "nodejs_eventloop_utilization",
      "The share of the time that the event loop was busy",
      performance.eventLoopUtilization().utilization,
    ),
  ];
}

function gauge(name: string, help: string, value: Metric["value"]): Metric {
  return { name, help, type: "gauge", value };
}

function counter(name: string, help: string, value: number): Metric {
  return { name, help, type: "counter", value };
}
