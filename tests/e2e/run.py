#!/usr/bin/env python3
"""The end-to-end tests: the same cases on the sandbox and on a real Kubernetes control plane with KWOK nodes, where the scheduler has the
rights of deploy/ and no more; then what only a real node can show. Needs root (for the node). The last line sums up.

    tests/e2e/run.py                             everything
    tests/e2e/run.py --on plane --only volumes   the cases whose path contains that, on one of the three: sandbox, plane, node
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

import control_plane  # noqa: E402


PLACES = ("sandbox", "plane", "node")


def run_pass(name, suites, environment, only):
    """One run of tests/run: (passed, failed), taken from its last line; no such line counts as a failure."""
    print("== e2e: " + name, flush=True)
    selection = ["--only", only] if only else []
    process = subprocess.Popen([str(HERE.parent / "run"), "--jobs", "1" if "STINT_E2E" in environment else "2", *selection, *suites],
                               cwd=ROOT, env=dict(os.environ, **environment), stdout=subprocess.PIPE, text=True)
    line = ""
    for line in process.stdout:
        print(line, end="", flush=True)
    process.wait()
    summary = re.match(r"(\d+) passed, (\d+) failed$", line)
    return (int(summary.group(1)), int(summary.group(2))) if summary else (0, 1)


def install(plane):
    """What an admin does with deploy/."""
    deploy = ROOT / "deploy"
    plane.kubectl("apply", "-f", deploy / "crds")
    plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
    plane.kubectl("apply", "-f", deploy / "rbac.yaml", "-f", deploy / "defaults.yaml")


def run_on_plane(programs, places, only):
    """The cases on a control plane of its own, and on a node of it."""
    results = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stint-e2e-"))
    try:
        started = time.monotonic()
        with control_plane.ControlPlane(programs, folder / "plane") as plane:
            install(plane)
            print("a control plane is ready after %.1f s" % (time.monotonic() - started), flush=True)
            environment = {"STINT_E2E": str(plane.kubeconfig), "STINT_E2E_PROGRAMS": programs, "STINT_E2E_PLANE": str(plane.folder),
                           "STINT_E2E_SCHEDULER": str(plane.service_account("stint-system", "stint-scheduler"))}
            if "plane" in places:
                results.append(run_pass("the cases on a real control plane", ["e2e"], environment, only))
            if "node" in places:
                with control_plane.Node(plane) as node:
                    environment["STINT_E2E_CONTAINERD"] = str(node.socket)
                    results.append(run_pass("a real node", ["e2e/real"], environment, only))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--on", choices=PLACES, action="append", help="run there alone; may be repeated")
    parser.add_argument("--only", help="a regular expression that the path of a case's file must contain")
    arguments = parser.parse_args()
    places = arguments.on or PLACES
    programs = subprocess.run([HERE / "programs.sh"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    results = []
    if "sandbox" in places:
        results.append(run_pass("the cases on the sandbox", ["e2e"], {"STINT_E2E_PROGRAMS": programs}, arguments.only))
    if "plane" in places or "node" in places:
        results += run_on_plane(programs, places, arguments.only)
    passed, failed = (sum(column) for column in zip(*results))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
