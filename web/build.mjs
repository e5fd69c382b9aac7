// build.mjs OUT.html: bundles src/ into the page of the HTML report, program and style inside.
//
// The content security policy in the page admits this very program by its digest, so nothing else in the page can
// execute, whatever the data say.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const [out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node build.mjs OUT.html");
  process.exit(2);
}

async function bundle(entry) {
  const result = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    write: false,
    minify: true,
    charset: "ascii",
    format: "iife",
    target: ["es2020"],
    legalComments: "inline",
    logLevel: "warning",
  });
  return result.outputFiles[0].text.trim();
}

const program = await bundle("main.ts");
const style = await bundle("page.css");
if (/<\/script|<!--/i.test(program) || /<\/style/i.test(style)) throw new Error("the bundle would end its own element");
const digest = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const policy = [
  "default-src 'none'",
  `script-src ${digest(program)}`,
  // Charts set positions through the style attribute; a style cannot execute, and nothing can be loaded.
  `style-src ${digest(style)}`,
  "style-src-attr 'unsafe-inline'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");
const page = readFileSync(join(here, "src", "page.html"), "utf8")
  .replace("{{policy}}", () => policy)
  .replace("{{style}}", () => style)
  .replace("{{program}}", () => program);
if (page.split("<!--hap:data-->").length !== 2) throw new Error("page.html must have one mark for the data");
writeFileSync(out, page);
