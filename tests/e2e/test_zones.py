"""NUMA zones: a pod goes where one zone has all its devices, and its annotation says which."""

import json

import kit

CRD = "noderesourcetopologies.topology.node.k8s.io"
ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


class Zones(kit.Case):
    """Two nodes of four devices, whose kubelets align pods with one zone: of two zones of two devices, and of one of three and one of one."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        api = cls.cluster.api
        api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": CRD, "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1870"}},
            "spec": {"group": "topology.node.k8s.io", "scope": "Cluster",
                     "names": {"plural": "noderesourcetopologies", "kind": "NodeResourceTopology", "listKind": "NodeResourceTopologyList"},
                     "versions": [{"name": "v1alpha2", "served": True, "storage": True, "schema": {"openAPIV3Schema": dict(
                         ANY, properties={"zones": {"type": "array", "items": ANY}, "attributes": {"type": "array", "items": ANY}})}}]}})
        cls.addClassCleanup(api.call, "DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + CRD)
        cls.nodes = cls.cluster.make_nodes(2, gpus=4, prefix="zoned")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        path = "/apis/topology.node.k8s.io/v1alpha2/noderesourcetopologies"
        kit.eventually(lambda: api.call("GET", path)[0] == 200, "the kind being served")
        for node, devices in zip(cls.nodes, ((2, 2), (3, 1))):
            zones = [{"name": "node-%d" % at, "type": "Node", "resources": [
                {"name": "nvidia.com/gpu", "capacity": str(n), "allocatable": str(n), "available": str(n)}]} for at, n in enumerate(devices)]
            api.create(path, {"apiVersion": "topology.node.k8s.io/v1alpha2", "kind": "NodeResourceTopology", "metadata": {"name": node},
                              "attributes": [{"name": "topologyManagerPolicy", "value": "single-numa-node"}], "zones": zones})
        cls.cluster.project("zoned", 8)
        cls.addClassCleanup(cls.cluster.remove_project, "zoned")
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)

    def pod(self, name, gpus):
        path = "/api/v1/namespaces/zoned/pods"
        amounts = {"nvidia.com/gpu": str(gpus), "cpu": "1", "memory": "1Gi"}
        self.cluster.api.create(path, {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"schedulerName": "stint-scheduler", "terminationGracePeriodSeconds": 0, "tolerations": [{"operator": "Exists"}],
                     "containers": [{"name": "main", "image": "local/busybox:1", "command": ["sleep", "1000"],
                                     "resources": {"limits": amounts, "requests": amounts}}]}})
        self.addCleanup(self.cluster.api.call, "DELETE", "%s/%s" % (path, name))

    def seen(self, name):
        return self.cluster.api.get("/api/v1/namespaces/zoned/pods/" + name)

    def placed(self, name):
        node = kit.eventually(lambda: self.seen(name)["spec"].get("nodeName"), "pod %s being placed" % name)
        zones = json.loads(self.seen(name)["metadata"]["annotations"]["kai.scheduler/numa-placement-predicted"])
        return node, [(zone["zone"], zone["amount"]["nvidia.com/gpu"]) for zone in zones]

    def test_a_pod_gets_one_zone_or_waits(self):
        self.pod("three", 3)
        self.assertEqual(self.placed("three"), (self.nodes[1], [("node-0", "3")]))
        self.pod("two", 2)
        self.assertEqual(self.placed("two"), (self.nodes[0], [("node-0", "2")]))
        self.pod("more", 2)
        self.assertEqual(self.placed("more"), (self.nodes[0], [("node-1", "2")]))
        self.pod("late", 2)

        def refused():
            return next((c["message"] for c in self.seen("late")["status"].get("conditions", []) if c.get("reason") == "Unschedulable"), None)

        self.assertIn("node(s)", kit.eventually(refused, "the pod being refused"))
        self.cluster.api.call("DELETE", "/api/v1/namespaces/zoned/pods/three")
        self.assertEqual(self.placed("late"), (self.nodes[1], [("node-0", "2")]))


if __name__ == "__main__":
    kit.main()
