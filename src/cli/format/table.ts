/** The narrowest a column may be, with the space after it. */
const narrowest = 10;

/** Rows of cells as lines: every column as wide as its widest cell and three spaces more, as docker's tables are. */
export function alignColumns(rows: readonly (readonly string[])[], atLeast: number = narrowest): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      // The last cell of a line ends it; it does not make the column wider for others.
      if (column < row.length - 1) widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell.padEnd(Math.max((widths[column] ?? 0) + 3, atLeast)),
      )
      .join("")
      .trimEnd(),
  );
}
