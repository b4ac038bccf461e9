// Prints the Khronos validator's report on one GLB as JSON.
// node validate_glb.mjs FILE.glb, with GLTF_VALIDATOR the folder in which `npm install gltf-validator` was run.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const home = resolve(process.env.GLTF_VALIDATOR ?? ".");
const validator = createRequire(join(home, "package.json"))("gltf-validator");
const report = await validator.validateBytes(new Uint8Array(readFileSync(process.argv[2])), { maxIssues: 0 });
console.log(JSON.stringify(report));
