/* Runs tests/frontend/*.test.ts with Node's test runner; esbuild turns each into a module first.

   These tests cover what needs no browser: the Markdown stream, the thread store, the socket. What a person
   sees is tested in tests/browser. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

const root = resolve(fileURLToPath(import.meta.url), "../../..");
const source = join(root, "tests/frontend");
const outdir = mkdtempSync(join(tmpdir(), "parlour-frontend-tests-"));
try {
  await esbuild.build({
    entryPoints: readdirSync(source).filter((file) => file.endsWith(".test.ts")).map((file) => join(source, file)),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    define: { ICON_SPRITE: '"icons.svg"' },
    logLevel: "warning",
  });
  const tests = readdirSync(outdir).filter((file) => file.endsWith(".mjs")).map((file) => join(outdir, file));
  process.exitCode = spawnSync(process.execPath, ["--test", ...tests], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(outdir, { recursive: true });
}
