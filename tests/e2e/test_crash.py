"""A scheduler that is killed at any moment loses nothing and does nothing twice."""

import collections
import signal

import kit

PODS = 200


def pod(at, project):
    """Every other pod takes half a device, the rest take a whole one."""
    metadata = {"name": "burst-%03d" % at, "labels": {"kai.scheduler/queue": project}}
    container = {"name": "main", "image": "local/busybox:1", "command": ["sleep", "infinity"], "resources": {"requests": {"cpu": "100m"}}}
    if at % 2:
        metadata["annotations"] = {"gpu-fraction": "0.5"}
    else:
        container["resources"]["limits"] = {"nvidia.com/gpu": "1"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {"schedulerName": "stint-scheduler", "terminationGracePeriodSeconds": 0, "containers": [container]}}


class Burst(kit.Case):
    """200 whole and half-device pods on 20 nodes of 8 devices: all fit, and exactly 150 devices are needed."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(20, prefix="crash")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)

    def setUp(self):
        self.project = self.id().rsplit("_", 1)[-1]
        self.cluster.project(self.project, 160)
        self.addCleanup(self.cluster.remove_project, self.project)
        for at in range(PODS):
            self.cluster.api.create("/api/v1/namespaces/%s/pods" % self.project, pod(at, self.project))

    def bound(self):
        return [p for p in self.cluster.api.pods(self.project) if p["spec"].get("nodeName")]

    def check_outcome(self):
        pods = self.cluster.api.pods(self.project)
        self.assertEqual(len(pods), PODS, "a pod was lost")
        self.assertEqual(kit.overcommitted(pods), {}, "a device is above 1.0")
        self.assertTrue(all(p["spec"].get("nodeName") for p in pods))
        used = collections.Counter(node for node, _ in kit.gpu_shares(pods))
        self.assertTrue(all(count <= 8 for count in used.values()), used)
        # A pod bound twice would have been refused by the API server, and the scheduler would hold a device for nothing.
        devices = sum(len(p["metadata"]["annotations"]["stint.dev/gpu-devices"].split(",")) for p in pods)
        self.assertEqual(devices, PODS)

    def test_killed_ten_times_during_a_burst_kill(self):
        for _ in range(10):
            before = len(self.bound())
            with self.cluster.scheduler("--leader-elect=false") as scheduler:
                if before < PODS:
                    kit.eventually(lambda: len(self.bound()) > before, "a pod being bound")
                scheduler.send_signal(signal.SIGKILL)
                scheduler.wait()
        with self.cluster.scheduler("--leader-elect=false"):
            kit.eventually(lambda: len(self.bound()) == PODS, "all pods being bound")
        self.check_outcome()

    def test_the_successor_binds_within_twenty_seconds_of_a_killed_leader_lease(self):
        with self.cluster.scheduler() as leader:
            kit.eventually(lambda: self.bound(), "the leader binding something")
            leader.send_signal(signal.SIGKILL)
            leader.wait()
        before = len(self.bound())
        late = [pod(at, self.project) for at in range(PODS, PODS + 2)]
        for body in late:
            self.cluster.api.create("/api/v1/namespaces/%s/pods" % self.project, body)
        with self.cluster.scheduler():
            kit.eventually(lambda: len(self.bound()) > before, "the successor binding something", timeout=20)
            kit.eventually(lambda: len(self.bound()) == PODS + 2, "all pods being bound")
        pods = self.cluster.api.pods(self.project)
        self.assertEqual(len(pods), PODS + 2)
        self.assertEqual(kit.overcommitted(pods), {})


if __name__ == "__main__":
    kit.main()
