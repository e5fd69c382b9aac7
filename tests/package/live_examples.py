#!/usr/bin/env python3
"""Checks the examples that run hap on a host: live_examples.py EXAMPLES_FOLDER LIVE_MD

The DaemonSet has what Kubernetes asks of one, what its fields refer to exists in it, and it, the systemd unit
and the container script ask for the capabilities that docs/live.md names, and for no others.
"""
import re
import sys

import yaml

folder, live = sys.argv[1:]
problems = []


def expect(condition, what):
    if not condition:
        problems.append(what)


def read(name):
    with open(f"{folder}/{name}", encoding="utf-8") as file:
        return file.read()


with open(live, encoding="utf-8") as file:
    rows = [line for line in file if line.startswith("| `CAP_")]
named = {name for row in rows for name in re.findall(r"CAP_(\w+)", row.split("|")[1])}
expect(named, "docs/live.md names no capability")

objects = list(yaml.safe_load_all(read("daemonset.yaml")))
for thing in objects:
    for field in ("apiVersion", "kind", "metadata"):
        expect(field in thing, f"an object of daemonset.yaml has no {field}")
kinds = {thing["kind"]: thing for thing in objects}
expect(set(kinds) == {"Namespace", "DaemonSet"}, f"daemonset.yaml has {sorted(kinds)}")
namespace, daemon = kinds["Namespace"], kinds["DaemonSet"]
expect(namespace["apiVersion"] == "v1", "a Namespace is of v1")
expect(daemon["apiVersion"] == "apps/v1", "a DaemonSet is of apps/v1")
expect(daemon["metadata"]["namespace"] == namespace["metadata"]["name"], "the DaemonSet is in another namespace")
spec = daemon["spec"]
labels = spec["template"]["metadata"]["labels"]
chosen = spec["selector"]["matchLabels"]
expect(chosen and chosen.items() <= labels.items(), "the selector does not choose the template's own pods")
pod = spec["template"]["spec"]
# Processes are named by the host's numbers, and looked up in its /proc.
expect(pod.get("hostPID") is True, "hostPID is needed")
volumes = {volume["name"]: volume for volume in pod["volumes"]}
expect(len(volumes) == len(pod["volumes"]), "two volumes share a name")
for name, volume in volumes.items():
    expect(len(volume) == 2, f"volume {name} has not one source")
paths = {}
for container in pod["containers"]:
    for field in ("name", "image"):
        expect(container.get(field), f"a container has no {field}")
    for mount in container["volumeMounts"]:
        expect(mount["name"] in volumes, f"mount of {mount['name']}, which is no volume")
        expect(mount["mountPath"].startswith("/"), f"mountPath {mount['mountPath']}")
        paths[mount["mountPath"]] = volumes.get(mount["name"], {}).get("hostPath", {}).get("path")
    security = container["securityContext"]
    expect(security["privileged"] is False, "the container is privileged")
    expect(security["capabilities"]["drop"] == ["ALL"], "capabilities are not dropped")
    expect(set(security["capabilities"]["add"]) == named,
           f"daemonset.yaml adds {sorted(security['capabilities']['add'])}, docs/live.md names {sorted(named)}")
for path in ("/sys/kernel/tracing", "/sys/fs/cgroup"):
    expect(paths.get(path) == path, f"the host's {path} is not mounted there")

unit = read("hapmeter-record.service")
bounding = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.M)
expect(bounding is not None, "the unit does not bound capabilities")
if bounding:
    in_unit = {name.removeprefix("CAP_") for name in bounding.group(1).split()}
    expect(in_unit == named, f"the unit has {sorted(in_unit)}, docs/live.md names {sorted(named)}")

script = read("run-container.sh")
added = {name for names in re.findall(r"--cap-add=(\S+)", script) for name in names.split(",")}
expect(added == named, f"run-container.sh adds {sorted(added)}, docs/live.md names {sorted(named)}")
expect("--cap-drop=all" in script, "run-container.sh does not drop capabilities")

for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
