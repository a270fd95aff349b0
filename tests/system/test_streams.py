"""logs, exec, attach and port-forward: on the sandbox's virtual pods, or on the real node of an end-to-end cluster."""

import contextlib
import os
import pty
import select
import signal
import socket
import subprocess
import termios
import time
import unittest

import kit

REAL_NODE = "localhost"


class Streams(kit.Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "1", "--gpus", "2", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.api = cls.cluster.api
        cls.made = []
        cls.addClassCleanup(cls.remove_all)

    @classmethod
    def remove_all(cls):
        for path in cls.made:
            cls.api.call("DELETE", path + "?propagationPolicy=Background&gracePeriodSeconds=0")

    @classmethod
    def template(cls, lines, seconds):
        """A pod that writes the lines at its start and ends after the seconds (None: never)."""
        if cls.cluster.is_sandbox:
            annotations = {"sim/log": "\n".join(lines)}
            if seconds is not None:
                annotations["sim/run-seconds"] = str(seconds)
            return {"metadata": {"annotations": annotations},
                    "spec": {"nodeName": "node-0", "restartPolicy": "Never", "containers": [{"name": "main", "image": "any"}]}}
        script = "".join("echo '%s'; " % line for line in lines) + "sleep %s" % (100000 if seconds is None else seconds)
        return {"metadata": {}, "spec": {
            "nodeName": REAL_NODE, "restartPolicy": "Never", "hostNetwork": True, "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "local/busybox:1", "imagePullPolicy": "Never", "command": ["sh", "-c", script]}]}}

    @classmethod
    def make_pod(cls, name, lines=("one", "two", "three"), seconds=None, ready=True):
        pod = dict(cls.template(lines, seconds), apiVersion="v1", kind="Pod")
        pod["metadata"]["name"] = name
        cls.api.create("/api/v1/namespaces/default/pods", pod)
        cls.made.append("/api/v1/namespaces/default/pods/" + name)
        if ready:
            kit.eventually(lambda: cls.phase(name) == "Running", "pod %s running" % name)

    @classmethod
    def make_job(cls, name, count, lines, seconds):
        cls.api.create("/apis/batch/v1/namespaces/default/jobs", {
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"completions": count, "parallelism": count, "completionMode": "Indexed", "template": cls.template(lines, seconds)}})
        cls.made.append("/apis/batch/v1/namespaces/default/jobs/" + name)

    @classmethod
    def phase(cls, name):
        return cls.api.get("/api/v1/namespaces/default/pods/" + name)["status"].get("phase")

    def stint(self, *arguments, **options):
        return self.cluster.stint(*arguments, **options)


class Logs(Streams):
    def test_a_pods_log_comes_whole_or_its_end(self):
        self.make_pod("log-one")
        kit.eventually(lambda: self.stint("logs", "log-one").out == "one\ntwo\nthree\n", "the whole log")
        self.assertEqual(self.assert_works(self.stint("logs", "log-one", "--tail", "1")).out, "three\n")
        timed = self.assert_works(self.stint("logs", "log-one", "--timestamps")).out.splitlines()
        self.assertRegex(timed[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*Z one$")

    def test_several_workers_are_followed_to_their_end_each_line_named(self):
        self.make_job("log-pair", 2, ["hello", "bye"], 2)
        result = self.assert_works(self.stint("logs", "-f", "log-pair"))
        lines = result.out.splitlines()
        self.assertEqual(len(lines), 4, str(result))
        for worker in ("0", "1"):
            own = [line for line in lines if line.startswith("[log-pair-%s-" % worker)]
            self.assertEqual([line.split("] ")[1] for line in own], ["hello", "bye"], str(result))

    def test_what_has_no_log_is_said_with_the_right_code(self):
        self.make_pod("log-two")
        self.assert_refused(self.stint("logs", "no-such"), 3, "no workload \"no-such\"")
        self.assert_refused(self.stint("logs", "log-two", "--pod", "other"), 3, "has no pod \"other\"; it has log-two")
        self.assert_refused(self.stint("logs", "log-two", "-f", "--previous"), 2, "exclude each other")
        self.assert_refused(self.stint("logs", "log-two", "--tail", "x"), 2, "--tail")

    def test_a_container_that_there_is_not_is_not_found(self):
        self.make_pod("single")
        for command, words in ((("logs", "single", "-c", "nope"), 'has no container "nope"; it has main'),
                               (("exec", "single", "-c", "nope", "--", "true"), 'has no container "nope"; it has main'),
                               (("attach", "single", "-c", "nope"), 'has no container "nope"; it has main'),
                               (("logs", "single", "--previous"), "has not been restarted")):
            self.assert_refused(self.stint(*command), 3, words)

    def test_a_reader_that_has_seen_enough_ends_it_quietly(self):
        self.make_pod("log-pipe", lines=["line"] * 200)
        kit.eventually(lambda: self.stint("logs", "log-pipe").out.count("line") == 200, "the whole log")
        env = self.cluster.environment()
        result = kit.run("sh", "-c", "'%s' logs -f log-pipe | head -n 1" % (kit.BIN / "stint"), env=env)
        self.assertEqual((result.out, result.err), ("line\n", ""), str(result))

    @unittest.skipUnless(os.environ.get("STINT_E2E") is None, "takes its server away")
    def test_a_server_that_goes_away_is_told_of_once(self):
        with contextlib.closing(kit.Sandbox("--nodes", "1", "--no-scheduler")) as cluster:
            pod = dict(self.template(["line"], None), apiVersion="v1", kind="Pod")
            pod["metadata"]["name"] = "log-lost"
            cluster.api.create("/api/v1/namespaces/default/pods", pod)
            with kit.process(kit.BIN / "stint", "logs", "-f", "log-lost", env=cluster.environment(), ready=lambda out: "line" in out) as logs:
                kit.run(kit.BIN / "stint", "sandbox", "down", "--dir", cluster.folder)
                kit.eventually(lambda: "interrupted" in logs.output(), "the interruption being told")
                with self.assertRaises(subprocess.TimeoutExpired):
                    logs.wait(3)
                self.assertLessEqual(len(logs.output().splitlines()), 3, logs.output())


    @unittest.skipUnless(os.environ.get("STINT_E2E") is None, "takes its server away")
    def test_a_wait_outlives_a_server_that_goes_away(self):
        with contextlib.closing(kit.Sandbox("--nodes", "1", "--no-scheduler")) as cluster:
            self.assert_works(cluster.stint("submit", "slow", "-p", "default", "-i", "x:1"))
            with kit.process(kit.BIN / "stint", "wait", "slow", "-p", "default", "--for", "running", "--timeout", "5s", "-v", env=cluster.environment(),
                             ready=lambda out: "pods: 200" in out) as wait:
                kit.run(kit.BIN / "stint", "sandbox", "down", "--dir", cluster.folder)
                self.assertEqual(wait.wait(kit.DEADLINE_S), 6, wait.output())


class Exec(Streams):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_pod("box")

    def test_the_exit_code_is_the_commands(self):
        for code in (0, 1, 7, 255):
            self.assertEqual(self.stint("exec", "box", "--", "sh", "-c", "exit %d" % code).code, code)

    def test_words_are_passed_on_as_they_are(self):
        result = self.assert_works(self.stint("exec", "box", "--", "echo", "a  b", "$HOME", "'q'", "*"))
        self.assertEqual(result.out, "a  b $HOME 'q' *\n")

    def test_standard_input_goes_in_and_its_end_is_told(self):
        text = "x" * 300000 + "\nlast\n"
        result = self.assert_works(self.stint("exec", "-i", "box", "--", "cat", stdin=text))
        self.assertEqual(result.out, text)

    def test_a_large_input_arrives_whole_and_soon(self):
        """Larger than all buffers on the way, so that both sides have to wait for each other; the bytes are no text."""
        data = os.urandom(4 << 20)
        started = time.monotonic()
        done = subprocess.run([kit.BIN / "stint", "exec", "-i", "box", "--", "cat"], input=data, capture_output=True, timeout=120,
                              env=self.cluster.environment())
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(done.stdout == data, "%d bytes came back, and not those that were sent" % len(done.stdout))
        self.assertLess(time.monotonic() - started, kit.DEADLINE_S)

    def test_without_i_nothing_is_read(self):
        self.assertEqual(self.assert_works(self.stint("exec", "box", "--", "cat", stdin="ignored")).out, "")

    def test_what_cannot_be_entered_is_said_with_the_right_code(self):
        self.assert_refused(self.stint("exec", "box"), 2, "no command is given")
        self.assert_refused(self.stint("exec", "no-such", "--", "true"), 3, "no workload \"no-such\"")
        self.assert_refused(self.stint("exec", "box", "-c", "other", "--", "echo"), 3, "other")
        self.make_pod("done", seconds=0, ready=False)
        kit.eventually(lambda: self.phase("done") == "Succeeded", "the pod having ended")
        self.assert_refused(self.stint("exec", "done", "--", "echo"), 1, "\"done\" is Succeeded")

    def on_terminal(self, *arguments):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(kit.BIN / "stint", ["stint", *arguments], self.cluster.environment())
        return pid, terminal

    def read_until(self, terminal, words):
        seen = b""

        def more():
            nonlocal seen
            if select.select([terminal], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    seen += os.read(terminal, 4096)
            return words in seen
        kit.eventually(more, "%r on the terminal" % words)

    def is_raw(self, terminal):
        return not termios.tcgetattr(terminal)[3] & (termios.ICANON | termios.ECHO)

    def test_the_terminal_is_raw_meanwhile_and_restored_whichever_way_it_ends(self):
        for ending in (b"the end", signal.SIGTERM, signal.SIGHUP):
            pid, terminal = self.on_terminal("exec", "-it", "box", "--", "cat")
            kit.eventually(lambda: self.is_raw(terminal), "the terminal being raw")
            os.write(terminal, b"hello\r")
            self.read_until(terminal, b"hello")
            if isinstance(ending, bytes):
                os.write(terminal, b"\x04" if not self.cluster.is_sandbox else b"\x03")
                time.sleep(0.2)
                os.kill(pid, signal.SIGINT)
            else:
                os.kill(pid, ending)
            kit.eventually(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, "stint having ended")
            self.assertFalse(self.is_raw(terminal), "after %r" % ending)
            os.close(terminal)


class Attach(Streams):
    def test_what_the_process_writes_is_shown_and_its_end_ends_it(self):
        self.make_pod("watched", seconds=3)
        result = self.stint("attach", "watched")
        self.assertEqual(result.code, 0, str(result))

    def test_an_input_that_nobody_reads_is_not_offered(self):
        self.make_pod("deaf", seconds=3)
        result = self.stint("attach", "-i", "deaf", stdin="x")
        self.assertIn("reads no standard input", result.err)


class PortForward(Streams):
    def test_bad_ports_are_refused_before_anything_is_done(self):
        for port in ("0", "99999", "x", "1:2:3", "80:", "-1"):
            self.assertEqual(self.stint("port-forward", "any", "--", port).code, 2, port)

    def test_it_says_where_it_listens_and_a_taken_port_is_an_error(self):
        self.make_pod("ported")
        env = self.cluster.environment()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.assert_refused(self.stint("port-forward", "ported", port + ":80"), 1, "port %s of this machine" % port)
        with kit.process(kit.BIN / "stint", "port-forward", "ported", ":80", env=env, ready=lambda out: "to port 80 of pod ported" in out) as run:
            port = int(run.output().split("127.0.0.1:")[1].split(" ")[0])
            socket.create_connection(("127.0.0.1", port)).close()

    def test_many_connections_need_no_higher_limit_of_open_files(self):
        self.make_pod("crowded")
        words = "ulimit -S -n 40; exec '%s' port-forward crowded :80" % (kit.BIN / "stint")
        with kit.process("sh", "-c", words, env=self.cluster.environment(), ready=lambda out: "to port 80" in out) as run:
            port = int(run.output().split("127.0.0.1:")[1].split(" ")[0])
            crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
            kit.eventually(lambda: len(os.listdir("/proc/%d/fd" % run.pid)) > 3 * len(crowd), "three files for each connection")
            self.assertNotIn("stint: ", run.output())
            for one in crowd:
                one.close()


if __name__ == "__main__":
    kit.main()
