// The HTML report in headless Chromium: what is shown equals the JSON, nothing executes but the page's own program,
// nothing leaves the page.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { after, before, test } from "node:test";
import { close_browser, context, open_browser, render, with_page, first_paint } from "./browser.mjs";
import { campaign, comparison, difference, exposure, report } from "./reports.mjs";

before(open_browser);
after(close_browser);

// What an SVG file holds, as the browser's own parser sees it.
async function parsed(svg) {
  const judge = await context.newPage();
  const found = await judge.evaluate((text) => {
    const tree = new DOMParser().parseFromString(text, "image/svg+xml");
    const all = [...tree.querySelectorAll("*")];
    return {
      broken: tree.querySelectorAll("parsererror").length,
      executable: all.filter((one) => /^(script|foreignObject|image|iframe|a|img)$/i.test(one.localName)).length,
      handlers: all.filter((one) => [...one.attributes].some((attribute) => /^on/i.test(attribute.name) || /javascript:|https?:/i.test(attribute.name.startsWith("xmlns") ? "" : attribute.value))).length,
    };
  }, svg);
  await judge.close();
  return found;
}

const numbers = (text) => Number(text.replace(/,/g, ""));

test("one report: every figure on the page is the JSON's", async () => {
  const json = report({ sandbox: "gvisor-systrap", workload: "redis-set", functions: 5000 });
  await with_page(render("one", [json]), async (page) => {
    const profiles = ["hap", "hap_with_softirq", "vap", "stage1", "stage2"];
    const shown = await page.$$eval("#summary tbody tr", (rows) => rows.map((row) => [...row.querySelectorAll("td")].map((cell) => [cell.dataset.metric, cell.firstChild.textContent])));
    assert.equal(shown.length, profiles.length);
    profiles.forEach((profile, at) => {
      for (const [metric, text] of shown[at]) {
        const expected = metric === "known_cves" ? (profile === "hap" ? json.known_cves : null) : json[profile][metric];
        if (expected === null || expected === undefined) assert.equal(text, "unknown", `${profile}.${metric}`);
        else assert.equal(numbers(text), expected.value, `${profile}.${metric}`);
      }
    });
    // The bar drawn, the layers, the curve: from the charts' own series.
    const series = await page.evaluate(() => Object.fromEntries([...window.hapmeter.figures].map(([id, figure]) => [id, figure.current.option ? figure.current.option.series.map((one) => one.data) : null])));
    assert.equal(series.profile[0][0].value, json.hap.executed_lines.value);
    assert.deepEqual(series.profile[1][0].slice(1, 3), [json.hap.executed_lines.low, json.hap.executed_lines.high]);
    for (const [at, layer] of ["sandbox", "host-kernel"].entries()) {
      assert.equal(series.layers[at][0].value, json.layers.find((one) => one.name === layer).functions);
    }
    assert.deepEqual(series.completeness[0].map((point) => point[1]), json.completeness.accumulation);
    // And what the browser painted: the label of the bar.
    assert.ok((await page.$$eval("#figure-profile svg text", (all) => all.map((one) => one.textContent))).includes(json.hap.executed_lines.value.toLocaleString("en")));
    const tree = series.treemap[0].reduce((sum, root) => sum + root.value, 0);
    assert.equal(tree, json.hap.executed_lines.value);
  });
});

