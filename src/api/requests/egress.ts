import * as z from "zod";
import { struct } from "./validate.ts";

/** What a container or network may reach: `{ "Allow": ["host:443", "10.0.0.0/8"] }`; nothing with an empty list. */
export const egress = struct({ Allow: z.array(z.string()) }).transform(({ Allow }) => ({ Allow: Allow ?? [] }));
