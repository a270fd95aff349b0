"""Volumes and config maps: a pod waits for what does not exist and starts when it does, and goes where its volumes can be had."""

import kit


class Volumes(kit.Case):
    """Two nodes."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(2, gpus=4, prefix="stored")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        cls.cluster.project("stored", 8)
        cls.addClassCleanup(cls.cluster.remove_project, "stored")
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)
        for name, provisioner in (("stored-local", "kubernetes.io/no-provisioner"), ("stored-made", "test.example.com/maker")):
            cls.cluster.api.create("/apis/storage.k8s.io/v1/storageclasses", {
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}, "provisioner": provisioner,
                "volumeBindingMode": "WaitForFirstConsumer"})
            cls.addClassCleanup(cls.cluster.api.call, "DELETE", "/apis/storage.k8s.io/v1/storageclasses/" + name)

    def setUp(self):
        self.made = []
        self.addCleanup(self.remove_all)

    def remove_all(self):
        """A claim is kept while pods use it, and a volume while a claim does."""
        for plural in ("pods", "persistentvolumeclaims", "persistentvolumes", "configmaps"):
            paths = [path for path in self.made if "/%s/" % plural in path]
            for path in paths:
                self.cluster.api.call("DELETE", path)
            kit.eventually(lambda: all(self.cluster.api.call("GET", path)[0] == 404 for path in paths), plural + " being gone")

    def make(self, path, body):
        self.cluster.api.create(path, body)
        self.made.append("%s/%s" % (path, body["metadata"]["name"]))

    def volume(self, name, storage_class, node, claim=None, uid=None):
        spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": storage_class,
                "hostPath": {"path": "/tmp/" + name},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                    {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]}}}
        if claim:
            spec["claimRef"] = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "stored", "name": claim}
            if uid:
                spec["claimRef"]["uid"] = uid
        self.make("/api/v1/persistentvolumes", {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec})

    def claim(self, name, storage_class):
        self.make("/api/v1/namespaces/stored/persistentvolumeclaims", {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, "resources": {"requests": {"storage": "1Gi"}}}})

    def pod(self, name, claim=None, config_map=None):
        volumes = []
        if claim:
            volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
        if config_map:
            volumes.append({"name": "settings", "configMap": {"name": config_map}})
        self.make("/api/v1/namespaces/stored/pods", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"schedulerName": "stint-scheduler", "terminationGracePeriodSeconds": 0, "tolerations": [{"operator": "Exists"}],
                     "volumes": volumes, "containers": [{"name": "main", "image": "local/busybox:1", "command": ["sleep", "1000"],
                                                         "resources": {"limits": {"nvidia.com/gpu": "1"}, "requests": {"nvidia.com/gpu": "1"}},
                                                         "volumeMounts": [{"name": v["name"], "mountPath": "/" + v["name"]} for v in volumes]}]}})

    def node_of(self, name):
        return self.cluster.api.get("/api/v1/namespaces/stored/pods/" + name)["spec"].get("nodeName")

    def placed(self, name):
        return kit.eventually(lambda: self.node_of(name), "pod %s being placed" % name)

    def reason(self, name, word):
        def said():
            conditions = self.cluster.api.get("/api/v1/namespaces/stored/pods/" + name)["status"].get("conditions", [])
            return next((c["message"] for c in conditions if c["type"] == "PodScheduled" and c.get("message", "").startswith(word)), None)

        return kit.eventually(said, "pod %s waiting for %s" % (name, word))

    def claim_now(self, name):
        return self.cluster.api.get("/api/v1/namespaces/stored/persistentvolumeclaims/" + name)

    def test_a_pod_goes_where_the_volume_of_its_claim_is(self):
        self.volume("fixed", "", self.nodes[1], claim="fixed")
        self.claim("fixed", "")
        kit.eventually(lambda: self.claim_now("fixed").get("status", {}).get("phase") == "Bound", "the claim being bound")
        self.pod("reads-fixed", claim="fixed")
        self.assertEqual(self.placed("reads-fixed"), self.nodes[1])

    def test_a_claim_that_does_not_exist_is_waited_for(self):
        self.pod("early", claim="late")
        self.assertIn('persistent volume claim "late" does not exist', self.reason("early", "VolumeClaimDoesNotExist"))
        why = self.cluster.stint("why", "early", "-p", "stored")
        self.assertIn('persistent volume claim "late" does not exist', why.out + why.err)
        self.volume("late", "", self.nodes[0], claim="late")
        self.claim("late", "")
        self.assertEqual(self.placed("early"), self.nodes[0])

    def test_a_first_consumer_gets_a_local_volume(self):
        self.claim("local", "stored-local")
        self.pod("reads-local", claim="local")
        self.assertIn('claim "local" has no volume', self.reason("reads-local", "VolumeClaimNotBound"))
        self.volume("local", "stored-local", self.nodes[1])
        self.assertEqual(self.placed("reads-local"), self.nodes[1])
        self.assertEqual(self.claim_now("local")["spec"]["volumeName"], "local")

    def test_a_provisioner_is_told_the_node(self):
        self.claim("made", "stored-made")
        self.pod("reads-made", claim="made")
        key = "volume.kubernetes.io/selected-node"
        node = kit.eventually(lambda: self.claim_now("made")["metadata"].get("annotations", {}).get(key), "the node being told")
        self.assertIsNone(self.node_of("reads-made"))
        self.volume("made", "stored-made", node, claim="made", uid=self.claim_now("made")["metadata"]["uid"])  # as the provisioner would
        self.assertEqual(self.placed("reads-made"), node)

    def test_a_config_map_that_does_not_exist_is_waited_for(self):
        self.pod("configured", config_map="settings")
        self.assertIn('config map "settings" does not exist', self.reason("configured", "ConfigMapDoesNotExist"))
        self.make("/api/v1/namespaces/stored/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}})
        self.placed("configured")


if __name__ == "__main__":
    kit.main()
