/** Writes docs/compatibility.md: which test proves which route, command and flag. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { page } from "./compatibility/page.ts";

writeFileSync(join(import.meta.dirname, "../docs/compatibility.md"), page());
