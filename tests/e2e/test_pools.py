"""Node pools: a workload goes to the first pool of its list that takes all of it, and each pool is packed in its own way."""

import kit


class Pools(kit.Case):
    """Two nodes of two devices in each of two pools: "wide" spreads, "tight" packs."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.pools = {}
        for pool in ("wide", "tight"):
            cls.pools[pool] = cls.cluster.make_nodes(2, gpus=2, prefix=pool)
            cls.addClassCleanup(cls.cluster.remove_nodes, cls.pools[pool])
            for node in cls.pools[pool]:
                status, answer = cls.cluster.api.call("PATCH", "/api/v1/nodes/" + node, {"metadata": {"labels": {
                    "kai.scheduler/node-pool": pool}}}, "application/merge-patch+json")
                assert status == 200, answer
        scheduler = cls.cluster.scheduler("--leader-elect=false", "--pool-placement", "wide=spread,tight=binpack")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)
        cls.cluster.project("vision", 8)
        cls.addClassCleanup(cls.cluster.remove_project, "vision")

    def submit(self, name, *flags):
        done = self.cluster.stint("submit", name, "-p", "vision", "-i", "local/busybox:1", *flags, "--", "sleep", "1000")
        self.assertEqual(done.code, 0, str(done))
        self.addCleanup(self.delete, name)

    def delete(self, name):
        self.cluster.stint("delete", name, "-p", "vision", "-y")
        kit.eventually(lambda: not self.pods(name), "the pods of %s having gone" % name)

    def pods(self, name):
        return self.cluster.api.pods("vision", "stint.dev/workload=" + name)

    def nodes_of(self, name, count=1):
        """The nodes of its pods, when all have one."""
        def placed():
            nodes = [p["spec"].get("nodeName") for p in self.pods(name)]
            return len(nodes) == count and all(nodes) and sorted(nodes)
        return kit.eventually(placed, "%s being placed" % name)

    def test_each_pool_is_packed_in_its_own_way(self):
        for pool in self.pools:
            for at in range(2):
                self.submit("%s-%d" % (pool, at), "-g", "1", "--node-pools", pool)
                self.nodes_of("%s-%d" % (pool, at))
        self.assertEqual(self.nodes_of("wide-0") + self.nodes_of("wide-1"), sorted(self.pools["wide"]))
        self.assertEqual(self.nodes_of("tight-0"), self.nodes_of("tight-1"))

    def test_a_gang_goes_whole_to_the_first_pool_that_takes_it(self):
        self.submit("first", "-g", "2", "--workers", "2", "--node-pools", "tight,wide")
        self.assertEqual(self.nodes_of("first", 2), self.pools["tight"])
        self.submit("part", "-g", "1", "--node-pools", "wide")
        self.nodes_of("part")
        self.submit("second", "-g", "1", "--workers", "3", "--node-pools", "tight,wide")
        self.assertEqual(set(self.nodes_of("second", 3)), set(self.pools["wide"]))
        self.submit("third", "-g", "2", "--workers", "2", "--node-pools", "tight,wide")

        def said():
            return [c["message"] for p in self.pods("third") for c in p["status"].get("conditions", [])
                    if c["type"] == "PodScheduled" and "NoRoomForGang" in c.get("message", "")]

        self.assertIn('in one of pools "tight" and "wide"', kit.eventually(said, "the third gang being refused")[0])
        shown = self.cluster.stint("pool", "describe", "tight", "-o", "json")
        self.assertEqual((shown.json["gpus"], shown.json["gpus_allocated"], shown.json["gpus_free"]), (4, 4, 0), str(shown))
        self.assertEqual([w["name"] for w in shown.json["workloads"]], ["third"])
        self.assertIn("tight,wide", self.cluster.stint("describe", "third", "-p", "vision").out)
        self.cluster.stint("delete", "first", "-p", "vision", "-y")
        self.assertEqual(self.nodes_of("third", 2), self.pools["tight"])

    def test_a_project_has_default_pools_for_what_lists_none(self):
        self.cluster.project("pooled", 4, "--default-node-pools", "tight,wide")
        self.addCleanup(self.cluster.remove_project, "pooled")

        def nodes(name):
            return kit.eventually(lambda: [p["spec"]["nodeName"] for p in self.cluster.api.pods("pooled", "stint.dev/workload=" + name)
                                           if p["spec"].get("nodeName")], "%s being placed" % name)

        def submit(name, *flags):
            return self.assert_works(self.cluster.stint("submit", name, "-p", "pooled", "-i", "local/busybox:1", "-g", "2", *flags, "--",
                                                        "sleep", "1000"))
        submit("one")
        self.assertIn(nodes("one")[0], self.pools["tight"])
        shown = self.cluster.stint("describe", "one", "-p", "pooled")
        self.assertRegex(shown.out, r"Node pools: +tight,wide \(its project's\)")
        submit("named", "--node-pools", "wide")
        self.assertIn(nodes("named")[0], self.pools["wide"])
        self.assert_works(self.cluster.stint("project", "update", "pooled", "--default-node-pools", "wide,empty"))
        self.assertEqual(self.cluster.stint("project", "describe", "pooled", "-o", "json").json["default_node_pools"], "wide,empty")
        listed = self.cluster.stint("project", "list", "-o", "json").json["items"]
        self.assertEqual([p.get("default_node_pools") for p in listed if p["name"] in ("pooled", "vision")], ["wide,empty", None])
        would = self.cluster.stint("submit", "two", "-p", "pooled", "-i", "local/busybox:1", "-g", "2", "--dry-run=schedule", "-o", "json")
        self.assertIn(would.json["workloads"][0]["placements"][0]["node"], self.pools["wide"], str(would))
        self.assertIn('node pool "empty", a default of project "pooled", has no nodes now', submit("two").err)
        self.assertIn(nodes("two")[0], self.pools["wide"])
        submit("three")  # "wide" is full, and "tight", where a node is free, is not among them
        counted = kit.eventually(lambda: [p for p in self.cluster.stint("pool", "list", "-o", "json").json["items"]
                                          if p["name"] == "wide" and p["waiting"]], "the third waiting for its project's pools")
        self.assertEqual(counted[0]["waiting"], 1)
        self.assert_works(self.cluster.stint("project", "update", "pooled", "--default-node-pools", "none"))
        self.assertIn(nodes("three")[0], self.pools["tight"])

    def test_a_pool_that_no_node_is_in_is_refused(self):
        done = self.cluster.stint("submit", "lost", "-p", "vision", "-i", "local/busybox:1", "--node-pools", "wide,tigth")
        self.assertEqual(done.code, 3, str(done))
        self.assertIn('node pool "tigth" has no nodes; did you mean tight?', done.err)
        self.assertFalse(self.pods("lost"))


class Shards(kit.Case):
    """Two schedulers, each of one pool (kai-api 7.4): each leaves the nodes, queues and workloads of the other alone."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        if not cls.cluster.is_sandbox:
            cls.let_schedulers_serve_pools()
        for pool in ("left", "right"):
            nodes = cls.cluster.make_nodes(1, gpus=2, prefix=pool)
            cls.addClassCleanup(cls.cluster.remove_nodes, nodes)
            done = cls.cluster.stint("department", "create", "all-" + pool)
            assert done.code == 0, str(done)
            cls.addClassCleanup(cls.cluster.stint, "department", "delete", "all-" + pool, "-y")
            cls.cluster.project("team-" + pool, 2, "--department", "all-" + pool)
            cls.addClassCleanup(cls.cluster.remove_project, "team-" + pool)
            queues = "/apis/scheduling.run.ai/v2/queues/"
            for path in ("/api/v1/nodes/%s-0" % pool, queues + "all-" + pool, queues + "team-" + pool):
                status, answer = cls.cluster.api.call("PATCH", path, {"metadata": {"labels": {"kai.scheduler/node-pool": pool}}},
                                                      "application/merge-patch+json")
                assert status == 200, answer
            scheduler = cls.cluster.scheduler("--node-pool", pool)
            scheduler.__enter__()
            cls.addClassCleanup(scheduler.__exit__, None, None, None)

    @classmethod
    def let_schedulers_serve_pools(cls):
        """What deploy/rbac.yaml says to do for --node-pool."""
        api = "/apis/rbac.authorization.k8s.io/v1"
        subject = {"kind": "ServiceAccount", "name": "stint-scheduler", "namespace": "stint-system"}
        for path, kind in ((api + "/clusterrolebindings", "ClusterRole"), (api + "/namespaces/stint-system/rolebindings", "Role")):
            cls.cluster.api.create(path, {
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind + "Binding", "metadata": {"name": "stint-scheduler-node-pool"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "stint-scheduler-node-pool"},
                "subjects": [subject]})
            cls.addClassCleanup(cls.cluster.api.call, "DELETE", path + "/stint-scheduler-node-pool")

    def pod(self, team, name):
        pods = self.cluster.api.pods(team, "stint.dev/workload=" + name)
        self.assertTrue(pods, "%s has no pod" % name)
        return pods[0]

    def test_each_scheduler_has_its_own_pool(self):
        for pool, pools in (("left", "left,right"), ("right", "right")):
            team, name = "team-" + pool, "of-" + pool
            done = self.cluster.stint("submit", name, "-p", team, "-i", "local/busybox:1", "-g", "1", "--node-pools", pools, "--", "sleep",
                                      "1000")
            self.assertEqual(done.code, 0, str(done))
            kit.eventually(lambda: self.pod(team, name)["spec"].get("nodeName") == pool + "-0", "%s being placed" % name)
        kit.eventually(lambda: self.pod("team-left", "of-left")["metadata"]["labels"].get("kai.scheduler/node-pool") == "left",
                       "the pod that listed two pools being labelled")

    def test_a_quota_is_of_the_pool_of_its_queue(self):
        """A share of nothing in one pool; what the team has in another is no matter of this scheduler."""
        self.assert_works(self.cluster.stint("project", "update", "team-left", "--gpus", "0", "--gpu-limit", "0"))
        self.addCleanup(self.cluster.stint, "project", "update", "team-left", "--gpus", "2", "--gpu-limit", "-1")
        self.assert_works(self.cluster.stint("submit", "shut-out", "-p", "team-left", "-i", "local/busybox:1", "-g", "1", "--node-pools", "left",
                                             "--", "sleep", "1000"))
        self.addCleanup(self.cluster.stint, "delete", "shut-out", "-p", "team-left", "-y")

        def reason():
            told = self.cluster.stint("why", "shut-out", "-p", "team-left", "-o", "json")
            return told.code in (0, 7) and "by its Lease" in told.json["source"] and told.json.get("reason")

        self.assertEqual(kit.eventually(reason, "the scheduler of the pool telling why"), "NeverWithinBounds")
        self.assertFalse(self.pod("team-left", "shut-out")["spec"].get("nodeName"))
        self.assert_works(self.cluster.stint("project", "update", "team-left", "--gpu-limit", "-1"))
        kit.eventually(lambda: self.pod("team-left", "shut-out")["spec"].get("nodeName") == "left-0", "shut-out being placed")

    def test_a_project_keeps_to_the_pool_of_its_default_and_why_asks_the_scheduler_of_it(self):
        """Nobody says --node-pools: a pod without pools would be of the pool "default", which nobody serves."""
        self.assert_works(self.cluster.stint("project", "update", "team-right", "--default-node-pools", "right"))
        for name, gpus in (("settled", "2"), ("waits", "1")):
            self.assert_works(self.cluster.stint("submit", name, "-p", "team-right", "-i", "local/busybox:1", "-g", gpus, "--", "sleep", "1000"))
            self.addCleanup(self.cluster.stint, "delete", name, "-p", "team-right", "-y")
            if name == "settled":
                kit.eventually(lambda: self.pod("team-right", "settled")["spec"].get("nodeName") == "right-0", "settled being placed")

        def answer():
            told = self.cluster.stint("why", "waits", "-p", "team-right", "-o", "json")
            return told if told.code == 0 and "by its Lease" in told.json["source"] and told.json.get("reason") else None

        told = kit.eventually(answer, "the scheduler of the pool telling why")
        self.assertEqual((told.json["phase"], told.json["queue"]), ("Waiting", "team-right"), str(told))
        self.assertEqual([h["workload"] for h in told.json["holders"]], ["settled"], str(told))


if __name__ == "__main__":
    kit.main()
