"""What pods want of each other: two that must not share a node, and workers spread over zones as evenly as they ask."""

import collections

import kit

ANY = [{"operator": "Exists"}]


class Spreading(kit.Case):
    """Three nodes in two zones."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(3, gpus=4, prefix="spread")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        for at, node in enumerate(cls.nodes):
            labels = {"example.com/spread-zone": "zone-%d" % (at > 0), "example.com/spread": "yes"}
            status, answer = cls.cluster.api.call("PATCH", "/api/v1/nodes/" + node, {"metadata": {"labels": labels}},
                                                  "application/merge-patch+json")
            assert status == 200, answer
        cls.cluster.project("apart", 12)
        cls.addClassCleanup(cls.cluster.remove_project, "apart")
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)

    def pod(self, name, group, **spec):
        path = "/api/v1/namespaces/apart/pods"
        self.cluster.api.create(path, {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"group": group}},
            "spec": dict({"schedulerName": "stint-scheduler", "terminationGracePeriodSeconds": 0, "tolerations": ANY,
                          "nodeSelector": {"example.com/spread": "yes"},
                          "containers": [{"name": "main", "image": "local/busybox:1", "command": ["sleep", "1000"],
                                          "resources": {"limits": {"nvidia.com/gpu": "1"}, "requests": {"nvidia.com/gpu": "1"}}}]}, **spec)})
        self.addCleanup(self.cluster.api.call, "DELETE", "%s/%s" % (path, name))

    def seen(self, name):
        return self.cluster.api.get("/api/v1/namespaces/apart/pods/" + name)

    def placed(self, name):
        return kit.eventually(lambda: self.seen(name)["spec"].get("nodeName"), "pod %s being placed" % name)

    def refusal(self, name):
        return kit.eventually(lambda: next((c["message"] for c in self.seen(name)["status"].get("conditions", [])
                                            if c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable"), None),
                              "pod %s being refused" % name)

    def test_pods_that_avoid_each_other_are_on_nodes_of_their_own(self):
        avoid = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"group": "alone"}}}]}}
        names = ["alone-%d" % at for at in range(4)]
        for name in names[:3]:
            self.pod(name, "alone", affinity=avoid)
        taken = [self.placed(name) for name in names[:3]]
        self.assertEqual(sorted(taken), sorted(self.nodes))
        self.pod(names[3], "alone", affinity=avoid)
        self.assertIn("anti-affinity", self.refusal(names[3]))
        self.cluster.api.call("DELETE", "/api/v1/namespaces/apart/pods/" + names[0])
        self.assertEqual(self.placed(names[3]), taken[0])

    def test_pods_are_spread_over_zones_and_wait_where_that_would_be_uneven(self):
        evenly = [{"maxSkew": 1, "topologyKey": "example.com/spread-zone", "whenUnsatisfiable": "DoNotSchedule",
                   "labelSelector": {"matchLabels": {"group": "even"}}}]
        for at in range(8):
            self.pod("even-%d" % at, "even", topologySpreadConstraints=evenly)
        zones = collections.Counter("zone-%d" % (self.placed("even-%d" % at) != self.nodes[0]) for at in range(8))
        self.assertEqual(zones, {"zone-0": 4, "zone-1": 4})  # the one node of zone-0 is full now
        self.pod("even-8", "even", topologySpreadConstraints=evenly)
        self.placed("even-8")
        self.pod("even-9", "even", topologySpreadConstraints=evenly)
        self.assertIn("topology spread", self.refusal("even-9"))


if __name__ == "__main__":
    kit.main()
