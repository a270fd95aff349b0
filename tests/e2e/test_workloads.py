"""What a data scientist does: submit, list, wait, why, suspend, resume, delete; shares of devices, quotas, gangs."""

import json

import kit


class Workloads(kit.Case):
    """Two nodes of four devices, two projects."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(2, gpus=4, prefix="work")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)
        for name, quota in (("vision", 4), ("speech", 4)):
            cls.cluster.project(name, quota)
            cls.addClassCleanup(cls.cluster.remove_project, name)

    def setUp(self):
        self.addCleanup(self.clear)

    def clear(self):
        for project in ("vision", "speech"):
            names = self.cluster.stint("list", "-p", project, "-o", "name").out.split()
            if names:
                self.cluster.stint("delete", "-p", project, "-y", *[name.split("/")[-1] for name in names])
            kit.eventually(lambda project=project: not self.cluster.api.pods(project), "the pods of %s being gone" % project)

    def submit(self, *arguments):
        return self.assert_works(self.cluster.stint("submit", *arguments[:-1], "-i", "local/busybox:1", *arguments[-1]))

    def workload(self, project, name):
        items = self.assert_works(self.cluster.stint("list", "-p", project, "-o", "json")).json["items"]
        return next((item for item in items if item["name"] == name), None)

    def running(self, project, *names):
        for name in names:
            kit.eventually(lambda name=name: (self.workload(project, name) or {}).get("phase") == "Running", "%s running" % name)

    def test_two_halves_share_one_device(self):
        for name in ("half-a", "half-b"):
            self.submit(name, "-p", "vision", ["-g", "0.5", "--", "sleep", "1000"])
        self.running("vision", "half-a", "half-b")
        shares = kit.gpu_shares(self.cluster.api.pods("vision"))
        self.assertEqual([sum(share for _, share in users) for users in shares.values()], [1000])

    def test_a_size_in_memory_and_halves_of_two_devices(self):
        self.submit("sized", "-p", "vision", ["--gpu-memory", "10Gi", "--", "sleep", "1000"])
        self.submit("mirror", "-p", "vision", ["-g", "0.5", "--devices", "2", "--", "sleep", "1000"])
        self.running("vision", "sized", "mirror")
        pods = self.cluster.api.pods("vision")
        slots = [p["metadata"]["annotations"]["stint.dev/gpu-devices"].split(",") for p in pods]
        self.assertEqual(sorted(len(s) for s in slots), [1, 2])
        self.assertEqual(kit.overcommitted(pods), {})

    def test_a_gang_runs_whole_or_not_at_all(self):
        self.submit("gang", "-p", "vision", ["-g", "1", "--workers", "8", "--", "sleep", "1000"])
        self.running("vision", "gang")
        self.assertEqual(len(kit.gpu_shares(self.cluster.api.pods("vision"))), 8)
        self.submit("late", "-p", "vision", ["-g", "1", "--workers", "2", "--", "sleep", "1000"])
        late = lambda: [p for p in self.cluster.api.pods("vision") if p["metadata"]["name"].startswith("late")]
        kit.eventually(lambda: any(self.unschedulable(p) for p in late()), "the second gang being refused")
        self.assertTrue(all(not p["spec"].get("nodeName") for p in late()))
        self.cluster.stint("delete", "gang", "-p", "vision", "-y")
        self.running("vision", "late")

    @staticmethod
    def unschedulable(pod):
        return any(c["type"] == "PodScheduled" and c["status"] == "False" and c["reason"] == "Unschedulable" and c.get("message")
                   for c in pod["status"].get("conditions", []))

    def test_non_preemptible_work_stays_within_the_quota_and_why_says_so(self):
        self.submit("within", "-p", "vision", ["-g", "4", "--priority", "build", "--", "sleep", "1000"])
        self.running("vision", "within")
        self.submit("above", "-p", "vision", ["-g", "1", "--priority", "build", "--", "sleep", "1000"])
        kit.eventually(lambda: any(self.unschedulable(p) for p in self.cluster.api.pods("vision")), "the condition being written")
        why = kit.eventually(lambda: (lambda r: r if "quota" in r.out else None)(self.cluster.stint("why", "above", "-p", "vision")), "why")
        self.assertIn("vision", why.out)
        # Preemptible work may borrow what nobody uses.
        self.submit("borrowed", "-p", "vision", ["-g", "2", "--", "sleep", "1000"])
        self.running("vision", "borrowed")

    def test_a_job_ends_and_wait_tells_how(self):
        self.submit("good", "-p", "vision", ["--annotation", "sim/run-seconds=1", "--", "true"])
        self.submit("bad", "-p", "vision", ["--annotation", "sim/run-seconds=1", "--annotation", "sim/exit-code=3", "--", "false"])
        self.assert_works(self.cluster.stint("wait", "good", "-p", "vision", "--timeout", "30s"))
        failed = self.cluster.stint("wait", "bad", "-p", "vision", "--timeout", "30s")
        self.assertEqual(failed.code, 1, str(failed))

    def test_suspend_gives_the_devices_back_and_resume_takes_them_again(self):
        self.submit("pausing", "-p", "vision", ["-g", "2", "--", "sleep", "1000"])
        self.running("vision", "pausing")
        self.assert_works(self.cluster.stint("suspend", "pausing", "-p", "vision"))
        kit.eventually(lambda: not kit.gpu_shares(self.cluster.api.pods("vision")), "the devices being free")
        self.assertEqual(self.workload("vision", "pausing")["phase"], "Suspended")
        self.assert_works(self.cluster.stint("resume", "pausing", "-p", "vision"))
        self.running("vision", "pausing")

    def test_a_workspace_and_a_service_are_workloads_too(self):
        self.submit("workspace", "notebook", "-p", "vision", ["-g", "0.5", "--", "sleep", "1000"])
        self.submit("inference", "answers", "-p", "vision", ["-g", "0.5", "--", "sleep", "1000"])
        self.running("vision", "notebook", "answers")
        kinds = {item["name"]: item["type"] for item in self.cluster.stint("list", "-p", "vision", "-o", "json").json["items"]}
        self.assertEqual(kinds, {"notebook": "workspace", "answers": "inference"})

    def test_a_taken_name_is_refused_and_a_dry_run_writes_nothing(self):
        self.submit("once", "-p", "vision", ["--", "sleep", "1000"])
        taken = self.cluster.stint("submit", "once", "-p", "vision", "-i", "x:1", "--", "true")
        self.assert_refused(taken, 5, "once")
        for where in ("client", "server"):
            dry = self.assert_works(self.cluster.stint("submit", "dry", "-p", "vision", "-i", "x:1", "-g", "0.5", "--dry-run=" + where, "-o", "json", "--", "true"))
            self.assertIn("gpu-fraction", json.dumps(json.loads(dry.out)))
        self.assertIsNone(self.workload("vision", "dry"))


if __name__ == "__main__":
    kit.main()
