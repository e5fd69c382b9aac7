#!/usr/bin/env python3
"""Our figure beside the published one: the tables of docs/reproduction.md.

usage: scripts/reproduction.py [--hap PATH] DIR    (DIR: output of hap campaign examples/published-figure.toml)
"""
import argparse
import collections
import csv
import json
import pathlib
import statistics
import subprocess
import sys

ROWS = ["bare", "lxc", "app-container", "docker-default", "docker-seccomp", "gvisor-ptrace", "gvisor-systrap",
        "kvm-qemu", "kvm-microvm", "xen-pv"]
WORKLOADS = ["redis-set", "redis-get", "node-express", "python-tornado"]
# What the published systems are compared with.
STAND_INS = {"docker-default": "docker-default", "gvisor-ptrace": "gvisor-ptrace", "kata-qemu": "kvm-qemu",
             "kata-fc": "kvm-microvm"}


def figures(report):
    """The figures of one report that the tables show; None where unknown."""
    def value(part, metric):
        figure = (report.get(part) or {}).get(metric)
        return figure["value"] if figure else None
    setup = {phase["name"]: phase["hap"] for phase in report["phases"]}["setup"]
    permitted = report.get("permitted") or {}
    return {
        "functions": value("hap", "functions"),
        "with_softirq": value("hap_with_softirq", "functions"),
        "without_emulation": value("hap_without_emulation", "functions"),
        "function_lines": value("hap", "function_lines"),
        "executed_lines": value("hap", "executed_lines"),
        "lines_with_softirq": value("hap_with_softirq", "executed_lines"),
        "lines_without_emulation": value("hap_without_emulation", "executed_lines"),
        "complexity": value("hap", "complexity"),
        "vap": value("vap", "functions"),
        "stage1": value("stage1", "functions"),
        "stage2": value("stage2", "functions"),
        "setup": setup.get("functions"),
        "syscalls": permitted.get("syscalls"),
        "permitted": permitted.get("functions"),
        "exit_functions": permitted.get("exit_functions"),
        "ioctl_functions": permitted.get("ioctl_functions"),
    }


def read_cells(hap, folder):
    """(workload, sandbox) -> list of figures, one per repeat; without labelled variants."""
    cells = collections.defaultdict(list)
    for path in sorted(pathlib.Path(folder).glob("*.b*.r*.hap")):
        shown = subprocess.run([hap, "report", "--format", "json", str(path)], capture_output=True, text=True)
        if shown.returncode != 0:
            print(f"{path.name}: {shown.stderr.strip()}", file=sys.stderr)
            continue
        report = json.loads(shown.stdout)
        if path.name.startswith(f"{report['sandbox']}.{report['workload']}."):
            cells[report["workload"], report["sandbox"]].append(figures(report))
    return cells


def mean(cell, figure):
    known = [repeat[figure] for repeat in cell if repeat[figure] is not None]
    return statistics.mean(known) if known else None


def shown(number):
    return "-" if number is None else f"{number:,.0f}"


def spread(cell, figure):
    known = [repeat[figure] for repeat in cell if repeat[figure] is not None]
    if len(known) < 2 or statistics.mean(known) == 0:
        return "-"
    return f"{100 * statistics.stdev(known) / statistics.mean(known):.1f} %"


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def ratio(cell, base, figure):
    ours, theirs = mean(cell, figure), mean(base, figure)
    return f"{ours / theirs:.2f}" if ours and theirs else "-"


def published_table(cells, published):
    print("## Beside the published figure\n")
    rows = []
    for (workload, system), (functions, complexity) in published.items():
        stand_in = STAND_INS.get(system)
        cell = cells.get((workload, stand_in), [])
        docker = cells.get((workload, "docker-default"), [])
        base = published[workload, "docker-default"]
        rows.append([workload, system, f"`{stand_in}`" if stand_in else "not testable here", str(functions),
                     shown(mean(cell, "functions")), f"{functions / base[0]:.2f}",
                     ratio(cell, docker, "functions"), ratio(cell, docker, "with_softirq"),
                     f"{complexity / base[1]:.2f}", ratio(cell, docker, "complexity")])
    table(["workload", "published system", "here", "functions published", "functions here",
           "of Docker's, published", "of Docker's, here", "with softirq", "complexity of Docker's, published",
           "here"], rows)


def workload_table(cells, workload):
    print(f"### {workload}\n")
    rows = []
    for sandbox in ROWS:
        cell = cells.get((workload, sandbox))
        if cell:
            rows.append([f"`{sandbox}`", str(len(cell))] +
                        [shown(mean(cell, name)) for name in
                         ("functions", "with_softirq", "without_emulation", "function_lines", "executed_lines",
                          "lines_with_softirq", "lines_without_emulation", "complexity")] +
                        [spread(cell, "functions")])
    table(["sandbox", "runs", "functions", "with softirq", "without emulation", "function lines",
           "executed lines", "with softirq", "without emulation", "complexity", "variation"], rows)


def beside_table(cells, workload):
    print(f"### Beside it, {workload}\n")
    rows = []
    for sandbox in ROWS:
        cell = cells.get((workload, sandbox))
        if cell:
            rows.append([f"`{sandbox}`"] + [shown(mean(cell, name)) for name in
                                            ("vap", "stage1", "stage2", "setup", "syscalls", "permitted",
                                             "exit_functions", "ioctl_functions")])
    table(["sandbox", "VAP functions", "stage 1", "stage 2", "HAP in setup", "permitted system calls",
           "functions behind them", "behind guest exits", "behind KVM ioctls"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hap", default="hap")
    parser.add_argument("dir")
    options = parser.parse_args()
    source = pathlib.Path(__file__).parent.parent / "data/published/nabla-measurements.csv"
    lines = [line for line in source.read_text().splitlines() if not line.startswith("#")]
    published = {(row["workload"], row["sandbox"]): (int(row["functions"]), int(row["complexity"]))
                 for row in csv.DictReader(lines)}
    cells = read_cells(options.hap, options.dir)
    if not cells:
        sys.exit(f"no recordings in {options.dir}")
    published_table(cells, published)
    for workload in WORKLOADS:
        workload_table(cells, workload)
    for workload in WORKLOADS:
        beside_table(cells, workload)


if __name__ == "__main__":
    main()
