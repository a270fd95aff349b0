"""What the system and end-to-end tests stand on: the built programs, a cluster to run them on, and waiting for a condition.

A test file has classes of kit.Case and ends with kit.main(). Its output is TAP, which tests/run sums up.
STINT_BIN names the folder of the programs; STINT_E2E, when set, is a kubeconfig of the cluster that kit.cluster() gives instead of a
sandbox of its own.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("STINT_BIN", ROOT / "bin"))
SANITIZED = "san" in BIN.parts
# Patience for conditions; the sanitized programs are several times slower.
DEADLINE_S = 60 if SANITIZED else 30


class Result:
    """What a command did: exit code, standard output and error."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return "exit %s\n--- stdout\n%s\n--- stderr\n%s" % (self.code, self.out, self.err)

    @property
    def json(self):
        return json.loads(self.out)


def run(*command, stdin=None, env=None, timeout=120):
    """Runs a command to its end. stdin is text or bytes; without it there is nothing to read."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([str(word) for word in command], input=data, stdin=subprocess.DEVNULL if data is None else None,
                          capture_output=True, env=env, timeout=timeout)
    return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def eventually(condition, what="the condition", timeout=None, pause=0.05):
    """Calls condition until it returns something true, and returns that. An assertion that fails in it counts as not yet."""
    limit = time.monotonic() + (timeout or DEADLINE_S)
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
        except AssertionError as not_yet:
            last = not_yet
        if time.monotonic() > limit:
            raise AssertionError("%s did not come true in time%s" % (what, ": %s" % last if last else ""))
        time.sleep(pause)


class Api:
    """Plain HTTPS to the cluster of a kubeconfig, for what a test wants to see or do without the programs under test."""

    def __init__(self, kubeconfig):
        text = pathlib.Path(kubeconfig).read_text()
        folder = pathlib.Path(kubeconfig).parent

        def field(name):
            match = re.search(r"\b%s: *\"?([^\s\",}]+)" % name, text)
            return match and match.group(1)

        self.server = field("server")
        self.context = ssl.create_default_context(cafile=folder / field("certificate-authority"))
        if field("client-certificate"):
            self.context.load_cert_chain(folder / field("client-certificate"), folder / field("client-key"))
        self.token = field("token")

    def call(self, method, path, body=None, content_type="application/json"):
        """Returns (status, document); a text answer comes as a string."""
        request = urllib.request.Request(self.server + path, method=method, data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", content_type)
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=60) as answer:
                status, data = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            status, data = refused.code, refused.read()
        try:
            return status, json.loads(data)
        except ValueError:
            return status, data.decode(errors="replace")

    def get(self, path):
        status, document = self.call("GET", path)
        assert status == 200, "GET %s: %s %s" % (path, status, document)
        return document

    def create(self, path, body):
        status, document = self.call("POST", path, body)
        assert status in (200, 201), "POST %s: %s %s" % (path, status, document)
        return document

    def pods(self, namespace=None, selector=""):
        path = "/api/v1/namespaces/%s/pods" % namespace if namespace else "/api/v1/pods"
        return self.get(path + ("?labelSelector=" + selector if selector else ""))["items"]


class Cluster:
    """A cluster to test on: its kubeconfig, its Api, and stint run against it."""

    is_sandbox = False

    def __init__(self, kubeconfig):
        self.kubeconfig = pathlib.Path(kubeconfig)
        self.api = Api(kubeconfig)

    def environment(self, **more):
        home = self.kubeconfig.parent
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("STINT_", "XDG_"))}
        return dict(kept, KUBECONFIG=str(self.kubeconfig), HOME=str(home), **more)

    def stint(self, *arguments, **options):
        options.setdefault("env", self.environment())
        return run(BIN / "stint", *arguments, **options)

    def scheduler(self, *arguments):
        """A stint-scheduler of the test's own for this cluster, with the rights of its service account where there are any. Killed at the
        end of the with block."""
        kubeconfig = os.environ.get("STINT_E2E_SCHEDULER", self.kubeconfig)
        return process(BIN / "stint-scheduler", "--kubeconfig", kubeconfig, *self.lease_namespace, *arguments, env=self.environment())

    @property
    def lease_namespace(self):
        return [] if self.is_sandbox else ["--lease-namespace", "stint-system"]

    def make_nodes(self, count, gpus=8, prefix="gpu", memory_mib=81920, product="NVIDIA-H100-80GB-HBM3", cpu="128", memory="1Ti"):
        """Virtual nodes, played by KWOK or by the sandbox, ready when this returns. Nodes that are there already stay as they are."""
        names = ["%s-%d" % (prefix, at) for at in range(count)]
        amounts = {"cpu": cpu, "memory": memory, "pods": "1000", "nvidia.com/gpu": str(gpus)}
        for name in names:
            self.call_until_created("/api/v1/nodes", {
                "apiVersion": "v1", "kind": "Node",
                "metadata": {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"}, "labels": {
                    "kubernetes.io/hostname": name, "nvidia.com/gpu.product": product, "nvidia.com/gpu.memory": str(memory_mib),
                    "nvidia.com/gpu.count": str(gpus)}},
                "status": {"capacity": amounts, "allocatable": amounts}})
        eventually(lambda: all(self.node_ready(name) for name in names), "%d nodes being ready" % count)
        return names

    def call_until_created(self, path, body):
        status, document = self.api.call("POST", path, body)
        assert status in (200, 201, 409), "POST %s: %s %s" % (path, status, document)

    def node_ready(self, name):
        conditions = self.api.get("/api/v1/nodes/" + name)["status"].get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def remove_nodes(self, names):
        for name in names:
            self.api.call("DELETE", "/api/v1/nodes/" + name)

    def project(self, name, gpus, *flags):
        """A project with that quota, made by stint."""
        done = self.stint("project", "create", name, "--gpus", gpus, *flags)
        assert done.code == 0, "project create: %s" % done

    def remove_project(self, name):
        self.stint("project", "delete", name, "--cascade", "-y")

    def kubectl(self, *arguments, **options):
        options.setdefault("env", self.environment())
        return run(kubectl_path(), *arguments, **options)


class Sandbox(Cluster):
    """A sandbox in a folder of its own, up while the object is open."""

    is_sandbox = True

    def __init__(self, *options):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stint-test-"))
        self.up(*options)
        super().__init__(self.folder / "kubeconfig")

    def up(self, *options):
        done = run(BIN / "stint", "sandbox", "up", "--dir", self.folder, *options, env=dict(os.environ, HOME=str(self.folder)))
        assert done.code == 0, "sandbox up: %s" % done

    def close(self):
        run(BIN / "stint", "sandbox", "down", "--dir", self.folder, env=dict(os.environ, HOME=str(self.folder)))
        shutil.rmtree(self.folder, ignore_errors=True)


def kubectl_path():
    """The kubectl of the end-to-end tests when it has been built, else the one of the machine, else None."""
    built = os.environ.get("STINT_E2E_PROGRAMS")
    return (built and shutil.which("kubectl", path=built)) or shutil.which("kubectl")


def cluster(*sandbox_options):
    """The cluster that STINT_E2E names, or a sandbox. Close it with contextlib.closing or addClassCleanup(c.close)."""
    named = os.environ.get("STINT_E2E")
    if named:
        real = Cluster(named)
        real.close = lambda: None
        return real
    return Sandbox(*sandbox_options)


@contextlib.contextmanager
def process(*command, env=None, ready=None):
    """A program that runs while the block does: killed at its end. ready(output so far) is awaited when given."""
    log = tempfile.TemporaryFile(mode="w+b")
    running = subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                               env=env, start_new_session=True)

    def output():
        return os.pread(log.fileno(), 1 << 20, 0).decode(errors="replace")

    running.output = output
    try:
        if ready:
            eventually(lambda: ready(output()) or running.poll() is not None, "%s being ready" % command[0])
            assert running.poll() is None, "%s ended: %s" % (command[0], output())
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def gpu_shares(pods, node_memory_mib=81920):
    """{(node, slot): [(pod, thousandths of the device)]} of the pods that hold devices, out of what their Bindings wrote."""
    shares = {}
    for pod in pods:
        annotations, node = pod["metadata"].get("annotations", {}), pod["spec"].get("nodeName")
        slots = annotations.get("stint.dev/gpu-devices")
        if not node or not slots or pod["status"].get("phase") in ("Succeeded", "Failed"):
            continue
        if "gpu-fraction" in annotations:
            share = round(1000 * float(annotations["gpu-fraction"]))
        elif "gpu-memory" in annotations:
            share = round(1000 * int(annotations["gpu-memory"]) / node_memory_mib)
        else:
            share = 1000
        for slot in slots.split(","):
            shares.setdefault((node, slot), []).append((pod["metadata"]["name"], share))
    return shares


def overcommitted(pods):
    """The devices whose shares add up to more than the whole of them."""
    return {device: users for device, users in gpu_shares(pods).items() if sum(share for _, share in users) > 1000}


class Case(unittest.TestCase):
    """A test case whose failures show the whole command."""

    maxDiff = None

    def assert_works(self, result):
        self.assertEqual(result.code, 0, str(result))
        return result

    def assert_refused(self, result, code, words):
        """A refusal: the exit code, one or two lines with those words on standard error, nothing on standard output."""
        self.assertEqual(result.code, code, str(result))
        self.assertIn(words, result.err, str(result))
        self.assertEqual(result.out, "", str(result))
        self.assertLessEqual(len(result.err.strip().splitlines()), 2, str(result))


class TapResult(unittest.TestResult):
    """Prints TAP lines as tests end."""

    def _line(self, good, test, details=""):
        print("%s - %s" % ("ok" if good else "not ok", test.id().split(".", 1)[-1]), flush=True)
        if details:
            print(details, flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._line(True, test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line(False, test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self._line(False, test, self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            print("not ok - %s" % subtest.id().split(".", 1)[-1], flush=True)
            print((self.failures or self.errors)[-1][1], flush=True)
        else:
            print("ok - %s" % subtest.id().split(".", 1)[-1], flush=True)

    def addSkip(self, test, reason):
        # A skipped test would let a suite pass by skipping: whatever cannot run here has failed.
        super().addSkip(test, reason)
        self._line(False, test, "skipped: " + reason)


def main():
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    suite = loader.loadTestsFromNames(sys.argv[1:], module) if sys.argv[1:] else loader.loadTestsFromModule(module)
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() and not result.skipped else 1)
