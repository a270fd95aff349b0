"""What --dry-run=schedule tells is what the scheduler then does: who takes its share back from whom, and what a changed quota changes."""

import kit


class Forecast(kit.Case):
    """Two nodes of four devices, two projects with a quota of four each."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(2, gpus=4, prefix="foretold")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)
        for name, quota in (("lenders", 4), ("borrowers", 4)):
            cls.cluster.project(name, quota)
            cls.addClassCleanup(cls.cluster.remove_project, name)

    def submit(self, project, name, *arguments):
        return self.cluster.stint("submit", name, "-p", project, "-i", "local/busybox:1", *arguments)

    def jobs_running(self, project):
        return sorted(p["metadata"]["labels"]["job-name"] for p in self.cluster.api.pods(project)
                      if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"])

    def run_to(self, project, jobs):
        kit.eventually(lambda: self.jobs_running(project) == sorted(jobs), "%s running %s, not %s" % (project, jobs, self.jobs_running(project)))

    def test_what_was_told_comes_true(self):
        for at in range(6):
            self.assert_works(self.submit("borrowers", "job-%d" % at, "-g", "1"))
            self.run_to("borrowers", ["job-%d" % n for n in range(at + 1)])

        for at in range(2):
            told = self.assert_works(self.submit("lenders", "own-%d" % at, "-g", "1", "--dry-run=schedule", "-o", "json")).json
            self.assertEqual((told["workloads"][0]["outcome"], told["evictions"]), ("Starts", []))
            self.assert_works(self.submit("lenders", "own-%d" % at, "-g", "1"))
            self.run_to("lenders", ["own-%d" % n for n in range(at + 1)])
        told = self.assert_works(self.submit("lenders", "own-2", "-g", "1", "--dry-run=schedule", "-o", "json")).json
        self.assertEqual(len(self.cluster.api.pods("lenders")), 2)
        workload, = told["workloads"]
        self.assertEqual(workload["outcome"], "StartsLater")
        self.assertEqual([(e["project"], e["workload"], e["action"]) for e in told["evictions"]], [("borrowers", "job-5", "reclaim")])
        self.assert_works(self.submit("lenders", "own-2", "-g", "1"))
        self.run_to("lenders", ["own-0", "own-1", "own-2"])
        self.run_to("borrowers", ["job-%d" % at for at in range(5)])
        node, = [p["spec"]["nodeName"] for p in self.cluster.api.pods("lenders", "job-name=own-2")]
        self.assertEqual([node], [place["node"] for place in workload["placements"]])

        waiting = self.submit("borrowers", "more", "-g", "9", "--dry-run=schedule", "-o", "json")
        self.assertEqual((waiting.code, waiting.json["workloads"][0]["why"]["reason"]), (7, "NeverFits"), waiting)

        kit.eventually(lambda: [pod for pod in self.cluster.api.pods("borrowers", "job-name=job-5")
                                if not pod["spec"].get("nodeName") and "deletionTimestamp" not in pod["metadata"]],
                       "job-5 having a pod again, which waits")
        lowered = ("project", "update", "lenders", "--gpus", "0")
        told = self.assert_works(self.cluster.stint(*lowered, "--dry-run=schedule", "-o", "json")).json
        self.assertEqual(self.jobs_running("lenders"), ["own-0", "own-1", "own-2"])
        self.assertEqual([(e["project"], e["workload"], e["pods"], e["for"]["workload"]) for e in told["evictions"]], [("lenders", "own-2", 1, "job-5")])
        self.assertEqual([(s["project"], s["workload"], s["later"]) for s in told["starts"]], [("borrowers", "job-5", True)])
        share = next(queue["gpu"] for queue in told["queues"] if queue["name"] == "lenders")
        self.assertEqual((share["quota"], share["allocated"]), ({"before": 4, "after": 0}, {"before": 3, "after": 2}))
        self.assert_works(self.cluster.stint(*lowered))
        self.run_to("borrowers", ["job-%d" % at for at in range(6)])
        self.run_to("lenders", ["own-0", "own-1"])


if __name__ == "__main__":
    kit.main()
