"""Who may read one project and not the cluster, and who interrupts, on a server of our own: the sandbox refuses nobody and is quick."""

import http.server
import json
import pathlib
import queue
import signal
import subprocess
import tempfile
import threading
import urllib.parse

import kit

QUEUES = [{"metadata": {"name": name, "uid": name}, "spec": {"parentQueue": parent}} for name, parent in
          (("all", None), ("mine", "all"), ("theirs", "all"))]
LISTS = {"pods": "PodList", "events": "EventList", "jobs": "JobList", "deployments": "DeploymentList", "replicasets": "ReplicaSetList",
         "statefulsets": "StatefulSetList"}


def pod(name):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "mine", "uid": name, "resourceVersion": "1"},
            "spec": {"schedulerName": "stint-scheduler", "containers": [{"name": "c", "image": "i"}]}, "status": {"phase": "Pending"}}


EVENT = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "mine", "uid": "e", "resourceVersion": "1"},
         "involvedObject": {"kind": "Pod", "name": "first", "namespace": "mine", "uid": "first"}, "type": "Normal", "reason": "Scheduled",
         "message": "it has a place", "lastTimestamp": "2026-01-01T00:00:00Z"}


class Narrow(http.server.BaseHTTPRequestHandler):
    """Everything is forbidden but queues and what is in namespace mine."""

    protocol_version = "HTTP/1.1"
    coming = queue.Queue()  # pods that the watch tells of

    def log_message(self, *_):
        pass

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def watch(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        if kind == "pods":
            self.wfile.write(json.dumps({"type": "ADDED", "object": self.coming.get()}).encode() + b"\n")
            self.wfile.flush()
        threading.Event().wait(60)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        kind = url.path.rsplit("/", 1)[-1]
        if url.path == "/apis/scheduling.run.ai/v2/queues":
            self.answer(200, {"kind": "QueueList", "metadata": {"resourceVersion": "1"}, "items": QUEUES})
        elif "/namespaces/mine/" in url.path and kind in LISTS:
            if "watch=" in url.query:
                return self.watch(kind)
            items = {"pods": [pod("first")], "events": [EVENT]}.get(kind, [])
            self.answer(200, {"kind": LISTS[kind], "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items})
        else:
            self.answer(403, {"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "%s is forbidden" % kind})


class Bare(Narrow):
    """A cluster that stint's kinds have not been brought to."""

    def do_GET(self):
        if not self.path.startswith("/apis/scheduling.run.ai/"):
            return super().do_GET()
        body = b"404 page not found\n"
        self.send_response(404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # what a POST has sent stays unread
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET


class Slow(Narrow):
    """Project mine may be deleted; the deletion of its namespace is answered when the test says so."""

    deleted = queue.Queue()  # paths, as they come
    answers = threading.Semaphore(0)

    def do_GET(self):
        if self.path != "/api/v1/namespaces/mine":
            return super().do_GET()
        self.answer(200, {"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": "mine", "uid": "n", "labels": {"stint.dev/project": "mine"}, "annotations": {"stint.dev/made-namespace": "true"}}})

    def do_DELETE(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.deleted.put(self.path)
        if self.path == "/api/v1/namespaces/mine":
            self.answers.acquire(timeout=60)
        self.answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})


class Served(kit.Case):
    handler = Narrow

    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        folder = tempfile.TemporaryDirectory(prefix="stint-test-")
        self.addCleanup(folder.cleanup)
        kubeconfig = pathlib.Path(folder.name) / "kubeconfig"
        kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "u", "user": {"token": "t"}}],
            "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:%d" % self.server.server_port}}],
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}]}))
        self.environment = {"KUBECONFIG": str(kubeconfig), "HOME": folder.name, "PATH": "/usr/bin:/bin"}

    def stint(self, *arguments):
        return kit.run(kit.BIN / "stint", *arguments, env=self.environment)