test("a report beside the idle machine: every function of the HAP is where its windows put it", async () => {
  const json = report({ sandbox: "bare", workload: "redis-set", functions: 300 });
  const ratio = { value: 2, low: 0.5, high: null };
  const functions = [
    { name: "tcp_sendmsg", file: "net/ipv4/tcp.c", windows: 30, idle_windows: 0, ratio, origin: "workload" },
    { name: "tcp_recvmsg", file: "net/ipv4/tcp.c", windows: 30, idle_windows: 0, ratio, origin: "workload" },
    { name: "update_process_times", file: "kernel/time/timer.c", windows: 15, idle_windows: 30, ratio, origin: "background" },
    { name: "<img src=x onerror=alert(1)>", file: null, windows: 3, idle_windows: 6, ratio, origin: "undecided" },
  ];
  json.baseline = { recording: "<b>idle</b>.hap", windows: { count: 30, seconds: 1 }, idle_windows: { count: 60, seconds: 1 }, workload: 2, background: 1, undecided: 1, only_idle: 4, attributable: { value: 2, low: 2, high: 3 }, functions };
  await with_page(render("baseline", [json]), async (page) => {
    const drawing = await page.evaluate(() => { const { option, rows } = window.hapmeter.figures.get("baseline").current; return { series: option.series.map((one) => one.data), rows }; });
    assert.deepEqual(drawing.series.map((spots) => spots.map((spot) => [spot.value, spot.names])), [
      [[[0, 1], ["tcp_sendmsg", "tcp_recvmsg"]]], [[[0.1, 0.1], ["<img src=x onerror=alert(1)>"]]], [[[0.5, 0.5], ["update_process_times"]]]]);
    assert.deepEqual(drawing.rows.map((row) => row[0]), functions.map((one) => one.name));
    assert.match(await page.textContent("#figure-baseline .note"), /Of 4 functions of the HAP 2 owed to the workload, 1 cannot be told, 1 seen as often when idle/);
  });
  await with_page(render("no-baseline", [report({ sandbox: "bare", workload: "redis-set", functions: 50 })]), async (page) => {
    assert.equal(await page.$("#figure-baseline"), null);
  });
});

test("one report: all functions are in the table, and survive the packing exactly", async () => {
  const json = report({ sandbox: "kvm-qemu", workload: "redis-set", functions: 5000 });
  json.functions[10].context = "softirq";
  json.functions[11].image = null; json.functions[11].inlined = true;  // a field that only some rows have
  json.functions[12].hits = 3.5;               // no integer
  json.functions.push({ ...json.functions[13] });  // the same row twice
  await with_page(render("table", [json]), async (page) => {
    const rows = await page.evaluate(() => window.hapmeter.table.rows());
    const key = (row) => JSON.stringify([row.name, row.file, row.line, row.lines, row.executed_lines, row.layer, row.context, row.hits, row.bytes, row.image ?? null, row.inlined ? "yes" : null]);
    assert.deepEqual(rows.map(key).sort(), json.functions.map(key).sort());
  });
});

test("the table is searched, filtered, sorted and scrolled", async () => {
  const json = report({ sandbox: "kvm-qemu", workload: "redis-set", functions: 5000 });
  await with_page(render("sort", [json]), async (page) => {
    const first_names = () => page.$$eval(".vrow", (rows) => rows.slice(0, 5).map((row) => row.firstChild.textContent));
    const value = (row) => row.lines ?? -1;
    await page.click('.vhead button[data-field="lines"]');
    assert.equal(await page.getAttribute('.vhead [role="columnheader"]:has(button[data-field="lines"])', "aria-sort"), "descending");
    const sorted = [...json.functions].sort((a, b) => value(b) - value(a) || (a.name < b.name ? -1 : 1));
    assert.deepEqual(await first_names(), sorted.slice(0, 5).map((row) => row.name));
    await page.click('.vhead button[data-field="lines"]');
    const known = sorted.filter((row) => row.lines !== null).sort((a, b) => a.lines - b.lines || (a.name < b.name ? -1 : 1));
    assert.deepEqual(await first_names(), known.slice(0, 5).map((row) => row.name));
    const last = await page.evaluate(() => window.hapmeter.table.rows().at(-1).lines);
    assert.equal(last, null, "unknown values come last in either direction");

    await page.fill("#function-search", "skb net/core");
    const matching = json.functions.filter((row) => { const text = `${row.name} ${row.file}`.toLowerCase(); return text.includes("skb") && text.includes("net/core"); });
    assert.ok(matching.length > 0);
    assert.equal((await page.evaluate(() => window.hapmeter.table.rows().length)), matching.length);
    await page.fill("#function-search", "");
    await page.selectOption('label.choice:has-text("Layer") select', "guest-kernel");
    assert.equal(await page.evaluate(() => window.hapmeter.table.rows().length), json.functions.filter((row) => row.layer === "guest-kernel").length);
    await page.selectOption('label.choice:has-text("Layer") select', "");

    // Virtual: a screenful of rows exists, whatever the length; the last row is reached with the keyboard.
    assert.ok((await page.$$(".vrow")).length < 80);
    await page.focus(".vview");
    await page.keyboard.press("End");
    await page.waitForFunction((count) => [...document.querySelectorAll(".vrow")].some((row) => Number(row.getAttribute("aria-rowindex")) === count + 1), json.functions.length);
  });
});

