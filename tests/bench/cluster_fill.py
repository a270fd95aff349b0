"""4,000 one-GPU Jobs on 500 virtual nodes of a real API server: the scheduler, started when all pods are there, beside a bare loop of bind
POSTs over the pods of 4,000 equal Jobs in the same run. Both wait for the same thing: every pod bound, as a watch sees it."""

import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import figures
import kit

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

JOBS, NODES, GPUS, CONNECTIONS = 4000, 500, 8, 16
BAR_RATIO, BAR_RSS_MIB = 1.3, 64


class Connection:
    """One kept-alive HTTPS connection with the credentials of an Api."""

    def __init__(self, api):
        self.http = http.client.HTTPSConnection(api.server.removeprefix("https://"), context=api.context)

    def call(self, method, path, body=None):
        self.http.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = self.http.getresponse()
        data = answer.read()
        assert answer.status < 300, "%s %s: %s %s" % (method, path, answer.status, data[:300])
        return data


def in_parallel(api, calls):
    """Makes (method, path, body) calls over a few connections."""
    connections = threading.local()

    def one(call):
        if not hasattr(connections, "own"):
            connections.own = Connection(api)
        return connections.own.call(*call)

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        collections.deque(pool.map(one, calls), maxlen=0)


class BoundPods(threading.Thread):
    """Counts the bound pods of a namespace by a watch that the server filters; metadata alone, to cost it little."""

    def __init__(self, api, namespace):
        super().__init__(daemon=True)
        self.path = "/api/v1/namespaces/%s/pods?watch=1&fieldSelector=spec.nodeName!%%3D" % namespace
        self.connection, self.names, self.first, self.last = Connection(api), set(), None, None
        self.start()

    def run(self):
        self.connection.http.request("GET", self.path, headers={"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"})
        for line in self.connection.http.getresponse():
            event = json.loads(line)
            if event["type"] in ("ADDED", "MODIFIED"):
                self.names.add(event["object"]["metadata"]["name"])
                self.last = time.monotonic()
                self.first = self.first or self.last


def job(at, namespace):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job-%04d" % at, "namespace": namespace},
            "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": {"kai.scheduler/queue": namespace}}, "spec": {
                "schedulerName": "stint-scheduler", "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": "local/none:1", "resources": {
                    "requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"nvidia.com/gpu": "1"}}}]}}}}


def create_jobs(cluster, namespace):
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": namespace, "labels": {"stint.dev/project": namespace}}})
    unlimited = {"quota": -1, "limit": -1, "overQuotaWeight": 1}
    cluster.api.create("/apis/scheduling.run.ai/v2/queues", {
        "apiVersion": "scheduling.run.ai/v2", "kind": "Queue", "metadata": {"name": namespace},
        "spec": {"parentQueue": "default-department", "resources": {"gpu": dict(unlimited, quota=JOBS), "cpu": unlimited, "memory": unlimited}}})
    path = "/apis/batch/v1/namespaces/%s/jobs" % namespace
    in_parallel(cluster.api, [("POST", path, job(at, namespace)) for at in range(JOBS)])
    kit.eventually(lambda: count_pods(cluster, namespace) == JOBS, "%d pods" % JOBS, timeout=300)


def count_pods(cluster, namespace):
    page = cluster.api.get("/api/v1/namespaces/%s/pods?limit=1" % namespace)
    return len(page["items"]) + page["metadata"].get("remainingItemCount", 0)


def wait_for_all(bound, started, what):
    kit.eventually(lambda: len(bound.names) >= JOBS, what, timeout=300)
    return bound.last - started


def bare_loop(cluster):
    create_jobs(cluster, "bare")
    names = [pod["metadata"]["name"] for pod in cluster.api.pods("bare")]
    bound = BoundPods(cluster.api, "bare")
    started = time.monotonic()
    in_parallel(cluster.api, [("POST", "/api/v1/namespaces/bare/pods/%s/binding" % name, {
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "fill-%d" % (at % NODES)}}) for at, name in enumerate(names)])
    return wait_for_all(bound, started, "all bare binds")


def with_scheduler(cluster):
    create_jobs(cluster, "fill")
    bound = BoundPods(cluster.api, "fill")
    started = time.monotonic()
    with cluster.scheduler("--leader-elect=false") as scheduler:
        seconds = wait_for_all(bound, started, "all pods being bound")
        status = pathlib.Path("/proc/%d/status" % scheduler.pid).read_text()
        times = pathlib.Path("/proc/%d/stat" % scheduler.pid).read_text().rsplit(")", 1)[1].split()
    assert kit.overcommitted(cluster.api.pods("fill")) == {}, "a device is above 1.0"
    processor = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    return seconds, bound.first - started, peak, processor


def on_fresh_plane(programs, measure):
    """measure(cluster) on a control plane of its own with the nodes: both sides begin with the same, and nothing has to be deleted."""
    import control_plane
    import run as e2e
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stint-bench-"))
    try:
        with control_plane.ControlPlane(programs, folder / "plane") as plane:
            e2e.install(plane)
            os.environ["STINT_E2E_PROGRAMS"] = programs
            os.environ["STINT_E2E_SCHEDULER"] = str(plane.service_account("stint-system", "stint-scheduler"))
            cluster = kit.Cluster(plane.kubeconfig)
            cluster.make_nodes(NODES, gpus=GPUS, prefix="fill")
            return measure(cluster)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    programs = subprocess.run([HERE.parent / "e2e/programs.sh"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    bare = on_fresh_plane(programs, bare_loop)
    seconds, first, peak, processor = on_fresh_plane(programs, with_scheduler)
    kept = figures.ratio("4,000 one-GPU Jobs on 500 nodes, all bound", seconds, bare, BAR_RATIO, other="bare bind POSTs")
    figures.row("  pods a second", "%.0f" % (JOBS / seconds), beside="bare %.0f; KAI here 323 to 460 s in all" % (JOBS / bare))
    figures.row("  the first bind after the start", "%.2f s" % first)
    figures.row("  processor time of the scheduler", "%.2f s" % processor, beside="KAI here 302 to 314 s")
    return figures.row("  resident memory of the scheduler, peak", "%.1f MiB" % peak, "%d MiB" % BAR_RSS_MIB, peak < BAR_RSS_MIB) and kept
