"""The sandbox as a person and a program see it: its life, its virtual nodes and pods, streams into them, and its controllers."""

import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import time
import urllib.parse

import kit

POD = {"apiVersion": "v1", "kind": "Pod"}
NOBODY = "nobody"  # no scheduler serves it: the tests bind by themselves


def stint_sandbox(*arguments, stdin=None):
    return kit.run(kit.BIN / "stint", "sandbox", *arguments, stdin=stdin)


def alive(pid):
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def condition(thing, kind):
    return next((c for c in thing.get("status", {}).get("conditions", []) if c["type"] == kind), {})


class Life(kit.Case):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stint-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(stint_sandbox, "down", "--dir", self.folder)

    def up(self, *options, **more):
        return stint_sandbox("up", "--dir", self.folder, *options, **more)

    def status(self):
        return stint_sandbox("status", "--dir", self.folder, "-o", "json").json

    def left(self):
        return sorted(path.name for path in self.folder.iterdir())

    def processes(self):
        """Of all sandboxes and their schedulers that were started for this folder."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(self.folder).encode() in path.read_bytes():
                    found.append(int(path.parent.name))
            except OSError:
                pass
        return found

    def start_up(self, *options):
        """`up` in the background, not yet ready; an interrupt reaches it even where the tests themselves ignore it."""
        return subprocess.Popen(
            [kit.BIN / "stint", "sandbox", "up", "--dir", self.folder, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def test_up_prints_how_to_use_it_and_down_leaves_nothing(self):
        done = self.assert_works(self.up("--nodes", 2, "--gpus", 4))
        self.assertEqual(done.out, "export KUBECONFIG=%s/kubeconfig\n" % self.folder)
        self.assertEqual(stat.S_IMODE((self.folder / "kubeconfig").stat().st_mode), 0o600)
        now = self.status()
        self.assertTrue(now["running"] and now["scheduler"]["running"], now)
        self.assertEqual(now["nodes"], 2)
        api = kit.Api(self.folder / "kubeconfig")
        for node in api.get("/api/v1/nodes")["items"]:
            self.assertEqual(condition(node, "Ready").get("status"), "True")
        self.assert_works(stint_sandbox("down", "--dir", self.folder))
        self.assertFalse(alive(now["pid"]) or alive(now["scheduler"]["pid"]))
        self.assertEqual(self.left(), [])
        self.assert_works(stint_sandbox("down", "--dir", self.folder))
        self.assertEqual(stint_sandbox("status", "--dir", self.folder).code, 3)

    def test_a_second_up_is_refused_and_disturbs_nothing(self):
        self.assert_works(self.up("--no-scheduler"))
        before = self.status()
        self.assert_refused(self.up("--no-scheduler"), 5, "runs in %s already (process %d)" % (self.folder, before["pid"]))
        self.assertIn("`stint sandbox down --dir %s`" % self.folder, self.up("--no-scheduler").err)
        self.assertEqual(self.status(), before)

    def test_a_crash_leaves_nothing_that_stops_the_next_up(self):
        self.assert_works(self.up("--nodes", 1))
        now = self.status()
        os.kill(now["pid"], signal.SIGKILL)
        kit.eventually(lambda: not alive(now["scheduler"]["pid"]), "the end of the scheduler")
        self.assertFalse(self.status()["running"])
        self.assert_works(self.up("--nodes", 1))
        self.assertNotEqual(self.status()["pid"], now["pid"])

    def test_a_scheduler_that_dies_is_started_again(self):
        self.assert_works(self.up("--nodes", 1))
        first = self.status()["scheduler"]["pid"]
        os.kill(first, signal.SIGKILL)
        kit.eventually(lambda: self.status()["scheduler"].get("pid", first) != first, "another scheduler")
        self.assertEqual(self.status()["scheduler"]["restarts"], 1)

    def test_status_counts_the_nodes_that_there_are(self):
        self.assert_works(self.up("--nodes", 2, "--no-scheduler"))
        self.assertEqual(self.status()["nodes"], 2)
        self.assertEqual(kit.Api(self.folder / "kubeconfig").call("DELETE", "/api/v1/nodes/node-1")[0], 200)
        kit.eventually(lambda: self.status()["nodes"] == 1, "one node less")

    def test_shapes_say_what_the_nodes_are(self):
        shapes = "- {name: big, count: 2, gpus: 8, gpuModel: H200, labels: {zone: a}}\n- {name: small, gpus: 1, gpuModel: L4}\n"
        self.assert_works(self.up("--no-scheduler", "-f", "-", stdin=shapes))
        api = kit.Api(self.folder / "kubeconfig")
        nodes = {node["metadata"]["name"]: node["metadata"]["labels"] for node in api.get("/api/v1/nodes")["items"]}
        self.assertEqual(sorted(nodes), ["big-0", "big-1", "small-0"])
        self.assertEqual((nodes["big-1"]["nvidia.com/gpu.product"], nodes["big-1"]["zone"]), ("NVIDIA-H200", "a"))
        queue = api.get("/apis/scheduling.run.ai/v2/queues/default")
        self.assertEqual(queue["spec"]["resources"]["gpu"], {"quota": 17, "limit": -1, "overQuotaWeight": 1})

    def test_a_start_that_cannot_be_says_why_and_leaves_nothing_running(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        beside = pathlib.Path(tempfile.mkdtemp(prefix="stint-test-"))
        self.addCleanup(shutil.rmtree, beside)
        shapes = beside / "shapes.yaml"
        shapes.write_text("- {wonder: 1}\n")
        for options, code, words in (
                (["--gpu-model", "Wonder"], 2, "take one of"), (["-f", str(shapes)], 2, 'unknown key "wonder"'),
                (["-f", str(self.folder / "none.yaml")], 3, "none.yaml"), (["-f", str(shapes), "--nodes", "2"], 2, "leave --nodes"),
                (["--nodes", "-1"], 2, "nodes"), (["--port", str(taken.getsockname()[1])], None, str(taken.getsockname()[1]))):
            done = self.up("--no-scheduler", *options)
            self.assertNotEqual(done.code, 0, str(done))
            if code is not None:
                self.assertEqual(done.code, code, str(done))
            self.assertIn(words, done.err)
            self.assertEqual(done.out, "")
            self.assertFalse(self.status()["running"])
            self.assertEqual(self.left(), [])

    def test_a_folder_of_somebody_else_is_left_alone(self):
        for name in ("kubeconfig", "ca.crt", "sandbox.pid", "sandbox.log"):
            (self.folder / name).write_text("mine\n")
            self.assert_refused(self.up("--no-scheduler"), 2, "not the folder of a sandbox")
            self.assert_works(stint_sandbox("down", "--dir", self.folder))
            self.assertEqual(self.left(), [name])
            self.assertEqual((self.folder / name).read_text(), "mine\n")
            (self.folder / name).unlink()

    def test_down_keeps_what_others_put_beside_and_takes_a_folder_that_up_made(self):
        made = self.folder / "a" / "b"
        for others in ([], ["notes"]):
            self.assert_works(stint_sandbox("up", "--no-scheduler", "--dir", made))
            for name in others:
                (made / name).write_text("mine\n")
            self.assert_works(stint_sandbox("down", "--dir", made))
            self.assertEqual([path.name for path in made.iterdir()] if made.exists() else [], others)
            self.assertEqual(made.exists(), bool(others))

    def test_an_interrupted_up_takes_the_sandbox_down_again(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for moment in (lambda: (self.folder / "sandbox.pid").exists(), lambda: (self.folder / "kubeconfig").exists()):
                with self.start_up("--nodes", "2000") as up:
                    kit.eventually(moment, "the start")
                    up.send_signal(number)
                    out, err = up.communicate(timeout=30)
                self.assertEqual((up.returncode, out), (130, ""), err)
                self.assertIn("interrupted while the sandbox started: it is taken down again", err)
                self.assertEqual((self.left(), self.processes()), ([], []))

    def test_a_sandbox_that_nobody_waits_for_does_not_stay(self):
        for nodes in (2000, 8000, 30000): # so many that it is still starting when it loses who waits for it
            with self.start_up("--nodes", str(nodes), "--no-scheduler") as up:
                kit.eventually((self.folder / "sandbox.pid").exists, "the start")
                up.kill()
            if up.returncode != 0:
                break
            stint_sandbox("down", "--dir", self.folder)
        else:
            self.fail("it was always ready before its `up` could be killed")
        kit.eventually(lambda: not self.left() and not self.processes(), "the end of the sandbox")

    def test_a_sandbox_ends_when_its_folder_is_taken_away(self):
        for take in (lambda: shutil.rmtree(self.folder), (self.folder / "sandbox.pid").unlink):
            self.folder.mkdir(exist_ok=True)
            self.assert_works(self.up("--nodes", 1))
            now = self.status()
            take()
            kit.eventually(lambda: not alive(now["pid"]) and not alive(now["scheduler"]["pid"]), "the end of both")
        self.folder.mkdir(exist_ok=True)

    def test_a_new_sandbox_in_the_place_of_one_that_was_taken_away_is_not_disturbed(self):
        self.assert_works(self.up("--no-scheduler"))
        first = self.status()["pid"]
        shutil.rmtree(self.folder)
        self.assert_works(self.up("--no-scheduler"))
        kit.eventually(lambda: not alive(first), "the end of the first")
        self.assertTrue(self.status()["running"])
        self.assertTrue((self.folder / "kubeconfig").exists())

    def test_the_line_that_up_prints_suits_a_shell_whatever_the_folder(self):
        folder = self.folder / "it's a $HOME \"folder\""
        self.addCleanup(stint_sandbox, "down", "--dir", folder)
        line = self.assert_works(stint_sandbox("up", "--no-scheduler", "--dir", folder)).out
        told = kit.run("sh", "-c", 'eval "$1" && printf %s "$KUBECONFIG"', "sh", line)
        self.assertEqual(told.out, str(folder / "kubeconfig"))

    def test_many_quick_lives_leave_nothing(self):
        for _ in range(20):
            self.assert_works(self.up("--nodes", 1, "--no-scheduler"))
            self.assert_works(stint_sandbox("down", "--dir", self.folder))
        self.assertEqual((self.left(), self.processes()), ([], []))

    def test_of_many_at_once_one_starts_and_the_others_say_why_not(self):
        ups = [self.start_up("--nodes", "1", "--no-scheduler") for _ in range(6)]
        ends = [up.communicate(timeout=60) + (up.returncode,) for up in ups]
        self.assertEqual(sorted(end[2] for end in ends), [0] + [5] * 5, ends)
        for out, err, code in ends:
            self.assertNotIn("process 0", err)


class OnSandbox(kit.Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.Sandbox("--nodes", "2", "--gpus", "4", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.api = cls.cluster.api

    def setUp(self):
        self.space = "t-" + "".join(c if c.isalnum() else "-" for c in self.id().rsplit(".", 1)[1].lower())[5:45].strip("-")
        self.api.create("/api/v1/namespaces", {"metadata": {"name": self.space}})

    def path(self, plural, name="", group=None):
        root = "/apis/" + group if group else "/api/v1"
        return "%s/namespaces/%s/%s%s" % (root, self.space, plural, "/" + name if name else "")

    def make_pod(self, name="p", annotations=None, labels=None, **spec):
        body = dict(POD, metadata={"name": name, "annotations": annotations or {}, "labels": labels or {}},
                    spec=dict({"schedulerName": NOBODY, "containers": [{"name": "c", "image": "i"}]}, **spec))
        return self.api.create(self.path("pods"), body)

    def bind(self, name, node="node-0", annotations=None):
        self.api.create(self.path("pods", name + "/binding"), {
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name, "annotations": annotations or {}},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node}})

    def pod(self, name="p"):
        return self.api.get(self.path("pods", name))

    def phase(self, name="p"):
        return self.pod(name)["status"]["phase"]

    def run_pod(self, name="p", **more):
        self.make_pod(name, **more)
        self.bind(name)
        kit.eventually(lambda: self.phase(name) != "Pending", "%s running" % name)

    def bind_all(self, node="node-0"):
        """Binds what waits, as a scheduler would, and returns the pods that are alive."""
        pods = [p for p in self.api.get(self.path("pods"))["items"] if not p["metadata"].get("deletionTimestamp")]
        for pod in pods:
            if not pod["spec"].get("nodeName") and pod["status"]["phase"] == "Pending":
                self.api.call("POST", self.path("pods", pod["metadata"]["name"] + "/binding"), {
                    "metadata": {"name": pod["metadata"]["name"]}, "target": {"kind": "Node", "name": node}})
        return [p for p in pods if p["status"]["phase"] not in ("Succeeded", "Failed")]


class Bodies(OnSandbox):
    def test_a_protobuf_body_is_refused_with_what_to_do_instead(self):
        for path in (self.path("serviceaccounts"), self.path("serviceaccounts", "default/token"),
                     "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"):
            code, status = self.api.call("POST", path, {}, "application/vnd.kubernetes.protobuf")
            self.assertEqual((code, status["reason"]), (415, "UnsupportedMediaType"), path)
            self.assertIn("JSON and YAML bodies only", status["message"])

    def test_kubectl_shows_that_refusal(self):
        if not kit.kubectl_path():
            self.skipTest("no kubectl")
        for words in (("create", "job", "j", "--image=i"), ("create", "token", "default"), ("auth", "can-i", "get", "pods")):
            done = self.cluster.kubectl(*words)
            if done.code != 0:  # a kubectl that sends JSON is served
                self.assertIn("JSON and YAML bodies only", done.err, words)


class Nodes(OnSandbox):
    def test_a_node_with_the_annotation_is_played_and_another_is_left_alone(self):
        for name, annotations in (("played", {"kwok.x-k8s.io/node": "fake"}), ("alone", {})):
            self.api.create("/api/v1/nodes", {"metadata": {"name": name, "annotations": annotations}})
        kit.eventually(lambda: condition(self.api.get("/api/v1/nodes/played"), "Ready").get("status") == "True", "Ready")
        lease = self.api.get("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/played")
        self.assertEqual(lease["spec"]["holderIdentity"], "played")
        self.make_pod("p")
        self.bind("p", "alone")
        time.sleep(0.3)
        self.assertEqual(condition(self.api.get("/api/v1/nodes/alone"), "Ready"), {})
        self.assertEqual(self.phase("p"), "Pending")

    def test_a_pod_bound_before_its_node_came_runs_when_it_comes(self):
        self.make_pod("early")
        self.bind("early", "late-node")
        self.api.create("/api/v1/nodes", {"metadata": {"name": "late-node", "annotations": {"kwok.x-k8s.io/node": "fake"}}})
        kit.eventually(lambda: self.phase("early") == "Running", "the early pod running")

    def test_a_pod_that_does_not_fit_is_refused(self):
        gpus = {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"nvidia.com/gpu": 3}}}]}
        self.run_pod("first", **gpus)
        self.make_pod("second", **gpus)
        self.bind("second")
        kit.eventually(lambda: self.phase("second") == "Failed", "the refusal")
        self.assertEqual(self.pod("second")["status"]["reason"], "OutOfnvidia.com/gpu")
        self.api.call("DELETE", self.path("pods", "first"))
        self.run_pod("third", **gpus)
        self.assertEqual(self.phase("third"), "Running")

    def test_devices_report_their_use(self):
        self.make_pod("p", annotations={"gpu-fraction": "0.5"})
        self.bind("p", "used", {"stint.dev/gpu-devices": "2"})
        amounts = {"cpu": "8", "memory": "8Gi", "pods": "10", "nvidia.com/gpu": "4"}
        self.api.create("/api/v1/nodes", {
            "metadata": {"name": "used", "annotations": {"kwok.x-k8s.io/node": "fake"}, "labels": {"nvidia.com/gpu.memory": "81920"}},
            "status": {"capacity": amounts, "allocatable": amounts}})

        def use():
            text = self.api.get("/api/v1/nodes/used")["metadata"]["annotations"].get("stint.dev/gpu-use", "[]")
            return next((d for d in json.loads(text) if d["slot"] == 2 and d["util_percent"] > 0), None)
        device = kit.eventually(use, "use of device 2", timeout=60)
        self.assertTrue(device["uuid"].startswith("GPU-") and 0 < device["memory_mib"] <= 40960, device)

    def test_a_pod_that_starts_on_a_quiet_node_is_seen_at_once(self):
        amounts = {"cpu": "8", "memory": "8Gi", "pods": "10", "nvidia.com/gpu": "1"}
        self.api.create("/api/v1/nodes", {
            "metadata": {"name": "quiet", "annotations": {"kwok.x-k8s.io/node": "fake"}, "labels": {"nvidia.com/gpu.memory": "81920"}},
            "status": {"capacity": amounts, "allocatable": amounts}})
        use = lambda: json.loads(self.api.get("/api/v1/nodes/quiet")["metadata"]["annotations"].get("stint.dev/gpu-use", "[]"))
        self.assertEqual([d["util_percent"] for d in kit.eventually(use, "the first report")], [0])
        self.make_pod("p", annotations={"gpu-fraction": "0.5"})
        self.bind("p", "quiet", {"stint.dev/gpu-devices": "0"})
        kit.eventually(lambda: use()[0]["util_percent"] > 0, "the use of the pod", timeout=8)

    def test_a_cordoned_node_carries_the_taint(self):
        self.api.create("/api/v1/nodes", {"metadata": {"name": "cordoned", "annotations": {"kwok.x-k8s.io/node": "fake"}}, "spec": {"unschedulable": True}})
        kit.eventually(lambda: self.api.get("/api/v1/nodes/cordoned")["spec"].get("taints", [{}])[0].get("key") == "node.kubernetes.io/unschedulable")


class Pods(OnSandbox):
    def test_a_pod_ends_after_its_seconds_with_its_exit_code(self):
        self.run_pod("good", annotations={"sim/run-seconds": "0.5"}, restartPolicy="Never")
        self.run_pod("bad", annotations={"sim/run-seconds": "0.5", "sim/exit-code": "3"}, restartPolicy="Never")
        kit.eventually(lambda: self.phase("good") == "Succeeded" and self.phase("bad") == "Failed", "the ends")
        state = self.pod("bad")["status"]["containerStatuses"][0]["state"]["terminated"]
        self.assertEqual((state["exitCode"], state["reason"]), (3, "Error"))

    def test_a_crash_is_restarted_where_the_policy_says_so(self):
        self.run_pod("p", annotations={"sim/run-seconds": "0.3", "sim/exit-code": "1", "sim/log": "hello"}, restartPolicy="OnFailure")
        kit.eventually(lambda: self.pod()["status"]["containerStatuses"][0]["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff")
        self.assertEqual(self.pod()["status"]["containerStatuses"][0]["restartCount"], 1)
        self.assertEqual(self.api.get(self.path("pods", "p/log?previous=true")), "hello\n")

    def test_a_deleted_pod_goes_and_so_does_an_evicted_one(self):
        self.run_pod("a")
        self.run_pod("b", labels={"app": "b"})
        self.api.call("DELETE", self.path("pods", "a"))
        self.assertEqual(self.api.call("POST", self.path("pods", "b/eviction"), {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "b"}})[0], 201)
        kit.eventually(lambda: not self.api.get(self.path("pods"))["items"], "both gone")

    def test_logs_know_their_options(self):
        self.run_pod("p", annotations={"sim/log": "one\ntwo\nthree"})
        log = lambda query: self.api.call("GET", self.path("pods", "p/log?" + query))
        self.assertEqual(log("")[1], "one\ntwo\nthree\n")
        self.assertEqual(log("tailLines=1")[1], "three\n")
        self.assertEqual(log("limitBytes=5")[1], "one\nt")
        self.assertRegex(log("timestamps=true&tailLines=1")[1], r"^\d{4}-\d\d-\d\dT\S+Z three\n$")
        self.assertEqual(log("container=none")[0], 400)
        self.assertEqual(log("previous=true")[0], 400)
        self.assertEqual(log("tailLines=-1")[0], 422)

    def test_a_log_that_is_followed_ends_with_the_pod(self):
        self.run_pod("p", annotations={"sim/log": "one", "sim/run-seconds": "1"}, restartPolicy="Never")
        began = time.monotonic()
        self.assertEqual(self.api.get(self.path("pods", "p/log?follow=true")), "one\n")
        self.assertGreater(time.monotonic() - began, 0.3)
        self.assertEqual(self.phase(), "Succeeded")


class Stream:
    """A WebSocket of Kubernetes' channel protocol, as little of it as the tests need."""

    def __init__(self, api, path, protocol="v5.channel.k8s.io"):
        url = urllib.parse.urlsplit(api.server)
        self.sock = api.context.wrap_socket(socket.create_connection((url.hostname, url.port), 10), server_hostname=url.hostname)
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n"
                           % (path, url.netloc, api.token, key, protocol)).encode())
        self.file = self.sock.makefile("rb")
        self.code = int(self.file.readline().split()[1])
        self.headers = http.client.parse_headers(self.file)

    def send(self, channel, data=b""):
        payload, mask = bytes([channel]) + data, os.urandom(4)
        length = len(payload)
        size = struct.pack("!B", 0x80 | length) if length < 126 else struct.pack("!BH", 0xfe, length) if length < 65536 else struct.pack("!BQ", 0xff, length)
        self.sock.sendall(b"\x82" + size + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)))

    def end(self, channel):
        self.send(255, bytes([channel]))

    def next(self):
        """(channel, data); None at the end."""
        head = self.file.read(2)
        if len(head) < 2 or head[0] & 15 == 8:
            return None
        size = head[1] & 127
        if size > 125:
            size = struct.unpack("!H" if size == 126 else "!Q", self.file.read(2 if size == 126 else 8))[0]
        data = self.file.read(size)
        return data[0], data[1:]

    def read_all(self):
        """{channel: all that came there}, until the end."""
        got = {}
        while (message := self.next()) is not None:
            got[message[0]] = got.get(message[0], b"") + message[1]
        return got

    def close(self):
        self.file.close()
        self.sock.close()


