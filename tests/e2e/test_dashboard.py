"""The dashboard shows what was submitted, on one printed frame of each view."""

import re

import kit


class Once(kit.Case):
    """A node of four devices, two projects."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "0", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.nodes = cls.cluster.make_nodes(1, gpus=4, prefix="seen")
        cls.addClassCleanup(cls.cluster.remove_nodes, cls.nodes)
        scheduler = cls.cluster.scheduler("--leader-elect=false")
        scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)
        for name, quota in (("makers", 3), ("askers", 1)):
            cls.cluster.project(name, quota)
            cls.addClassCleanup(cls.cluster.remove_project, name)
        for project, name, gpus in (("makers", "holds-two", "2"), ("makers", "holds-half", "0.5"), ("askers", "asks-much", "9")):
            done = cls.cluster.stint("submit", name, "-p", project, "-i", "local/busybox:1", "-g", gpus, "--", "sleep", "1000")
            assert done.code == 0, str(done)
            cls.addClassCleanup(cls.cluster.stint, "delete", name, "-p", project, "-y")
        kit.eventually(lambda: cls.frame("workloads").count("Running") == 2 and "NeverFits" in cls.frame("workloads"), "what was submitted")

    @classmethod
    def frame(cls, view, *options, cluster=None):
        done = (cluster or cls.cluster).stint("dashboard", "--once", "--view", view, "--size", "160x45", *options)
        assert done.code == 0, str(done)
        return done.out

    @staticmethod
    def line(text, word):
        return next((line for line in text.splitlines() if word in line), "")

    def test_workloads(self):
        text = self.frame("workloads")
        self.assertRegex(self.line(text, "holds-two"), r"makers +Running +2 +1/1")
        self.assertRegex(self.line(text, "holds-half"), r"makers +Running +0\.5 +1/1")
        self.assertRegex(self.line(text, "asks-much"), r"askers +Pending +9 +0/1.* NeverFits: ")

    def test_nodes_with_who_holds_them(self):
        line = self.line(self.frame("nodes"), self.nodes[0])
        self.assertRegex(line, r"Ready .*2\.5/4")
        self.assertIn("holds-two", line)
        self.assertIn("holds-half", line)

    def test_projects_with_what_they_have(self):
        text = self.frame("projects")
        self.assertRegex(self.line(text, "makers"), r"makers +2\.5 +3 ")
        self.assertRegex(self.line(text, "askers"), r"askers +0 +1 ")

    def test_the_queue_with_what_holds_each_back(self):
        self.assertRegex(self.line(self.frame("queue"), "asks-much"), r"1 +asks-much +askers .*NeverFits +it asks for 9 GPUs")

    def test_a_gang_that_a_pod_group_rules_has_one_place_and_none_before_its_pods_are_there(self):
        group, pods = "/apis/scheduling.run.ai/v2alpha2/namespaces/askers/podgroups", "/api/v1/namespaces/askers/pods"
        api = self.cluster.api
        self.addCleanup(api.call, "DELETE", group + "/team")
        api.create(group, {"apiVersion": "scheduling.run.ai/v2alpha2", "kind": "PodGroup", "metadata": {"name": "team"},
                           "spec": {"minMember": 2, "queue": "makers"}})

        def member(name):
            self.addCleanup(api.call, "DELETE", pods + "/" + name + "?gracePeriodSeconds=0")
            api.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "annotations": {"pod-group-name": "team"}},
                              "spec": {"schedulerName": "stint-scheduler", "containers": [
                                  {"name": "c", "image": "local/busybox:1", "resources": {"limits": {"nvidia.com/gpu": "2"}}}]}})

        member("team-0")
        kit.eventually(lambda: self.assertRegex(self.line(self.frame("queue"), "team"), r" - +team +makers +- .*Incomplete") or True, "a gang of one of two")
        member("team-1")
        kit.eventually(lambda: self.assertRegex(self.line(self.frame("queue"), "team"), r"\d +team +makers +1 +50 +4 +2/2 ") or True, "the gang in the line")

    def test_events(self):
        kit.eventually(lambda: re.search(r"FailedScheduling +askers +\S*asks-much", self.frame("events")), "the event")

    def test_the_overview_has_something_of_everything(self):
        text = self.frame("overview")
        for word in (self.nodes[0], "2.5/4", "makers", "askers", "asks-much", "NeverFits"):
            self.assertIn(word, text)

    def test_one_project_alone(self):
        text = self.frame("workloads", "-p", "askers")
        self.assertIn("asks-much", text)
        self.assertNotIn("holds-two", text)


if __name__ == "__main__":
    kit.main()
