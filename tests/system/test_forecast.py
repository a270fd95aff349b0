"""--dry-run=schedule: what is told in advance is what the scheduler then does when the same command is run for real, and nothing is written
by asking."""

import collections
import json
import time

import kit

KINDS = ("/api/v1/pods", "/api/v1/namespaces", "/api/v1/services", "/api/v1/events", "/apis/batch/v1/jobs", "/apis/apps/v1/deployments",
         "/apis/scheduling.run.ai/v2/queues", "/apis/rbac.authorization.k8s.io/v1/rolebindings",
         "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings")
IMAGE = ("-i", "local/busybox:1")


class Forecast(kit.Case):
    """Two nodes of four devices; each test has projects of its own."""

    def setUp(self):
        self.cluster = kit.Sandbox("--nodes", "2", "--gpus", "4")
        self.addCleanup(self.cluster.close)
        self.assert_works(self.cluster.stint("project", "update", "default", "--gpus", "0"))

    def stint(self, *arguments):
        return self.cluster.stint(*arguments)

    def submit(self, project, name, *flags, command=("sleep", "1000")):
        self.assert_works(self.stint("submit", name, "-p", project, *IMAGE, *flags, "--", *command))

    def ask(self, *command):
        """The answer as a document; the command must not have changed anything."""
        before = self.everything()
        told = self.stint(*command, "--dry-run=schedule", "-o", "json")
        self.assertIn(told.code, (0, 7), told)
        self.assertEqual(self.everything(), before)
        self.assertTrue(told.json["settled"])
        people = self.stint(*command, "--dry-run=schedule")
        self.assertEqual(people.code, told.code, people)
        self.assertTrue(people.out)
        return told.json

    def ask_submit(self, project, name, *flags):
        told = self.ask("submit", name, "-p", project, *IMAGE, *flags)
        self.assertEqual([(w["project"], w["workload"]) for w in told["workloads"]], [(project, name)])
        return told, told["workloads"][0]

    def everything(self):
        return {(kind, item["metadata"]["uid"]): item["metadata"]["resourceVersion"] for kind in KINDS for item in self.cluster.api.get(kind)["items"]}

    def places(self, project, workload):
        """Of its running pods: node and devices."""
        pods = [pod for pod in self.cluster.api.pods(project, "job-name=" + workload) if pod["status"]["phase"] == "Running"]
        return sorted((pod["spec"]["nodeName"], pod["metadata"].get("annotations", {}).get("stint.dev/gpu-devices", "")) for pod in pods)

    def foretold(self, workload):
        return sorted((place["node"], ",".join(map(str, place["gpu_devices"]))) for place in workload["placements"])

    def phases(self, project):
        return {item["name"]: item["phase"] for item in self.stint("list", "-p", project, "-o", "json").json["items"]}

    def run_to(self, project, **phases):
        kit.eventually(lambda: phases.items() <= self.phases(project).items(), "%s being %s, not %s" % (project, phases, self.phases(project)))

    def fill(self, project, count, *flags, gpus=1, first=0):
        """Jobs of which the youngest has the highest number."""
        names = ["job-%d" % at for at in range(first, first + count)]
        for name in names:
            self.submit(project, name, "-g", gpus, *flags)
        self.run_to(project, **{name: "Running" for name in names})
        self.settle()

    def settle(self):
        """Until nothing is written any more: events come late."""
        kit.eventually(self.is_still, "nothing being written")

    def is_still(self):
        before = self.everything()
        return all(self.everything() == before for _ in range(3))

    def two_projects(self, tenants=4, owners=4):
        self.cluster.project("tenants", tenants)
        self.cluster.project("owners", owners)

    # ---- submit

    def test_what_fits_starts_where_it_was_told(self):
        self.two_projects()
        self.submit("tenants", "half", "-g", "0.5")
        self.run_to("tenants", half="Running")
        self.settle()
        for name, flags in (("quarter", ("-g", "0.25")), ("two", ("-g", "2")), ("gang", ("-g", "1", "--workers", "3"))):
            told, workload = self.ask_submit("tenants", name, *flags)
            self.assertEqual(workload["outcome"], "Starts")
            self.assertEqual((told["evictions"], told["delayed"], told["starts"]), ([], [], []))
            self.submit("tenants", name, *flags)
            kit.eventually(lambda: self.places("tenants", name) == self.foretold(workload),
                           "%s being at %s, not %s" % (name, self.foretold(workload), self.places("tenants", name)))
            self.settle()

    def test_what_waits_is_told_as_why_tells_it_then(self):
        self.two_projects()
        self.fill("tenants", 4, "--preemptible=false")
        told, workload = self.ask_submit("tenants", "more", "-g", "1", "--preemptible=false")
        self.assertEqual(workload["outcome"], "Waits")
        self.assertEqual(workload["why"]["reason"], "NonPreemptibleOverQuota")
        self.assertEqual(told["evictions"], [])
        self.submit("tenants", "more", "-g", "1", "--preemptible=false")
        why = kit.eventually(lambda: [w for w in [self.stint("why", "more", "-p", "tenants", "-o", "json").json] if w.get("changes")], "why")[0]
        for key in ("reason", "message", "changes", "bound", "holders", "queue", "priority", "preemptible", "position"):
            self.assertEqual(why[key], workload["why"][key], key)

    def test_the_start_is_told_where_declared_times_tell_it(self):
        self.two_projects()
        self.fill("tenants", 2, "--time", "1h", "--preemptible=false", gpus=2)
        self.fill("tenants", 1, "--time", "2h", gpus=4, first=2)
        told, workload = self.ask_submit("owners", "gang", "-g", "4", "--workers", "2", "--preemptible=false")
        self.assertEqual((workload["outcome"], workload["why"]["reason"]), ("Never", "NeverWithinBounds"))
        told, workload = self.ask_submit("owners", "gang", "-g", "4", "--workers", "2")
        self.assertEqual((workload["outcome"], workload["why"]["reason"]), ("Waits", "NoRoomForGang"))
        self.assertTrue(7000 < workload["why"]["starts_in_s"] <= 7200, workload["why"])
        people = self.stint("submit", "gang", "-p", "owners", *IMAGE, "-g", "4", "--workers", "2", "--dry-run=schedule")
        self.assertRegex(people.out, r"It would start in 1(1\d|20)m at the latest")

    def test_what_can_never_run_ends_with_7(self):
        self.two_projects()
        told, workload = self.ask_submit("tenants", "huge", "-g", "5")
        self.assertEqual((workload["outcome"], workload["why"]["reason"]), ("Never", "NeverFits"))
        self.assertEqual(self.stint("submit", "huge", "-p", "tenants", *IMAGE, "-g", "5", "--dry-run=schedule").code, 7)

    def test_what_takes_its_share_back_names_who_gives_it(self):
        self.two_projects()
        self.fill("tenants", 6)
        told, workload = self.ask_submit("owners", "own", "-g", "1", "--workers", "3")
        self.assertEqual(workload["outcome"], "StartsLater")
        self.assertEqual([(e["project"], e["workload"], e["action"], e["for"]) for e in told["evictions"]],
                         [("tenants", "job-5", "reclaim", {"project": "owners", "workload": "own"})])
        self.assertEqual((told["evictions"][0]["pods"], told["evictions"][0]["gpus"], told["evictions"][0]["placed_again"]), (1, 1, 0))
        self.submit("owners", "own", "-g", "1", "--workers", "3")
        self.run_to("owners", own="Running")
        self.run_to("tenants", **{"job-5": "Pending"}, **{"job-%d" % at: "Running" for at in range(5)})
        self.assertEqual(self.places("owners", "own"), self.foretold(workload))

    def test_who_gets_nothing_back_is_told_which_rule_keeps_it_from_that(self):
        """Of eight GPUs each of the two projects is due four. One has five; the other has three, and asks for two more."""
        self.two_projects(tenants=2, owners=2)
        self.fill("tenants", 5)
        self.fill("owners", 3)
        told, workload = self.ask_submit("owners", "more", "-g", "2")
        self.assertEqual((workload["outcome"], workload["why"]["reason"]), ("Waits", "NoRoom"))
        reclaim = workload["why"]["reclaim"]
        self.assertEqual({key: reclaim[key] for key in ("withheld_by", "queue", "dimension", "bound", "allocated", "asked")},
                         {"withheld_by": "fair-share", "queue": "owners", "dimension": "gpu", "bound": 4, "allocated": 3, "asked": 2})
        self.assertEqual([(queue["queue"], queue["has"], queue["due"], queue["due_by"]) for queue in reclaim["beyond"]["queues"]],
                         [("tenants", 5, 4, "fair-share")])
        self.submit("owners", "more", "-g", "2")
        kit.eventually(lambda: self.stint("why", "more", "-p", "owners", "-o", "json").json.get("reclaim") == reclaim, "why saying so")
        people = self.stint("why", "more", "-p", "owners").out
        self.assertIn('Why nothing is taken back for it:\n  "owners" has 3 GPUs and would have 5 GPUs, more than its fair share of 4 GPUs', people)
        self.assertIn('Who has more than is due:\n  "tenants" has 5 GPUs, and its fair share is 4 GPUs\n', people)
        self.submit("owners", "one", "-g", "1")  # that is due to it
        self.run_to("owners", one="Running", more="Pending")

    def test_budgets_of_those_who_would_be_evicted_are_said_not_to_be_considered(self):
        self.two_projects()
        self.fill("tenants", 8)
        ask = ("submit", "mine", "-p", "owners", *IMAGE, "-g", "1")
        self.assertNotIn("not_considered", self.ask(*ask))
        budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "all"},
                  "spec": {"minAvailable": 8, "selector": {}}}
        self.cluster.api.create("/apis/policy/v1/namespaces/owners/poddisruptionbudgets", budget)
        self.assertNotIn("not_considered", self.ask(*ask))  # nobody there is evicted
        self.cluster.api.create("/apis/policy/v1/namespaces/tenants/poddisruptionbudgets", budget)
        told = self.ask(*ask)
        self.assertTrue(told["evictions"])
        self.assertEqual(told["not_considered"], ["disruption budgets"])
        self.assertIn("Not considered: disruption budgets", self.stint(*ask, "--dry-run=schedule").out)

    def test_what_is_moved_starts_again_and_where(self):
        self.two_projects(tenants=8, owners=0)
        self.fill("tenants", 8)
        by_node = collections.defaultdict(list)
        for pod in self.cluster.api.pods("tenants"):
            by_node[pod["spec"]["nodeName"]].append(pod["metadata"]["labels"]["job-name"])
        self.assert_works(self.stint("delete", "-p", "tenants", "-y", *[name for names in by_node.values() for name in sorted(names)[:2]]))
        kit.eventually(lambda: len(self.cluster.api.pods("tenants")) == 4, "four being left")
        self.settle()
        told, workload = self.ask_submit("tenants", "wide", "-g", "4")
        self.assertEqual(workload["outcome"], "StartsLater")
        self.assertEqual([(e["action"], e["placed_again"]) for e in told["evictions"]], [("consolidation", 1)] * 2)
        moved = {e["workload"]: e["nodes"] for e in told["evictions"]}
        self.submit("tenants", "wide", "-g", "4")
        self.run_to("tenants", wide="Running", **{name: "Running" for name in moved})
        self.assertEqual({name: [node for node, _ in self.places("tenants", name)] for name in moved}, moved)
        self.assertEqual(self.places("tenants", "wide"), self.foretold(workload))

    def test_work_of_higher_priority_names_whose_place_it_takes(self):
        self.two_projects()
        self.fill("tenants", 1, gpus=4)
        self.fill("owners", 1, gpus=4)
        self.submit("tenants", "younger", "-g", "1", "--priority", "train")
        kit.eventually(lambda: "job" in self.stint("why", "younger", "-p", "tenants").out, "the younger being judged")
        self.settle()
        told, workload = self.ask_submit("tenants", "urgent", "-g", "4", "--priority", "inference")
        self.assertEqual([(e["workload"], e["action"]) for e in told["evictions"]], [("job-0", "preempt")])
        self.assertEqual(workload["outcome"], "StartsLater")

    def test_a_file_of_several_workloads_is_told_one_by_one(self):
        self.two_projects()
        text = "".join("""---
apiVersion: batch/v1
kind: Job
metadata: {name: %s}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: local/busybox:1, resources: {limits: {nvidia.com/gpu: %d}}}]}}}
""" % (name, gpus) for name, gpus in (("small", 1), ("large", 9)))
        told = self.cluster.stint("submit", "-p", "tenants", "-f", "-", "--dry-run=schedule", "-o", "json", stdin=text)
        self.assertEqual(told.code, 7, told)
        self.assertEqual([(w["workload"], w["outcome"]) for w in told.json["workloads"]], [("small", "Starts"), ("large", "Never")])

    def test_workspaces_and_services_are_told_too(self):
        self.two_projects()
        for kind in ("workspace", "inference"):
            told = self.ask("submit", kind, "lab", "-p", "tenants", *IMAGE, "-g", "0.5")
            self.assertEqual([w["outcome"] for w in told["workloads"]], ["Starts"])

    # ---- project

    def test_a_new_project_lets_start_what_waits_for_it(self):
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "early", "labels": {"kai.scheduler/queue": "vision"}},
                "spec": {"template": {"spec": {"schedulerName": "stint-scheduler", "restartPolicy": "Never", "containers": [
                    {"name": "main", "image": "local/busybox:1", "resources": {"limits": {"nvidia.com/gpu": "2"}}}]}}}}
        self.cluster.api.create("/apis/batch/v1/namespaces/default/jobs", body)
        kit.eventually(lambda: "QueueDoesNotExist" in self.stint("why", "early").out, "early waiting for its queue")
        self.settle()
        told = self.ask("project", "create", "vision", "--gpus", "2")
        self.assertEqual([(s["project"], s["workload"], s["pods"], s["gpus"], s["later"]) for s in told["starts"]], [("default", "early", 1, 2, False)])
        shares = {queue["name"]: queue["gpu"] for queue in told["queues"]}
        self.assertEqual((shares["vision"]["quota"], shares["vision"]["fair_share"]), ({"before": None, "after": 2}, {"before": None, "after": 2}))
        self.assertEqual(shares["default-department"]["quota"], {"before": 0, "after": 2})
        self.cluster.project("vision", 2)
        self.run_to("default", early="Running")
        self.assertEqual([node for node, _ in self.places("default", "early")], told["starts"][0]["nodes"])

    def test_a_lowered_quota_says_who_gives_back_and_who_gets_it(self):
        self.two_projects(tenants=8, owners=0)
        self.fill("tenants", 8)
        for at in range(2):
            self.submit("owners", "wait-%d" % at, "-g", "1")
        kit.eventually(lambda: "NoRoom" in self.stint("why", "wait-1", "-p", "owners").out, "owners waiting")
        self.settle()
        told = self.ask("project", "update", "tenants", "--gpus", "4")
        victims = sorted(e["workload"] for e in told["evictions"])
        self.assertEqual(victims, ["job-6", "job-7"])
        self.assertEqual({s["workload"] for s in told["starts"]}, {"wait-0", "wait-1"})
        self.assertTrue(all(s["later"] for s in told["starts"]))
        self.cluster.api.create("/apis/policy/v1/namespaces/tenants/poddisruptionbudgets", {
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "all"}, "spec": {"minAvailable": 0, "selector": {}}})
        said = self.assert_works(self.stint("project", "update", "tenants", "--gpus", "4", "--dry-run=schedule")).out
        self.assertIn("Not considered: disruption budgets", said)
        share = {queue["name"]: queue["gpu"]["fair_share"] for queue in told["queues"]}
        self.assertEqual(share["tenants"], {"before": 8, "after": 6})
        self.assertEqual(share["owners"], {"before": 0, "after": 2})
        self.assert_works(self.stint("project", "update", "tenants", "--gpus", "4"))
        self.run_to("owners", **{"wait-0": "Running", "wait-1": "Running"})
        self.run_to("tenants", **{name: "Pending" for name in victims}, **{"job-%d" % at: "Running" for at in range(6)})

    def test_two_nodes_are_both_named(self):
        self.two_projects(tenants=0, owners=0)
        self.assert_works(self.stint("project", "update", "owners", "--gpu-limit", "4"))
        self.submit("owners", "pair", "-g", "4", "--workers", "2")
        kit.eventually(lambda: "WithinBounds" in self.stint("why", "pair", "-p", "owners").out, "the gang being judged")
        told = self.assert_works(self.stint("project", "update", "owners", "--gpu-limit", "8", "--dry-run=schedule"))
        self.assertRegex(told.out, r"owners +pair +2 +8 +at once +node-0 and node-1\n")

    def test_a_share_below_the_quota_is_explained(self):
        self.two_projects(tenants=8, owners=0)
        self.fill("tenants", 8)
        words = "A fair share is of what is asked for now"
        told = self.assert_works(self.stint("project", "update", "owners", "--gpus", "2", "--dry-run=schedule"))
        self.assertIn(words, told.out)
        told = self.assert_works(self.stint("project", "update", "tenants", "--gpus", "4", "--dry-run=schedule"))
        self.assertRegex(told.out, r"tenants +gpu +8 -> 4")
        self.assertNotIn(words, told.out)

    def test_a_department_can_be_asked_about(self):
        self.two_projects()
        self.fill("tenants", 3)
        told = self.ask("department", "update", "default-department", "--gpu-limit", "9")
        self.assertEqual([(q["name"], q["gpu"]["limit"]) for q in told["queues"]], [("default-department", {"before": -1, "after": 9})])
        told = self.ask("department", "create", "research", "--gpus", "8")
        self.assertEqual((told["starts"], told["evictions"], told["delayed"]), ([], [], []))

    # ---- errors

    def test_errors_are_those_of_the_command_itself(self):
        self.two_projects()
        cases = (
            (3, "there is no project", ("submit", "x", "-p", "nobody", *IMAGE)),
            (3, "there is no project", ("project", "update", "nobody", "--gpus", "1")),
            (5, "already", ("project", "create", "tenants")),
            (5, "--adopt", ("project", "create", "stray")),
            (3, "there is no department", ("project", "create", "vision", "--department", "nobody")),
            (2, "is a project", ("department", "update", "tenants", "--gpus", "1")),
            (2, "no less than the quota", ("project", "update", "tenants", "--gpus", "4", "--gpu-limit", "2")),
        )
        self.cluster.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stray"}})
        for code, words, command in cases:
            with self.subTest(command=command):
                self.assert_refused(self.stint(*command, "--dry-run=schedule"), code, words)
                self.assert_refused(self.stint(*command), code, words)
        self.assert_refused(self.stint("project", "update", "tenants", "--gpus", "4", "-o", "json"), 2, "--dry-run=schedule")

    def test_pods_that_only_an_operator_knows_are_not_guessed(self):
        self.two_projects()
        text = """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: torch}
spec: {pytorchReplicaSpecs: {Worker: {replicas: 2, template: {spec: {containers: [{name: main, image: local/busybox:1}]}}}}}
"""
        told = self.cluster.stint("submit", "-p", "tenants", "-f", "-", "--dry-run=schedule", stdin=text)
        self.assert_refused(told, 2, "operator")


