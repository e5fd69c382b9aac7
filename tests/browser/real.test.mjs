// What `hap` makes of real recordings: pages in the browser against the JSON of the same command line, tracefiles through
// genhtml, a page of 200. Label: lab.
//
// HAP: the program. Recordings are made in the lab machine (a minute), or taken from the folder HAP_RECORDINGS, with at
// least two sandboxes that served the same workload.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { close_browser, folder, open_browser, render, with_page, first_paint } from "./browser.mjs";

const recordings = [];
const ledger = join(folder, "ledger.sqlite");

function run(program, args, more = {}) {
  const made = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 29, env: { ...process.env, HAP_LEDGER: ledger, LC_ALL: "C.UTF-8" }, ...more });
  assert.equal(made.status, 0, `${program} ${args.join(" ")}: ${made.stderr}`);
  return made.stdout;
}
const hap = (...args) => run(process.env.HAP, args);
const hap_json = (...args) => JSON.parse(hap(...args, "--format", "json"));
function page_of(name, ...args) {
  const file = join(folder, `${name}.html`);
  writeFileSync(file, hap(...args, "--format", "html"));
  return file;
}
const number = (text) => Number(text.replace(/,/g, ""));

before(async () => {
  await open_browser();
  const given = process.env.HAP_RECORDINGS;
  if (given) {
    recordings.push(...readdirSync(given).filter((name) => name.endsWith(".hap")).sort().slice(0, 4).map((name) => join(given, name)));
  } else {
    for (const sandbox of ["bare", "docker-default"]) {
      recordings.push(join(folder, `${sandbox}.hap`));
      hap("measure", "--sandbox", sandbox, "--workload", "redis-set", "--profile", "fast", "-o", recordings.at(-1));
    }
  }
  assert.ok(recordings.length >= 2);
  // A ledger of a few records whose places are certain: always executed, there but not executed by redis, not there.
  const records = [["CVE-2024-30001", ["kernel/sched/core.c"]], ["CVE-2024-30002", ["fs/read_write.c"]], ["CVE-2024-30003", ["drivers/gpu/drm/i915/none.c"]]];
  const lines = records.map(([id, files]) => JSON.stringify({ id, title: `${files[0]}: fix a flaw`, files, cvss: "", why: "" }));
  writeFileSync(join(folder, "records.jsonl"), `${lines.join("\n")}\n`);
  hap("ledger", "import", join(folder, "records.jsonl"));
});
after(close_browser);

test("a report's page shows the report's numbers", async () => {
  const json = hap_json("report", recordings[1]);
  assert.ok(json.exposure.counts.exercised >= 1 && json.exposure.counts.absent >= 1, JSON.stringify(json.exposure.counts));
  assert.equal(json.known_cves.value, json.exposure.counts.exercised);
  await with_page(page_of("report", "report", recordings[1]), async (page) => {
    const rows = await page.$$eval("#summary tbody tr", (all) => all.map((row) => [...row.querySelectorAll("td")].map((cell) => [cell.dataset.metric, cell.firstChild.textContent])));
    const shown = ["hap", "hap_with_softirq"];
    shown.forEach((profile, at) => {
      for (const [metric, text] of rows[at]) {
        const figure = metric === "known_cves" ? (profile === "hap" ? json.known_cves : null) : json[profile][metric];
        if (figure === null || figure === undefined) assert.equal(text, "unknown");
        else if (Number.isInteger(figure.value)) assert.equal(number(text), figure.value, `${profile}.${metric}`);
      }
    });
    const table = await page.evaluate(() => window.hapmeter.table.rows().length);
    assert.equal(table, json.functions.length);
    const curve = await page.evaluate(() => window.hapmeter.figures.get("completeness").current.rows.map((row) => row[1]));
    assert.deepEqual(curve, json.completeness.accumulation);
    const open = await page.evaluate(() => window.hapmeter.page.reports[0].exposure.records.map((one) => one.id));
    assert.deepEqual(open, json.exposure.records.map((one) => one.id));
  });
});

test("a comparison's page shows the comparison's numbers", async () => {
  const json = hap_json("compare", ...recordings);
  const ranking = json.workloads[0].rankings.find((one) => one.scope === "hap" && one.metric === "functions");
  await with_page(page_of("compare", "compare", ...recordings), async (page) => {
    await page.click('#figure-profile button:text-is("Functions")');
    const bars = await page.evaluate(() => window.hapmeter.figures.get("profile").current.rows.map((row) => [row[0], row[5]]));
    const values = new Map(bars);
    for (const entry of ranking.order) assert.equal(values.get(entry.sandbox), entry.value, entry.sandbox);
    const order = await page.evaluate(() => window.hapmeter.page.comparison.workloads[0].rankings[0].order.map((one) => one.sandbox));
    assert.deepEqual(order, json.workloads[0].rankings[0].order.map((one) => one.sandbox));
    for (const id of ["ranking", "sharing", "treemap", "ledger", "layers"]) {
      assert.ok(await page.evaluate((one) => window.hapmeter.figures.get(one).svg().length > 1000, id), `${id} is drawn`);
    }
  });
});

