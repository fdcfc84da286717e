/* Builds every page's script and style into config/static/dist, with hashed names.

   Leaves out: type checks (`npm run check`) and anything a template does itself. The manifest it writes is
   read by config/templatetags/assets.py: for each entry its script, its style and the chunks to preload, and
   the icon sprite, which holds exactly the icons that templates and scripts name. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

const root = resolve(fileURLToPath(import.meta.url), "../../..");
const dist = join(root, "config/static/dist");
const rooms = ["accounts", "characters", "chat", "config", "documents", "inference"];

/** An entry per page; a room without a page has none. The first file that exists makes the entry. */
const candidates = {
  house: ["config/frontend/house.ts"],
  admin: ["config/frontend/admin.ts", "config/frontend/admin.css"],
  ...Object.fromEntries(rooms.filter((room) => room !== "config").map((room) => [room, [`${room}/frontend/page.ts`]])),
};

function findEntries() {
  const found = Object.entries(candidates).map(([name, files]) => [name, files.find((file) => existsSync(join(root, file)))]);
  return Object.fromEntries(found.filter(([, file]) => file));
}

/** Names of the icons in use: `{% icon "name" %}` in templates, `icon("name"` in scripts and Python. */
function findIconNames() {
  const names = new Set();
  for (const room of rooms) {
    for (const file of readdirSync(join(root, room), { recursive: true, encoding: "utf8" })) {
      if (!/\.(html|ts|py)$/.test(file)) continue;
      const text = readFileSync(join(root, room, file), "utf8");
      for (const match of text.matchAll(/\{%\s*icon\s+"([a-z0-9-]+)"|\bicon\("([a-z0-9-]+)"/g)) names.add(match[1] ?? match[2]);
    }
  }
  return [...names].sort();
}

/** Writes one SVG with a symbol per icon and returns its file name; stroke and size are the style's to set. */
function writeSprite() {
  const symbols = findIconNames().map((name) => {
    const file = join(root, "node_modules/lucide-static/icons", `${name}.svg`);
    if (!existsSync(file)) throw new Error(`There is no icon named "${name}" in lucide-static.`);
    const shapes = readFileSync(file, "utf8").replace(/<!--.*?-->/gs, "").replace(/^.*?<svg[^>]*>|<\/svg>\s*$/gs, "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s+/g, " ").trim()}</symbol>`;
  });
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
  const hash = createHash("sha256").update(sprite).digest("hex").slice(0, 8).toUpperCase();
  writeFileSync(join(dist, `icons-${hash}.svg`), sprite);
  return `icons-${hash}.svg`;
}

/** `import href from "stylesheet:katex/dist/katex.min.css"`: the URL of a style that a script adds when it needs it. */
const stylesheetUrls = {
  name: "stylesheet-urls",
  setup(build) {
    build.onResolve({ filter: /^stylesheet:/ }, (args) => ({
      path: args.path.slice("stylesheet:".length),
      namespace: "stylesheet-url",
    }));
    build.onLoad({ filter: /.*/, namespace: "stylesheet-url" }, async (args) => {
      const result = await esbuild.build({ ...shared, stdin: undefined, entryPoints: [args.path], entryNames: "[name]-[hash]" });
      const name = Object.keys(result.metafile.outputs).find((output) => output.endsWith(".css"));
      for (const output of Object.keys(result.metafile.outputs)) built.add(basename(output));
      return { contents: `export default new URL("./${basename(name)}", import.meta.url).href;`, loader: "js" };
    });
  },
};

/** Every browser we serve reads woff2; a face's older formats would only fill the folder. */
const woff2Only = {
  name: "woff2-only",
  setup(build) {
    build.onResolve({ filter: /\.(woff|ttf)$/ }, (args) => ({ path: args.path, external: true }));
  },
};

const built = new Set();
const shared = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  minify: true,
  sourcemap: false,
  metafile: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  loader: { ".woff2": "file" },
  assetNames: "[name]-[hash]",
  legalComments: "none",
  logLevel: "warning",
  plugins: [woff2Only],
};

function options(sprite) {
  return {
    ...shared,
    entryPoints: findEntries(),
    splitting: true,
    entryNames: "[name]-[hash]",
    chunkNames: "part-[hash]",
    define: { ICON_SPRITE: JSON.stringify(sprite) },
    plugins: [...shared.plugins, stylesheetUrls],
  };
}

/** The scripts that `output` needs before it can run, itself left out. */
function findStaticImports(outputs, output, seen = new Set()) {
  for (const part of outputs[output].imports ?? []) {
    if (part.kind !== "import-statement" || part.external || seen.has(part.path)) continue;
    seen.add(part.path);
    findStaticImports(outputs, part.path, seen);
  }
  return [...seen].map((path) => basename(path));
}

function writeManifest(metafile, sprite) {
  const entries = {};
  for (const [path, output] of Object.entries(metafile.outputs)) {
    built.add(basename(path));
    const name = Object.entries(findEntries()).find(([, file]) => file === output.entryPoint)?.[0];
    if (!name) continue;
    const isScript = path.endsWith(".js");
    entries[name] = {
      script: isScript ? basename(path) : null,
      style: isScript ? (output.cssBundle ? basename(output.cssBundle) : null) : basename(path),
      imports: isScript ? findStaticImports(metafile.outputs, path) : [],
    };
  }
  // What every page's first line is set in; the other faces load when a page needs them.
  const fonts = Object.keys(metafile.outputs).map((path) => basename(path)).filter((name) => name.startsWith("figtree-latin-wght"));
  writeFileSync(join(dist, "manifest.json"), `${JSON.stringify({ entries, icons: sprite, fonts }, null, 2)}\n`);
}

function removeStale(sprite) {
  const kept = new Set([...built, sprite, "manifest.json"]);
  for (const file of readdirSync(dist)) if (!kept.has(file)) rmSync(join(dist, file));
}

mkdirSync(dist, { recursive: true });
const sprite = writeSprite();

if (process.argv.includes("--watch")) {
  const report = {
    name: "report",
    setup(build) {
      build.onEnd((result) => {
        if (result.metafile) writeManifest(result.metafile, sprite);
        console.log(`Built ${Object.keys(findEntries()).join(", ")}; ${result.errors.length} errors.`);
      });
    },
  };
  const context = await esbuild.context({ ...options(sprite), plugins: [...options(sprite).plugins, report] });
  await context.watch();
} else {
  const result = await esbuild.build(options(sprite));
  writeManifest(result.metafile, sprite);
  removeStale(sprite);
  console.log(`Built ${Object.keys(findEntries()).join(", ")} into config/static/dist.`);
}