class Settings(kit.Case):
    """What the scheduler was started with counts."""

    def test_it_is_asked_what_it_decides_by(self):
        cluster = kit.Sandbox("--nodes", "2", "--gpus", "4", "--no-scheduler")
        self.addCleanup(cluster.close)
        two = ("submit", "two", *IMAGE, "-g", "1", "--workers", "2", "--dry-run=schedule", "-o", "json")
        nodes = lambda told: sorted(place["node"] for place in told.json["workloads"][0]["placements"])
        told = self.assert_works(cluster.stint(*two))
        self.assertIn("its defaults are taken", told.err)
        self.assertEqual(nodes(told), ["node-0", "node-0"])
        with cluster.scheduler("--gpu-placement", "spread"):
            told = kit.eventually(lambda: [t for t in [cluster.stint(*two)] if not t.err], "the settings being told")[0]
            self.assertEqual(nodes(told), ["node-0", "node-1"])

    def test_past_use_moves_what_is_due_where_it_counts(self):
        """One project has had all of the cluster lately; so more than its half is due to the other, and a gang of six gets its place."""
        cluster = kit.Sandbox("--nodes", "2", "--gpus", "4", "--no-scheduler")
        self.addCleanup(cluster.close)
        self.assert_works(cluster.stint("project", "update", "default", "--gpus", "0"))
        cluster.project("greedy", 0)
        cluster.project("modest", 0)
        sums = {"cpu": 1, "memory": 1, "gpu": 1e12, "busy": 1}
        kept = {"version": 1, "at": int(time.time() * 1000), "cluster": sums, "queues": {"greedy": sums}}
        maps = "/api/v1/namespaces/kube-system/configmaps"
        usage = lambda text: cluster.api.call("PATCH", maps + "/stint-usage", {"data": {"usage": text}}, "application/merge-patch+json")
        cluster.api.create(maps, {"metadata": {"name": "stint-usage"}, "data": {"usage": json.dumps(kept)}})
        ask = ("submit", "gang", "-p", "modest", *IMAGE, "-g", "1", "--workers", "6", "--dry-run=schedule")

        def told(outcome, considered):
            answer = cluster.stint(*ask, "-o", "json").json
            return (answer["workloads"][0]["outcome"], "past use" not in answer.get("not_considered", [])) == (outcome, considered)

        with cluster.scheduler("--leader-elect=true"):
            for at in range(8):
                self.assert_works(cluster.stint("submit", "job-%d" % at, "-p", "greedy", *IMAGE, "-g", "1", "--", "sleep", "1000"))
            kit.eventually(lambda: sum(bool(pod["spec"].get("nodeName")) for pod in cluster.api.pods("greedy")) == 8, "all being bound")
            kit.eventually(lambda: told("Waits", True), "past use not counting")
        with cluster.scheduler("--leader-elect=true", "--usage-half-life", "7d"):
            kit.eventually(lambda: told("StartsLater", True), "past use counting")
            # The scheduler keeps it anew from time to time: it may do so in between.
            kit.eventually(lambda: usage("nothing of its own")[0] == 200 and told("Waits", False), "what cannot be read being said")
            kit.eventually(lambda: usage("")[0] == 200 and "\nNot considered: past use, which moves what is due to each project\n" in
                           cluster.stint(*ask).out, "people being told so")


if __name__ == "__main__":
    kit.main()
