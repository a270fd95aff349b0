"""A gang that needs one rack: it gets one, waits while none has room, and says which rack comes closest."""

import kit

TOPOLOGY = {"apiVersion": "kai.scheduler/v1alpha1", "kind": "Topology", "metadata": {"name": "racks"},
            "spec": {"levels": [{"nodeLabel": "example.com/zone"}, {"nodeLabel": "example.com/rack"}]}}


class Topology(kit.Case):
    """Four nodes of two devices: rack-0 has one of them, rack-1 has three."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(4, gpus=2, prefix="racked")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        for at, node in enumerate(cls.nodes):
            labels = {"example.com/zone": "zone-0", "example.com/rack": "rack-%d" % (at > 0)}
            status, answer = cls.cluster.api.call("PATCH", "/api/v1/nodes/" + node, {"metadata": {"labels": labels}},
                                                  "application/merge-patch+json")
            assert status == 200, answer
        cls.cluster.api.create("/apis/kai.scheduler/v1alpha1/topologies", TOPOLOGY)
        cls.addClassCleanup(cls.cluster.api.call, "DELETE", "/apis/kai.scheduler/v1alpha1/topologies/racks")
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)
        cls.cluster.project("vision", 8)
        cls.addClassCleanup(cls.cluster.remove_project, "vision")

    def gang(self, name, pods, gpus=1):
        """A PodGroup that requires a rack, and its pods."""
        self.cluster.api.create("/apis/scheduling.run.ai/v2alpha2/namespaces/vision/podgroups", {
            "apiVersion": "scheduling.run.ai/v2alpha2", "kind": "PodGroup", "metadata": {"name": name},
            "spec": {"minMember": pods, "queue": "vision",
                     "topologyConstraint": {"topology": "racks", "requiredTopologyLevel": "example.com/rack"}}})
        self.addCleanup(self.cluster.api.call, "DELETE", "/apis/scheduling.run.ai/v2alpha2/namespaces/vision/podgroups/" + name)
        for at in range(pods):
            path = "/api/v1/namespaces/vision/pods"
            self.cluster.api.create(path, {
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "%s-%d" % (name, at), "labels": {"gang": name}, "annotations": {"pod-group-name": name}},
                "spec": {"schedulerName": "stint-scheduler", "tolerations": [{"operator": "Exists"}], "containers": [
                    {"name": "main", "image": "local/busybox:1", "command": ["sleep", "1000"],
                     "resources": {"limits": {"nvidia.com/gpu": str(gpus)}, "requests": {"nvidia.com/gpu": str(gpus)}}}]}})
            self.addCleanup(self.cluster.api.call, "DELETE", "%s/%s-%d?gracePeriodSeconds=0" % (path, name, at))

    def pods(self, name):
        return self.cluster.api.pods("vision", "gang=" + name)

    def test_a_gang_that_requires_a_rack_runs_in_one_or_waits(self):
        self.gang("four", 4)
        kit.eventually(lambda: all(p["spec"].get("nodeName") for p in self.pods("four")), "the gang being placed")
        self.assertTrue({p["spec"]["nodeName"] for p in self.pods("four")} <= set(self.nodes[1:]))
        self.gang("three", 3)

        def said():
            return [c["message"] for p in self.pods("three") for c in p["status"].get("conditions", [])
                    if c["type"] == "PodScheduled" and "TopologyNotSatisfied" in c.get("message", "")]

        sentence = kit.eventually(said, "the second gang being refused")[0]
        self.assertIn('no single "example.com/rack" of topology "racks"', sentence)
        self.assertIn("zone-0.rack-", sentence)
        self.assertFalse([p for p in self.pods("three") if p["spec"].get("nodeName")])
        for pod in self.pods("four"):
            self.cluster.api.call("DELETE", "/api/v1/namespaces/vision/pods/%s?gracePeriodSeconds=0" % pod["metadata"]["name"])
        kit.eventually(lambda: all(p["spec"].get("nodeName") for p in self.pods("three")), "the second gang being placed")
        self.assertTrue({p["spec"]["nodeName"] for p in self.pods("three")} <= set(self.nodes[1:]))

    def test_each_segment_of_a_job_has_one_rack(self):
        """rack-0 has two devices and would be filled first: a segment of three has no place there."""
        annotations = {"kai.scheduler/batch-min-member": "6", "kai.scheduler/topology": "racks", "kai.scheduler/segment-size": "3",
                       "kai.scheduler/segment-topology-required-placement": "example.com/rack"}
        self.cluster.api.create("/apis/batch/v1/namespaces/vision/jobs", {
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "cut", "annotations": annotations},
            "spec": {"completionMode": "Indexed", "completions": 6, "parallelism": 6, "template": {
                "metadata": {"labels": {"gang": "cut"}},
                "spec": {"schedulerName": "stint-scheduler", "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}],
                         "containers": [{"name": "main", "image": "local/busybox:1", "command": ["sleep", "1000"], "resources": {
                             "limits": {"nvidia.com/gpu": "1"}, "requests": {"nvidia.com/gpu": "1"}}}]}}}})

        def gone():
            self.cluster.api.call("DELETE", "/apis/batch/v1/namespaces/vision/jobs/cut?propagationPolicy=Background")
            for pod in self.pods("cut"):
                self.cluster.api.call("DELETE", "/api/v1/namespaces/vision/pods/%s?gracePeriodSeconds=0" % pod["metadata"]["name"])
            return not self.pods("cut")

        self.addCleanup(kit.eventually, gone, "the Job having gone")
        kit.eventually(lambda: len(self.pods("cut")) == 6 and all(p["spec"].get("nodeName") for p in self.pods("cut")),
                       "the segments being placed")
        self.assertTrue({p["spec"]["nodeName"] for p in self.pods("cut")} <= set(self.nodes[1:]))


if __name__ == "__main__":
    kit.main()
