// The browser that the tests of pages share: headless Chromium, and a page that must stay quiet.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const folder = mkdtempSync(join(tmpdir(), "hap-browser-"));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
export let context;

export async function open_browser() {
  context = await chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath: process.env.CHROMIUM, args: flags, viewport: { width: 1366, height: 768 }, acceptDownloads: true, colorScheme: "light",
  });
}
export async function close_browser() {
  await context?.close();
  rmSync(folder, { recursive: true, force: true });
}

// Makes a page of reports, comparisons and differences.
export function render(name, documents) {
  const file = join(folder, `${name}.html`);
  const lines = documents.map((one) => JSON.stringify(one)).join("\n");
  const made = spawnSync(process.env.RENDER_PAGE, { input: lines, maxBuffer: 1 << 28 });
  assert.equal(made.status, 0, made.stderr.toString());
  writeFileSync(file, made.stdout);
  return file;
}

// Opens the page, and after `use` asserts that it was quiet: no console error, no request but the page itself.
export async function with_page(file, use) {
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on("console", (message) => { if (message.type() !== "log" && message.type() !== "info") complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith("blob:")) requests.push(request.url()); });
  page.on("popup", () => complaints.push("a window was opened"));
  await page.goto(`file://${file}`);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true", null, { timeout: 60000 });
  try {
    await use(page);
  } finally {
    await page.close();
  }
  assert.deepEqual(complaints, []);
  assert.deepEqual([...new Set(requests)], [`file://${file}`]);
}

// Milliseconds to the first paint, the best of three loads: what else the machine does only ever adds to it.
export async function first_paint(page) {
  let best = Infinity;
  for (let load = 0; load < 3; ++load) {
    if (load > 0) await page.reload();
    const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    best = Math.min(best, await (await page.waitForFunction(painted)).jsonValue());
  }
  return best;
}