class Kinds(Served):
    handler = Bare

    def test_a_cluster_without_the_kinds_is_told_how_to_get_them(self):
        for command in (("project", "create", "new"), ("project", "list"), ("top", "projects")):
            self.assert_refused(self.stint(*command), 3, "apply deploy/crds of its sources first")


class Interrupts(Served):
    handler = Slow

    def test_a_project_whose_deletion_has_begun_goes_whole_whatever_interrupts(self):
        """Its namespace, which the server never lets go, is not waited for."""
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)):
            with self.subTest(number):
                deleting = subprocess.Popen([kit.BIN / "stint", "project", "delete", "mine", "--cascade", "-y"], stdout=subprocess.DEVNULL,
                                            env=self.environment, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
                self.addCleanup(deleting.wait)
                self.addCleanup(deleting.kill)
                self.assertEqual(Slow.deleted.get(timeout=60), "/api/v1/namespaces/mine")
                deleting.send_signal(number)
                Slow.answers.release()
                self.assertEqual(deleting.wait(60), code)
                rest = [Slow.deleted.get() for _ in range(Slow.deleted.qsize())]
                self.assertEqual(rest, ["/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/stint-basic-mine",
                                        "/apis/scheduling.run.ai/v2/queues/mine"])


class Rights(Served):
    def test_a_list_of_all_projects_has_those_that_may_be_read(self):
        self.assertIn("first", self.assert_works(self.stint("list", "-A")).out)
        self.assertIn("it has a place", self.assert_works(self.stint("events", "-A")).out)

    def test_a_watch_of_all_projects_goes_on_in_those_that_may_be_read(self):
        watching = subprocess.Popen([kit.BIN / "stint", "list", "-A", "--watch"], stdout=subprocess.PIPE, text=True, env=self.environment)
        self.addCleanup(watching.wait)
        self.addCleanup(watching.kill)
        self.addCleanup(watching.stdout.close)
        lines = iter(watching.stdout.readline, "")
        self.assertIn("first", next(line for line in lines if not line.startswith("PROJECT")))
        Narrow.coming.put(pod("second"))
        self.assertIn("second", next(line for line in lines if "second" in line))

    def test_what_may_not_be_seen_of_a_project_is_unknown_and_not_0(self):
        shown = self.assert_works(self.stint("top", "projects"))
        rows = {line.split()[0]: line.split()[1:] for line in shown.out.splitlines()}
        self.assertEqual(rows["mine"].count("unknown"), 0, str(shown))
        self.assertEqual(rows["theirs"].count("unknown"), 4, str(shown))
        self.assertIn("you may not list the pods of theirs", shown.err)
        items = {item["name"]: item for item in self.stint("top", "projects", "-o", "json").json["items"]}
        self.assertEqual(items["mine"]["workloads"]["waiting"], 1)
        self.assertFalse({"gpus_allocated", "gpus_requested", "workloads"} & set(items["theirs"]))

    def test_a_lease_that_may_not_be_read_may_be_there(self):
        answer = self.assert_works(self.stint("why", "first", "-p", "mine"))
        self.assertIn("you may not read its Lease stint-scheduler in stint-system or kube-system", answer.err)
        self.assertNotIn("no Lease", answer.err)

    def test_without_any_right_it_is_exit_4(self):
        self.assert_refused(self.stint("list", "-p", "theirs"), 4, "forbidden")
        self.assert_refused(self.stint("node", "list"), 4, "forbidden")
        self.assert_refused(self.stint("simulate", "--from-cluster"), 4, "you may not list nodes")

    def test_what_would_happen_needs_to_see_everything(self):
        words = "what the scheduler would do depends on all of them"
        self.assert_refused(self.stint("submit", "new", "-p", "mine", "-i", "image", "--dry-run=schedule"), 4, words)
        self.assert_refused(self.stint("project", "update", "mine", "--gpus", "1", "--dry-run=schedule"), 4, words)


if __name__ == "__main__":
    kit.main()
