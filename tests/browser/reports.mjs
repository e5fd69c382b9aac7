// Reports as `hap report --format json` writes them, from a generator that gives the same ones every time.
function random(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

const folders = ["net/ipv4", "net/core", "net/bridge", "net/sched", "fs", "fs/ext4", "fs/proc", "mm", "kernel/sched", "kernel/locking", "kernel/time",
  "kernel/cgroup", "kernel/bpf", "lib", "block", "drivers/net", "drivers/virtio", "drivers/char", "arch/x86/kvm", "arch/x86/mm", "arch/x86/entry", "security", "io_uring", "virt/kvm"];
const verbs = ["get", "put", "alloc", "free", "lock", "unlock", "send", "recv", "read", "write", "queue", "poll", "map", "find", "init", "update", "check", "wake", "copy", "flush"];
const nouns = ["page", "sock", "skb", "inode", "dentry", "task", "timer", "folio", "entry", "msg", "path", "rq", "bio", "cred", "vma", "slab", "dst", "route", "frame", "event"];

const kernel = new Map();
// Every kernel function of the imagined kernel; sandboxes exercise different parts of it.
function population(count) {
  if (!kernel.has(count)) {
    const next = random(7);
    const all = [];
    for (let i = 0; i < count; ++i) {
      const folder = folders[Math.floor(next() * next() * folders.length)];
      const verb = verbs[Math.floor(next() * verbs.length)];
      const noun = nouns[Math.floor(next() * nouns.length)];
      const lines = 4 + Math.floor(-Math.log(1 - next()) * 34);
      all.push({ name: `${folder.split("/").pop()}_${verb}_${noun}_${i}`, file: `${folder}/${noun}${Math.floor(next() * 4)}.c`, line: 20 + Math.floor(next() * 3000), lines, popularity: next() });
    }
    kernel.set(count, all);
  }
  return kernel.get(count);
}

const weight = { bare: 0.5, lxc: 0.56, "app-container": 0.52, "docker-default": 0.6, "docker-seccomp": 0.55, "gvisor-systrap": 0.44, "gvisor-ptrace": 0.48, "kvm-qemu": 0.38, "kvm-microvm": 0.33, "xen-pv": 0.36 };
const is_machine = (sandbox) => /^(kvm|xen)/.test(sandbox);
const estimate = (value, spread = 0.01) => ({ value, low: Math.round(value * (1 - spread / 4)), high: Math.round(value * (1 + spread)) });

export function report({ sandbox, workload, boot = 1, repeat = 1, functions = 1200, seed = 1, change = {} }) {
  const next = random(seed * 7919 + boot * 104729 + repeat * 31 + [...(sandbox + workload)].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7));
  const all = population(Math.ceil(functions / (weight[sandbox] ?? 0.5)));
  const taste = random([...sandbox].reduce((sum, c) => sum * 33 + c.charCodeAt(0), workload.length));
  const rows = [];
  const contexts = is_machine(sandbox) ? ["task", "vcpu", "kthread"] : ["task", "task", "kthread"];
  for (const one of all) {
    const liked = taste() * 0.35 + one.popularity * 0.65;
    const jitter = (next() - 0.5) * 0.01;
    const context = contexts[Math.floor(taste() * 3)];
    if (liked + jitter < 1 - (weight[sandbox] ?? 0.5) || rows.length >= functions) continue;
    const executed = Math.max(1, Math.round(one.lines * (0.35 + 0.4 * one.popularity)));
    rows.push({ name: one.name, file: one.file, line: one.line, lines: one.lines, executed_lines: executed, layer: sandbox === "xen-pv" && one.popularity > 0.8 ? "hypervisor" : "host-kernel", context, hits: Math.max(1, Math.round(one.popularity * 30 + jitter * 100)), bytes: executed * 4, complexity: 1 + (one.lines >> 3), subsystem: one.file.split("/").slice(0, -1).slice(0, 2).join("/"), image: "vmlinux" });
  }
  const user = sandbox.startsWith("gvisor") ? 500 : is_machine(sandbox) ? 700 : 0;
  for (let i = 0; i < user && rows.length < functions; ++i) {
    rows.push({ name: sandbox.startsWith("gvisor") ? `gvisor.dev/gvisor/pkg/sentry/kernel.(*Task).f${i}` : `virtio_queue_${i}`, file: null, line: null, lines: null, executed_lines: null, layer: i % 2 && is_machine(sandbox) ? "guest-kernel" : "sandbox", context: "task", hits: 1 + (i % 30), bytes: 40 + i, complexity: null, subsystem: "[runsc]", image: "/usr/bin/runsc" });
  }
  const of = (layer) => rows.filter((row) => (Array.isArray(layer) ? layer.includes(row.layer) : row.layer === layer));
  const totals = (part, known = true) => ({
    functions: estimate(part.length), function_lines: known ? estimate(part.reduce((sum, row) => sum + (row.lines ?? 0), 0)) : null,
    executed_lines: known ? estimate(part.reduce((sum, row) => sum + (row.executed_lines ?? 0), 0)) : null,
    code_bytes: estimate(part.length * 90), complexity: known ? estimate(part.length * 6) : null, expected_bugs: null,
  });
  const hap = of(["host-kernel", "hypervisor"]);
  const windows = 30;
  const accumulation = [];
  for (let t = 1; t <= windows; ++t) accumulation.push(Math.round(hap.length * (1 - 0.32 * Math.exp(-t / 4))));
  const names = [...new Set(rows.map((row) => row.layer))];
  const subsystems = new Map();
  for (const row of hap) {
    const name = row.file.split("/").slice(0, -1).slice(0, 2).join("/");
    const sum = subsystems.get(name) ?? { name, functions: 0, function_lines: 0, executed_lines: 0 };
    subsystems.set(name, sum);
    sum.functions += 1;
    sum.function_lines += row.lines;
    sum.executed_lines += row.executed_lines;
  }
  return {
    schema: "hapmeter.report/1", sandbox, workload, profile: "published", collector: "emulator", granularity: "block", created: "2026-11-22T12:00:00Z", tool_version: "0.1.0", recording: `${sandbox}.${workload}.b${boot}.r${repeat}.hap`, boot: String(boot), repeat: String(repeat),
    kernel: { release: "6.12.48+deb13-cloud-amd64", build_id: "5f0e3bd2c1a94c7788d0aa41be6f93d2c7a15e88" },
    phases: [{ name: "serve", windows, seconds: 30, requests: 300, hap: { functions: 1, function_lines: 1, executed_lines: 1, code_bytes: 1, complexity: 1 } }], windows, served: { requests: 300, failed: 0 },
    hap: totals(hap), hap_with_softirq: totals(hap.concat(hap.slice(0, Math.floor(hap.length / 8)))), vap: totals(rows, user === 0),
    stage1: user ? totals(of(["sandbox", "guest-kernel"]), false) : null, stage2: user ? totals(hap) : null,
    permitted: { syscalls: sandbox === "docker-default" ? 317 : null, functions: null }, known_cves: { value: Math.round(hap.length / 14), low: Math.round(hap.length / 30), high: Math.round(hap.length / 11) },
    conditions: { clock: "wall", cpu: "max", clocksource: "tsc", page_cache: "warm", emulator: "QEMU 10.0.2, -accel tcg,thread=single -smp 1 -m 2048",
      cpu_flags: "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 syscall nx lm", vulnerabilities: "spectre_v2: Mitigation: Retpolines" },
    layers: names.map((name) => ({ name, functions: of(name).length, function_lines: of(name).some((row) => row.lines === null) ? null : of(name).reduce((sum, row) => sum + row.lines, 0),
      executed_lines: of(name).some((row) => row.executed_lines === null) ? null : of(name).reduce((sum, row) => sum + row.executed_lines, 0), code_bytes: of(name).length * 90, complexity: null })),
    contexts: [...new Set(contexts)].map((name) => ({ name, functions: hap.filter((row) => row.context === name).length, function_lines: null, executed_lines: null, code_bytes: null, complexity: null })),
    subsystems: [...subsystems.values()], functions: rows,
    completeness: { steady_state: true, coverage: 0.9987, windows, window_size_invariant: true, growth_at_4_times: { value: 3, low: 0, high: 9 }, unseen_functions: { value: 11, low: 4, high: 37 }, accumulation, warnings: [] },
    loss: { events_lost: 0, unobservable_functions: 0, unresolved_addresses: sandbox === "gvisor-systrap" ? 41 : 0, others: [], images_without_symbols: [] },
    guards: [{ name: "load served", outcome: "passed", detail: "300 of 300" }], accounts: [], expected_bugs_model: "uniform",
    ...change,
  };
}

