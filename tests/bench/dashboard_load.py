"""The dashboard beside a cluster of 1,000 nodes and 13,000 pods: memory, idle processor time, processor time and key to screen while 500
pods a second change. It runs on a terminal of the test's own; what it draws is read from there."""

import fcntl
import http.client
import json
import os
import pathlib
import pty
import select
import signal
import struct
import sys
import termios
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import changes
import figures
import kit

NODES, JOBS, PODS_PER_JOB = 1000, 260, 50
RATE = 500
IDLE_S, LOAD_S, KEYS = 20, 20, 150


class Link:
    """One kept connection."""

    def __init__(self, api):
        url = urllib.parse.urlsplit(api.server)
        self.api, self.http = api, http.client.HTTPSConnection(url.hostname, url.port, context=api.context)

    def call(self, method, path, body=None, content_type="application/json"):
        self.http.request(method, path, None if body is None else json.dumps(body), {
            "Authorization": "Bearer " + self.api.token, "Content-Type": content_type})
        answer = self.http.getresponse()
        data = answer.read()
        assert answer.status < 300, "%s %s: %s" % (method, path, data[:300])
        return json.loads(data)


class Screen:
    """The program on a terminal of its own. Only that bytes come, and when, matters here."""

    def __init__(self, command, env, columns=120, rows=40):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.seen = b""

    def read(self, timeout):
        """What comes within that time at the most; b'' is nothing."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return b""
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            data = b""
        self.seen = (self.seen + data)[-200000:]
        return data

    def wait_for(self, text, timeout=60):
        limit = time.monotonic() + timeout
        while text not in self.seen:
            assert time.monotonic() < limit, "the screen never said %r" % text
            self.read(0.5)

    def drain(self, seconds):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.read(limit - time.monotonic())

    def end(self):
        os.write(self.fd, b"q")
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            self.read(0.05)
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("q did not end it")


def cpu_s(pid):
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid, field):
    return int(pathlib.Path("/proc/%d/status" % pid).read_text().split(field + ":")[1].split()[0]) / 1024


def job(name):
    return {"metadata": {"name": name, "labels": {"stint.dev/type": "training"}}, "spec": {
        "completions": PODS_PER_JOB, "parallelism": PODS_PER_JOB, "completionMode": "Indexed",
        "template": {"metadata": {"labels": {"app": name}, "annotations": {"gpu-fraction": "0.5"}}, "spec": {
            "restartPolicy": "Never", "schedulerName": "stint-scheduler", "containers": [{
                "name": "main", "image": "registry.example/team/trainer:1.2.3", "command": ["python", "train.py", "--epochs", "90"],
                "env": [{"name": "DATA", "value": "/data"}], "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}]}}}}


def fill(cluster):
    link = Link(cluster.api)
    for at in range(JOBS):
        link.call("POST", "/apis/batch/v1/namespaces/default/jobs", job("train-%d" % at))

    def count():
        page = link.call("GET", "/api/v1/pods?limit=1")
        return len(page["items"]) + page["metadata"].get("remainingItemCount", 0)
    kit.eventually(lambda: count() == JOBS * PODS_PER_JOB, "all pods", timeout=300)
    names = [pod["metadata"]["name"] for pod in link.call("GET", "/api/v1/namespaces/default/pods")["items"]]
    for at, name in enumerate(names):
        link.call("POST", "/api/v1/namespaces/default/pods/%s/binding" % name, {
            "metadata": {"name": name, "annotations": {"stint.dev/gpu-devices": str(at // NODES % 8)}},
            "target": {"kind": "Node", "name": "node-%d" % (at % NODES)}})
    kit.eventually(lambda: not link.call("GET", "/api/v1/pods?limit=1&fieldSelector=status.phase%3DPending")["items"], "all running", timeout=300)
    return names


def key_times(screen):
    """Milliseconds from a key to the first byte of the answer. The cursor moves, so that each key changes the screen."""
    times = []
    for at in range(KEYS):
        screen.drain(0.06)
        began = time.monotonic()
        os.write(screen.fd, b"j" if at % 2 else b"k")
        while not screen.read(1):
            pass
        times.append(1000 * (time.monotonic() - began))
    return sorted(times)


def measure(cluster, names):
    env = cluster.environment(TERM="xterm-256color", LANG="C.UTF-8")
    began = time.monotonic()
    screen = Screen([str(kit.BIN / "stint"), "dashboard", "--view", "workloads"], env)
    try:
        screen.wait_for(b"train-")
        figures.row("the first picture, from the start of the program", "%.0f ms" % (1000 * (time.monotonic() - began)))
        screen.drain(3)
        before = cpu_s(screen.pid)
        screen.drain(IDLE_S)
        idle = 100 * (cpu_s(screen.pid) - before) / IDLE_S
        with changes.Changes(cluster.api, ["/api/v1/namespaces/default/pods/" + name for name in names], RATE) as load:
            screen.drain(2)
            before, done, began = cpu_s(screen.pid), load.done, time.monotonic()
            screen.drain(LOAD_S)
            seconds = time.monotonic() - began
            busy, rate = 100 * (cpu_s(screen.pid) - before) / seconds, (load.done - done) / seconds
            os.write(screen.fd, b"\x1b[6~")
            times = key_times(screen)
        kept = figures.row("processor time when nothing changes", "%.2f %%" % idle, "1 %", idle < 1)
        kept &= figures.row("changes a second that were made", "%.0f" % rate, "%d" % RATE, rate > 0.98 * RATE)
        kept &= figures.row("processor time meanwhile", "%.1f %%" % busy, "15 %", busy < 15)
        late = times[int(len(times) * 0.99)]
        kept &= figures.row("key to screen meanwhile, 99th percentile", "%.1f ms" % late, "30 ms", late < 30, "median %.1f ms" % times[len(times) // 2])
        peak = memory_mib(screen.pid, "VmHWM")
        kept &= figures.row("memory", "%.1f MiB" % peak, "48 MiB", peak < 48)
        screen.end()
    except BaseException:
        os.kill(screen.pid, signal.SIGKILL)
        raise
    return kept


def main():
    cluster = kit.Sandbox("--nodes", str(NODES), "--no-scheduler")
    try:
        return measure(cluster, fill(cluster))
    finally:
        cluster.close()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
