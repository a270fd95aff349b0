"""The command line on a sandbox without a scheduler: what it writes to the cluster, takes back, prints and completes."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import kit

QUEUES = "/apis/scheduling.run.ai/v2/queues"


class Cli(kit.Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.Sandbox("--nodes", "1", "--gpus", "2", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.project("lab", 2)
        cls.api = cls.cluster.api

    def stint(self, *arguments, **options):
        return self.cluster.stint(*arguments, **options)

    def exists(self, path):
        return self.api.call("GET", path)[0] == 200


class Projects(Cli):
    def test_a_project_is_a_queue_a_namespace_and_its_people(self):
        self.assert_works(self.stint("department", "create", "research"))
        self.assert_works(self.stint("project", "create", "vision", "--gpus", "3", "--department", "research", "--user", "ada", "--group", "team",
                                     "--memory", "1G", "--cpu", "500m"))
        queue = self.api.get(QUEUES + "/vision")["spec"]
        self.assertEqual(queue["parentQueue"], "research")
        self.assertEqual(queue["resources"]["gpu"], {"quota": 3, "overQuotaWeight": 1, "limit": -1})
        self.assertEqual((queue["resources"]["cpu"]["quota"], queue["resources"]["memory"]["quota"]), (500, 1000))
        self.assertEqual(self.api.get("/api/v1/namespaces/vision")["metadata"]["labels"]["stint.dev/project"], "vision")
        bindings = "/apis/rbac.authorization.k8s.io/v1/"
        people = self.api.get(bindings + "namespaces/vision/rolebindings/stint-user")
        self.assertEqual(sorted((s["kind"], s["name"]) for s in people["subjects"]), [("Group", "team"), ("User", "ada")])
        self.assertTrue(self.exists(bindings + "clusterrolebindings/stint-basic-vision"))
        described = self.assert_works(self.stint("project", "describe", "vision", "-o", "json")).json
        self.assertEqual((described["users"], described["groups"], described["gpu_quota"]), (["ada"], ["team"], 3))
        self.assert_works(self.stint("project", "update", "vision", "--user", "bob"))
        people = self.api.get(bindings + "namespaces/vision/rolebindings/stint-user")
        self.assertEqual(len(people["subjects"]), 3)
        self.assert_works(self.stint("project", "delete", "vision", "-y"))
        for path in (QUEUES + "/vision", "/api/v1/namespaces/vision", bindings + "clusterrolebindings/stint-basic-vision"):
            self.assertFalse(self.exists(path), path)
        self.assert_works(self.stint("department", "delete", "research", "-y"))

    def test_a_project_that_has_lost_its_namespace_is_said_to_have(self):
        self.assert_works(self.stint("project", "create", "husk", "--gpus", "1"))
        self.api.call("DELETE", "/api/v1/namespaces/husk")
        kit.eventually(lambda: not self.exists("/api/v1/namespaces/husk"), "the namespace being gone")
        listed = self.assert_works(self.stint("project", "list"))
        self.assertIn("without a namespace, so that nothing can be submitted to them: husk", listed.err)
        self.assertIn("Namespace:", self.assert_works(self.stint("project", "describe", "husk")).out)
        self.assert_refused(self.stint("submit", "x", "-p", "husk", "-i", "x:1"), 3, "the namespace of project \"husk\" is gone")
        self.assert_refused(self.stint("list", "-p", "husk"), 3, "the namespace of project \"husk\" is gone")
        self.assert_works(self.stint("project", "delete", "husk", "-y"))
        self.assert_works(self.stint("project", "create", "husk", "--gpus", "1"))
        self.assert_works(self.stint("project", "delete", "husk", "-y"))

    def test_people_come_and_go(self):
        bindings = "/apis/rbac.authorization.k8s.io/v1/"

        def people(path):
            return sorted((s["kind"], s["name"]) for s in self.api.get(bindings + path).get("subjects") or [])
        self.assert_works(self.stint("project", "create", "crew", "--user", "ada", "--user", "eve", "--group", "ada"))
        self.addCleanup(self.cluster.remove_project, "crew")
        done = self.assert_works(self.stint("project", "update", "crew", "--user", "bob", "--remove-user", "ada", "--remove-user", "nobody"))
        self.assertEqual(done.out, "project crew updated\n")
        for path in ("namespaces/crew/rolebindings/stint-user", "clusterrolebindings/stint-basic-crew"):
            self.assertEqual(people(path), [("Group", "ada"), ("User", "bob"), ("User", "eve")])
        self.assertEqual(self.assert_works(self.stint("project", "update", "crew", "--remove-user", "ada")).out, "project crew unchanged\n")
        self.assert_works(self.stint("project", "update", "crew", "--remove-user", "bob", "--remove-user", "eve", "--remove-group", "ada"))
        self.assertEqual(people("namespaces/crew/rolebindings/stint-user"), [])
        self.assert_refused(self.stint("project", "update", "crew", "--user", "a", "--remove-user", "a"), 2, "come and go")

    def quota(self, name):
        return self.api.get(QUEUES + "/" + name)["spec"]["resources"]["gpu"]["quota"]

    def test_a_department_keeps_the_sum_of_its_projects(self):
        self.assert_works(self.stint("department", "create", "sums"))
        self.assert_works(self.stint("project", "create", "one", "--gpus", "1.5", "--department", "sums"))
        self.assert_works(self.stint("project", "create", "two", "--gpus", "2", "--department", "sums"))
        self.assertEqual(self.quota("sums"), 3.5)
        self.assert_works(self.stint("project", "update", "two", "--gpus", "4"))
        self.assertEqual(self.quota("sums"), 5.5)
        self.assert_works(self.stint("project", "delete", "one", "-y"))
        self.assertEqual(self.quota("sums"), 4)
        self.assert_works(self.stint("department", "update", "sums", "--gpus", "10"))
        self.assert_works(self.stint("project", "update", "two", "--gpus", "6"))
        self.assertEqual(self.quota("sums"), 10)
        self.assert_works(self.stint("department", "update", "sums", "--gpus", "sum"))
        self.assertEqual(self.quota("sums"), 6)
        self.assert_refused(self.stint("project", "update", "two", "--gpus", "sum"), 2, "--gpus")
        self.assert_refused(self.stint("department", "delete", "sums", "-y"), 5, "two")
        self.assertEqual(self.assert_works(self.stint("project", "update", "two", "--gpus", "6")).out, "project two unchanged\n")
        self.assert_works(self.stint("project", "delete", "two", "-y"))
        self.assert_works(self.stint("department", "delete", "sums", "-y"))

    def test_a_project_that_cannot_be_made_whole_leaves_nothing(self):
        """The cluster role binding is in the way: the namespace that was made before it goes again, and the sum is as it was."""
        self.assert_works(self.stint("department", "create", "undo"))
        self.api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "stint-basic-torn"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "stint-basic"}, "subjects": []})
        self.assert_refused(self.stint("project", "create", "torn", "--gpus", "2", "--department", "undo", "--user", "ada"), 5, "stint-basic-torn")
        kit.eventually(lambda: not self.exists("/api/v1/namespaces/torn"), "the namespace being gone")
        self.assertFalse(self.exists(QUEUES + "/torn"))
        self.assertEqual(self.quota("undo"), 0)

    def test_a_namespace_of_others_is_adopted_only_when_told_and_never_deleted(self):
        self.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "legacy"}})
        self.assert_refused(self.stint("project", "create", "legacy"), 5, "--adopt")
        self.assertFalse(self.exists(QUEUES + "/legacy"))
        self.assert_works(self.stint("project", "create", "legacy", "--adopt"))
        self.assert_works(self.stint("submit", "work", "-i", "x:1", "-p", "legacy", "--", "true"))
        self.assert_refused(self.stint("project", "delete", "legacy", "-y"), 5, "work")
        self.assert_works(self.stint("project", "delete", "legacy", "-y", "--cascade"))
        self.assertNotIn("stint.dev/project", self.api.get("/api/v1/namespaces/legacy")["metadata"].get("labels", {}))
        self.assertFalse(self.exists("/apis/batch/v1/namespaces/legacy/jobs/work"))

    def test_a_failure_gives_an_adopted_namespace_its_former_label_back(self):
        self.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lent", "labels": {"stint.dev/project": "lab"}}})
        self.api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "stint-basic-lent"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "stint-basic"}, "subjects": []})
        self.assert_refused(self.stint("project", "create", "lent", "--adopt", "--user", "ada"), 5, "stint-basic-lent")
        self.assertEqual(self.api.get("/api/v1/namespaces/lent")["metadata"]["labels"]["stint.dev/project"], "lab")

    def test_a_namespace_that_has_the_name_by_chance_keeps_its_workloads(self):
        self.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "chance"}})
        self.api.create(QUEUES, {"apiVersion": "scheduling.run.ai/v2", "kind": "Queue", "metadata": {"name": "chance"},
                                 "spec": {"parentQueue": "default-department"}})
        self.assert_works(self.stint("submit", "work", "-i", "x:1", "-p", "chance", "--", "true"))
        self.assert_refused(self.stint("project", "delete", "chance", "-y"), 5, "work")
        self.assert_works(self.stint("project", "delete", "chance", "-y", "--cascade"))
        self.assertFalse(self.exists(QUEUES + "/chance"))
        self.assertTrue(self.exists("/apis/batch/v1/namespaces/chance/jobs/work"))

    def test_a_quota_without_end_is_warned_of(self):
        done = self.assert_works(self.stint("project", "create", "endless", "--gpus", "-1"))
        self.assertIn("nobody can reclaim", done.err)
        self.assert_works(self.stint("project", "delete", "endless", "-y"))

    def test_a_quota_that_cannot_be_had_is_noted(self):
        """The cluster has two GPUs."""
        self.assert_works(self.stint("department", "create", "narrow"))
        done = self.assert_works(self.stint("project", "create", "wide", "--gpus", "2.5", "--department", "narrow"))
        self.assertIn('"wide" has 2.5 GPUs of quota, and all nodes together have 2 now', done.err)
        done = self.assert_works(self.stint("department", "update", "narrow", "--gpus", "1"))
        self.assertIn('the projects of department "narrow" have 2.5 GPUs of quota in all, more than its 1', done.err)
        self.assertIn("more than its 1", self.assert_works(self.stint("project", "update", "wide", "--gpus", "2")).err)
        for more in (("--weight", "2"), ("--gpus", "1")):
            self.assertEqual(self.assert_works(self.stint("project", "update", "wide", *more)).err, "")
        self.assert_works(self.stint("project", "delete", "wide", "-y"))
        self.assert_works(self.stint("department", "delete", "narrow", "-y"))

    def test_lists_have_every_form(self):
        def out(*arguments):
            return self.assert_works(self.stint("project", "list", *arguments)).out
        self.assertIn("default-department", out())
        self.assertEqual(out("-o", "name").split(), ["queue.scheduling.run.ai/default", "queue.scheduling.run.ai/lab"])
        self.assertEqual(out("-o", "jsonpath={range .items[*]}{.name} {end}", "--sort-by=-name"), "lab default ")
        self.assertEqual(out("-o", "csv", "--no-headers").splitlines()[1].split(",")[:3], ["lab", "default-department", "2"])
        self.assertEqual(json.loads(out("-o", "json"))["kind"], "ProjectList")
        self.assertNotIn("\033", out())

    def test_a_watched_list_shows_what_changes(self):
        watch = subprocess.Popen([str(kit.BIN / "stint"), "project", "list", "-w", "-o", "name"], env=self.cluster.environment(),
                                 stdout=subprocess.PIPE, text=True)
        try:
            self.assertIn("default", watch.stdout.readline())
            self.assertIn("lab", watch.stdout.readline())
            self.assert_works(self.stint("project", "create", "seen"))
            self.assertIn("seen", watch.stdout.readline())
        finally:
            watch.send_signal(signal.SIGINT)
            self.assertEqual(watch.wait(10), 130)
            watch.stdout.close()
        self.assert_works(self.stint("project", "delete", "seen", "-y"))
        for what in ("project", "department"):
            kit.run("sh", "-c", "'%s' %s list -w | head -1" % (kit.BIN / "stint", what), env=self.cluster.environment(), timeout=10)


class Workloads(Cli):
    def path(self, group, plural, name=""):
        return "/%s/namespaces/lab/%s%s" % (group, plural, "/" + name if name else "")

    def test_what_client_and_server_dry_runs_print_is_what_is_made(self):
        words = ["submit", "same", "-p", "lab", "-i", "x:1", "-g", "0.5", "--workers", "2", "--env", "A=1", "-o", "json", "--", "true"]
        client, server = (json.loads(self.assert_works(self.stint(*words[:-2], "--dry-run=" + where, *words[-2:])).out) for where in ("client", "server"))
        self.assertEqual([o["kind"] for o in client["items"]], ["Job", "Service"])
        for ours, theirs in zip(client["items"], server["items"]):
            self.assert_contains(theirs, ours)
        self.assertFalse(self.exists(self.path("apis/batch/v1", "jobs", "same")))

    def assert_contains(self, whole, part, where=""):
        """Everything of part stands in whole; the server adds defaults."""
        if isinstance(part, dict):
            for key, value in part.items():
                self.assertIn(key, whole, where)
                self.assert_contains(whole[key], value, where + "." + key)
        elif isinstance(part, list):
            self.assertEqual(len(whole), len(part), where)
            for at, value in enumerate(part):
                self.assert_contains(whole[at], value, "%s[%d]" % (where, at))
        else:
            self.assertEqual(whole, part, where)

    def test_a_name_is_free_again_at_once_after_delete(self):
        for _ in range(2):
            self.assert_works(self.stint("submit", "again", "-p", "lab", "-i", "x:1", "--workers", "2", "--", "true"))
            self.assert_refused(self.stint("submit", "workspace", "again", "-p", "lab", "-i", "x:1"), 5, "again")
            service = self.api.get(self.path("api/v1", "services", "again"))
            self.assertEqual(service["metadata"]["ownerReferences"][0]["kind"], "Job")
            self.assert_works(self.stint("delete", "again", "-p", "lab", "-y"))
        self.assertFalse(self.exists(self.path("api/v1", "services", "again")))

    def test_a_workload_is_named_as_list_names_it(self):
        self.assert_works(self.stint("submit", "named", "-i", "x:1", "--", "true"))
        listed = self.assert_works(self.stint("list", "-o", "name")).out.split()
        self.assertIn("job.batch/named", listed)
        self.assert_works(self.stint("describe", "job.batch/named"))
        self.assert_works(self.stint("delete", "-y", "job.batch/named"))
        self.assertEqual(self.stint("describe", "secret/named").code, 3)

    def test_a_pod_group_takes_a_name_too(self):
        self.cluster.api.create("/apis/scheduling.run.ai/v2alpha2/namespaces/default/podgroups", {
            "apiVersion": "scheduling.run.ai/v2alpha2", "kind": "PodGroup", "metadata": {"name": "taken"}, "spec": {"minMember": 2}})
        self.addCleanup(self.cluster.api.call, "DELETE", "/apis/scheduling.run.ai/v2alpha2/namespaces/default/podgroups/taken")
        self.assert_refused(self.stint("submit", "taken", "-i", "x:1", "--", "true"), 5, "taken")

    def test_delete_goes_on_after_a_name_that_is_not_there(self):
        self.assert_works(self.stint("submit", "there", "-p", "lab", "-i", "x:1", "--", "true"))
        done = self.stint("delete", "missing", "there", "-p", "lab", "-y")
        self.assertEqual(done.code, 3, str(done))
        self.assertIn("there deleted", done.out)
        self.assertIn("missing", done.err)

    def test_nothing_is_asked_where_there_is_no_terminal(self):
        self.assert_works(self.stint("submit", "kept", "-p", "lab", "-i", "x:1", "--", "true"))
        self.assert_refused(self.stint("delete", "kept", "-p", "lab"), 2, "-y")
        self.assertTrue(self.exists(self.path("apis/batch/v1", "jobs", "kept")))
        self.assert_works(self.stint("delete", "kept", "-p", "lab", "-y"))

    def test_suspend_remembers_how_many_there_were(self):
        self.assert_works(self.stint("submit", "inference", "web", "-p", "lab", "-i", "x:1"))
        path = self.path("apis/apps/v1", "deployments", "web")
        self.api.call("PATCH", path, {"spec": {"replicas": 3}}, "application/merge-patch+json")
        self.assert_works(self.stint("suspend", "web", "-p", "lab"))
        self.assertEqual(self.api.get(path)["spec"]["replicas"], 0)
        self.assertIn("already", self.assert_works(self.stint("suspend", "web", "-p", "lab")).out)
        self.assert_works(self.stint("resume", "web", "-p", "lab"))
        deployment = self.api.get(path)
        self.assertEqual(deployment["spec"]["replicas"], 3)
        self.assertNotIn("stint.dev/suspended-replicas", deployment["metadata"].get("annotations", {}))
        self.assert_works(self.stint("delete", "web", "-p", "lab", "-y"))

    def test_a_file_of_several_objects_is_all_or_nothing(self):
        good = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "one"},
                "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x:1"}]}}}}
        bad = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "two"}, "spec": {"template": {"spec": {"containers": []}}}}
        refused = self.stint("submit", "-f", "-", "-p", "lab", stdin=json.dumps(good) + "\n---\n" + json.dumps(bad))
        self.assertEqual((refused.code, refused.out), (2, ""), str(refused))
        self.assertFalse(self.exists(self.path("apis/batch/v1", "jobs", "one")))
        self.assert_works(self.stint("submit", "-f", "-", "-p", "lab", stdin=json.dumps(good)))
        template = self.api.get(self.path("apis/batch/v1", "jobs", "one"))["spec"]["template"]
        self.assertEqual(template["spec"]["schedulerName"], "stint-scheduler")
        self.assertEqual(template["metadata"]["labels"]["kai.scheduler/queue"], "lab")
        self.assert_works(self.stint("delete", "one", "-p", "lab", "-y"))

    def test_files_are_submitted_together_and_all_that_they_make_is_named(self):
        def job(**metadata):
            return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": {
                "schedulerName": "kai-scheduler", "restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}}}
        folder = pathlib.Path(self.cluster.folder)
        (folder / "map.yaml").write_text(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "filed"}}))
        (folder / "job.yaml").write_text(json.dumps(job(name="filed")))
        done = self.assert_works(self.stint("submit", "-p", "lab", "-f", folder / "map.yaml", "-f", folder / "job.yaml"))
        self.assertEqual(done.out, "job.batch/filed submitted to project lab\nconfigmap/filed created in project lab\n")
        self.assertIn("kai-scheduler", done.err)
        made = self.api.get(self.path("apis/batch/v1", "jobs", "filed"))
        self.assertEqual(made["spec"]["template"]["spec"]["schedulerName"], "stint-scheduler")
        # Other kinds share no names with workloads.
        self.assert_works(self.stint("submit", "-p", "lab", "-f", "-", stdin=json.dumps(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "filed"}})))
        # A name that the server makes up is taken by nobody.
        for _ in range(2):
            named = self.assert_works(self.stint("submit", "-p", "lab", "-f", "-", "-o", "name", stdin=json.dumps(job(generateName="made-"))))
            self.assert_works(self.stint("delete", "-p", "lab", "-y", named.out.strip()))
        self.assert_works(self.stint("delete", "filed", "-p", "lab", "-y"))
        kit.eventually(lambda: not self.exists(self.path("api/v1", "configmaps", "filed")), "what came with the workload being gone")
        self.assertTrue(self.exists(self.path("api/v1", "secrets", "filed")))

    def test_an_output_that_is_closed_is_an_error_in_every_form(self):
        for words in ("list -A -o json", "project list", "project list -o json", "project list -o yaml", "project list -o name"):
            done = kit.run("sh", "-c", "exec '%s' %s >&-" % (kit.BIN / "stint", words), env=self.cluster.environment())
            self.assertEqual(done.code, 1, words + str(done))
            self.assertIn("Bad file descriptor", done.err, words)
        done = kit.run("sh", "-c", "exec '%s' project list 2>&- <&-" % (kit.BIN / "stint"), env=self.cluster.environment())
        self.assertIn("lab", self.assert_works(done).out)

    def test_submit_waits_as_long_as_it_is_told(self):
        waited = self.stint("submit", "late", "-p", "lab", "-i", "x:1", "--wait", "--timeout", "1s", "--", "true")
        self.assertEqual(waited.code, 6, str(waited))
        self.assertIn("stint why late", waited.err)
        self.assert_works(self.stint("delete", "late", "-p", "lab", "-y"))

    def test_a_file_is_waited_for_as_far_as_it_runs_pods(self):
        map_alone = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "alone"}})
        refused = self.stint("submit", "-f", "-", "-p", "lab", "--wait", stdin=map_alone)
        self.assert_refused(refused, 2, "--wait")
        self.assertFalse(self.exists(self.path("api/v1", "configmaps", "alone")))
        done = self.assert_works(self.stint("submit", "-f", "-", "-p", "lab", stdin=map_alone))
        self.assertEqual(done.out, "configmap/alone created in project lab\n")
        # The first has ended when it is waited for; the second never starts here.
        jobs = [{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"suspend": False, "template": {"spec": {
            "nodeName": node, "restartPolicy": "Never", "containers": [{"name": "c", "image": "x:1"}]}}}}
            for name, node in (("placed", self.api.get("/api/v1/nodes")["items"][0]["metadata"]["name"]), ("unplaced", None))]
        waited = self.stint("submit", "-f", "-", "-p", "lab", "--wait", "--timeout", "2s", stdin="\n---\n".join(map(json.dumps, jobs)))
        self.assert_works(self.stint("delete", "placed", "unplaced", "-p", "lab", "-y"))
        self.assertEqual(waited.code, 6, str(waited))
        self.assertIn('"unplaced" does not run yet', waited.err)
        jobs[0]["metadata"]["name"] = "beside"
        beside = dict(json.loads(map_alone), metadata={"name": "map-beside"})
        self.addCleanup(self.stint, "delete", "beside", "-p", "lab", "-y")
        self.assert_works(self.stint("submit", "-f", "-", "-p", "lab", "--wait", "--timeout", "%ds" % kit.DEADLINE_S,
                                     stdin="\n---\n".join(map(json.dumps, (beside, jobs[0])))))

    def test_submit_serves_the_scheduler_that_is_there_before_the_own_setting(self):
        self.api.create("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases", {
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "stint-scheduler", "annotations": {"stint.dev/scheduler-names": "served-here,too"}}})
        self.addCleanup(self.api.call, "DELETE", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/stint-scheduler")
        self.assert_works(self.stint("config", "set", "scheduler-names", "set-by-me"))
        self.addCleanup(self.stint, "config", "set", "scheduler-names", "--unset")

        def named(*words, **options):
            made = self.assert_works(self.stint("submit", "-p", "lab", *words, "-o", "json", **options)).json
            return made["spec"]["template"]["spec"]["schedulerName"]
        self.assertEqual(named("plain", "-i", "x:1", "--dry-run=client"), "set-by-me")
        self.assertEqual(named("plain", "-i", "x:1", "--dry-run=server"), "served-here")
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "filed"}, "spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "x:1"}]}}}}
        self.addCleanup(self.stint, "delete", "filed", "-p", "lab", "-y")
        self.assertEqual(named("-f", "-", stdin=json.dumps(job)), "served-here")

    def test_what_is_in_the_way_of_a_workload_is_named_with_what_to_do(self):
        services = "/api/v1/namespaces/lab/services"
        self.api.create(services, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door"}, "spec": {"ports": [{"port": 1}]}})
        self.addCleanup(self.api.call, "DELETE", services + "/door")
        refused = self.stint("submit", "workspace", "door", "-p", "lab", "-i", "x:1")
        self.assert_refused(refused, 5, '"door" already exists: give the workload another name, or delete that one first')
        self.assertFalse(self.exists("/apis/apps/v1/namespaces/lab/statefulsets/door"))

    def test_submit_refuses_words_that_it_would_have_to_guess_at(self):
        submit = ("submit", "guess", "-p", "lab", "-i", "x:1")
        self.assert_refused(self.stint(*submit, "--timeout", "3s"), 2, "--wait")
        self.assert_refused(self.stint(*submit, "--time", "4"), 2, "4h")
        self.assert_refused(self.stint(*submit, "--ttl", "30"), 2, "30m")

    def test_submit_tells_what_is_odd_and_goes_on(self):
        odd = self.stint("submit", "odd", "-p", "lab", "-i", "x:1", "--memory", "64", "--shm-size", "10", "--pvc", "nope:/data")
        self.addCleanup(self.stint, "delete", "odd", "-p", "lab", "-y")
        self.assertEqual(odd.code, 0, str(odd))
        for line in ("--memory 64 is less than a mebibyte (64 bytes)", "--shm-size 10", 'has no volume claim "nope" yet'):
            self.assertIn(line, odd.err)
        fine = self.assert_works(self.stint("submit", "fine", "-p", "lab", "-i", "x:1", "--memory", "64Mi", "--dry-run=server"))
        self.assertEqual(fine.err, "")

    def test_a_name_given_twice_is_deleted_once(self):
        self.assert_works(self.stint("submit", "double", "-p", "lab", "-i", "x:1"))
        done = self.assert_works(self.stint("delete", "double", "double", "-p", "lab", "-y"))
        self.assertEqual(done.out.count("deleted"), 1)

    def test_who_looks_is_led_to_all_projects(self):
        self.assert_refused(self.stint("list", "--all"), 2, "did you mean --all-projects?")

    def test_who_deletes_is_not_led_to_all_projects(self):
        refused = self.stint("delete", "--all", "-y")
        self.assert_refused(refused, 2, "has no flag --all: ")
        self.assertNotIn("all-projects", refused.err)

    def test_a_command_without_its_dashes_is_told_of_them(self):
        self.assert_refused(self.stint("exec", "tune", "ls", "-p", "lab"), 2, "-- ls")
        self.assert_refused(self.stint("submit", "foo", "-p", "lab", "-i", "x:1", "python", "x.py"), 2, "-- ")
        self.assert_refused(self.stint("submit", "foo", "-p", "lab", "-i", "x:1", "python"), 2, "put -- before it")
        self.assert_refused(self.stint("submit", "foo", "-i", "x:1", "python", "train.py"), 2, 'as in "-- python train.py"')
        self.assert_refused(self.stint("submit", "train", "foo", "-i", "x:1", "python", "train.py"), 2, 'as in "-- python train.py"')
        self.assert_refused(self.stint("exec", "foo", "ls", "/tmp"), 2, 'as in "-- ls /tmp"')
        self.assert_refused(self.stint("submit", "-f", self.cluster.folder), 2, "cannot read")

    def test_an_order_by_nothing_names_the_columns(self):
        for command in (["list"], ["top", "gpus"], ["project", "list"], ["top", "projects"]):
            self.assert_refused(self.stint(*command, "--sort-by", "bogus"), 2, "choose among")
        self.assert_works(self.stint("list", "--sort-by", "-started"))

    def test_memory_of_a_gpu_is_a_size_and_never_0(self):
        self.assert_works(self.stint("submit", "sized", "-p", "lab", "-i", "x:1", "--gpu-memory", "10Gi", "--", "true"))
        item = self.assert_works(self.stint("list", "-p", "lab", "-o", "json")).json["items"][0]
        self.assertEqual((item.get("gpus_requested"), item["gpu_memory_requested_mib"]), (None, 10240))
        self.assertIn("10Gi", self.assert_works(self.stint("top", "workloads", "-p", "lab")).out)
        self.assertIn("10Gi", self.assert_works(self.stint("top", "projects")).out)
        self.assertIn("10240", self.assert_works(self.stint("list", "-p", "lab", "-o", "csv")).out)
        self.assert_works(self.stint("delete", "sized", "-p", "lab", "-y"))

    def test_a_system_namespace_is_no_project(self):
        self.assert_refused(self.stint("project", "create", "kube-system", "--adopt"), 2, "kube-system")
        self.assert_refused(self.stint("project", "create", "small", "--gpus", "4", "--gpu-limit", "2"), 2, "limit")

    def test_a_file_that_the_kubeconfig_names_and_that_is_not_there_is_said_so(self):
        lacking = pathlib.Path(self.cluster.folder) / "lacking"
        lines = self.cluster.kubeconfig.read_text().splitlines()
        lacking.write_text("\n".join("    certificate-authority: /nowhere/ca.crt" if "certificate-authority" in line else line for line in lines))
        for command in (["submit", "x", "-i", "x:1", "-p", "vision"], ["list"], ["describe", "x"], ["wait", "x"], ["top"], ["project", "list"]):
            self.assert_refused(self.stint(*command, "--kubeconfig", lacking), 2, "/nowhere/ca.crt")


class Meant(Cli):
    """What is nearly right is answered with what was meant."""

    def test_a_name_that_is_nearly_one_is_told_which(self):
        self.assert_works(self.stint("submit", "train", "-p", "lab", "-i", "x:1", "--", "true"))
        self.addCleanup(self.stint, "delete", "train", "-p", "lab", "-y")
        for verb in ("describe", "suspend", "logs"):
            self.assert_refused(self.stint(verb, "tran", "-p", "lab"), 3, 'did you mean "train"?')
        self.assert_refused(self.stint("describe", "other", "-p", "lab"), 3, "stint list -p lab")

    def test_a_pod_is_told_whose_it_is(self):
        self.assert_works(self.stint("submit", "owner", "-p", "lab", "-i", "x:1", "--", "true"))
        self.addCleanup(self.stint, "delete", "owner", "-p", "lab", "-y")
        pod = kit.eventually(lambda: self.api.pods("lab", "job-name%3Downer"), "the pod")[0]["metadata"]["name"]
        for words in (["describe", pod], ["suspend", pod], ["delete", pod, "-y"]):
            self.assert_refused(self.stint(*words, "-p", "lab"), 3, 'is a pod of workload "owner"')
        done = self.stint("logs", "owner", "-p", "lab")
        self.assert_refused(done, 1, "stint why owner -p lab")

    def test_a_type_that_is_nearly_one_is_told_which(self):
        self.assert_refused(self.stint("submit", "workspce", "w", "-i", "x:1"), 2, "did you mean workspace?")

    def test_what_is_wrong_with_a_file_is_said_with_its_name(self):
        path = pathlib.Path(self.cluster.folder) / "bad.yaml"
        path.write_text("kind: Job\napiVersion: batch/v1\n")
        self.assert_refused(self.stint("submit", "-f", str(path)), 2, "bad.yaml: the Job of the file has no name")
        self.assert_refused(self.stint("submit", "-f", "-", stdin="a: 1\n"), 2, "standard input: the file holds")

    def test_a_project_that_is_not_there_is_no_answer_to_whoami(self):
        self.assert_refused(self.stint("whoami", "-p", "nosuch"), 3, "nosuch")
        self.assert_works(self.stint("whoami", "-p", "lab"))

    def test_a_capital_v_is_told_of_version(self):
        self.assert_refused(self.stint("-V"), 2, 'did you mean "stint version"?')


class Nobody(Cli):
    def test_the_priority_class_that_counts_is_shown(self):
        self.assert_works(self.stint("submit", "raised", "-p", "lab", "-i", "x:1"))
        self.addCleanup(self.stint, "delete", "raised", "-p", "lab", "-y")
        self.assertNotIn("were made with", self.assert_works(self.stint("describe", "raised", "-p", "lab")).out)
        job = "/apis/batch/v1/namespaces/lab/jobs/raised"
        status, changed = self.api.call("PATCH", job, {"metadata": {"labels": {"priorityClassName": "build-preemptible"}}}, "application/merge-patch+json")
        self.assertEqual(status, 200, changed)
        described = self.assert_works(self.stint("describe", "raised", "-p", "lab")).out
        self.assertRegex(described, r"Priority: +build-preemptible \(its label priorityClassName; its pods were made with train\)")
        listed = self.assert_works(self.stint("list", "-p", "lab", "-o", "json")).json["items"]
        self.assertEqual([item["priority_class"] for item in listed if item["name"] == "raised"], ["build-preemptible"])

    def test_what_keeps_pods_from_being_made_is_named(self):
        space = "/apis/apps/v1/namespaces/lab/deployments"
        pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"schedulerName": "stint-scheduler", "priorityClassName": "nope",
                                                            "containers": [{"name": "c", "image": "x:1"}]}}
        self.api.create(space, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "hollow"},
                                "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod}})
        self.addCleanup(self.api.call, "DELETE", space + "/hollow")

        def told():
            answer = self.stint("why", "hollow", "-p", "lab").out
            self.assertRegex(answer, r"hollow waits: NoPods\n  ReplicaSet hollow-\w+ could not make its pods \(FailedCreate, .* ago\): .*"
                                     r"no PriorityClass with name nope was found")
            return True
        kit.eventually(told)
        self.assertRegex(self.assert_works(self.stint("describe", "hollow", "-p", "lab")).out, r"FailedCreate +hollow-\w+ ")

    def test_why_says_that_no_scheduler_has_come(self):
        self.assert_works(self.stint("submit", "alone", "-p", "lab", "-i", "x:1", "-g", "1"))
        self.addCleanup(self.stint, "delete", "alone", "-p", "lab", "-y")

        def told():
            answer = self.stint("why", "alone", "-p", "lab")
            self.assertIn("alone waits: NoScheduler\n  no scheduler has come to this cluster yet", answer.out)
            self.assertIn("no scheduler has come to this cluster yet", answer.err)
            return True
        kit.eventually(told)

    def test_why_says_that_the_scheduler_which_holds_the_lease_is_silent(self):
        self.assert_works(self.stint("submit", "unseen", "-p", "lab", "-i", "x:1", "-g", "1"))
        self.addCleanup(self.stint, "delete", "unseen", "-p", "lab", "-y")
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
        self.api.create(leases, {  # it answers at a port that nobody listens on
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "stint-scheduler", "annotations": {"stint.dev/endpoint": "https://127.0.0.1:1"}},
            "spec": {"holderIdentity": "silent", "leaseDurationSeconds": 3600,
                     "renewTime": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())}})
        self.addCleanup(self.api.call, "DELETE", leases + "/stint-scheduler")

        def told():
            answer = self.stint("why", "unseen", "-p", "lab")
            self.assertIn("unseen waits: NotJudgedYet\n  the scheduler that holds the Lease has not looked at it and does not answer", answer.out)
            self.assertIn("takes over when the Lease has run out", answer.out)
            self.assertIn("the scheduler could not be asked (by its Lease: ", answer.err)
            return answer.code == 0
        kit.eventually(told)

    def test_the_dashboard_says_that_whoever_holds_the_lease_is_silent(self):
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
        self.api.create(leases, {
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "stint-scheduler"},
            "spec": {"holderIdentity": "silent", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z"}})
        self.addCleanup(self.api.call, "DELETE", leases + "/stint-scheduler")
        frame = self.assert_works(self.stint("dashboard", "--once", "--size", "160x40"))
        self.assertRegex(frame.out, r"no scheduler works: silent holds the Lease stint-scheduler and has not renewed it for \d")


class Simulate(Cli):
    def example(self):
        text = (pathlib.Path(__file__).resolve().parents[2] / "docs/scenarios.md").read_text()
        return json.loads(text.split("```json\n")[1].split("```")[0])

    def test_the_example_of_the_documentation_is_a_scenario_in_which_quota_is_reclaimed(self):
        result = self.assert_works(self.stint("simulate", "-", "-o", "json", stdin=json.dumps(self.example())))
        self.assertEqual(result.err, "")
        evicted = [decision["pod"] for decision in result.json["rounds"][0]["decisions"] if decision["op"] == "evict"]
        self.assertEqual(len(evicted), 2)

    def test_what_a_scenario_does_not_know_is_told_and_ignored(self):
        result = self.stint("simulate", "-", stdin=json.dumps(dict(self.example(), node=[], expect={})))
        self.assertEqual(result.code, 0, str(result))
        self.assertIn('not known and ignored: "node"\n', result.err)

    def test_files_that_are_not_there_and_folders_have_the_exit_codes_of_the_help(self):
        for command in (("simulate",), ("submit", "-f"), ("sandbox", "up", "--dir", "/nonexistent/x", "-f")):
            self.assert_refused(self.stint(*command, "/nonexistent/file"), 3, "cannot read /nonexistent/file")
            self.assert_refused(self.stint(*command, "/"), 2, "cannot read /: Is a directory")
            self.assertIn("3 not found", self.stint(*command[:2 if command[0] == "sandbox" else 1], "--help").out)

    def test_flags_of_traces_are_refused_without_one(self):
        for flag in (("--policy", "foo"), ("--seeds", "1-2"), ("--arrivals",)):
            self.assert_refused(self.stint("simulate", "x.json", *flag), 2, flag[0] + " is for the replay of a trace")

    def test_what_is_read_is_never_written_over(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            files = {"scenario": json.dumps(self.example()), "pods": "a,b\n", "nodes": "c,d\n"}
            for name, text in files.items():
                (path / name).write_text(text)
            (path / "soft").symlink_to(path / "scenario")
            (path / "hard").hardlink_to(path / "scenario")
            trace = ("--trace", path / "pods", "--nodes", path / "nodes", "--policy", "fgd", "--seeds", "1-1")
            for command in ((path / "scenario", "--journal", path / "scenario"), (path / "soft", "--journal", path / "scenario"),
                            (path / "scenario", "--journal", path / "soft"), (path / "scenario", "--journal", path / "hard"),
                            (*trace, "--svg", path / "pods"), (*trace, "--svg", "%s/./nodes" % folder)):
                self.assert_refused(self.stint("simulate", *command), 2, "would write over the input")
            redirected = kit.run("sh", "-c", '"$0" simulate - --journal "$1" < "$1"', kit.BIN / "stint", path / "scenario")
            self.assert_refused(redirected, 2, "would write over the input standard input")
            for name, text in files.items():
                self.assertEqual((path / name).read_text(), text)
            self.assert_works(self.stint("simulate", "-", "--journal", path / "new", stdin=files["scenario"]))
            self.assert_refused(self.stint("simulate", path / "new"), 2, "new is a journal and no scenario")


class Surroundings(Cli):
    def test_a_flag_that_would_do_nothing_is_refused(self):
        for words in (["project", "list", "-p", "lab"], ["department", "list", "-A"], ["config", "list", "-n", "lab"], ["top", "nodes", "-A"],
                      ["top", "projects", "-p", "lab"], ["node", "list", "-A"], ["-p", "lab", "version"]):
            self.assert_refused(self.stint(*words), 2, "acts in no project")
        self.assertNotIn("--all-projects", self.stint("project", "list", "--help").out)
        self.assertIn("--all-projects", self.stint("list", "--help").out)

    def test_verbose_can_be_taken_back(self):
        self.assertIn("GET", self.stint("-v", "list").err)
        for words in (["--verbose=false"], ["-v", "-v", "--verbose=false"]):
            self.assertNotIn("GET", self.stint(*words, "list").err)

    def test_verbose_shows_each_request_and_no_credential(self):
        once = self.assert_works(self.stint("list", "-p", "lab", "-v"))
        self.assertRegex(once.err, r"(?m)^stint: GET /api/v1/namespaces/lab/pods: 200 in \d+ ms$")
        twice = self.assert_works(self.stint("list", "-p", "lab", "-vv"))
        self.assertRegex(twice.err, r"(?m)^stint: > GET https://\S+/api/v1/namespaces/lab/pods")
        self.assertRegex(twice.err, r"(?m)^stint: < GET /api/v1/namespaces/lab/pods\S*: 200 in \d+ ms, \d+ bytes$")
        self.assertNotIn("Bearer", twice.err)
        self.assertEqual(self.assert_works(self.stint("list", "-p", "lab", "-o", "json")).err, "")

    def test_names_are_completed_from_the_cluster(self):
        self.assert_works(self.stint("submit", "complete-me", "-p", "lab", "-i", "x:1", "--", "true"))

        def offers(*words):
            return [line.split("\t")[0] for line in self.assert_works(self.stint("__complete", "--", *words)).out.splitlines()]
        self.assertEqual(offers("delete", "-p", "lab", "comp"), ["complete-me"])
        self.assertEqual(offers("delete", "--project=lab", "comp"), ["complete-me"])
        self.assertEqual(offers("project", "describe", "l"), ["lab"])
        self.assertEqual(offers("submit", "--priority", "tr"), ["train"])
        self.assertEqual(offers("--context", "stint"), ["stint-sandbox"])
        self.assert_works(self.stint("delete", "complete-me", "-p", "lab", "-y"))

    def test_completion_of_names_gives_up_soon_when_nobody_answers(self):
        dead = pathlib.Path(self.cluster.folder) / "silent"
        dead.write_text("apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: a, cluster: {server: \"https://192.0.2.1:1\"}}]\n"
                        "contexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {}}]\n")
        started = time.monotonic()
        done = self.assert_works(self.stint("__complete", "--", "--kubeconfig", str(dead), "delete", ""))
        self.assertEqual((done.out, done.err), ("", ""))
        self.assertLess(time.monotonic() - started, 10)

    def test_a_running_sandbox_is_found_without_a_kubeconfig(self):
        """Its folder is the default one of this home: ${XDG_STATE_HOME}/stint/sandbox."""
        state = pathlib.Path(self.cluster.folder) / "state"
        (state / "stint").mkdir(parents=True)
        (state / "stint" / "sandbox").symlink_to(self.cluster.folder)
        environment = {"HOME": str(state), "XDG_STATE_HOME": str(state), "PATH": os.environ["PATH"]}
        found = kit.run(kit.BIN / "stint", "project", "list", env=environment)
        self.assertEqual(found.code, 0, str(found))
        self.assertIn("using the sandbox", found.err)
        self.assertIn("lab", found.out)

    def test_who_i_am_and_what_i_may(self):
        me = self.assert_works(self.stint("whoami", "-p", "lab", "-o", "json")).json
        self.assertTrue(me["user"])
        self.assertEqual((me["project"], me["may"]["submit"]), ("lab", True))

    def test_versions_of_both_sides(self):
        version = self.assert_works(self.stint("version", "-o", "json")).json
        self.assertTrue(version["client"]["version"] and version["server"]["version"])


if __name__ == "__main__":
    kit.main()