// The ledger's exposure of a recording, with as many exercised records; the numbers of one count add up.
export function exposure({ records, seed = 1 }) {
  const next = random(seed * 977 + 13);
  const states = ["open", "unknown", "fixed before", "never affected"];
  const all = [];
  for (let i = 0; i < records; ++i) {
    all.push({ id: `CVE-2024-${26000 + i}`, title: `${folders[i % folders.length]}: fix a use after free in ${nouns[i % nouns.length]}_${verbs[i % verbs.length]}()`, published: `2024-0${1 + (i % 9)}-1${i % 10}`,
      decided_by: "file", weight: Math.round(next() * 1000) / 1000, where: [`${folders[i % folders.length]}/${nouns[i % nouns.length]}.c`], version_status: states[i % 7 % 4], ruled_out: i % 11 === 0 ? "needs CAP_NET_ADMIN, which the sandbox does not have" : null });
  }
  const of = (state) => all.filter((one) => one.version_status === state).length;
  return { kernel_version: "6.12.48", counts: { exercised: records, exercised_by_function: 0, weighted: all.reduce((sum, one) => sum + one.weight, 0), open: of("open"), fixed_before: of("fixed before"), never_affected: of("never affected"), open_or_fixed_unknown: of("unknown"),
    ruled_out: all.filter((one) => one.ruled_out !== null).length, meets: all.filter((one) => one.ruled_out === null && ["open", "unknown"].includes(one.version_status)).length, present: 3000, absent: 9000 - seed, unknown: 12 }, records: all, warnings: ["ranges are of upstream releases: a distribution may have taken a fix earlier"] };
}

