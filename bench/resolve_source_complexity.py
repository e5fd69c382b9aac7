#!/usr/bin/env python3
"""Correlation of machine-code complexity with that of the source.

    resolve_source_complexity.py LIST SOURCE_TREE

LIST comes from `resolve_index_build_bench VMLINUX -o FOLDER --list LIST`; SOURCE_TREE is the kernel source that
VMLINUX was built from (Debian: package linux-source-6.12). The source count is the usual one of lint tools: one,
plus one for each if, for, while, case, &&, || and ? between the function's first and last line.
"""
import os
import re
import sys

DECISIONS = re.compile(r"\b(?:if|for|while|case)\b|&&|\|\||\?")
# Loops hidden in macros: list_for_each_entry(...), for_each_cpu(...).
LOOP_MACROS = re.compile(r"\b\w*for_each\w*\s*\(")
NOISE = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|^\s*#[^\n]*", re.S | re.M)


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    i = 0
    while i < len(order):
        j = i
        while j + 1 < len(order) and values[order[j + 1]] == values[order[i]]:
            j += 1
        for k in range(i, j + 1):
            result[order[k]] = (i + j) / 2
        i = j + 1
    return result


def pearson(a, b):
    n = len(a)
    mean_a, mean_b = sum(a) / n, sum(b) / n
    covariance = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    spread = (sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)) ** 0.5
    return covariance / spread if spread else float("nan")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sources = {}
    machine, source = [], []
    left_out = 0
    with open(sys.argv[1], encoding="utf-8", errors="replace") as listing:
        for line in listing:
            name, path, first, last, complexity = line.rstrip("\n").split("\t")
            if not path.endswith(".c") or int(complexity) == 0:
                continue
            if path not in sources:
                full = os.path.join(sys.argv[2], path)
                try:
                    with open(full, encoding="utf-8", errors="replace") as file:
                        sources[path] = file.read().split("\n")
                except OSError:
                    sources[path] = None
            text = sources[path]
            # A function that a macro makes is not named where it is declared; its decisions are elsewhere.
            if text is None or name not in text[int(first) - 1]:
                left_out += 1
                continue
            body = NOISE.sub(" ", "\n".join(text[int(first) - 1:int(last)]))
            machine.append(int(complexity))
            source.append(1 + len(DECISIONS.findall(body)) + len(LOOP_MACROS.findall(body)))
    print(f"{len(machine)} functions compared, {left_out} made by macros or without source")
    print(f"sum: machine {sum(machine)}, source {sum(source)}, ratio {sum(machine) / sum(source):.2f}")
    print(f"Pearson {pearson(machine, source):.2f}, Spearman {pearson(ranks(machine), ranks(source)):.2f}")
    same = sum(1 for a, b in zip(machine, source) if a == b)
    near = sum(1 for a, b in zip(machine, source) if abs(a - b) <= 2)
    print(f"equal in {100 * same / len(machine):.0f} %, within 2 in {100 * near / len(machine):.0f} %")


if __name__ == "__main__":
    main()
