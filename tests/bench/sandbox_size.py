"""The sandbox at its size: 1,000 nodes and 30,000 pods that run, in less than 1 GiB; and how soon an empty one is ready."""

import http.client
import json
import pathlib
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import figures
import kit

NODES, JOBS, PODS_PER_JOB = 1000, 300, 100


class Link:
    """One kept connection: a new one for each of 30,000 calls would measure TLS."""

    def __init__(self, api):
        url = urllib.parse.urlsplit(api.server)
        self.api, self.http = api, http.client.HTTPSConnection(url.hostname, url.port, context=api.context)

    def call(self, method, path, body=None):
        self.http.request(method, path, None if body is None else json.dumps(body), {
            "Authorization": "Bearer " + self.api.token, "Content-Type": "application/json"})
        answer = self.http.getresponse()
        data = answer.read()
        assert answer.status < 300, "%s %s: %s" % (method, path, data[:300])
        return json.loads(data)


def job(name):
    return {"metadata": {"name": name}, "spec": {
        "completions": PODS_PER_JOB, "parallelism": PODS_PER_JOB, "completionMode": "Indexed",
        "template": {"metadata": {"labels": {"app": name}, "annotations": {"gpu-fraction": "0.2"}}, "spec": {
            "restartPolicy": "Never", "schedulerName": "nobody", "containers": [{
                "name": "main", "image": "registry.example/team/trainer:1.2.3", "command": ["python", "train.py", "--epochs", "90"],
                "env": [{"name": "DATA", "value": "/data"}], "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}]}}}}


def memory_mib(pid, field):
    text = pathlib.Path("/proc/%d/status" % pid).read_text()
    return int(text.split(field + ":")[1].split()[0]) / 1024


def count(link):
    page = link.call("GET", "/api/v1/pods?limit=1")
    return len(page["items"]) + page["metadata"].get("remainingItemCount", 0)


def none_waits(link):
    return not link.call("GET", "/api/v1/pods?limit=1&fieldSelector=status.phase%3DPending")["items"]


def main():
    began = time.monotonic()
    cluster = kit.Sandbox("--nodes", str(NODES), "--no-scheduler")
    try:
        ready_s = time.monotonic() - began
        pid = int((cluster.folder / "sandbox.pid").read_text())
        link = Link(cluster.api)
        began = time.monotonic()
        for at in range(JOBS):
            link.call("POST", "/apis/batch/v1/namespaces/default/jobs", job("job-%d" % at))
        kit.eventually(lambda: count(link) == JOBS * PODS_PER_JOB, "all pods", timeout=600)
        made_s = time.monotonic() - began
        names = [pod["metadata"]["name"] for pod in link.call("GET", "/api/v1/namespaces/default/pods")["items"]]
        began = time.monotonic()
        for at, name in enumerate(names):
            link.call("POST", "/api/v1/namespaces/default/pods/%s/binding" % name, {
                "metadata": {"name": name, "annotations": {"stint.dev/gpu-devices": str(at % 8)}},
                "target": {"kind": "Node", "name": "node-%d" % (at % NODES)}})
        kit.eventually(lambda: none_waits(link), "all running", timeout=600)
        bound_s = time.monotonic() - began
        peak = memory_mib(pid, "VmHWM")
    finally:
        cluster.close()
    figures.row("a sandbox of %d nodes ready" % NODES, "%.2f s" % ready_s)
    figures.row("%d pods made by Jobs" % len(names), "%.1f s" % made_s)
    figures.row("%d pods bound one by one, and running" % len(names), "%.1f s" % bound_s)
    return figures.row("peak memory of it", "%.0f MiB" % peak, "1024 MiB", peak < 1024)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
