import type { IdRange } from "../../runtime/user-namespace.ts";

/** `size` ids of the machine, from `start` on. */
export interface Span {
  readonly start: number;
  readonly size: number;
}

/**
 * The first of `size` ids in a row in the pool that nobody uses, at `from` or behind it, else from the pool's beginning;
 * undefined when there are none.
 */
export function findFree(pool: readonly Span[], used: readonly Span[], size: number, from = 0): number | undefined {
  const gaps = without(pool, used);
  const behind = gaps.flatMap(({ start, size: room }) => {
    const first = Math.max(start, from);
    return start + room > first ? [{ start: first, size: start + room - first }] : [];
  });
  return [...behind, ...gaps].find((gap) => gap.size >= size)?.start;
}

/** What is left of spans, in ascending order. */
export function without(spans: readonly Span[], taken: readonly Span[]): Span[] {
  const sorted = taken.toSorted((a, b) => a.start - b.start);
  return spans
    .toSorted((a, b) => a.start - b.start)
    .flatMap(({ start, size }) => {
      const left: Span[] = [];
      const end = start + size;
      let at = start;
      for (const other of sorted) {
        if (other.start >= end) break;
        if (other.start > at) left.push({ start: at, size: other.start - at });
        at = Math.max(at, other.start + other.size);
      }
      if (at < end) left.push({ start: at, size: end - at });
      return left;
    });
}

/** Ids 0 to `size` of a container on those of the machine from `first` on, but for those that are mapped elsewhere. */
export function mapAround(first: number, size: number, elsewhere: readonly IdRange[]): IdRange[] {
  const taken = elsewhere.map(({ container, size: count }) => ({ start: container, size: count }));
  const rest = without([{ start: 0, size }], taken).map((span) => ({
    container: span.start,
    host: first + span.start,
    size: span.size,
  }));
  return [...rest, ...elsewhere].sort((a, b) => a.container - b.container);
}

/** Ids of the machine one after the other, as the first ids of a container. */
export function mapInTurn(spans: readonly Span[]): IdRange[] {
  let container = 0;
  return spans.map(({ start, size }) => {
    const range = { container, host: start, size };
    container += size;
    return range;
  });
}
