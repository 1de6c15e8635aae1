/** One number, or one per label set: `state="running"`. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly value: number | Readonly<Record<string, number>>;
}

/** Prometheus's text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function exposition(metrics: readonly Metric[]): string[] {
  return metrics.flatMap(({ name, help, type, value }) => {
    const rows =
      typeof value === "number"
        ? [`${name} ${value}`]
        : Object.entries(value).map(([labels, one]) => `${name}{${labels}} ${one}`);
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...rows];
  });
}

/** `name="value"`, with what would end the value escaped. */
export function label(name: string, value: string): string {
  return `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
