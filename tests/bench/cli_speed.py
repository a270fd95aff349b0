"""How fast the command line is beside kubectl: start-up, and a list of 3,000 pods. Pairs alternate, and the median of each side counts."""

import statistics
import subprocess
import time

import figures
import kit


def timed(command, environment):
    started = time.perf_counter()
    done = subprocess.run([str(word) for word in command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert done.returncode == 0, "%s: %s" % (command, done.stderr.decode())
    return time.perf_counter() - started


def pairs(ours, theirs, environment, times):
    samples = [(timed(ours, environment), timed(theirs, environment)) for _ in range(times)]
    return [statistics.median(side) for side in zip(*samples)]


def fill(cluster, count):
    """That many finished pods of one project: nothing has to run for a list."""
    for at in range(count):
        cluster.api.create("/api/v1/namespaces/default/pods", {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "pod-%04d" % at, "labels": {"app": "bench", "team": "vision", "stage": "train"},
                         "annotations": {"gpu-fraction": "0.5", "note": "x" * 400}},
            "spec": {"schedulerName": "stint-scheduler", "containers": [
                {"name": "main", "image": "registry.example/team/image:1", "command": ["python", "train.py", "--epochs", "100"],
                 "env": [{"name": "VARIABLE_%d" % n, "value": "value %d" % n} for n in range(10)]}]}})


def main():
    kubectl, stint = kit.kubectl_path(), kit.BIN / "stint"
    if not kubectl:
        return figures.row("kubectl is not on this machine", "-", kept=False)
    cluster = kit.Sandbox("--nodes", "4", "--no-scheduler")
    try:
        environment = cluster.environment()
        start = pairs([stint, "version", "--client"], [kubectl, "version", "--client"], environment, 20)
        kept = figures.ratio("stint version --client", *start, most=0.1)
        fill(cluster, 3000)
        listing = pairs([stint, "list", "-p", "default"], [kubectl, "get", "pods", "-n", "default"], environment, 7)
        return figures.ratio("stint list, 3,000 pods", *listing, most=0.5) and kept
    finally:
        cluster.close()
