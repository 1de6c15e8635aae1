/** The bar that old clients print as it comes: "[====>      ]  1.2MB/3.4MB". Counts are bytes; a total of 0 is unknown. */
export function progressBar(current: number, total: number): string {
  if (current <= 0 && total <= 0) return "";
  const done = humanSize(current).padStart(8);
  if (total <= 0) return done;
  const filled = Math.min(50, Math.floor(Math.floor((current / total) * 100) / 2));
  const bar = `[${"=".repeat(filled)}>${" ".repeat(50 - filled)}] `;
  return current > total ? bar + done : `${bar}${done}/${humanSize(total)}`;
}

const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Four significant digits and a decimal unit, as Docker prints sizes. */
export function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${Number(size.toPrecision(4))}${units[unit]}`;
}
