"""Who has the better right to a place gets it: reclaim between projects, preemption inside one, consolidation, surplus that is given back,
disruption budgets that hold, and a start in the future that is kept."""

import json

import kit


class Evictions(kit.Case):
    """Two nodes of four devices, two projects with a quota of four each."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(2, gpus=4, prefix="evict")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)
        for name, quota in (("tenants", 4), ("owners", 4)):
            cls.cluster.project(name, quota)
            cls.addClassCleanup(cls.cluster.remove_project, name)

    def setUp(self):
        self.addCleanup(self.clear)

    def clear(self):
        for project in ("tenants", "owners"):
            names = self.cluster.stint("list", "-p", project, "-o", "name").out.split()
            if names:
                self.cluster.stint("delete", "-p", project, "-y", *[name.split("/")[-1] for name in names])
            kit.eventually(lambda project=project: not self.cluster.api.pods(project), "the pods of %s being gone" % project)

    def submit(self, project, name, *arguments):
        self.assert_works(self.cluster.stint("submit", name, "-p", project, "-i", "local/busybox:1", *arguments, "--", "sleep", "1000"))

    def running(self, project):
        """Names of the running pods."""
        return sorted(p["metadata"]["name"] for p in self.cluster.api.pods(project)
                      if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"])

    def run_to(self, project, count):
        kit.eventually(lambda: len(self.running(project)) == count, "%d pods of %s running, not %s" % (count, project, self.running(project)))
        return self.running(project)

    def borrow_everything(self):
        for at in range(8):
            self.submit("tenants", "borrower-%d" % at, "-g", "1")
            self.run_to("tenants", at + 1)

    def events(self, project, reason):
        items = self.cluster.api.get("/api/v1/namespaces/%s/events" % project)["items"]
        return [item for item in items if item["reason"] == reason]

    def test_a_project_gets_its_share_back_from_who_borrowed_it_last(self):
        self.borrow_everything()
        self.submit("owners", "own", "-g", "1", "--workers", "3")
        self.run_to("owners", 3)
        stayed = {name.rsplit("-", 1)[0] for name in self.run_to("tenants", 5)}
        self.assertEqual(stayed, {"borrower-%d" % at for at in range(5)})
        told = kit.eventually(lambda: len(self.events("tenants", "Reclaimed")) >= 3 and self.events("tenants", "Reclaimed"), "the events")
        self.assertIn('queue "owners"', told[0]["message"])

    def test_a_gang_that_was_evicted_whole_comes_again_after_seconds_and_says_so(self):
        self.submit("tenants", "gang", "-g", "1", "--workers", "8")
        self.run_to("tenants", 8)
        self.submit("owners", "own", "-g", "1", "--annotation", "sim/run-seconds=3")
        self.run_to("owners", 1)
        why = kit.eventually(lambda: (lambda w: w if w.get("reason") == "Evicted" else None)(
            json.loads(self.cluster.stint("why", "gang", "-p", "tenants", "-o", "json").out)), "the reason of the gang")
        self.assertIn('queue "owners"', why["message"])
        self.assertIn("makes its pods again", why["message"])
        self.assertIn("Evicted", self.cluster.stint("list", "-p", "tenants").out)
        kit.eventually(lambda: len(self.running("tenants")) == 8, "the gang running again", timeout=40)

    def test_work_of_higher_priority_takes_the_place_of_the_least_and_youngest(self):
        self.borrow_everything()
        self.submit("tenants", "urgent", "-g", "2", "--priority", "inference")
        kit.eventually(lambda: any(name.startswith("urgent") for name in self.running("tenants")), "the urgent work running")
        names = self.run_to("tenants", 7)
        self.assertEqual([name.rsplit("-", 1)[0] for name in names if name.startswith("borrower")], ["borrower-%d" % at for at in range(6)])
        kit.eventually(lambda: "workload urgent" in str(self.events("tenants", "Preempted")), "the cause being told")

    def test_work_is_moved_together_so_that_a_whole_node_comes_free(self):
        self.borrow_everything()
        by_node = {}
        for pod in self.cluster.api.pods("tenants"):
            by_node.setdefault(pod["spec"]["nodeName"], []).append(pod["metadata"]["name"].rsplit("-", 1)[0])
        for names in by_node.values():
            self.assert_works(self.cluster.stint("delete", "-p", "tenants", "-y", *sorted(names)[:2]))
        self.run_to("tenants", 4)
        self.submit("tenants", "wide", "-g", "4")
        kit.eventually(lambda: any(name.startswith("wide") for name in self.running("tenants")), "the wide work running", timeout=60)
        self.run_to("tenants", 5)
        self.assertEqual(len(self.events("tenants", "Moved")), 2)
        self.assertEqual(kit.overcommitted(self.cluster.api.pods("tenants")), {})

    def test_an_elastic_job_gives_back_its_surplus_and_goes_on(self):
        self.cluster.api.create("/apis/batch/v1/namespaces/tenants/jobs", {
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "elastic", "annotations": {"kai.scheduler/batch-min-member": "2"}},
            "spec": {"parallelism": 8, "template": {"spec": {
                "schedulerName": "stint-scheduler", "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": "local/busybox:1", "command": ["sleep", "1000"],
                                "resources": {"limits": {"nvidia.com/gpu": "1"}}}]}}}})
        first = self.run_to("tenants", 8)
        self.submit("owners", "own", "-g", "1", "--workers", "4")
        self.run_to("owners", 4)
        left = self.run_to("tenants", 4)
        self.assertTrue(set(left) <= set(first), "pods that could stay were replaced: %s, then %s" % (first, left))

    def test_a_disruption_budget_holds(self):
        self.borrow_everything()
        budgets = "/apis/policy/v1/namespaces/tenants/poddisruptionbudgets"
        self.cluster.api.create(budgets, {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "all"},
                                          "spec": {"maxUnavailable": 0, "selector": {}}})
        self.addCleanup(self.cluster.api.call, "DELETE", budgets + "/all")
        before = self.running("tenants")
        self.submit("owners", "own", "-g", "1")
        marked = lambda: [p for p in self.cluster.api.pods("tenants")
                          if any(c["type"] == "stint.dev/Evicted" for c in p["status"].get("conditions", []))]
        victim = kit.eventually(marked, "the cause on a victim")[0]
        self.assertEqual(len(self.running("tenants")), 8)
        self.assertEqual(self.running("tenants"), before)
        self.cluster.api.call("DELETE", budgets + "/all")
        self.run_to("owners", 1)
        self.assertNotIn(victim["metadata"]["name"], self.running("tenants"))

    def test_a_gang_of_64_takes_eight_whole_nodes(self):
        nodes = self.cluster.make_nodes(8, gpus=8, prefix="wide")
        self.addCleanup(self.cluster.remove_nodes, nodes)
        self.submit("tenants", "gang", "-g", "1", "--workers", "64")
        kit.eventually(lambda: len(self.running("tenants")) == 64, "64 pods running", timeout=90)
        self.assertEqual(kit.overcommitted(self.cluster.api.pods("tenants")), {})
        self.clear()

    def test_a_blocked_gang_starts_on_time_and_only_what_is_gone_by_then_runs_before(self):
        self.submit("tenants", "long", "-g", "4", "--time", "25s", "--annotation", "sim/run-seconds=20")
        self.run_to("tenants", 1)
        self.submit("tenants", "gang", "-g", "4", "--workers", "2")
        kit.eventually(lambda: "NoRoomForGang" in self.cluster.stint("why", "gang", "-p", "tenants").out, "the gang being blocked")
        self.submit("tenants", "lasting", "-g", "1")
        self.submit("tenants", "brief", "-g", "1", "--time", "2s", "--annotation", "sim/run-seconds=1")
        kit.eventually(lambda: self.phase("brief") == "Succeeded", "the brief work having run")
        self.assertEqual(self.phase("lasting"), "Pending")
        kit.eventually(lambda: "declare a shorter --time" in self.cluster.stint("why", "lasting", "-p", "tenants").out, "the cause being told")
        kit.eventually(lambda: self.phase("gang") == "Running", "the gang running", timeout=60)
        self.assertEqual(self.phase("lasting"), "Pending")

    def phase(self, name):
        items = self.cluster.stint("list", "-p", "tenants", "-o", "json").json["items"]
        return next((item["phase"] for item in items if item["name"] == name), None)


if __name__ == "__main__":
    kit.main()
