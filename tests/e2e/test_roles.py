"""Gangs of custom resources of others: PyTorchJobs and LeaderWorkerSets, whose definitions come and go while the scheduler runs. Nobody runs
their operators here: the tests make the pods as these would."""

import kit

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
TRAINING, LEADERS = "training.kubeflow.org/", "leaderworkerset.sigs.k8s.io/"


def definition(plural, group, kind):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": plural + "." + group},
            "spec": {"group": group, "scope": "Namespaced", "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                         "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


class Roles(kit.Case):
    """One node of eight devices, and a scheduler that began before there was any of the definitions."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(1, gpus=8, prefix="roles")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        cls.scheduler = scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)
        cls.cluster.project("gangs", 8)
        cls.addClassCleanup(cls.cluster.remove_project, "gangs")
        for plural, group, kind in (("pytorchjobs", "kubeflow.org", "PyTorchJob"),
                                    ("leaderworkersets", "leaderworkerset.x-k8s.io", "LeaderWorkerSet")):
            cls.cluster.call_until_created(DEFINITIONS, definition(plural, group, kind))
            cls.addClassCleanup(cls.cluster.api.call, "DELETE", "%s/%s.%s" % (DEFINITIONS, plural, group))
            kit.eventually(lambda: plural + " of " + group in cls.scheduler.output(), "the scheduler reading " + plural)

    def owner(self, plural, group, kind, name, spec):
        path = "/apis/%s/v1/namespaces/gangs/%s" % (group, plural)
        body = {"apiVersion": group + "/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        made = kit.eventually(lambda: self.created(path, body), "%s %s being made" % (kind, name))
        self.addCleanup(self.cluster.api.call, "DELETE", "%s/%s" % (path, name))
        return {"apiVersion": group + "/v1", "kind": kind, "name": name, "uid": made["metadata"]["uid"], "controller": True}

    def created(self, path, body):
        """A definition is not served at the moment it is made."""
        status, answer = self.cluster.api.call("POST", path, body)
        return answer if status == 201 else None

    def pod(self, name, owner, labels):
        path = "/api/v1/namespaces/gangs/pods"
        made = self.cluster.api.create(path, {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
            "spec": {"schedulerName": "stint-scheduler", "tolerations": [{"operator": "Exists"}], "containers": [
                {"name": "main", "image": "local/busybox:1", "command": ["sleep", "1000"],
                 "resources": {"limits": {"nvidia.com/gpu": "1"}, "requests": {"nvidia.com/gpu": "1"}}}]}})
        self.addCleanup(self.cluster.api.call, "DELETE", "%s/%s?gracePeriodSeconds=0" % (path, name))
        return {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": made["metadata"]["uid"], "controller": True}

    def placed(self, *names):
        pods = {p["metadata"]["name"]: p for p in self.cluster.api.pods("gangs")}
        return [name for name in names if pods.get(name, {}).get("spec", {}).get("nodeName")]

    def waits_incomplete(self, name):
        """The scheduler has looked at the pod and said that its gang is not all there."""
        def said():
            pods = [p for p in self.cluster.api.pods("gangs") if p["metadata"]["name"] == name]
            return [c["message"] for p in pods for c in p["status"].get("conditions", [])
                    if c["type"] == "PodScheduled" and "SubGroupIncomplete" in c.get("message", "")]
        return kit.eventually(said, "%s waiting for the rest of its gang" % name)[0]

    def test_a_pytorch_job_starts_when_its_master_and_workers_are_there(self):
        owner = self.owner("pytorchjobs", "kubeflow.org", "PyTorchJob", "train", {"pytorchReplicaSpecs": {
            "Master": {"replicas": 1, "template": {}}, "Worker": {"replicas": 2, "template": {}}}})

        def member(role, index):
            self.pod("train-%s-%d" % (role, index), owner, {TRAINING + "job-name": "train", TRAINING + "replica-type": role,
                                                            TRAINING + "replica-index": str(index)})
        member("worker", 0)
        member("worker", 1)
        self.waits_incomplete("train-worker-0")
        self.assertFalse(self.placed("train-worker-0", "train-worker-1"))
        member("master", 0)
        everybody = ("train-master-0", "train-worker-0", "train-worker-1")
        kit.eventually(lambda: len(self.placed(*everybody)) == 3, "the whole job being placed")

    def test_each_group_of_a_leader_worker_set_is_a_gang(self):
        owner = self.owner("leaderworkersets", "leaderworkerset.x-k8s.io", "LeaderWorkerSet", "serve",
                           {"replicas": 2, "leaderWorkerTemplate": {"size": 2, "workerTemplate": {}}})

        def labels(group, index):
            return {LEADERS + "name": "serve", LEADERS + "group-index": str(group), LEADERS + "worker-index": str(index)}
        leaders = [self.pod("serve-%d" % group, owner, labels(group, 0)) for group in range(2)]
        self.assertIn('"workers" has 0 of the 1', self.waits_incomplete("serve-0"))
        self.pod("serve-1-1", leaders[1], labels(1, 1))
        kit.eventually(lambda: len(self.placed("serve-1", "serve-1-1")) == 2, "the second group being placed")
        self.assertFalse(self.placed("serve-0"))
        self.pod("serve-0-1", leaders[0], labels(0, 1))
        kit.eventually(lambda: len(self.placed("serve-0", "serve-0-1")) == 2, "the first group being placed")

    def test_what_the_cluster_lacks_is_not_asked_for(self):
        self.assertNotIn("tfjobs", self.scheduler.output())
        self.assertNotIn("jaxjobs", self.scheduler.output())


if __name__ == "__main__":
    kit.main()