export const sandboxes = ["bare", "app-container", "docker-default", "docker-seccomp", "gvisor-systrap", "kvm-qemu", "kvm-microvm", "xen-pv"];
export const workloads = ["redis-set", "redis-get", "node-express", "python-tornado", "idle"];

// The published campaign's size: 8 sandboxes x 5 workloads x 5 repeats = 200 recordings.
export function* campaign({ functions = 1200, repeats = 5, among = sandboxes, serving = workloads } = {}) {
  for (const workload of serving) {
    for (const sandbox of among) for (let repeat = 1; repeat <= repeats; ++repeat) yield report({ sandbox, workload, repeat, functions });
  }
}

// A comparison as `hap compare --format json` writes it (docs/compare.schema.json), of these reports.
export function comparison(reports) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const by_workload = [...new Set(reports.map((one) => one.workload))].map((workload) => {
    const of = reports.filter((one) => one.workload === workload);
    const among = [...new Set(of.map((one) => one.sandbox))];
    const rankings = [];
    for (const scope of ["hap", "hap_with_softirq"]) {
      for (const metric of ["functions", "function_lines", "executed_lines", "code_bytes", "complexity"]) {
        const order = among.map((sandbox) => {
          const values = of.filter((one) => one.sandbox === sandbox).map((one) => one[scope][metric].value);
          const value = mean(values);
          return { sandbox, value, low: Math.min(...values) * 0.985, high: Math.max(...values) * 1.02, span: { low: Math.min(...values), high: Math.max(...values) }, boots: 3, recordings: values.length,
            sd_within_boots: 1, sd_between_boots: 2, no_variation: false, not_enough: null };
        }).sort((a, b) => a.value - b.value);
        const pairs = order.flatMap((lower, at) => order.slice(at + 1).map((higher) => ({ lower: lower.sandbox, higher: higher.sandbox, probability: metric === "complexity" ? null : Math.min(0.999, 0.5 + (higher.value - lower.value) / lower.value) })));
        rankings.push({ scope, metric, model: null, order, unknown: [], pairs });
      }
    }
    const names = rankings.filter((one) => one.scope === "hap").map((one) => one.metric);
    return { workload, sandboxes: among, recordings: of.length, rankings,
      agreement: names.flatMap((a, at) => names.slice(at + 1).map((b) => ({ scope: "hap", a, b, tau_b: 0.8 }))), pairs: [],
      conclusions: order_of_first(rankings) };
  });
  return { schema: "hapmeter.compare/1", settings: { confidence: 0.95, density_sigma: 0.5, popular_factor: 0.2, draws: 2000, seed: 1, least_boots: 3 },
    models: [{ name: "uniform", source: "test" }], workloads: by_workload, conclusions: [], notes: [], inputs: [] };
}

