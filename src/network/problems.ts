/** Several complaints in one text, as dockerd writes them: one alone, more as a list with stars. */
export function joinProblems(problems: readonly string[]): string {
  const [only = ""] = problems;
  return problems.length <= 1 ? only : problems.map((problem) => `* ${problem.replaceAll("\n", "\n\t")}`).join("\n");
}
