"""The verbs that read: list, describe, wait, events, top and node list, against a sandbox without a scheduler.

Pods are bound by the test, so that what each verb has to say is known to the device.
"""

import subprocess
import threading
import time

import kit

PODS = "/api/v1/namespaces/%s/pods"


class Reading(kit.Case):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = kit.Sandbox("--nodes", "2", "--gpus", "4", "--no-scheduler")
        cls.addClassCleanup(cls.sandbox.close)
        cls.sandbox.project("vision", 4)
        for arguments in (["half", "-g", "0.5"], ["whole", "-g", "2"], ["cpu"], ["waits", "-g", "1"], ["gone", "--annotation", "sim/run-seconds=0"],
                          ["bad", "--annotation", "sim/run-seconds=0", "--annotation", "sim/exit-code=3"]):
            done = cls.sandbox.stint("submit", "-p", "vision", *arguments, "-i", "busybox", "--", "true")
            assert done.code == 0, str(done)
        done = cls.sandbox.stint("submit", "workspace", "desk", "-p", "vision", "-i", "jupyter", "-g", "0.5")
        assert done.code == 0, str(done)
        cls.bind("half", "node-0", "0")
        cls.bind("desk", "node-0", "0")
        cls.bind("whole", "node-1", "1,2")
        for name in ("cpu", "gone", "bad"):
            cls.bind(name, "node-0", None)
        kit.eventually(lambda: cls.phases() == {"half": "Running", "whole": "Running", "cpu": "Running", "waits": "Pending", "gone": "Succeeded",
                                                "bad": "Failed", "desk": "Running"}, "the workloads being in their phases")

    @classmethod
    def bind(cls, workload, node, slots):
        def pod():
            found = [p for p in cls.sandbox.api.pods("vision") if p["metadata"]["name"].startswith(workload + "-")]
            return found and found[0]["metadata"]["name"]

        name = kit.eventually(pod, "the pod of %s" % workload)
        annotations = {"stint.dev/gpu-devices": slots} if slots else {}
        cls.sandbox.api.create((PODS % "vision") + "/%s/binding" % name, {
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name, "annotations": annotations},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node}})

    @classmethod
    def phases(cls):
        return {w["name"]: w["phase"] for w in cls.sandbox.stint("list", "-p", "vision", "-o", "json").json["items"]}

    def stint(self, *arguments, **options):
        return self.sandbox.stint(*arguments, **options)

    def names(self, *arguments):
        return self.assert_works(self.stint("list", "-p", "vision", "-o", "name", *arguments)).out.split()

    # ---- list

    def test_list_has_the_shape_that_scripts_rely_on(self):
        document = self.assert_works(self.stint("list", "-p", "vision", "-o", "json")).json
        self.assertEqual((document["apiVersion"], document["kind"]), ("stint.dev/v1", "WorkloadList"))
        whole = next(item for item in document["items"] if item["name"] == "whole")
        for key in ("project", "type", "kind", "phase", "gpus_requested", "gpus_allocated", "pods", "created"):
            self.assertIn(key, whole)
        self.assertEqual((whole["gpus_requested"], whole["gpus_allocated"], whole["pods"]["running"]), (2, 2, 1))

    def test_csv_tells_the_pods_that_a_table_shows_in_one_cell(self):
        head, *rows = [line.split(",") for line in self.assert_works(self.stint("list", "-p", "vision", "-o", "csv")).out.splitlines()]
        pods = {row[0]: [row[head.index("pods." + which)] for which in ("running", "succeeded", "total")] for row in rows}
        self.assertEqual((pods["whole"], pods["waits"], pods["gone"]), (["1", "0", "1"], ["0", "0", "1"], ["0", "1", "1"]))

    def test_what_waits_has_not_started(self):
        items = {item["name"]: item for item in self.stint("list", "-p", "vision", "-o", "json").json["items"]}
        self.assertIn("started", items["whole"])
        self.assertNotIn("started", items["waits"])
        self.assertIn("Started:", self.stint("describe", "whole", "-p", "vision").out)
        self.assertNotIn("Started:", self.stint("describe", "waits", "-p", "vision").out)

    def test_a_limit_below_what_is_held_is_noted(self):
        self.addCleanup(self.stint, "project", "update", "vision", "--gpu-limit", "-1")
        self.assertEqual(self.assert_works(self.stint("project", "update", "vision", "--gpu-limit", "4")).err, "")
        done = self.assert_works(self.stint("project", "update", "vision", "--gpu-limit", "2", "--gpus", "2"))
        self.assertIn('"vision" holds 3 GPUs, more than its limit of 2', done.err)
        self.assert_works(self.stint("project", "update", "vision", "--gpus", "4", "--gpu-limit", "-1"))

    def test_list_filters_by_status_and_type_and_sorts(self):
        self.assertEqual(self.names("--status", "Pending"), ["job.batch/waits"])
        self.assertEqual(self.names("--status", "succeeded", "--status", "failed"), ["job.batch/bad", "job.batch/gone"])
        self.assertEqual(self.names("--type", "workspace"), ["statefulset.apps/desk"])
        self.assertEqual(self.names("--status", "running", "--sort-by", "-gpus_requested")[0], "job.batch/whole")

    def test_list_selects_by_label(self):
        self.assertEqual(self.names("-l", "stint.dev/type=workspace"), ["statefulset.apps/desk"])
        self.assertEqual(self.names("-l", "stint.dev/type=nothing"), [])

    def test_list_of_all_projects_names_the_project(self):
        rows = self.assert_works(self.stint("list", "-A", "--no-headers")).out.splitlines()
        self.assertTrue(all(row.startswith("vision ") for row in rows), rows)

    def test_an_empty_list_says_so_on_standard_error(self):
        done = self.assert_works(self.stint("list", "-p", "default"))
        self.assertIn("no such workloads", done.err)
        self.assertNotIn("NAME", done.err)

    def test_what_list_cannot_know_is_a_usage_error(self):
        self.assert_refused(self.stint("list", "--status", "nope"), 2, "--status")
        self.assert_refused(self.stint("list", "--type", "nope"), 2, "--type")
        self.assert_refused(self.stint("list", "-A", "-p", "vision"), 2, "-A")
        self.assert_refused(self.stint("list", "-p", "vision", "-l", "a=b=c"), 2, "a=b=c")

    def test_watch_shows_what_changes(self):
        command = [str(kit.BIN / "stint"), "list", "-p", "vision", "--watch", "-o", "json"]
        watch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=self.sandbox.environment())
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(iter(watch.stdout.readline, b"")), daemon=True)
        reader.start()
        try:
            kit.eventually(lambda: any(b'"waits"' in line for line in lines), "the first items")
            self.assert_works(self.stint("submit", "later", "-p", "vision", "-i", "busybox", "--", "true"))
            kit.eventually(lambda: any(b'"later"' in line for line in lines), "the new workload")
        finally:
            watch.terminate()
            watch.wait()
            self.stint("delete", "later", "-p", "vision", "-y")

    # ---- describe

    def test_describe_shows_the_pods_devices_and_events(self):
        done = self.assert_works(self.stint("describe", "whole", "-p", "vision"))
        for words in ("2 GPUs", "node-1", "1,2", "SuccessfulCreate", "Running"):
            self.assertIn(words, done.out)
        item = self.assert_works(self.stint("describe", "half", "-p", "vision", "-o", "json")).json
        self.assertEqual(item["pod_list"][0]["gpu_devices"], "0")
        self.assertEqual(item["gpus_of_a_pod"], "0.5 of a GPU")
        self.assertTrue(item["events"])

    def test_describe_of_nothing_is_not_found(self):
        self.assert_refused(self.stint("describe", "nothing", "-p", "vision"), 3, "nothing")
        for verb in ("describe", "why", "wait", "logs"):
            self.assert_refused(self.stint(verb, "nothing", "-p", "nosuch"), 3, 'there is no project "nosuch"')

    def test_what_is_over_waits_for_nothing(self):
        self.assertIn("gone has no pods that could be placed: Ended\n  it has ended\n", self.assert_works(self.stint("why", "gone", "-p", "vision")).out)
        failed = self.assert_works(self.stint("why", "bad", "-p", "vision", "-o", "json")).json
        self.assertEqual(failed["phase"], "NoPods")
        self.assertTrue(failed["reason"] and failed["message"], failed)

    # ---- wait

    def test_wait_ends_with_the_answer(self):
        self.assert_works(self.stint("wait", "gone", "-p", "vision"))
        self.assert_works(self.stint("wait", "half", "whole", "cpu", "-p", "vision", "--for", "running"))
        self.assert_works(self.stint("wait", "bad", "-p", "vision", "--for", "ended"))
        self.assert_works(self.stint("wait", "nothing", "-p", "vision", "--for", "deleted"))
        self.assert_refused(self.stint("wait", "bad", "-p", "vision"), 1, "has failed")
        self.assert_refused(self.stint("wait", "nothing", "-p", "vision"), 3, "nothing")
        self.assert_refused(self.stint("wait", "waits", "-p", "vision", "--for", "running", "--timeout", "200ms"), 6, "does not run yet")
        self.assert_refused(self.stint("wait", "desk", "-p", "vision"), 2, "does not end by itself")

    def test_wait_sees_the_end_come(self):
        self.assert_works(self.stint("submit", "short", "-p", "vision", "-i", "busybox", "--", "true"))
        waiting = subprocess.Popen([str(kit.BIN / "stint"), "wait", "short", "-p", "vision", "--for", "deleted", "--timeout", "60s"],
                                   env=self.sandbox.environment(), stdin=subprocess.DEVNULL)
        time.sleep(0.2)
        self.assertIsNone(waiting.poll())
        self.assert_works(self.stint("delete", "short", "-p", "vision", "-y"))
        self.assertEqual(waiting.wait(timeout=kit.DEADLINE_S), 0)

    # ---- events

    def test_events_are_in_order_and_of_the_workload_asked_for(self):
        items = self.assert_works(self.stint("events", "whole", "-p", "vision", "-o", "json")).json["items"]
        self.assertTrue(items)
        self.assertTrue(all(item["object"].startswith("whole") for item in items), items)
        self.assertEqual([item["last"] for item in items], sorted(item["last"] for item in items))
        everything = self.assert_works(self.stint("events", "-p", "vision", "-o", "json")).json["items"]
        self.assertGreater(len(everything), len(items))
        self.assert_refused(self.stint("events", "nothing", "-p", "vision"), 3, "nothing")

    def test_where_there_are_no_events_is_said(self):
        self.sandbox.project("mute", 1)
        self.addCleanup(self.sandbox.remove_project, "mute")
        self.assertIn('no such events in project "mute"', self.assert_works(self.stint("events", "-p", "mute")).err)

    def test_events_of_one_second_are_in_the_order_of_their_writing(self):
        words = ["zeta", "alpha", "mid", "beta"]
        for word in words:
            self.sandbox.api.create("/api/v1/namespaces/vision/events", {
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": word}, "type": "Normal", "reason": "Ordered", "message": word,
                "involvedObject": {"kind": "Pod", "name": "ordered-0", "namespace": "vision"}, "lastTimestamp": "2020-01-01T00:00:00Z"})
        items = self.stint("events", "ordered", "-p", "vision", "-o", "json").json["items"]
        self.assertEqual([item["message"] for item in items], words)

    def test_of_one_second_a_decision_stands_before_what_the_node_made_of_it(self):
        """The scheduler writes what it has decided after it has done it."""
        for at, (pod, component, reason) in enumerate((("a", "kubelet", "Started"), ("b", "kubelet", "Killing"), ("a", "stint-scheduler", "Scheduled"),
                                                       ("b", "stint-scheduler", "Preempted"), ("a", "kubelet", "Pulled"))):
            self.sandbox.api.create("/api/v1/namespaces/vision/events", {
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": "decided-%d" % at}, "type": "Normal", "reason": reason, "message": "it is so",
                "source": {"component": component}, "lastTimestamp": "2020-01-02T00:00:00Z",
                "involvedObject": {"kind": "Pod", "name": "decided-" + pod, "namespace": "vision", "uid": pod}})
        items = self.stint("events", "decided", "-p", "vision", "-o", "json").json["items"]
        self.assertEqual([(item["object"][-1], item["reason"]) for item in items],
                         [("a", "Scheduled"), ("a", "Started"), ("b", "Preempted"), ("b", "Killing"), ("a", "Pulled")])

    def test_a_watch_ends_with_its_reader(self):
        """As with `| head -1`: nothing changes any more, so only the closed pipe can tell."""
        watch = subprocess.Popen([str(kit.BIN / "stint"), "list", "-p", "vision", "--watch"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 stdin=subprocess.DEVNULL, env=self.sandbox.environment())
        try:
            self.assertTrue(watch.stdout.readline())
            watch.stdout.close()
            watch.wait(kit.DEADLINE_S)
            self.assertEqual((watch.returncode, watch.stderr.read()), (0, b""))
        finally:
            watch.kill()
            watch.wait()
            watch.stderr.close()

    def test_events_filter_by_type_and_time(self):
        warnings = self.assert_works(self.stint("events", "-p", "vision", "--type", "warning", "-o", "json")).json["items"]
        self.assertTrue(all(item["type"] == "Warning" for item in warnings), warnings)
        self.assert_works(self.stint("events", "-p", "vision", "--since", "1ms"))

    # ---- top and nodes

    def test_top_gpus_shows_who_shares_a_device(self):
        items = {item["name"]: item for item in self.assert_works(self.stint("top", "gpus", "-o", "json")).json["items"]}
        self.assertEqual(len(items), 8)
        shared = items["node-0/0"]
        self.assertEqual(shared["allocated"], 1)
        self.assertEqual({(user["workload"], user["share"]) for user in shared["users"]}, {("half", 0.5), ("desk", 0.5)})
        self.assertEqual([items["node-1/%d" % slot]["allocated"] for slot in range(4)], [0, 1, 1, 0])
        row = next(line for line in self.stint("top", "gpus").out.splitlines() if line.split()[:2] == ["node-0", "0"])
        self.assertIn("vision/half (0.5)", row)
        self.assertIn("vision/desk (0.5)", row)

    def test_who_shares_a_device_is_told_to_use_a_part_of_it(self):
        def told():  # between two reports both are of one
            items = {item["name"]: item for item in self.stint("top", "workloads", "-p", "vision", "-o", "json").json["items"]}
            device = next(d for d in self.stint("top", "gpus", "-o", "json").json["items"] if d["name"] == "node-0/0")
            half, desk, all_of_it = items["half"]["memory_used_mib"], items["desk"]["memory_used_mib"], device["memory_used_mib"]
            return all_of_it > 0 and half == desk and half + desk == all_of_it
        kit.eventually(lambda: "memory_used_mib" in self.stint("top", "workloads", "-p", "vision", "-o", "json").out, "a report")
        kit.eventually(told, "half of the memory each")

    def test_pools_add_up_and_what_is_not_known_is_said(self):
        def label(pool):
            return self.sandbox.api.call("PATCH", "/api/v1/nodes/node-1", {"metadata": {"labels": {"kai.scheduler/node-pool": pool}}},
                                         "application/merge-patch+json")
        self.assertEqual(label("h100")[0], 200)
        self.addCleanup(label, None)
        rows = {i["name"]: i for i in self.stint("pool", "list", "-o", "json").json["items"]}
        self.assertEqual(sorted(rows), ["default", "h100"])
        self.assertEqual([rows["h100"][key] for key in ("nodes", "nodes_ready", "gpus", "gpus_allocated", "gpus_free")], [1, 1, 4, 2, 2])
        self.assertNotIn("placement", rows["h100"])  # no scheduler tells it
        self.assertIn("unknown", self.stint("pool", "list").out)
        told = self.stint("pool", "describe", "h100")
        self.assertIn("node-1", told.out)
        self.assertNotIn("node-0", told.out)
        self.assertEqual(self.stint("pool", "list", "-o", "name").out.split(), ["pool/default", "pool/h100"])
        missing = self.stint("pool", "describe", "h10")
        self.assertEqual(missing.code, 3)
        self.assertIn("stint pool list", missing.err)

    def test_top_nodes_and_node_list_add_up(self):
        for command in (["top"], ["top", "nodes"], ["node", "list"]):
            items = {item["name"]: item for item in self.assert_works(self.stint(*command, "-o", "json")).json["items"]}
            self.assertEqual((items["node-0"]["gpus_allocated"], items["node-1"]["gpus_allocated"], items["node-0"]["gpus"]), (1, 2, 4))
        self.assertIn("1/4", self.stint("node", "list").out)
        self.assertEqual(self.stint("node", "list", "-o", "name", "-l", "kubernetes.io/hostname=node-1").out.split(), ["node/node-1"])

    def test_use_that_nobody_reports_is_unknown_and_not_zero(self):
        self.sandbox.api.create("/api/v1/nodes", {
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": "silent", "labels": {"nvidia.com/gpu.count": "1", "silent": "yes"}},
            "status": {"capacity": {"nvidia.com/gpu": "1", "cpu": "1", "memory": "1Gi", "pods": "10"},
                       "allocatable": {"nvidia.com/gpu": "1", "cpu": "1", "memory": "1Gi", "pods": "10"}}})
        try:
            item = next(i for i in self.stint("top", "gpus", "-o", "json").json["items"] if i["node"] == "silent")
            self.assertNotIn("util_percent", item)
            row = next(line for line in self.stint("top", "gpus").out.splitlines() if line.startswith("silent"))
            self.assertIn("unknown", row)
            self.assertNotIn("0%", row)
        finally:
            self.sandbox.api.call("DELETE", "/api/v1/nodes/silent")

    def test_memory_of_a_device_is_shown_as_it_can_be_asked_for(self):
        amounts = {"nvidia.com/gpu": "1", "cpu": "1", "memory": "1Gi", "pods": "10"}
        self.sandbox.api.create("/api/v1/nodes", {  # 81920 MiB, of which 81900 count: in steps of 100
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": "large", "labels": {"nvidia.com/gpu.count": "1", "nvidia.com/gpu.memory": "81920"}},
            "status": {"capacity": amounts, "allocatable": amounts}})
        try:
            for command in (["node", "list"], ["top", "gpus"]):
                row = kit.eventually(lambda: [r for r in self.stint(*command).out.splitlines() if r.startswith("large")], "the node in %s" % command)
                self.assertIn("79.9Gi", row[0])
            node = next(n for n in self.stint("node", "list", "-o", "json").json["items"] if n["name"] == "large")
            device = next(d for d in self.stint("top", "gpus", "-o", "json").json["items"] if d["node"] == "large")
            self.assertEqual((node["gpu_memory_mib"], node["gpu_memory_total_mib"], device["memory_mib"]), (81900, 81900, 81900))
        finally:
            self.sandbox.api.call("DELETE", "/api/v1/nodes/large")

    def test_top_workloads_and_projects(self):
        items = {item["name"]: item for item in self.assert_works(self.stint("top", "workloads", "-p", "vision", "-o", "json")).json["items"]}
        self.assertNotIn("gone", items)
        self.assertEqual(items["whole"]["gpus_allocated"], 2)
        kit.eventually(lambda: "util_percent" in {i["name"]: i for i in self.stint("top", "workloads", "-p", "vision", "-o", "json").json["items"]}["whole"],
                       "the devices reporting")
        vision = next(i for i in self.assert_works(self.stint("top", "projects", "-o", "json")).json["items"] if i["name"] == "vision")
        self.assertEqual((vision["gpu_quota"], vision["gpus_allocated"], vision["gpus_requested"]), (4, 3, 4))
        self.assertEqual(vision["workloads"], {"running": 4, "waiting": 1})

    def test_what_is_next_to_nothing_of_a_device_is_told_in_memory(self):
        self.assert_works(self.stint("submit", "tiny", "-p", "vision", "-i", "busybox", "--gpu-memory", "1Mi", "--", "true"))
        self.addCleanup(self.stint, "delete", "tiny", "-p", "vision", "-y")
        self.bind("tiny", "node-0", "3")
        row = kit.eventually(lambda: [r for r in self.stint("top", "workloads", "-p", "vision").out.splitlines() if "tiny" in r and "Running" in r],
                             "tiny running")[0]
        self.assertRegex(row, r"^vision +tiny +Running +1Mi +(\d+%|unknown) +(\d\S*|unknown)$")

    def test_a_dead_cluster_is_exit_8_with_one_sentence(self):
        text = self.sandbox.kubeconfig.read_text().replace(self.sandbox.api.server, "https://127.0.0.1:1")
        dead = self.sandbox.kubeconfig.parent / "dead"
        dead.write_text(text)
        for command in (["list"], ["list", "--watch"], ["describe", "x"], ["wait", "x"], ["events"], ["top"], ["top", "gpus"], ["node", "list"]):
            self.assert_refused(self.stint(*command, "--kubeconfig", dead), 8, "127.0.0.1:1")


if __name__ == "__main__":
    kit.main()