test("every figure is downloaded as SVG and CSV, with the JSON's values", async () => {
  const reports = [...campaign({ repeats: 3, serving: ["redis-set"], among: ["bare", "docker-default", "kvm-qemu"] })];
  const compared = comparison(reports);
  const file = render("download", [...reports, compared]);
  const fetch_file = async (page, selector) => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(selector)]);
    return readFileSync(await download.path(), "utf8");
  };
  const ids = ["profile", "layers", "stages", "ranking", "probabilities", "agreement", "treemap", "sharing", "ledger", "completeness"];
  // Chromium lets a page start ten downloads at once and asks its user before the eleventh: so two pages.
  for (const half of [ids.slice(0, 5), ids.slice(5)]) {
    await with_page(file, async (page) => {
      assert.deepEqual(await page.evaluate(() => [...window.hapmeter.figures.keys()]), ids);
      for (const id of half) {
        const svg = await fetch_file(page, `#figure-${id} .downloads button:text-is("SVG")`);
        assert.deepEqual(await parsed(svg), { broken: 0, executable: 0, handlers: 0 }, id);
        const csv = await fetch_file(page, `#figure-${id} .downloads button:text-is("CSV")`);
        assert.ok(csv.split("\r\n").length > 2, id);
        if (id === "ranking") {
          const first = compared.workloads[0].rankings[0].order[0];
          assert.ok(csv.includes(`redis-set,hap,functions,,1,${first.sandbox},${first.value}`));
        }
        if (id === "profile") {
          const ranking = compared.workloads[0].rankings.find((one) => one.scope === "hap" && one.metric === "executed_lines");
          for (const entry of ranking.order) assert.ok(csv.includes(`${entry.sandbox},redis-set,hap,executed_lines,lines,${entry.value},${entry.low},${entry.high},3`), csv);
        }
      }
    });
  }
  await with_page(file, async (page) => {
    const table = await fetch_file(page, '#figure-functions .downloads button:text-is("CSV")');
    assert.equal(table.trim().split("\r\n").length, reports[0].functions.length + 1);
  });
});

test("what sandboxes share is counted as sets of functions", async () => {
  const reports = [...campaign({ repeats: 2, serving: ["redis-set"], among: ["bare", "docker-default", "kvm-qemu"] })];
  await with_page(render("sharing", reports), async (page) => {
    const names = ["bare", "docker-default", "kvm-qemu"];
    const sets = names.map((sandbox) => new Set(reports.filter((one) => one.sandbox === sandbox).flatMap((one) => one.functions.filter((row) => row.layer === "host-kernel").map((row) => `${row.name} ${row.file}`))));
    const all = new Set(sets.flatMap((set) => [...set]));
    const expected = new Map();
    for (const name of all) {
      const pattern = sets.map((set) => set.has(name)).join();
      expected.set(pattern, (expected.get(pattern) ?? 0) + 1);
    }
    const rows = await page.evaluate(() => window.hapmeter.figures.get("sharing").current.rows);
    assert.deepEqual(new Map(rows.map((row) => [row.slice(1, 4).join(), row[4]])), expected);
    // Choosing a column lists its functions in the table.
    await page.locator("#figure-sharing svg path[fill='#0d4a80']").first().click();
    await page.waitForSelector(".count .link");
    assert.match(await page.textContent(".count"), /Only those exercised by only docker-default/);
  });
});

