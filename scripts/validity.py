#!/usr/bin/env python3
"""What the figures depend on: the tables of docs/validity.md.

usage: scripts/validity.py [--hap PATH] DIR    (DIR: output of hap campaign examples/validity.toml)
"""
import argparse
import json
import pathlib
import statistics
import subprocess

COLUMNS = [("functions", "hap", "functions"), ("executed lines", "hap", "executed_lines"),
           ("code bytes", "hap", "code_bytes"), ("with softirqs, functions", "hap_with_softirq", "functions")]


def asked(hap, *arguments):
    shown = subprocess.run([hap, *arguments, "--format", "json"], check=True, capture_output=True, text=True)
    return json.loads(shown.stdout)


def rankings(compared):
    """(scope, metric) -> ranking of redis-set, without density models."""
    workload = next(one for one in compared["workloads"] if one["workload"] == "redis-set")
    return {(one["scope"], one["metric"]): one for one in workload["rankings"] if one["model"] is None}


def interval(figure):
    if figure["low"] is None:
        return f"{figure['value']:,.0f} ({figure['not_enough']})"
    return f"{figure['value']:,.0f} ({figure['low']:,.0f} to {figure['high']:,.0f})"


def spread(number, value):
    return "-" if number is None else f"{100 * number / value:.1f} %"


def below(ranking, first, second):
    """Probability that `first` lies below `second`."""
    for pair in ranking["pairs"]:
        if pair["probability"] is None:
            continue
        if (pair["lower"], pair["higher"]) == (first, second):
            return f"{pair['probability']:.2f}"
        if (pair["lower"], pair["higher"]) == (second, first):
            return f"{1 - pair['probability']:.2f}"
    return "-"


def beside(hap, folder):
    """Label of docker-default's cells -> functions in interrupts beside the HAP, and seconds of the phase serve."""
    seen = {}
    for path in sorted(pathlib.Path(folder).glob("*.hap")):
        report = asked(hap, "report", str(path))
        if report["sandbox"] != "docker-default":
            continue
        serve = next(phase for phase in report["phases"] if phase["name"] == "serve")
        seen.setdefault(report["label"] or "", []).append(
            (report["beside"]["interrupts"]["functions"], serve["seconds"]))
    return seen


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def parts(name):
    """Sandbox and label of a row's name, sandbox[/label][/kernel]."""
    sandbox, *rest = name.split("/")
    labels = [part for part in rest if not part[0].isdigit()]
    return sandbox, labels[0] if labels else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hap", default="hap")
    parser.add_argument("dir")
    options = parser.parse_args()
    ranked = rankings(asked(options.hap, "compare", options.dir))
    functions = ranked["hap", "functions"]
    rows = [one["sandbox"] for one in functions["order"]]
    figures = {column: {one["sandbox"]: one for one in ranked[scope, metric]["order"]}
               for column, scope, metric in COLUMNS}
    extra = beside(options.hap, options.dir)
    shown = []
    for name in sorted(rows):
        sandbox, label = parts(name)
        base = next(row for row in rows if parts(row) == (sandbox, ""))
        one = figures["functions"][name]
        interrupts, seconds = zip(*extra[label]) if sandbox == "docker-default" else ((), ())
        shown.append([f"`{name}`", str(one["boots"]), str(one["recordings"])] +
                     [interval(figures[column][name]) for column, _, _ in COLUMNS] +
                     [spread(one["sd_within_boots"], one["value"]), spread(one["sd_between_boots"], one["value"]),
                      "-" if name == base else below(functions, name, base),
                      f"{statistics.mean(interrupts):,.0f}" if interrupts else "-",
                      f"{min(seconds):.2f} to {max(seconds):.2f}" if seconds else "-"])
    table(["row", "boots", "runs"] + [column for column, _, _ in COLUMNS] +
          ["within boots", "between boots", "below the plain one with", "beside: interrupts", "phase serve, s"], shown)


if __name__ == "__main__":
    main()
