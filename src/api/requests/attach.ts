import * as z from "zod";
import { flag, text } from "./query.ts";

/** The parameters of both ways to attach. */
export const attachQuery = z.object({
  logs: flag(),
  stream: flag(),
  stdin: flag(),
  stdout: flag(),
  stderr: flag(),
  detachKeys: text(),
});