test("a difference: functions gained and lost, by folder", async () => {
  const [before, after] = ["docker-default", "docker-default"].map((sandbox, at) => report({ sandbox, workload: at ? "idle" : "redis-set", functions: 800 }));
  const json = difference(before, after);
  assert.ok(json.only_before.length > 20 && json.only_after.length > 20);
  await with_page(render("difference", [before, after, json]), async (page) => {
    const series = await page.evaluate(() => window.hapmeter.figures.get("difference").current.option.series.map((one) => one.data.reduce((sum, entry) => sum + entry.value, 0)));
    assert.deepEqual(series, [-json.only_before.length, json.only_after.length]);
    const shown = await page.$$eval("#changes tbody tr", (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    assert.equal(numbers(shown[0][1]), before.hap.functions.value);
    assert.equal(numbers(shown[0][2]), after.hap.functions.value);
    assert.equal(shown[0][4], "unknown");
    assert.equal((await page.$$("#summary tbody tr")).length, 2, "before and after stay apart");
    const folders = await page.$$eval("#folder-changes tbody tr", (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    assert.equal(folders.length, json.subsystems.length);
    assert.deepEqual(folders.map((row) => [row[0], numbers(row[1]), numbers(row[2])]), json.subsystems.map((one) => [one.name, one.functions_gained, one.functions_lost]));
    assert.match(folders[0][6], /sendto, \*sock_write_iter/);
    assert.match(await page.textContent("#folder-changes"), /System calls only after: ioctl/);
    const [svg, csv] = await page.evaluate(() => { const figure = window.hapmeter.figures.get("difference"); return [figure.svg(), figure.csv()]; });
    assert.deepEqual(await parsed(svg), { broken: 0, executable: 0, handlers: 0 });
    assert.equal(csv.trim().split("\r\n").length, 1 + json.only_before.length + json.only_after.length);
    assert.match(csv, /,sendto,sock_write_iter\r\n/);
  });
});

test("the ledger's exposure: exercised, present, absent, and what of it is open", async () => {
  const reports = ["bare", "kvm-qemu"].map((sandbox, at) => report({ sandbox, workload: "redis-set", functions: 300, change: { exposure: exposure({ records: 40 + 30 * at, seed: at }) } }));
  await with_page(render("exposure", reports), async (page) => {
    const drawn = () => page.evaluate(() => Object.fromEntries(window.hapmeter.figures.get("ledger").current.option.series.map((one) => [one.name, one.data.map((bar) => bar.value)])));
    const counts = reports.map((one) => one.exposure.counts).reverse();  // the chart counts from below
    assert.deepEqual(await drawn(), { "open in this kernel version": counts.map((one) => one.open), "unknown whether open": counts.map((one) => one.open_or_fixed_unknown), "fixed before it": counts.map((one) => one.fixed_before), "never affected": counts.map((one) => one.never_affected) });
    await page.click('#figure-ledger button:text-is("All, by place")');
    assert.deepEqual(await drawn(), { exercised: counts.map((one) => one.exercised), "in the build, not exercised": counts.map((one) => one.present), "not in this kernel build": counts.map((one) => one.absent), "place unknown": counts.map((one) => one.unknown) });
    assert.match(await page.textContent("#figure-ledger .note"), /Fewest are met .* by bare, redis-set/);
    await page.click("#exposed-records summary");
    const listed = await page.$$eval("#exposed-records tbody tr", (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    const open = (record) => (record.version_status === "open" ? 0 : record.version_status === "unknown" ? 1 : 2) + (record.ruled_out === null ? 0 : 3);
    assert.equal(listed.length, new Set(reports.flatMap((one) => one.exposure.records.map((record) => record.id))).size);
    assert.equal(open(reports[1].exposure.records.find((record) => record.id === listed[0][0])), 0, "open ones come first");
  });
});

test("unknown figures are said to be unknown and not drawn as zero", async () => {
  const json = report({ sandbox: "bare", workload: "redis-set", change: { hap_with_softirq: null, known_cves: null, completeness: { steady_state: null, coverage: null, unseen_functions: null }, loss: { events_lost: null, unobservable_functions: 12 }, guards: [{ name: "load served", outcome: "failed", detail: "3 of 300" }] } });
  json.hap.executed_lines = null;
  await with_page(render("unknown", [json]), async (page) => {
    assert.ok(!(await page.textContent("#summary thead")).includes("Executed lines"));
    assert.match(await page.textContent("#summary-section"), /Unknown in every recording:.*executed lines/);
    assert.match(await page.textContent(".caveats"), /events lost: unknown/);
    assert.match(await page.textContent(".caveats"), /12 unobservable functions/);
    assert.match(await page.textContent(".caveats"), /check .load served. failed: 3 of 300/);
    assert.match(await page.textContent(".caveats"), /steady state: unknown/);
    await page.click('#figure-profile button:text-is("Executed lines")');
    assert.equal(await page.evaluate(() => window.hapmeter.figures.get("profile").current.option), null);
    assert.match(await page.textContent("#figure-profile .note"), /Unknown, and not drawn/);
    assert.match(await page.textContent("#figure-completeness .note"), /accumulation curve is unknown/);
  });
});

test("hostile names neither execute nor break the page", async () => {
  const attacks = ["</script><script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>", "<svg/onload=window.pwned=1>", "\u2028\u2029'\"`${window.pwned=1}", "javascript:window.pwned=1", "<!--", "]]>", "{{constructor.constructor('window.pwned=1')()}}",
    "{a|rich}", "a\nb\0c", "\u202egnp.exe", "__proto__", "constructor", "=HYPERLINK(\"http://example.invalid\")", "x".repeat(20000), "%s%n{0}{b}"];
  const reports = attacks.map((attack, at) => {
    const one = report({ sandbox: attack, workload: at % 2 ? attack : "redis-set", functions: 200, repeat: at, change: { collector: attack, label: attack, warnings: [attack], kernel: { release: attack, build_id: attack }, conditions: { [attack]: attack }, recording: attack } });
    one.functions.forEach((row, nth) => { if (nth % 3 === 0) { row.name = `${attack}${nth}`; row.file = `${attack}/${attack}.c`; } if (nth % 7 === 0) { row.layer = "host-kernel"; row.context = attack; } });
    one.layers.push({ name: attack, functions: 3, function_lines: 3, executed_lines: 3, code_bytes: 3 });
    one.completeness.warnings = [attack];
    one.exposure = exposure({ records: 3, seed: at });
    for (const record of one.exposure.records) Object.assign(record, { id: attack, title: attack, where: [attack], version_status: attack, ruled_out: attack });
    one.exposure.warnings = [attack];
    return one;
  });
  const compared = comparison(reports);
  compared.workloads[0].conclusions.push(...attacks);
  const file = render("hostile", [...reports, compared]);
  await with_page(file, async (page) => {
    // Everything that shows names is visited: choices, tooltips, tables, both themes, both downloads.
    await page.evaluate(() => {
      const visit = (nth) => {
        const select = document.querySelectorAll("figure select")[nth];
        if (!select) return;
        for (const value of [...select.options].slice(0, 4).map((one) => one.value)) {
          const now = document.querySelectorAll("figure select")[nth];
          now.value = value;
          now.dispatchEvent(new Event("change"));
        }
        visit(nth + 1);
      };
      visit(0);
    });
    for (const summary of await page.$$("details summary")) await summary.click();
    for (const id of ["profile", "layers", "treemap", "sharing", "ranking"]) {
      const box = await page.locator(`#figure-${id} .stage`).boundingBox();
      if (box) for (const x of [0.3, 0.5, 0.7]) { await page.locator(`#figure-${id} .stage`).hover({ position: { x: box.width * x, y: Math.min(box.height, 600) / 2 } }); }
    }
    await page.click('.top button:text-is("Dark")');
    for (const id of ["profile", "treemap", "sharing", "ranking"]) {
      const svg = await page.evaluate((one) => window.hapmeter.figures.get(one).svg(), id);
      if (svg !== "") assert.deepEqual(await parsed(svg), { broken: 0, executable: 0, handlers: 0 }, id);
    }
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.deepEqual(await page.evaluate(() => Object.keys(Object.prototype)), [], "nothing was added to every object");
    assert.equal(await page.evaluate(() => document.querySelectorAll("script:not([type])").length), 1);
    assert.equal(await page.evaluate(() => document.querySelectorAll("img, iframe, object, embed, body script ~ link").length), 0);
    const csv = await page.evaluate(() => window.hapmeter.figures.get("profile").csv());
    assert.doesNotMatch(csv, /(^|,)=HYPERLINK|(^|,)"=HYPERLINK/m);
    // The page is all there, and nothing runs out of it sideways.
    assert.equal((await page.$$("main section")).length, 8);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1));
  });
});

test("the campaign: 200 recordings with 5,000 functions in at most 8 MB, painted within 2 s", async () => {
  // With a ledger's records too, as many as a real recording exercises.
  const reports = [...campaign({ functions: 5000 })];
  reports.forEach((one, at) => { one.exposure = exposure({ records: 1500, seed: at % 40 }); });
  assert.equal(reports.length, 200);
  const file = render("campaign", reports);
  const size = statSync(file).size;
  assert.ok(size <= 8e6, `${size} bytes`);
  await with_page(file, async (page) => {
    const paint = await first_paint(page);
    console.log(`campaign page: ${size} bytes, first paint after ${Math.round(paint)} ms`);
    assert.ok(paint <= 2000, `${paint} ms`);
    const rows = await page.evaluate(() => window.hapmeter.page.reports.length);
    assert.equal(rows, 200);
    // So do its vulnerabilities, which the page lists once for all recordings.
    const ids = await page.evaluate(() => window.hapmeter.page.reports[137].exposure.records.map((one) => one.id));
    assert.deepEqual(ids, reports[137].exposure.records.map((one) => one.id));
    // A recording in the middle reads back as it was written.
    const nth = 137;
    await page.selectOption("#figure-functions label.choice:has-text('Recording') select", String(nth));
    const lines = await page.evaluate(() => window.hapmeter.table.rows().reduce((sum, row) => sum + (row.executed_lines ?? 0), 0));
    assert.equal(lines, reports[nth].functions.reduce((sum, row) => sum + (row.executed_lines ?? 0), 0));
    // Typing in a table of 5,000 rows answers at once.
    const started = Date.now();
    await page.fill("#function-search", "tcp");
    await page.waitForFunction(() => document.querySelector("#function-search").value === "tcp");
    assert.ok(Date.now() - started < 1000);
  });
});

test("keyboard: the choices are reached and moved through without a mouse", async () => {
  const json = report({ sandbox: "bare", workload: "redis-set" });
  await with_page(render("keyboard", [json]), async (page) => {
    await page.focus('#figure-profile .segments[aria-label="Metric"] button[aria-checked="true"]');
    await page.keyboard.press("ArrowLeft");
    assert.equal(await page.textContent('#figure-profile .segments[aria-label="Metric"] button[aria-checked="true"]'), "Lines of those functions");
    assert.equal(await page.evaluate(() => window.hapmeter.figures.get("profile").current.option.series[0].data[0].value), json.hap.function_lines.value);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "SVG");
  });
});

test("dark: with the system's setting and by choice, readable in both", async () => {
  const json = report({ sandbox: "bare", workload: "redis-set" });
  await with_page(render("dark", [json]), async (page) => {
    // Contrast of the page's text, and of the charts' labels, against what is behind them (WCAG 2: at least 4.5).
    const contrast = () => page.evaluate(() => {
      const parts = (color) => color.match(/[\d.]+/g).slice(0, 3).map(Number);
      const light = (color) => { const [r, g, b] = parts(color).map((v) => { const c = v / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };
      const behind = getComputedStyle(document.body).backgroundColor;
      const label = document.querySelector("#figure-profile svg text");
      return { body: ratio(getComputedStyle(document.body).color, behind), label: ratio(getComputedStyle(label).fill, behind), dark: light(behind) < 0.2 };
    });
    for (const [scheme, dark] of [["light", false], ["dark", true]]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.waitForFunction((wanted) => { const c = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number); return (c[0] < 100) === wanted; }, dark);
      const seen = await contrast();
      assert.ok(seen.body >= 4.5 && seen.label >= 4.5, JSON.stringify({ scheme, ...seen }));
      assert.equal(seen.dark, dark);
    }
    await page.click('.top button:text-is("Light")');
    assert.equal((await contrast()).dark, false, "what the reader chose counts more than the system");
    await page.emulateMedia({ colorScheme: "light" });
  });
});

test("print: on paper the page is light and complete", async () => {
  const json = report({ sandbox: "bare", workload: "redis-set" });
  await with_page(render("print", [json]), async (page) => {
    await page.emulateMedia({ colorScheme: "dark" });
    const pdf = await page.pdf({ format: "A4" });
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    assert.ok((await page.$$(".print-only tr")).length > 20, "the table's first rows are printed");
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.isVisible("#contents"), false);
    await page.emulateMedia({ media: "screen" });
  });
});
