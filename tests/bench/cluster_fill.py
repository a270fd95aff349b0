"""4,000 one-GPU Jobs on 500 virtual nodes of a real API server: the scheduler, started when all pods are there, beside a bare loop of bind
POSTs over the pods of 4,000 equal Jobs in the same run. Both wait for the same thing: every pod bound, as a watch sees it."""

import argparse
import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import typing

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "e2e")]

import figures
import kit

GPUS, CONNECTIONS = 8, 16
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


def in_parallel(api, calls, most=CONNECTIONS):
    """Makes (method, path, body) calls over at most so many connections."""
    connections = threading.local()

    def one(call):
        if not hasattr(connections, "own"):
            connections.own = Connection(api)
        return connections.own.call(*call)

    with concurrent.futures.ThreadPoolExecutor(most) as pool:
        collections.deque(pool.map(one, calls), maxlen=0)


class BoundPods(threading.Thread):
    """Counts the bound pods of a namespace by a watch that the server filters; metadata alone, to cost it little. A server that ends the
    watch (it does that to slow readers) is asked again, and begins with what is bound by then."""

    def __init__(self, api, namespace, expected):
        super().__init__(daemon=True)
        self.path = "/api/v1/namespaces/%s/pods?watch=1&fieldSelector=spec.nodeName!%%3D" % namespace
        self.api, self.expected, self.names, self.first, self.last = api, expected, set(), None, None
        self.watching = threading.Event()
        self.start()

    def run(self):
        while len(self.names) < self.expected:
            connection = Connection(self.api)
            connection.http.request("GET", self.path, headers={"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"})
            answer = connection.http.getresponse()
            self.watching.set()
            for line in answer:
                self.take(json.loads(line))
                if len(self.names) == self.expected:
                    break

    def take(self, event):
        if event["type"] not in ("ADDED", "MODIFIED") or event["object"]["metadata"]["name"] in self.names:
            return
        self.names.add(event["object"]["metadata"]["name"])
        self.last = time.monotonic()
        self.first = self.first or self.last


