import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

/** What became of one test. */
export interface Result {
  readonly name: string;
  /** Why it did not run. */
  readonly skip?: string;
  readonly failure?: string;
}

/** A reporter for node:test: a line of JSON for each test, for a parent process to read. */
export default async function* resultLines(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if ((type !== "test:pass" && type !== "test:fail") || data.details.type === "suite") continue;
    const { name, skip } = data;
    const result: Result = {
      name,
      ...(skip !== undefined && skip !== false && { skip: String(skip) }),
      ...(type === "test:fail" && { failure: inspect(data.details.error) }),
    };
    yield `${JSON.stringify(result)}\n`;
  }
}
