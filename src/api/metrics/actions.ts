import type { ServerResponse } from "node:http";
import { Histogram } from "./histogram.ts";

/** The requests that are counted: method and route, and the metric and action they are told as. dockerd's names where it has some. */
const counted: Readonly<Record<string, readonly [noun: string, action: string]>> = {
  "POST /containers/create": ["container", "create"],
  "POST /containers/:id/start": ["container", "start"],
  "POST /containers/:id/stop": ["container", "stop"],
  "POST /containers/:id/restart": ["container", "restart"],
  "POST /containers/:id/kill": ["container", "kill"],
  "POST /containers/:id/pause": ["container", "pause"],
  "POST /containers/:id/unpause": ["container", "unpause"],
  "POST /containers/:id/update": ["container", "update"],
  "GET /containers/:id/changes": ["container", "changes"],
  "DELETE /containers/:id": ["container", "delete"],
  "POST /commit": ["container", "commit"],
  "POST /containers/:id/exec": ["container", "exec_create"],
  "POST /images/create": ["image", "pull"],
  "POST /images/load": ["image", "load"],
  "DELETE /images/*": ["image", "delete"],
  "POST /build": ["image", "build"],
  "POST /networks/create": ["network", "create"],
  "POST /networks/:id/connect": ["network", "connect"],
  "POST /networks/:id/disconnect": ["network", "disconnect"],
  "DELETE /networks/:id": ["network", "delete"],
  "POST /volumes/create": ["volume", "create"],
  "DELETE /volumes/:name": ["volume", "delete"],
};

/** How often and how long the API has done what. Failures are not in the durations, as with dockerd. */
export class Actions {
  readonly #histograms = new Map<string, Histogram>();
  /** Requests answered with a status of 400 or more. */
  failed = 0;
  requests = 0;

  /** Takes the time of a request until its answer is complete. */
  watch(route: string, response: ServerResponse): void {
    this.requests++;
    const known = Object.hasOwn(counted, route);
    const begin = performance.now();
    response.once("finish", () => {
      if (response.statusCode >= 400) this.failed++;
      else if (known && response.statusCode !== 304)
        this.#histogramOf(route).observe((performance.now() - begin) / 1000);
    });
  }

  /** The lines of the exposition format, a family for each noun. */
  lines(): string[] {
    const nouns = [...new Set(Object.values(counted).map(([noun]) => noun))];
    return nouns.flatMap((noun) => {
      const name = `engine_daemon_${noun}_actions_seconds`;
      const rows = Object.entries(counted).flatMap(([route, [of, action]]) =>
        of === noun ? (this.#histograms.get(route)?.lines(name, `action="${action}"`) ?? []) : [],
      );
      const help = `# HELP ${name} The number of seconds it takes to process each ${noun} action`;
      return rows.length === 0 ? [] : [help, `# TYPE ${name} histogram`, ...rows];
    });
  }

  #histogramOf(route: string): Histogram {
    const known = this.#histograms.get(route);
    if (known !== undefined) return known;
    const made = new Histogram();
    this.#histograms.set(route, made);
    return made;
  }
}
