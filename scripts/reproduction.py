#!/usr/bin/env python3
"""Our figure beside the published one: the tables of docs/reproduction.md.

usage: scripts/reproduction.py [--hap PATH] DIR    (DIR: output of hap campaign examples/published-figure.toml)
"""
import argparse
import collections
import csv
import json
import math
import pathlib
import re
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
        "hypercalls": permitted.get("hypercalls"),
        "hypercall_functions": permitted.get("hypercall_functions"),
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


def known(cell, figure):
    return [repeat[figure] for repeat in cell if repeat[figure] is not None]


def mean(cell, figure):
    values = known(cell, figure)
    return statistics.mean(values) if values else None


def variation(cell, figure):
    """Standard deviation in units of the mean; None where there is no spread to know."""
    values = known(cell, figure)
    if len(values) < 2 or statistics.mean(values) == 0:
        return None
    return statistics.stdev(values) / statistics.mean(values)


def student(degrees):
    """Two-sided 95 % quantile of Student's distribution."""
    table = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228}
    return table.get(degrees, 2.0)


def shown(number):
    return "-" if number is None else f"{number:,.0f}"


def plain(cell, figure):
    return shown(mean(cell, figure))


def with_interval(cell, figure):
    """Mean and half of its 95 % interval."""
    spread = variation(cell, figure)
    if spread is None:
        return plain(cell, figure)
    runs = len(known(cell, figure))
    half = student(runs - 1) * spread * mean(cell, figure) / runs**0.5
    return f"{plain(cell, figure)} ± {half:,.0f}"


def percent(cell, figure):
    spread = variation(cell, figure)
    return "-" if spread is None else f"{100 * spread:.1f} %"


def ratio(cell, base, figure):
    """Of two means, with the 95 % interval of the ratio where both have a spread (by its logarithm)."""
    ours, theirs = mean(cell, figure), mean(base, figure)
    if not ours or not theirs:
        return "-"
    text = f"{ours / theirs:.2f}"
    spreads = variation(cell, figure), variation(base, figure)
    if cell is base or None in spreads:
        return text
    runs = len(known(cell, figure)), len(known(base, figure))
    error = (spreads[0]**2 / runs[0] + spreads[1]**2 / runs[1])**0.5
    factor = math.exp(student(sum(runs) - 2) * error)
    return f"{text} ({ours / theirs / factor:.2f} to {ours / theirs * factor:.2f})"


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def published_table(cells, published):
    print("## Beside the published figure\n")
    rows = []
    for (workload, system), (functions, complexity) in published.items():
        stand_in = STAND_INS.get(system)
        cell = cells.get((workload, stand_in), [])
        docker = cells.get((workload, "docker-default"), [])
        base = published[workload, "docker-default"]
        rows.append([workload, system, f"`{stand_in}`" if stand_in else "not testable here", str(functions),
                     plain(cell, "functions"), f"{functions / base[0]:.2f}",
                     ratio(cell, docker, "functions"), ratio(cell, docker, "with_softirq"),
                     f"{complexity / base[1]:.2f}", ratio(cell, docker, "complexity")])
    table(["workload", "published system", "here", "functions published", "functions here",
           "of Docker's, published", "of Docker's, here", "with softirq", "complexity of Docker's, published",
           "here"], rows)


# Heading, figure, how it is shown.
EXERCISED = [("functions", "functions", with_interval), ("with softirq", "with_softirq", with_interval),
             ("without emulation", "without_emulation", plain), ("function lines", "function_lines", plain),
             ("executed lines", "executed_lines", with_interval), ("with softirq", "lines_with_softirq", plain),
             ("without emulation", "lines_without_emulation", plain), ("complexity", "complexity", plain),
             ("variation", "functions", percent)]
BESIDE = [("VAP functions", "vap", plain), ("stage 1", "stage1", plain), ("stage 2", "stage2", plain),
          ("HAP in setup", "setup", plain), ("permitted system calls", "syscalls", plain),
          ("functions behind them", "permitted", plain), ("behind guest exits", "exit_functions", plain),
          ("behind KVM ioctls", "ioctl_functions", plain), ("hypercalls", "hypercalls", plain),
          ("behind them in Xen", "hypercall_functions", plain)]


def workload_table(cells, workload, title, columns):
    print(f"### {title}\n")
    rows = [[f"`{sandbox}`", str(len(cells[workload, sandbox]))] +
            [show(cells[workload, sandbox], figure) for _, figure, show in columns]
            for sandbox in ROWS if (workload, sandbox) in cells]
    table(["sandbox", "runs"] + [heading for heading, _, _ in columns], rows)


def shares_of_docker(cells):
    print("### Of Docker's, in node-express, redis-set, python-tornado, redis-get\n")
    order = ["node-express", "redis-set", "python-tornado", "redis-get"]
    columns = [("functions", "functions"), ("with softirqs", "with_softirq"), ("executed lines", "executed_lines"),
               ("executed lines with softirqs", "lines_with_softirq"), ("function lines", "function_lines"),
               ("complexity", "complexity")]

    def share(workload, sandbox, figure):
        ours, theirs = (mean(cells.get((workload, one), []), figure) for one in (sandbox, "docker-default"))
        return f"{ours / theirs:.2f}" if ours and theirs else "-"

    table(["of Docker's"] + [heading for heading, _ in columns],
          [[f"`{sandbox}`"] + [", ".join(share(workload, sandbox, figure) for workload in order)
                               for _, figure in columns]
           for sandbox in ROWS if sandbox != "docker-default"])


def both_ways(cells, workload):
    print(f"### Both ways, {workload}\n")
    shown = ["bare", "lxc", "docker-default", "gvisor-ptrace", "kvm-qemu", "kvm-microvm", "xen-pv"]
    lines = [("HAP", "executed_lines"), ("HAP without `[emulation]`", "lines_without_emulation"),
             ("HAP with softirqs", "lines_with_softirq")]
    table(["executed lines"] + shown,
          [[heading] + [plain(cells.get((workload, sandbox), []), figure) for sandbox in shown]
           for heading, figure in lines])


def cell_times(folder):
    """(workload, sandbox) -> seconds of each measured cell, from the logs: a resumed campaign's summary has only
    those of its last run."""
    times = collections.defaultdict(list)
    for path in sorted(pathlib.Path(folder).glob("*.b*.r*.log")):
        said = re.search(r"([0-9.]+) s in all", path.read_text())
        sandbox, workload = path.name.split(".")[:2]
        if said:
            times[workload, sandbox].append(float(said[1]))
    return times


def times_table(times):
    print("## Time of a cell: median, longest\n")
    rows = []
    for sandbox in ROWS:
        found = [times.get((workload, sandbox)) for workload in WORKLOADS]
        rows.append([f"`{sandbox}`"] + [f"{statistics.median(cell):.0f} s, {max(cell):.0f} s" if cell else "-"
                                        for cell in found])
    table(["sandbox"] + WORKLOADS, rows)


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
        workload_table(cells, workload, workload, EXERCISED)
    for workload in WORKLOADS:
        workload_table(cells, workload, f"Beside it, {workload}", BESIDE)
    shares_of_docker(cells)
    both_ways(cells, "redis-set")
    times_table(cell_times(options.dir))


if __name__ == "__main__":
    main()