class Streams(OnSandbox):
    def stream(self, path, *command, protocol="v5.channel.k8s.io", **flags):
        query = [("command", word) for word in command] + [(flag, str(value).lower()) for flag, value in flags.items()]
        stream = Stream(self.api, self.path("pods", path) + "?" + urllib.parse.urlencode(query), protocol)
        self.addCleanup(stream.close)
        self.assertEqual((stream.code, stream.headers["Sec-WebSocket-Protocol"]), (101, protocol))
        return stream

    def test_exec_keeps_output_error_and_exit_code_apart(self):
        self.run_pod("p", containers=[{"name": "c", "image": "i", "env": [
            {"name": "UUIDS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['stint.dev/gpu-uuids']"}}}]}],
            annotations={"stint.dev/gpu-uuids": "GPU-1,GPU-2"})
        for protocol in ("v5.channel.k8s.io", "v4.channel.k8s.io"):
            got = self.stream("p/exec", "sh", "-c", "echo $UUIDS; echo oops >&2; exit 3", protocol=protocol, stdout=True, stderr=True).read_all()
            self.assertEqual((got[1], got[2]), (b"GPU-1,GPU-2\n", b"oops\n"))
            self.assertEqual(json.loads(got[3])["details"]["causes"], [{"reason": "ExitCode", "message": "3"}])
        got = self.stream("p/exec", "wonder", stdout=True, stderr=True).read_all()
        self.assertEqual(json.loads(got[3])["details"]["causes"][0]["message"], "127")

    def test_exec_reads_its_input_to_the_end(self):
        self.run_pod()
        stream = self.stream("p/exec", "cat", stdin=True, stdout=True)
        block = os.urandom(100000)
        stream.send(0, block)
        stream.end(0)
        got = stream.read_all()
        self.assertEqual(got[1], block)
        self.assertEqual(json.loads(got[3])["status"], "Success")

    def test_a_command_dies_with_its_pod(self):
        self.run_pod()
        stream = self.stream("p/exec", "sleep", "1000", stdout=True)
        self.api.call("DELETE", self.path("pods", "p"))
        self.assertEqual(json.loads(stream.read_all()[3])["details"]["causes"][0]["message"], "137")

    def test_attach_shows_the_log_and_echoes_input_until_the_pod_ends(self):
        self.run_pod("p", annotations={"sim/log": "hello", "sim/run-seconds": "1.5"}, restartPolicy="Never")
        stream = self.stream("p/attach", stdin=True, stdout=True)
        stream.send(0, b"ping")
        got = stream.read_all()
        self.assertEqual(got[1], b"hello\nping")
        self.assertEqual(json.loads(got[3])["status"], "Success")

    def test_port_forward_answers_for_each_port(self):
        self.run_pod()
        stream = self.stream("p/portforward?ports=80&ports=81".split("?")[0], ports="80,81", protocol="v4.channel.k8s.io")
        starts = dict(stream.next() for _ in range(4))
        self.assertEqual(starts, {0: b"P\0", 1: b"P\0", 2: b"Q\0", 3: b"Q\0"})
        stream.send(2, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        channel, answer = stream.next()
        self.assertEqual(channel, 2)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200") and b"pod %s/p port 81" % self.space.encode() in answer, answer)

    def test_a_peer_that_does_not_read_is_not_read_from_without_end(self):
        self.run_pod()
        for stream, data in (
                (self.stream("p/exec", "cat", stdin=True, stdout=True), b"x" * 60000),
                (self.stream("p/portforward", ports="80", protocol="v4.channel.k8s.io"), b"\r\n\r\n" * 2000)):
            frame = b"\x82\xfe" + struct.pack("!H", len(data) + 1) + bytes(4) + b"\0" + data
            stream.sock.settimeout(3)
            with self.assertRaises(TimeoutError):
                for _ in range(50000000 // len(data)):
                    stream.sock.sendall(frame)

    def test_what_cannot_be_streamed_is_refused(self):
        self.make_pod("unbound")
        self.run_pod("done", annotations={"sim/run-seconds": "0"}, restartPolicy="Never")
        kit.eventually(lambda: self.phase("done") == "Succeeded")
        for path in ("unbound/exec?command=a&stdout=1", "done/exec?command=a&stdout=1", "done/exec?stdout=1", "done/exec?command=a", "unbound/portforward?ports=80"):
            stream = Stream(self.api, self.path("pods", path))
            self.assertEqual(stream.code, 400, path)
            stream.close()

    def test_a_client_that_forwards_in_another_way_is_told_how(self):
        self.run_pod("p")
        status, answer = self.api.call("POST", self.path("pods", "p/portforward"), {})
        self.assertEqual((status, "stint port-forward" in answer["message"]), (400, True), answer)


class Controllers(OnSandbox):
    def make(self, plural, group, body):
        return self.api.create(self.path(plural, group=group), body)

    def template(self, annotations=None, **spec):
        return {"metadata": {"labels": {"app": "x"}, "annotations": annotations or {}},
                "spec": dict({"schedulerName": NOBODY, "containers": [{"name": "c", "image": "i"}]}, **spec)}

    def job(self, annotations=None, name="j", **spec):
        return self.make("jobs", "batch/v1", {"metadata": {"name": name}, "spec": dict(spec, template=self.template(annotations, restartPolicy="Never"))})

    def read(self, plural, group, name):
        return self.api.get(self.path(plural, name, group))

    def test_an_indexed_job_runs_to_its_end(self):
        self.job({"sim/run-seconds": "0.2"}, completionMode="Indexed", completions=3, parallelism=2)
        kit.eventually(lambda: (self.bind_all(), condition(self.read("jobs", "batch/v1", "j"), "Complete").get("status") == "True")[1], "completion")
        status = self.read("jobs", "batch/v1", "j")["status"]
        self.assertEqual((status["completedIndexes"], status["succeeded"], status["uncountedTerminatedPods"]), ("0-2", 3, {}))
        pods = self.api.get(self.path("pods"))["items"]
        self.assertEqual(sorted(p["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] for p in pods), ["0", "1", "2"])
        kit.eventually(lambda: not any(p["metadata"].get("finalizers") for p in self.api.get(self.path("pods"))["items"]), "finalizers gone")

    def test_a_failed_job_says_why(self):
        self.job({"sim/run-seconds": "0", "sim/exit-code": "1"}, backoffLimit=0)
        kit.eventually(lambda: (self.bind_all(), condition(self.read("jobs", "batch/v1", "j"), "Failed"))[1], "the failure")
        self.assertEqual(condition(self.read("jobs", "batch/v1", "j"), "Failed")["reason"], "BackoffLimitExceeded")
        events = {event["reason"] for event in self.api.get(self.path("events"))["items"] if event["involvedObject"]["kind"] == "Job"}
        self.assertLessEqual({"SuccessfulCreate", "BackoffLimitExceeded"}, events)

    def test_an_eviction_is_no_failure_where_the_policy_ignores_it(self):
        self.job(backoffLimit=0, podFailurePolicy={"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]})
        first = kit.eventually(self.bind_all, "a pod")[0]["metadata"]["name"]
        kit.eventually(lambda: self.phase(first) == "Running")
        self.api.create(self.path("pods", first + "/eviction"), {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": first}})
        kit.eventually(lambda: [p for p in self.bind_all() if p["metadata"]["name"] != first], "another pod")
        self.assertEqual(condition(self.read("jobs", "batch/v1", "j"), "Failed"), {})

    def test_a_suspended_job_ends_its_pods_and_comes_back(self):
        self.job()
        kit.eventually(self.bind_all, "a pod")
        self.api.call("PATCH", self.path("jobs", "j", "batch/v1"), {"spec": {"suspend": True}}, "application/merge-patch+json")
        kit.eventually(lambda: not self.api.get(self.path("pods"))["items"], "no pod")
        self.assertIsNone(self.read("jobs", "batch/v1", "j")["status"].get("failed"))
        self.api.call("PATCH", self.path("jobs", "j", "batch/v1"), {"spec": {"suspend": False}}, "application/merge-patch+json")
        kit.eventually(self.bind_all, "a new pod")

    def test_a_finished_job_goes_after_its_time_to_live(self):
        self.job({"sim/run-seconds": "0"}, ttlSecondsAfterFinished=1)
        kit.eventually(lambda: (self.bind_all(), self.api.call("GET", self.path("jobs", "j", "batch/v1"))[0] == 404)[1], "the Job gone")
        kit.eventually(lambda: not self.api.get(self.path("pods"))["items"], "its pods gone")

    def test_a_deployment_rolls_and_its_pods_go_with_it(self):
        self.make("deployments", "apps/v1", {"metadata": {"name": "d"}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "x"}}, "template": self.template()}})
        rolled = lambda: (self.bind_all(), self.read("deployments", "apps/v1", "d")["status"])[1]
        kit.eventually(lambda: rolled().get("availableReplicas") == 2, "two available")
        first = {p["metadata"]["name"] for p in self.bind_all()}
        self.api.call("PATCH", self.path("deployments", "d", "apps/v1"), {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, "application/merge-patch+json")
        kit.eventually(lambda: rolled().get("updatedReplicas") == 2 and rolled().get("replicas") == 2 and rolled().get("availableReplicas") == 2, "rolled")
        self.assertFalse(first & {p["metadata"]["name"] for p in self.bind_all()})
        self.assertEqual(self.read("deployments", "apps/v1", "d")["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2")
        self.api.call("DELETE", self.path("deployments", "d", "apps/v1"))
        kit.eventually(lambda: not self.api.get(self.path("pods"))["items"] and not self.api.get(self.path("replicasets", group="apps/v1"))["items"], "all gone")

    def test_a_stateful_set_goes_in_order_and_keeps_its_names(self):
        self.make("statefulsets", "apps/v1", {"metadata": {"name": "s"}, "spec": {"serviceName": "s", "replicas": 2, "selector": {"matchLabels": {"app": "x"}}, "template": self.template()}})
        names = lambda: [p["metadata"]["name"] for p in self.api.get(self.path("pods"))["items"]]
        kit.eventually(lambda: names() == ["s-0"], "the first")
        kit.eventually(lambda: (self.bind_all(), self.read("statefulsets", "apps/v1", "s")["status"].get("readyReplicas") == 2)[1], "both ready")
        self.assertEqual(names(), ["s-0", "s-1"])
        self.api.call("PATCH", self.path("statefulsets", "s", "apps/v1"), {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, "application/merge-patch+json")
        def updated():
            self.bind_all()
            status = self.read("statefulsets", "apps/v1", "s")["status"]
            return status["currentRevision"] == status["updateRevision"] and status.get("updatedReplicas") == 2 and status["observedGeneration"] == 2
        kit.eventually(updated, "the update")
        self.assertTrue(all(p["metadata"]["annotations"].get("a") == "b" for p in self.bind_all()))

    def test_a_budget_allows_what_it_can_spare(self):
        for name in ("a", "b"):
            self.run_pod(name, labels={"app": "b"})
        self.make("poddisruptionbudgets", "policy/v1", {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "b"}}}})
        kit.eventually(lambda: self.read("poddisruptionbudgets", "policy/v1", "b").get("status", {}).get("disruptionsAllowed") == 1, "one allowed")
        answers = [self.api.call("POST", self.path("pods", name + "/eviction"), {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}})[0] for name in "ab"]
        self.assertEqual(answers, [201, 429])

    def test_what_nobody_owns_any_more_goes(self):
        owner = self.api.create(self.path("configmaps"), {"metadata": {"name": "owner"}})
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
        self.api.create(self.path("configmaps"), {"metadata": {"name": "owned", "ownerReferences": [reference]}})
        self.api.create(self.path("configmaps"), {"metadata": {"name": "kept", "ownerReferences": [reference]}})
        self.api.create(self.path("configmaps"), {"metadata": {"name": "stray", "ownerReferences": [dict(reference, name="nobody", uid="0d7f1c4e-0000-4000-8000-000000000000")]}})
        there = lambda name: self.api.call("GET", self.path("configmaps", name))[0] == 200
        kit.eventually(lambda: not there("stray"), "the stray one gone")
        self.assertTrue(there("owned"))
        self.api.call("PATCH", self.path("configmaps", "kept"), {"metadata": {"ownerReferences": None}}, "application/merge-patch+json")
        self.api.call("DELETE", self.path("configmaps", "owner"))
        kit.eventually(lambda: not there("owned"), "the owned one gone")
        self.assertTrue(there("kept"))

    def test_a_namespace_has_its_furniture_and_empties_itself(self):
        kit.eventually(lambda: self.api.call("GET", self.path("serviceaccounts", "default"))[0] == 200, "the account")
        self.assertIn("BEGIN CERTIFICATE", self.api.get(self.path("configmaps", "kube-root-ca.crt"))["data"]["ca.crt"])
        self.run_pod("p")
        self.api.call("DELETE", "/api/v1/namespaces/" + self.space)
        kit.eventually(lambda: self.api.call("GET", "/api/v1/namespaces/" + self.space)[0] == 404, "the namespace gone")
        self.assertEqual(self.api.get(self.path("pods"))["items"], [])

    def test_a_service_knows_its_pods(self):
        self.api.create(self.path("services"), {"metadata": {"name": "s"}, "spec": {"selector": {"app": "s"}, "ports": [{"port": 80}]}})
        self.run_pod("p", labels={"app": "s"})
        ip = self.pod()["status"]["podIP"]
        def addresses():
            return [a for s in self.api.get(self.path("endpointslices", group="discovery.k8s.io/v1"))["items"] for e in s["endpoints"] or [] for a in e["addresses"]]
        kit.eventually(lambda: addresses() == [ip], "the address")

    def patch(self, path, body):
        status, answer = self.api.call("PATCH", path, body, "application/merge-patch+json")
        self.assertEqual(status, 200, answer)

    def volume_claim(self, name, **spec):
        return self.make("persistentvolumeclaims", None, {"metadata": {"name": name}, "spec": dict(
            {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}, **spec)})

    def bound(self, name):
        claim = self.api.get(self.path("persistentvolumeclaims", name))
        return claim["status"].get("phase") == "Bound" and claim["spec"]["volumeName"]

    def test_a_claim_of_the_default_class_gets_a_volume_once_a_node_is_chosen(self):
        self.assertEqual(self.volume_claim("late")["spec"]["storageClassName"], "standard")
        events = self.path("events") + "?fieldSelector=involvedObject.name%3Dlate"
        kit.eventually(lambda: any(e["reason"] == "WaitForFirstConsumer" for e in self.api.get(events)["items"]), "the claim waiting")
        self.patch(self.path("persistentvolumeclaims", "late"), {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "node-0"}}})
        volume = kit.eventually(lambda: self.bound("late"), "the claim being bound")
        self.assertEqual(self.api.get("/api/v1/persistentvolumes/" + volume)["status"]["phase"], "Bound")
        self.api.call("DELETE", self.path("persistentvolumeclaims", "late"))
        kit.eventually(lambda: self.api.call("GET", "/api/v1/persistentvolumes/" + volume)[0] == 404, "the volume going with its claim")

    def test_a_claim_gets_the_smallest_volume_that_will_do(self):
        for name, size in (("small", "500Mi"), ("large", "4Gi"), ("fits", "2Gi")):
            self.api.create("/api/v1/persistentvolumes", {"metadata": {"name": "made-" + name}, "spec": {
                "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand", "hostPath": {"path": "/x"}}})
            self.addCleanup(self.api.call, "DELETE", "/api/v1/persistentvolumes/made-" + name)
        self.volume_claim("now", storageClassName="by-hand")
        self.assertEqual(kit.eventually(lambda: self.bound("now"), "the claim being bound"), "made-fits")
        self.api.call("DELETE", self.path("persistentvolumeclaims", "now"))
        kit.eventually(lambda: self.api.get("/api/v1/persistentvolumes/made-fits")["status"]["phase"] == "Released", "the volume being let go")

    def test_a_claim_whose_volume_was_taken_away_is_lost(self):
        self.api.create("/api/v1/persistentvolumes", {"metadata": {"name": "taken"}, "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "to-lose", "hostPath": {"path": "/x"}}})
        self.addCleanup(self.api.call, "DELETE", "/api/v1/persistentvolumes/taken")
        self.volume_claim("loser", storageClassName="to-lose")
        kit.eventually(lambda: self.bound("loser"), "the claim being bound")
        self.api.call("DELETE", "/api/v1/persistentvolumes/taken")
        kit.eventually(lambda: self.api.get(self.path("persistentvolumeclaims", "loser"))["status"]["phase"] == "Lost", "the claim saying so")

    def test_an_ephemeral_volume_gets_its_claim(self):
        self.make_pod("p", volumes=[{"name": "tmp", "ephemeral": {"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}}])
        path = self.path("persistentvolumeclaims", "p-tmp")
        kit.eventually(lambda: self.api.call("GET", path)[0] == 200, "the claim")
        self.assertEqual(self.api.get(path)["metadata"]["ownerReferences"][0]["name"], "p")

    def test_an_allocated_claim_keeps_no_namespace(self):
        claims = self.path("resourceclaims", group="resource.k8s.io/v1")
        self.api.create(claims, {"metadata": {"name": "gpu", "finalizers": ["resource.kubernetes.io/delete-protection"]},
                                 "spec": {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "x"}}]}}})
        self.run_pod("p", resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}])
        self.patch(claims + "/gpu/status", {"status": {"allocation": {"devices": {"results": []}}, "reservedFor": [
            {"resource": "pods", "name": "p", "uid": self.pod()["metadata"]["uid"]}]}})
        self.api.call("DELETE", claims + "/gpu")
        self.assertEqual(self.api.get(claims + "/gpu")["status"]["reservedFor"][0]["name"], "p")  # its pod runs
        self.api.call("DELETE", "/api/v1/namespaces/" + self.space)
        kit.eventually(lambda: self.api.call("GET", "/api/v1/namespaces/" + self.space)[0] == 404, "the namespace gone")


if __name__ == "__main__":
    kit.main()