function order_of_first(rankings) {
  const [first, second] = rankings[0].order;
  return second ? [`Robust: ${first.sandbox} is below ${second.sandbox} in all ${rankings.length} rankings.`] : [];
}

// A difference as `hap diff --format json` writes it.
export function difference(before, after) {
  const of = (one) => new Map(one.functions.filter((row) => row.layer === "host-kernel").map((row) => [`${row.name} ${row.file}`, row]));
  const [first, second] = [of(before), of(after)];
  const change = (row, from, to) => ({ name: row.name, file: row.file, subsystem: row.subsystem, contexts: [row.context], syscalls: ["sendto"], entries: ["sock_write_iter"], lines: row.lines, executed_lines_before: from?.executed_lines ?? 0, executed_lines_after: to?.executed_lines ?? 0, windows_before: from?.hits ?? 0, windows_after: to?.hits ?? 0 });
  const side = (one) => ({ recording: one.recording, sandbox: one.sandbox, workload: one.workload, kernel: one.kernel.release, windows: one.windows });
  const only_before = [...first].filter(([key]) => !second.has(key)).map(([, row]) => change(row, row, null));
  const only_after = [...second].filter(([key]) => !first.has(key)).map(([, row]) => change(row, null, row));
  return {
    schema: "hapmeter.diff/1", figure: "hap", phase: "serve", before: side(before), after: side(after),
    metrics: ["functions", "executed_lines"].map((metric) => ({ metric, before: before.hap[metric].value, after: after.hap[metric].value, change: after.hap[metric].value - before.hap[metric].value, percent: null })),
    same_kernel: true, subsystems: folder_changes(only_before, only_after), syscalls: { only_before: [], only_after: ["ioctl"] }, functions_in_both: [...first.keys()].filter((key) => second.has(key)).length,
    only_before, only_after, changed: [],
  };
}

function folder_changes(lost, gained) {
  const folders = new Map();
  for (const [key, list] of [["functions_lost", lost], ["functions_gained", gained]]) {
    for (const one of list) {
      const folder = folders.get(one.subsystem) ?? { name: one.subsystem, functions_gained: 0, functions_lost: 0, lines_gained: 0, lines_lost: 0, contexts: ["task"], syscalls: ["sendto"], entries: ["sock_write_iter"] };
      folders.set(one.subsystem, folder);
      folder[key] += 1;
    }
  }
  return [...folders.values()];
}