test("a difference's page shows the difference's numbers", async () => {
  const json = hap_json("diff", recordings[0], recordings[1]);
  assert.ok(json.only_before.length + json.only_after.length > 10);
  assert.ok(json.subsystems.some((one) => one.contexts.length > 0));
  assert.ok([...json.only_before, ...json.only_after].some((one) => one.syscalls.length > 0), "some are reached from system calls");
  const metric = json.metrics.find((one) => one.metric === "known_cves");
  assert.equal(metric.before !== null && metric.after !== null, true);
  await with_page(page_of("diff", "diff", recordings[0], recordings[1]), async (page) => {
    const changes = await page.$$eval("#changes tbody tr", (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    json.metrics.forEach((one, at) => {
      if (Number.isInteger(one.before)) assert.equal(number(changes[at][1]), one.before);
      if (Number.isInteger(one.after)) assert.equal(number(changes[at][2]), one.after);
    });
    const folders = await page.$$eval("#folder-changes tbody tr", (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    assert.deepEqual(folders.map((row) => [row[0], number(row[1]), number(row[2]), number(row[3]), number(row[4])]),
      json.subsystems.map((one) => [one.name, one.functions_gained, one.functions_lost, one.lines_gained, one.lines_lost]));
    const series = await page.evaluate(() => window.hapmeter.figures.get("difference").current.rows.length);
    assert.equal(series, json.only_before.length + json.only_after.length + json.changed.length);
  });
});

test("genhtml takes the tracefile without a warning, and its totals are the report's", () => {
  const json = hap_json("report", recordings[1]);
  // The kernel's source need not be at hand: what the lines say plays no part here, only that they are there.
  const source = join(folder, "source");
  const info = join(folder, "cell.info");
  const trace = hap("report", "--format", "lcov", "--source-root", source, recordings[1]);
  writeFileSync(info, trace);
  const last = new Map();
  let file = "";
  for (const line of trace.split("\n")) {
    if (line.startsWith("SF:")) file = line.slice(3);
    const at = /^(?:DA|FN):(\d+)/.exec(line);
    if (at) last.set(file, Math.max(last.get(file) ?? 0, Number(at[1])));
  }
  for (const [path, lines] of last) {
    assert.ok(path.startsWith(source), path);
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) writeFileSync(path, "line\n".repeat(lines));
  }
  const made = spawnSync("genhtml", [info, "--output-directory", join(folder, "coverage")], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  assert.doesNotMatch(made.stdout + made.stderr, /warning/i);
  const [, hit, , found] = /lines\.*: [\d.]+% \((\d+) of (\d+) lines?\)()/.exec(made.stdout).map(Number);
  assert.equal(hit, json.hap.executed_lines.value);
  assert.ok(found === 0 || hit > 0);
  const functions = Number(/functions\.*: [\d.]+% \((\d+) of/.exec(made.stdout)[1]);
  // Functions whose place is unknown cannot stand in a tracefile: the report lists them without file or line.
  const placed = new Set(json.functions.filter((one) => ["host-kernel", "hypervisor"].includes(one.layer) && ["task", "vcpu", "kthread"].includes(one.context) && !one.inlined && !one.label)
    .map((one) => JSON.stringify([one.name, one.file, one.line])));
  const nowhere = [...placed].filter((key) => JSON.parse(key)[1] === null || JSON.parse(key)[2] === null).length;
  assert.equal(placed.size, json.hap.functions.value);
  assert.equal(functions, json.hap.functions.value - nowhere);
});

test("annotate shows the lines that the report counted", () => {
  const json = hap_json("report", recordings[1]);
  const one = json.functions.find((each) => each.layer === "host-kernel" && each.context === "task" && each.executed_lines > 5 && each.file?.endsWith(".c") && !each.inlined);
  const text = hap("annotate", recordings[1], one.name);
  assert.match(text, new RegExp(`^${one.name} \\(${one.file}:${one.line}\\): \\d+ of \\d+ lines with code executed`, "m"));
  assert.ok(text.split("\n").filter((line) => line.startsWith("H ")).length >= one.executed_lines / 2, text);
});

test("two hundred recordings: at most 8 MB, painted within 2 s, usable", async () => {
  // Real ones, repeated under other numbers; repeats of a cell differ by a function each here, as they do in fact.
  const real = recordings.map((path) => hap_json("report", path));
  const reports = [];
  for (let nth = 0; reports.length < 200; ++nth) {
    for (const one of real) {
      if (reports.length === 200) break;
      const workload = `${one.workload}-${nth % 5}`;
      const functions = one.functions.filter((_, at) => (at * 7919 + nth * 104729) % 997 !== 0).map((row) => ({ ...row, hits: Math.max(1, row.hits - ((nth + row.name.length) % 3)) }));
      reports.push({ ...one, workload, repeat: String(nth), boot: `b${nth % 3}`, functions });
    }
  }
  const file = render("two-hundred", reports);
  const size = statSync(file).size;
  await with_page(file, async (page) => {
    const paint = await first_paint(page);
    const most = Math.max(...reports.map((one) => one.functions.length));
    console.log(`page of 200 recordings (up to ${most} function rows each): ${size} bytes, first paint after ${Math.round(paint)} ms`);
    assert.ok(size <= 8e6, `${size} bytes`);
    assert.ok(paint <= 2000, `${paint} ms`);
    assert.equal(await page.evaluate(() => window.hapmeter.page.reports.length), 200);
    await page.selectOption("#figure-functions label.choice:has-text('Recording') select", "123");
    assert.equal(await page.evaluate(() => window.hapmeter.table.rows().length), reports[123].functions.length);
    const started = Date.now();
    await page.fill("#function-search", "tcp");
    await page.waitForFunction((count) => window.hapmeter.table.rows().length === count, reports[123].functions.filter((row) => `${row.name} ${row.file}`.toLowerCase().includes("tcp")).length);
    assert.ok(Date.now() - started < 1500, `searching took ${Date.now() - started} ms`);
  });
});
