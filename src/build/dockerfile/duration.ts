const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A duration as Go writes it (`1m30s`, `1.5h`, `-2ms`, `0`) in nanoseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  const number = "(?:\\d+\\.?\\d*|\\.\\d+)";
  const unit = "(?:ns|us|µs|μs|ms|s|m|h)";
  if (!new RegExp(`^[+-]?(?:${number}${unit})+$`, "u").test(text)) return undefined;
  const parts = text.matchAll(new RegExp(`(${number})(${unit})`, "gu"));
  const sum = [...parts].reduce((total, [, value, name = ""]) => total + Number(value) * (units[name] ?? 0), 0);
  return text.startsWith("-") ? -sum : Math.round(sum);
}
