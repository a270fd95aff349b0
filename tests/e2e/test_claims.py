"""Devices through resource claims: a claim is written before its pod is bound, and a device is given once."""

import json

import kit

DRIVER = "gpu.claims.example.com"


class Claims(kit.Case):
    """One node whose driver offers two devices."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(1, gpus=0, prefix="dra")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        cls.cluster.project("claims", 4)
        cls.addClassCleanup(cls.cluster.remove_project, "claims")
        cls.create("deviceclasses", "DeviceClass", DRIVER,
                   {"selectors": [{"cel": {"expression": 'device.driver == "%s"' % DRIVER}}]})
        devices = [{"name": "gpu-%d" % i, "attributes": {"model": {"string": model}}} for i, model in enumerate(("small", "large"))]
        cls.create("resourceslices", "ResourceSlice", "slice-" + cls.nodes[0],
                   {"driver": DRIVER, "nodeName": cls.nodes[0], "pool": {"name": cls.nodes[0], "generation": 1, "resourceSliceCount": 1},
                    "devices": devices})
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)

    @classmethod
    def create(cls, plural, kind, name, spec, namespace=None):
        place = "/apis/resource.k8s.io/v1/" + ("namespaces/%s/" % namespace if namespace else "") + plural
        cls.cluster.api.create(place, {"apiVersion": "resource.k8s.io/v1", "kind": kind, "spec": spec,
                                       "metadata": {"name": name, "labels": {"kai.scheduler/queue": namespace or "none"}}})
        cls.addClassCleanup(cls.remove, "%s/%s" % (place, name))

    @classmethod
    def remove(cls, path):
        cls.cluster.api.call("DELETE", path)

    def claim(self, name, selector=None):
        exactly = {"deviceClassName": DRIVER}
        if selector:
            exactly["selectors"] = [{"cel": {"expression": selector}}]
        self.create("resourceclaims", "ResourceClaim", name, {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}, "claims")

    def pod(self, name, reference):
        self.cluster.api.create("/api/v1/namespaces/claims/pods", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"schedulerName": "stint-scheduler", "resourceClaims": [dict(reference, name="gpu")], "terminationGracePeriodSeconds": 0,
                     "containers": [{"name": "c", "image": "local/busybox:1", "resources": {"claims": [{"name": "gpu"}]}}]}})
        self.addCleanup(self.cluster.api.call, "DELETE", "/api/v1/namespaces/claims/pods/" + name)

    def seen(self, name):
        return self.cluster.api.get("/api/v1/namespaces/claims/pods/" + name)

    def given(self, claim):
        status = self.cluster.api.get("/apis/resource.k8s.io/v1/namespaces/claims/resourceclaims/" + claim).get("status") or {}
        devices = [result["device"] for result in (status.get("allocation") or {}).get("devices", {}).get("results", [])]
        return devices, [consumer["name"] for consumer in status.get("reservedFor") or []]

    def test_a_forecast_makes_claims_by_their_templates(self):
        wanted = {"spec": {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": DRIVER}}]}}}
        self.create("resourceclaimtemplates", "ResourceClaimTemplate", "each", wanted, "claims")

        def outcome(template):
            spec = {"restartPolicy": "Never", "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": template}],
                    "containers": [{"name": "c", "image": "local/busybox:1", "resources": {"claims": [{"name": "gpu"}]}}]}
            job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "three"},
                   "spec": {"parallelism": 3, "completions": 3, "template": {"spec": spec}}}
            told = self.cluster.stint("submit", "-p", "claims", "-f", "-", "--dry-run=schedule", "-o", "json", stdin=json.dumps(job))
            workload = self.assert_works(told).json["workloads"][0]
            return workload["pods"]["now"], workload["pods"]["waiting"], workload["why"]["reason"]

        kit.eventually(lambda: outcome("each") == (2, 1, "NoRoom"), "two of three pods having a device each")
        self.assertEqual(outcome("nobody-made-it"), (0, 3, "ResourceClaimNotReady"))

    def test_a_claim_is_allocated_and_reserved_before_its_pod_is_bound(self):
        self.claim("large", 'device.attributes["%s"].model == "large"' % DRIVER)
        self.pod("one", {"resourceClaimName": "large"})
        kit.eventually(lambda: self.seen("one")["spec"].get("nodeName") == self.nodes[0], "the pod being bound")
        self.assertEqual(self.given("large"), (["gpu-1"], ["one"]))
        self.claim("again", 'device.attributes["%s"].model == "large"' % DRIVER)
        self.pod("two", {"resourceClaimName": "again"})
        kit.eventually(lambda: any(c.get("reason") == "Unschedulable" for c in self.seen("two").get("status", {}).get("conditions", [])),
                       "the second pod being refused")
        self.assertEqual(self.given("again"), ([], []))
        # The cluster takes the device back when the pod has gone.
        self.cluster.api.call("DELETE", "/api/v1/namespaces/claims/pods/one")
        kit.eventually(lambda: self.seen("two")["spec"].get("nodeName") == self.nodes[0], "the second pod being bound")
        self.assertEqual(self.given("again"), (["gpu-1"], ["two"]))

    def test_a_claim_made_from_a_template(self):
        self.create("resourceclaimtemplates", "ResourceClaimTemplate", "any",
                    {"spec": {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": DRIVER}}]}}}, "claims")
        self.pod("made", {"resourceClaimTemplateName": "any"})
        kit.eventually(lambda: self.seen("made")["spec"].get("nodeName") == self.nodes[0], "the pod being bound")
        claim = self.seen("made")["status"]["resourceClaimStatuses"][0]["resourceClaimName"]
        self.assertEqual(self.given(claim)[1], ["made"])
        self.cluster.api.call("DELETE", "/api/v1/namespaces/claims/pods/made")
        path = "/apis/resource.k8s.io/v1/namespaces/claims/resourceclaims/" + claim
        kit.eventually(lambda: self.cluster.api.call("GET", path)[0] == 404, "the pod's claim going with it")


if __name__ == "__main__":
    kit.main()
