// Bundles the dashboard into dist/ (no argument), the unit tests into build/unit ("tests") or the browser's tour into
// build/browser ("browser").
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const common = { absWorkingDir: here, bundle: true, logLevel: "warning", jsx: "automatic", jsxImportSource: "preact" };
const forNode = { ...common, platform: "node", format: "esm", target: "node18", packages: "external" };

/** Builds the page; file names carry a hash of the content, so that they may be cached for ever. */
async function dashboard() {
  await rm(path.join(here, "dist"), { recursive: true, force: true });
  const { metafile } = await build({
    ...common,
    entryPoints: ["src/main.tsx", "src/styles/main.css", "src/icon.svg"],
    loader: { ".svg": "copy" },
    outdir: "dist/assets",
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    format: "esm",
    splitting: true,
    minify: true,
    target: ["es2022"],
    metafile: true,
    legalComments: "linked",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const made = new Map();
  for (const [file, output] of Object.entries(metafile.outputs)) {
    if (output.entryPoint) {
      made.set(output.entryPoint, file.replace(/^dist\//, ""));
    }
  }
  const icon = Object.keys(metafile.outputs).find((file) => file.endsWith(".svg"));
  const page = (await readFile(path.join(here, "index.html"), "utf8"))
    .replace("%SCRIPT%", made.get("src/main.tsx"))
    .replace("%ICON%", icon.replace(/^dist\//, ""))
    .replace("%STYLE%", made.get("src/styles/main.css"));
  await writeFile(path.join(here, "dist/index.html"), page);
}

/** Bundles every file of a folder as a program for Node. */
async function programs(folder, suffix, outdir) {
  const names = (await readdir(path.join(here, folder))).filter((name) => name.endsWith(suffix));
  await rm(path.join(here, outdir), { recursive: true, force: true });
  await mkdir(path.join(here, outdir), { recursive: true });
  await build({
    ...forNode,
    entryPoints: names.map((name) => `${folder}/${name}`),
    outdir,
    outExtension: { ".js": ".mjs" },
  });
}

const [what = "dashboard"] = process.argv.slice(2);
if (what === "dashboard") {
  await dashboard();
} else if (what === "tests") {
  await programs("tests", ".test.ts", "build/unit");
} else if (what === "browser") {
  await programs("browser", "tour.ts", "build/browser");
} else {
  throw new Error(`build.mjs knows dashboard, tests and browser, not ${what}`);
}
