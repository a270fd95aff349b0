"""The scheduler as others see it: what it binds and what it says, over its own Lease, listener and restarts. On a sandbox with a scheduler of
the test's own."""

import json
import re
import signal
import ssl
import time
import urllib.error
import urllib.request

import kit

NAMESPACE = "/api/v1/namespaces/default/pods"


def pod(name, gpus=None, scheduler="stint-scheduler", **annotations):
    container = {"name": "main", "image": "local/busybox:1", "resources": {"requests": {"cpu": "10m"}}}
    if gpus:
        container["resources"]["limits"] = {"nvidia.com/gpu": str(gpus)}
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "annotations": {key.replace("_", "-"): value for key, value in annotations.items()}},
            "spec": {"schedulerName": scheduler, "terminationGracePeriodSeconds": 0, "containers": [container]}}


class Scheduler(kit.Case):
    """Two nodes of four devices and the project `default`, whose queue has eight of quota."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.Sandbox("--nodes", "2", "--gpus", "4", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.api = cls.cluster.api

    def setUp(self):
        self.addCleanup(self.clear)

    def clear(self):
        for kind in ("/apis/batch/v1/namespaces/default/jobs", "/apis/scheduling.run.ai/v2alpha2/namespaces/default/podgroups"):
            for item in self.api.get(kind)["items"]:
                self.api.call("DELETE", "%s/%s" % (kind, item["metadata"]["name"]), {"propagationPolicy": "Background"})
        for item in self.api.pods("default"):
            self.api.call("DELETE", "%s/%s" % (NAMESPACE, item["metadata"]["name"]))
        kit.eventually(lambda: not self.api.pods("default"), "the pods being gone")

    def create(self, *bodies):
        for body in bodies:
            self.api.create(NAMESPACE, body)

    def get(self, name):
        return self.api.get("%s/%s" % (NAMESPACE, name))

    def node_of(self, name):
        return self.get(name)["spec"].get("nodeName")

    def bound(self, *names):
        kit.eventually(lambda: all(self.node_of(name) for name in names), "%s being bound" % ", ".join(names))

    def reason(self, name):
        for condition in self.get(name)["status"].get("conditions", []):
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return condition["message"].split(":")[0]
        return None

    def waits_for(self, name, reason):
        kit.eventually(lambda: self.reason(name) == reason, "%s waiting with reason %s, not %s" % (name, reason, self.reason(name)))

    def lease(self):
        return self.api.get("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/stint-scheduler")

    def ask(self, path, certificate=False, token=None):
        """GET from the scheduler's listener, found by the Lease, its certificate checked against the CA that the Lease names."""
        annotations = self.lease()["metadata"]["annotations"]
        context = ssl.create_default_context(cadata=annotations["stint.dev/endpoint-ca"])
        if certificate:
            folder = self.cluster.kubeconfig.parent
            context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
        request = urllib.request.Request(annotations["stint.dev/endpoint"] + path)
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            with urllib.request.urlopen(request, context=context, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def test_shares_fill_one_device_before_the_next_is_opened(self):
        with self.cluster.scheduler("--leader-elect=false"):
            self.create(pod("a", gpu_fraction="0.5"), pod("b", gpu_fraction="0.5"), pod("c", gpu_memory="20480"), pod("d", gpus=2))
            self.bound("a", "b", "c", "d")
        pods = self.api.pods("default")
        self.assertEqual(kit.overcommitted(pods), {})
        self.assertEqual(len(kit.gpu_shares(pods)), 4)

    def test_past_use_counts_against_a_queue_and_outlives_the_scheduler(self):
        for name in ("greedy", "modest"):
            self.cluster.project(name, 0)
            self.addCleanup(self.cluster.remove_project, name)
        sums = {"cpu": 1000, "memory": 1000, "gpu": 1000, "busy": int(time.time() * 1000)}
        kept = {"version": 1, "at": int(time.time() * 1000), "cluster": sums, "queues": {"greedy": dict(sums, gpu=900)}}
        maps = "/api/v1/namespaces/kube-system/configmaps"
        self.api.create(maps, {"metadata": {"name": "stint-usage"}, "data": {"usage": json.dumps(kept)}})
        self.addCleanup(self.api.call, "DELETE", maps + "/stint-usage")
        for name in ("greedy", "modest"):
            for i in range(8):
                self.api.create("/api/v1/namespaces/%s/pods" % name, pod("%s-%d" % (name, i), gpus=1))
        bound = lambda name: sum(1 for item in self.api.pods(name) if item["spec"].get("nodeName"))
        with self.cluster.scheduler("--leader-elect=false", "--usage-half-life", "7d"):
            kit.eventually(lambda: bound("greedy") + bound("modest") == 8, "the cluster being full")
            self.assertEqual((bound("greedy"), bound("modest")), (1, 7))
            saved = lambda: json.loads(self.api.get(maps + "/stint-usage")["data"]["usage"])
            kit.eventually(lambda: "modest" in saved()["queues"], "the use of both queues being kept")

    def test_a_gang_starts_whole_or_not_at_all_and_its_minimum_falls(self):
        job = {"apiVersion": "batch/v1", "kind": "Job",
               "metadata": {"name": "gang", "annotations": {"kai.scheduler/batch-min-member": "3"}},
               "spec": {"completions": 3, "parallelism": 3, "completionMode": "Indexed", "template": {
                   "metadata": {"annotations": {"sim/run-seconds": "1"}},
                   "spec": dict(pod("x", gpus=4)["spec"], restartPolicy="Never")}}}
        with self.cluster.scheduler("--leader-elect=false"):
            self.api.create("/apis/batch/v1/namespaces/default/jobs", job)
            kit.eventually(lambda: len(self.api.pods("default")) == 3, "three pods")
            for item in self.api.pods("default"):
                self.waits_for(item["metadata"]["name"], "GangNeverFits")
            self.assertFalse(any(p["spec"].get("nodeName") for p in self.api.pods("default")))
            extra = self.cluster.make_nodes(1, gpus=4, prefix="extra")
            self.addCleanup(self.cluster.remove_nodes, extra)
            kit.eventually(lambda: all(p["status"]["phase"] == "Succeeded" for p in self.api.pods("default")), "the gang having run")

    def test_a_pod_group_object_rules_and_is_waited_for(self):
        members = [pod("m%d" % at, gpus=1, pod_group_name="pg") for at in range(2)]
        with self.cluster.scheduler("--leader-elect=false"):
            self.create(members[0])
            self.waits_for("m0", "PodGroupDoesNotExist")
            self.api.create("/apis/scheduling.run.ai/v2alpha2/namespaces/default/podgroups", {
                "apiVersion": "scheduling.run.ai/v2alpha2", "kind": "PodGroup", "metadata": {"name": "pg"},
                "spec": {"minMember": 2, "queue": "default"}})
            self.waits_for("m0", "Incomplete")
            self.create(members[1])
            self.bound("m0", "m1")

    def test_a_preemption_delay_ends_by_itself_where_nothing_else_happens(self):
        groups = "/apis/scheduling.run.ai/v2alpha2/namespaces/default/podgroups"
        with self.cluster.scheduler("--leader-elect=false"):
            self.create(pod("low-0", gpus=4), pod("low-1", gpus=4))
            self.bound("low-0", "low-1")
            self.api.create(groups, {
                "apiVersion": "scheduling.run.ai/v2alpha2", "kind": "PodGroup", "metadata": {"name": "patient"},
                "spec": {"minMember": 1, "queue": "default", "priorityClassName": "inference", "preemptionDelay": "3s"}})
            self.create(pod("high", gpus=4, pod_group_name="patient"))
            started = time.monotonic()
            self.bound("high")
            took = time.monotonic() - started
        # Created in a whole second, so up to one less; chance news comes every ten to twenty seconds.
        self.assertGreater(took, 1.5)
        self.assertLess(took, 8)
        self.assertEqual(len(self.api.pods("default")), 2)

    def test_a_waiting_pod_is_told_once_why_and_again_only_when_the_reason_is_another(self):
        with self.cluster.scheduler("--leader-elect=false"):
            self.create(pod("full-0", gpus=4), pod("full-1", gpus=3))
            self.bound("full-0", "full-1")
            self.create(pod("waiter", gpus=2))
            self.waits_for("waiter", "NoRoom")
            events = kit.eventually(lambda: [e for e in self.api.get("/api/v1/namespaces/default/events")["items"]
                                             if e["involvedObject"]["name"] == "waiter"], "an event")
            self.assertEqual(events[0]["reason"], "FailedScheduling")
            version = self.get("waiter")["metadata"]["resourceVersion"]
            self.create(pod("small", gpus=1))  # a change that makes it be tried again, in vain
            self.bound("small")
            self.assertEqual(self.get("waiter")["metadata"]["resourceVersion"], version)
            self.api.call("DELETE", NAMESPACE + "/full-0")
            self.bound("waiter")

    def test_what_cannot_be_read_as_a_request_never_runs_and_says_so(self):
        with self.cluster.scheduler("--leader-elect=false"):
            self.create(pod("odd", gpu_fraction="1.5"), pod("huge", gpus=5))
            self.waits_for("odd", "InvalidRequest")
            self.waits_for("huge", "NeverFits")

    def test_only_the_served_names_are_placed(self):
        with self.cluster.scheduler("--leader-elect=false", "--scheduler-name", "stint-scheduler,kai-scheduler"):
            self.create(pod("kai", gpus=1, scheduler="kai-scheduler"), pod("foreign", gpus=1, scheduler="somebody-else"), pod("ours", gpus=1))
            self.bound("kai", "ours")
            self.assertIsNone(self.node_of("foreign"))

    def test_a_share_on_a_real_node_needs_wiring(self):
        name = "real-0"
        amounts = {"cpu": "8", "memory": "64Gi", "pods": "110", "nvidia.com/gpu": "2"}
        self.api.create("/api/v1/nodes", {
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"real": "yes", "nvidia.com/gpu.memory": "81920"}},
            "status": {"capacity": amounts, "allocatable": amounts, "conditions": [{"type": "Ready", "status": "True"}]}})
        self.addCleanup(self.cluster.remove_nodes, [name])
        unwired, wired = pod("unwired", gpu_fraction="0.5"), pod("wired", gpu_fraction="0.5")
        for body in (unwired, wired):
            body["spec"]["nodeSelector"] = {"real": "yes"}
        wired["spec"]["containers"][0]["env"] = [{"name": "NVIDIA_VISIBLE_DEVICES", "valueFrom": {
            "fieldRef": {"fieldPath": "metadata.annotations['stint.dev/gpu-uuids']"}}}]
        with self.cluster.scheduler("--leader-elect=false"):
            self.create(unwired, wired)
            self.waits_for("unwired", "NoDeviceWiring")
            holder = kit.eventually(lambda: self.api.pods("stint-reservation"), "a holder")[0]
            self.assertRegex(holder["metadata"]["name"], "^gpu-[0-9a-f]{16}$")
            self.assertEqual(holder["spec"]["nodeName"], name)
            # Nobody runs it here, so it never tells a UUID, and the share must not be bound without one.
            self.assertIsNone(self.node_of("wired"))
            self.api.call("DELETE", NAMESPACE + "/wired")
            kit.eventually(lambda: all(p["metadata"].get("deletionTimestamp") for p in self.api.pods("stint-reservation")),
                           "the holder being let go")

    def test_a_killed_scheduler_loses_nothing_and_does_nothing_twice(self):
        shares = [pod("s%02d" % at, gpu_fraction="0.25") for at in range(24)]
        self.create(*shares, pod("w0", gpus=1), pod("w1", gpus=1))
        placed = 0
        for _ in range(4):
            with self.cluster.scheduler("--leader-elect=false") as scheduler:
                kit.eventually(lambda: sum(1 for p in self.api.pods("default") if p["spec"].get("nodeName")) > min(placed, 25), "a bind")
                scheduler.send_signal(signal.SIGKILL)
                scheduler.wait()
            placed = sum(1 for p in self.api.pods("default") if p["spec"].get("nodeName"))
        with self.cluster.scheduler("--leader-elect=false"):
            kit.eventually(lambda: all(p["spec"].get("nodeName") for p in self.api.pods("default")), "all pods being bound")
        pods = self.api.pods("default")
        self.assertEqual(len(pods), 26)
        self.assertEqual(kit.overcommitted(pods), {})
        self.assertEqual(len(kit.gpu_shares(pods)), 8)

    def test_a_clean_end_gives_the_lease_away_at_once(self):
        with self.cluster.scheduler() as first:
            kit.eventually(lambda: self.lease()["spec"].get("holderIdentity"), "a leader")
            with self.cluster.scheduler() as second:
                first.send_signal(signal.SIGTERM)
                self.assertEqual(first.wait(timeout=kit.DEADLINE_S), 0, first.output())
                ended = time.monotonic()
                self.create(pod("after", gpus=1))
                self.bound("after")
                self.assertLess(time.monotonic() - ended, 10)
                second.send_signal(signal.SIGTERM)
                self.assertEqual(second.wait(timeout=kit.DEADLINE_S), 0, second.output())
        self.assertFalse(self.lease()["spec"].get("holderIdentity"))

    def test_a_leader_that_slept_too_long_stands_by_and_leads_again_later(self):
        with self.cluster.scheduler() as sleeper:
            kit.eventually(lambda: "scheduling begins" in sleeper.output(), "the first leading")
            sleeper.send_signal(signal.SIGSTOP)
            with self.cluster.scheduler() as other:
                self.create(pod("one", gpus=4))
                kit.eventually(lambda: self.node_of("one"), "the other taking over", timeout=kit.DEADLINE_S + 15)
                self.create(pod("two", gpus=2))
                sleeper.send_signal(signal.SIGCONT)
                kit.eventually(lambda: "standing by" in sleeper.output(), "the sleeper standing by")
                self.bound("two")
                other.send_signal(signal.SIGTERM)
                other.wait()
            self.create(pod("three", gpus=2))
            self.bound("three")
            self.assertIsNone(sleeper.poll())
        self.assertEqual(kit.overcommitted(self.api.pods("default")), {})

    def test_metrics_and_health_are_served_to_everybody_and_why_to_whom_it_knows(self):
        with self.cluster.scheduler():
            self.create(pod("full-0", gpus=4), pod("full-1", gpus=4))
            self.bound("full-0", "full-1")
            self.create(pod("waiter", gpus=1))
            self.waits_for("waiter", "NoRoom")
            kit.eventually(lambda: self.ask("/readyz")[0] == 200, "being ready")
            self.assertEqual(self.ask("/healthz"), (200, "ok\n"))
            status, metrics = self.ask("/metrics")
            self.assertEqual(status, 200)
            self.assertRegex(metrics, r'(?m)^kai_queue_allocated_gpus\{queue_name="default".*\} 8$')
            self.assertRegex(metrics, r'(?m)^stint_scheduler_waiting_pods\{reason="NoRoom"\} 1$')
            self.assertRegex(metrics, r'(?m)^stint_scheduler_leader 1$')
            for line in metrics.splitlines():
                self.assertRegex(line, r'^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{[^}]*\})? [0-9.eE+-]+)$')

            self.assertEqual(self.ask("/v1/why/default/waiter")[0], 401)
            self.assertEqual(self.ask("/v1/why/default/waiter", token="nonsense")[0], 401)
            status, text = self.ask("/v1/why/default/waiter", certificate=True)
            self.assertEqual(status, 200, text)
            record = json.loads(text)
            self.assertEqual((record["phase"], record["reason"], record["never"]), ("Waiting", "NoRoom", False))
            self.assertEqual({holder["workload"] for holder in record["holders"]}, {"full-0", "full-1"})
            self.assertEqual(self.ask("/v1/why/default/unheard-of", certificate=True)[0], 404)
            self.assertEqual(self.ask("/v1/why/..%2f/x", certificate=True)[0], 404)

    def test_why_says_who_told_it_and_what_can_never_run_ends_with_seven(self):
        with self.cluster.scheduler():
            kit.eventually(lambda: self.lease()["metadata"].get("annotations", {}).get("stint.dev/endpoint"), "the endpoint")
            self.create(pod("huge", gpus=5))
            self.waits_for("huge", "NeverFits")
            told = self.cluster.stint("why", "huge", "-o", "json")
            self.assertEqual(told.code, 7, str(told))
            self.assertRegex(told.json["source"], "^stint-scheduler at https://")
            # It would take who acts as bob for the real person, and name what bob may not see.
            as_bob = self.cluster.kubeconfig.with_name("as-bob")
            text = self.cluster.kubeconfig.read_text()
            as_bob.write_text(re.sub(r"(?m)^( *)client-certificate:", r"\1as: bob\n\1client-certificate:", text))
            self.assertIn("as: bob", as_bob.read_text())
            told = self.cluster.stint("why", "huge", "-o", "json", "--kubeconfig", as_bob)
            self.assertEqual((told.code, told.json["source"]), (7, "condition and events of its pods"), str(told))
            self.assertIn('not for "bob"', told.err)
        # Nobody answers there any more: what is left is what stands in the pod.
        told = self.cluster.stint("why", "huge")
        self.assertEqual(told.code, 7, str(told))
        self.assertIn("could not be asked", told.err)
        self.assertRegex(told.out, r"(?s)NeverFits.*Told by: +condition and events")

    def test_why_says_of_what_overran_its_time_that_it_did(self):
        with self.cluster.scheduler():
            self.assert_works(self.cluster.stint("submit", "short", "-p", "default", "-i", "x:1", "-g", "1", "--time", "1s"))
            kit.eventually(lambda: self.cluster.stint("list", "-p", "default", "--status", "failed", "-o", "name").out, "its end")

            def told():  # the scheduler may not have seen the Job's end yet
                answer = self.cluster.stint("why", "short", "-p", "default")
                self.assertIn("short has no pods that could be placed: DeadlineExceeded\n", answer.out)
                self.assertIn("  it ran for as long as its --time (activeDeadlineSeconds) allows, and was ended\n", answer.out)
                self.assertRegex(answer.out, "Told by: +stint-scheduler at https://")
                return answer.code == 0
            kit.eventually(told)

    def test_bad_options_are_refused_before_anything_is_done(self):
        for arguments, words in ((["--scheduler-name", "Not_A_Name"], "Not_A_Name"), (["--gpu-placement", "heap"], "heap"),
                                 (["--config", "/nonexistent"], "/nonexistent"), (["stray"], "stray"),
                                 (["--kubeconfig", "/nonexistent"], "/nonexistent"),
                                 (["--kubeconfig", self.cluster.kubeconfig, "--journal", "/nonexistent/x"], "/nonexistent/x")):
            with self.subTest(arguments):
                done = kit.run(kit.BIN / "stint-scheduler", *arguments, timeout=20)
                self.assertNotEqual(done.code, 0)
                self.assertIn(words, done.err)
                self.assertEqual(len(done.err.strip().splitlines()), 1, str(done))
        self.assertTrue(re.match(r"stint-scheduler \d+\.\d+", kit.run(kit.BIN / "stint-scheduler", "--version").out))


if __name__ == "__main__":
    kit.main()
