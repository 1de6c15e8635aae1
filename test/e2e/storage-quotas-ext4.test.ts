import { suite } from "node:test";
import { requiresLimits, testLimits } from "../support/layer-limits.ts";
import { lackOfProjectQuotas } from "../support/quota-disk.ts";
import { requiresKernel } from "../support/requires.ts";

const needed = { ...requiresLimits(), ...requiresKernel(await lackOfProjectQuotas()) };

suite("limits of writable layers on ext4", needed, () => {
  testLimits("ext4");
});