def job(at, namespace):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job-%04d" % at, "namespace": namespace},
            "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": {"kai.scheduler/queue": namespace}}, "spec": {
                "schedulerName": "stint-scheduler", "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": "local/none:1", "resources": {
                    "requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"nvidia.com/gpu": "1"}}}]}}}}


class Size(typing.NamedTuple):
    jobs: int = 4000
    nodes: int = 500
    rounds: int = 1


class Cost:
    """What a piece of work cost the control plane: seconds of processor time of each program, and what the API server counted."""

    COUNTED = ("apiserver_request_total", "apiserver_watch_events_total", "apiserver_watch_events_sizes_sum", "etcd_requests_total")
    SPLIT_BY = ("verb", "resource", "subresource", "code", "operation", "kind", "type")

    def __init__(self, cluster, plane):
        self.cluster, self.plane = cluster, plane
        self.seconds, self.counts = self.read()

    def read(self):
        seconds = collections.Counter({name: processor_seconds(child.pid) for name, child in self.plane.running.items()})
        seconds["this program"] = sum(os.times()[:2])
        counts = collections.Counter()
        for line in self.cluster.api.get("/metrics").splitlines():
            name, _, rest = line.partition("{")
            if name in self.COUNTED:
                labels, value = rest.rsplit("} ", 1)
                labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
                counts[" ".join([name] + [labels[key] for key in self.SPLIT_BY if labels.get(key)])] += float(value)
        return seconds, counts

    def stop(self):
        seconds, counts = self.read()
        self.seconds, self.counts = seconds - self.seconds, counts - self.counts
        return self


def processor_seconds(pid):
    times = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def create_jobs(cluster, namespace, size):
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": namespace, "labels": {"stint.dev/project": namespace}}})
    unlimited = {"quota": -1, "limit": -1, "overQuotaWeight": 1}
    cluster.api.create("/apis/scheduling.run.ai/v2/queues", {
        "apiVersion": "scheduling.run.ai/v2", "kind": "Queue", "metadata": {"name": namespace},
        "spec": {"parentQueue": "default-department", "resources": {
            "gpu": dict(unlimited, quota=size.jobs), "cpu": unlimited, "memory": unlimited}}})
    path = "/apis/batch/v1/namespaces/%s/jobs" % namespace
    in_parallel(cluster.api, [("POST", path, job(at, namespace)) for at in range(size.jobs)])
    kit.eventually(lambda: count_pods(cluster, namespace) == size.jobs, "%d pods" % size.jobs, timeout=300)


def count_pods(cluster, namespace):
    page = cluster.api.get("/api/v1/namespaces/%s/pods?limit=1" % namespace)
    return len(page["items"]) + page["metadata"].get("remainingItemCount", 0)


def wait_for_all(bound, started, what):
    bound.join(300)
    assert not bound.is_alive(), "%s took more than 300 s: %d of %d" % (what, len(bound.names), bound.expected)
    return bound.last - started


def bare_loop(cluster, plane, size):
    create_jobs(cluster, "bare", size)
    names = [pod["metadata"]["name"] for pod in cluster.api.pods("bare")]
    bound = BoundPods(cluster.api, "bare", size.jobs)
    cost = Cost(cluster, plane)
    started = time.monotonic()
    in_parallel(cluster.api, [("POST", "/api/v1/namespaces/bare/pods/%s/binding" % name, {
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "fill-%d" % (at % size.nodes)}}) for at, name in enumerate(names)])
    return {"seconds": wait_for_all(bound, started, "all bare binds"), "cost": cost.stop()}


def with_scheduler(cluster, plane, size):
    create_jobs(cluster, "fill", size)
    bound = BoundPods(cluster.api, "fill", size.jobs)
    cost = Cost(cluster, plane)
    started = time.monotonic()
    with cluster.scheduler("--leader-elect=false") as scheduler:
        seconds = wait_for_all(bound, started, "all pods being bound")
        cost.stop()
        status = pathlib.Path("/proc/%d/status" % scheduler.pid).read_text()
        processor = processor_seconds(scheduler.pid)
    assert kit.overcommitted(cluster.api.pods("fill")) == {}, "a device is above 1.0"
    return {"seconds": seconds, "cost": cost, "first": bound.first - started, "processor": processor,
            "peak": int(status.split("VmHWM:")[1].split()[0]) / 1024}


def on_fresh_plane(programs, size, measure):
    """measure(cluster, plane, size) on a control plane of its own with the nodes: both sides begin with the same, and nothing has to be
    deleted."""
    import control_plane
    import run as e2e
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stint-bench-"))
    try:
        with control_plane.ControlPlane(programs, folder / "plane") as plane:
            e2e.install(plane)
            os.environ["STINT_E2E_PROGRAMS"] = programs
            os.environ["STINT_E2E_SCHEDULER"] = str(plane.service_account("stint-system", "stint-scheduler"))
            cluster = kit.Cluster(plane.kubeconfig)
            cluster.make_nodes(size.nodes, gpus=GPUS, prefix="fill")
            return measure(cluster, plane, size)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def print_costs(bare, ours):
    """Where the difference comes from: every count that is not the same on both sides, the scheduler's beside the bare loop's."""
    for what in sorted(bare.seconds | ours.seconds):
        print("    %-80s %10.2f %10.2f s" % ("processor time of " + what, ours.seconds[what], bare.seconds[what]))
    for what in sorted(bare.counts | ours.counts):
        if abs(ours.counts[what] - bare.counts[what]) > 20:
            print("    %-80s %10.0f %10.0f" % (what, ours.counts[what], bare.counts[what]))


def main(size=Size(), explain=False):
    programs = subprocess.run([HERE.parent / "e2e/programs.sh"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    rounds = []
    for _ in range(size.rounds):
        rounds.append((on_fresh_plane(programs, size, bare_loop), on_fresh_plane(programs, size, with_scheduler)))
        if explain:
            print("  %.2f s beside %.2f s" % (rounds[-1][1]["seconds"], rounds[-1][0]["seconds"]))
            print_costs(rounds[-1][0]["cost"], rounds[-1][1]["cost"])
    bare, ours = sorted(rounds, key=lambda pair: pair[1]["seconds"] / pair[0]["seconds"])[len(rounds) // 2]
    kept = figures.ratio("%d one-GPU Jobs on %d nodes, all bound" % (size.jobs, size.nodes), ours["seconds"], bare["seconds"], BAR_RATIO,
                         other="bare bind POSTs")
    figures.row("  pods a second", "%.0f" % (size.jobs / ours["seconds"]),
                beside="bare %.0f; KAI here 323 to 460 s in all" % (size.jobs / bare["seconds"]))
    figures.row("  the first bind after the start", "%.2f s" % ours["first"])
    figures.row("  processor time of the scheduler", "%.2f s" % ours["processor"], beside="KAI here 302 to 314 s")
    return figures.row("  resident memory of the scheduler, peak", "%.1f MiB" % ours["peak"], "%d MiB" % BAR_RSS_MIB,
                       ours["peak"] < BAR_RSS_MIB) and kept


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--jobs", type=int, default=Size().jobs)
    words.add_argument("--nodes", type=int, default=Size().nodes)
    words.add_argument("--rounds", type=int, default=1, help="so many times both halves; the round in the middle counts")
    words.add_argument("--explain", action="store_true", help="what each half cost the control plane")
    given = words.parse_args()
    sys.exit(0 if main(Size(given.jobs, given.nodes, given.rounds), given.explain) else 1)
