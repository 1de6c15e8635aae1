import { humanSize } from "../format/units.ts";

export interface Amount {
  readonly current?: number;
  readonly total?: number;
}

/** Docker's progress bar: `[====>     ]  3.5MB/10MB`, without the bar where the line is too short for it. */
export function progressText({ current = 0, total = 0 }: Amount, columns: number): string {
  if (current <= 0 && total <= 0) return "";
  if (total <= 0 || current > total) return humanSize(current).padStart(8);
  const numbers = `${humanSize(current).padStart(8)}/${humanSize(total)}`;
  if (columns <= 110) return numbers;
  const filled = Math.min(50, Math.floor((current / total) * 50));
  const arrow = filled < 50 ? ">" : "";
  return `[${"=".repeat(filled)}${arrow}${" ".repeat(50 - filled - arrow.length)}] ${numbers}`;
}
