"""The dashboard driven for real: tmux sends keys to the program and the screen is read back, on a sandbox while things happen in it."""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import changes
import kit


class Screen:
    """A terminal of tmux, with a server of its own, in which the dashboard (or another program) runs."""

    def __init__(self, cluster, *options, columns=120, rows=40, program=None, **environment):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stint-tmux-"))
        self.socket = self.folder / "socket"
        self.exit_file = self.folder / "exit"
        env = cluster.environment(LANG="C.UTF-8", **environment)
        env.pop("TMUX", None)
        # tmux -f /dev/null: nobody's own settings. The shell in it tells how the program ended.
        command = "%s dashboard %s; echo $? > %s; stty -a > %s; exec sleep 1000" % (
            kit.BIN / "stint", " ".join(options), self.exit_file, self.folder / "stty")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows, program or command, env=env)

    def tmux(self, *words, env=None):
        done = kit.run("tmux", "-S", self.socket, *words, env=env)
        assert done.code == 0, str(done)
        return done.out

    def text(self):
        return self.tmux("capture-pane", "-p")

    def line(self, words):
        """The line that has these words, or None."""
        return next((line for line in self.text().splitlines() if words in line), None)

    def send(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", "--", text)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", columns, "-y", rows)

    def wait_for(self, *words, timeout=None):
        def there():
            text = self.text()
            for word in words:
                assert word in text, "%r is not on the screen:\n%s" % (word, text)
            return text
        return kit.eventually(there, "the screen", timeout)

    def wait_gone(self, words):
        def gone():
            text = self.text()
            assert words not in text, "%r is still on the screen:\n%s" % (words, text)
            return True
        return kit.eventually(gone, "the screen")

    def exit_code(self):
        kit.eventually(lambda: self.exit_file.exists() and self.exit_file.read_text().strip(), "the end of the program:\n" + self.text())
        return int(self.exit_file.read_text())

    def pid(self):
        """Of the dashboard: the child of the pane's shell."""
        shell = int(self.tmux("list-panes", "-F", "#{pane_pid}"))
        children = kit.run("ps", "-o", "pid=", "--ppid", shell).out.split()
        assert children, "nothing runs in the terminal:\n" + self.text()
        return int(children[0])

    def close(self):
        kit.run("tmux", "-S", self.socket, "kill-server")
        shutil.rmtree(self.folder, ignore_errors=True)


class Dashboard(kit.Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.Sandbox("--nodes", "3", "--gpus", "8")
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.project("vision", "8")

    def screen(self, *options, **more):
        screen = Screen(more.pop("cluster", self.cluster), *options, **more)
        self.addCleanup(screen.close)
        return screen

    def submit(self, name, *options, project="vision"):
        self.assert_works(self.cluster.stint("submit", "train", name, "-i", "img", "-p", project, *options))
        self.addCleanup(self.cluster.stint, "delete", name, "-p", project, "-y")


class Pictures(Dashboard):
    def test_once_prints_a_frame_of_the_size_that_was_asked_for(self):
        for view in ("overview", "workloads", "nodes", "projects", "queue", "events", "evicted"):
            for width, height in ((80, 24), (120, 40), (200, 60)):
                done = self.assert_works(self.cluster.stint("dashboard", "--once", "--view", view, "--size", "%dx%d" % (width, height),
                                                            env=self.cluster.environment(LC_ALL="C")))
                lines = done.out.splitlines()
                self.assertEqual(len(lines), height, view)
                self.assertLessEqual(max(map(len, lines)), width, view)
                self.assertTrue(done.out.isascii(), "without a UTF-8 locale: %s" % done.out)
                self.assertNotIn("\x1b", done.out)

    def test_once_in_other_charsets_and_colours(self):
        done = self.assert_works(self.cluster.stint("dashboard", "--once", "--charset", "utf-8", "--colors", "256"))
        self.assertIn("─", done.out)
        self.assertIn("\x1b[", done.out)

    def test_sizes_and_places_that_cannot_be(self):
        self.assert_refused(self.cluster.stint("dashboard", "--once", "--size", "79x24"), 2, "at least 80x24")
        self.assert_refused(self.cluster.stint("dashboard", "--once", "--size", "wide"), 2, "WIDTHxHEIGHT")
        self.assert_refused(self.cluster.stint("dashboard", "--size", "80x24"), 2, "goes with --once")
        self.assert_refused(self.cluster.stint("dashboard"), 2, "needs a terminal")

    def test_without_a_server_once_says_so(self):
        env = self.cluster.environment()
        kubeconfig = self.cluster.folder / "nowhere.yaml"
        kubeconfig.write_text("apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n"
                              "clusters: [{name: x, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: x, user: {token: x}}]\n")
        done = kit.run(kit.BIN / "stint", "--kubeconfig", kubeconfig, "--request-timeout", "3s", "dashboard", "--once", env=env)
        self.assert_refused(done, 8, "127.0.0.1")


class Keys(Dashboard):
    def test_a_workload_comes_waits_runs_and_goes(self):
        screen = self.screen("--view", "workloads")
        screen.wait_for("stint", "Workloads")
        self.submit("comes", "-g", "1")
        screen.wait_for("comes", "Running")
        self.assertRegex(screen.line("comes"), r"comes +vision +Running +1 +1/1")
        self.submit("too-much", "-g", "9")
        self.assertIn("NeverFits", screen.wait_for("too-much", "NeverFits"))
        self.cluster.stint("delete", "comes", "-p", "vision", "-y")
        screen.wait_gone("comes ")
        screen.send("q")
        self.assertEqual(screen.exit_code(), 0)

    def test_why_and_detail_and_back(self):
        self.submit("asks-much", "-g", "9")
        screen = self.screen("--view", "workloads")
        screen.wait_for("asks-much")
        screen.type("/asks-much")
        screen.send("Enter", "y")
        screen.wait_for("asks-much can never run as asked: NeverFits", "Told by", "stint-scheduler")
        screen.send("Escape", "Enter")
        screen.wait_for("Detail", "asks-much", "Pods", "Events", "FailedScheduling")
        screen.send("Escape", "Escape")
        screen.wait_for("Workloads")

    def test_a_question_is_about_the_object_though_its_row_is_deleted_meanwhile(self):
        self.submit("aaa-goes", "-g", "9")
        self.submit("bbb-stays", "-g", "9")
        screen = self.screen("--view", "queue", "-p", "vision")
        screen.wait_for("aaa-goes", "bbb-stays")
        screen.send("d")
        screen.wait_for("Delete this workload?", "vision/aaa-goes")
        self.cluster.stint("delete", "aaa-goes", "-p", "vision", "-y")
        screen.wait_for("vision/aaa-goes  has gone meanwhile")
        screen.send("y")
        screen.wait_for("nothing was done")
        screen.wait_for("bbb-stays")
        self.assert_works(self.cluster.stint("describe", "bbb-stays", "-p", "vision"))

    def test_a_namesake_that_was_made_while_a_question_was_open_is_not_touched(self):
        path = "/apis/batch/v1/namespaces/vision/jobs/again"
        self.submit("again", "-g", "9")
        first = self.cluster.api.get(path)
        screen = self.screen("--view", "workloads", "-p", "vision")
        screen.wait_for("again", "NeverFits")
        screen.type("/again")
        screen.send("Enter", "S")
        screen.wait_for("Suspend this workload?", "uid " + first["metadata"]["uid"][:8])
        # It hears of nothing while the workload is made again, and then of that and of the answer at once.
        pid = screen.pid()
        os.kill(pid, signal.SIGSTOP)
        self.assert_works(self.cluster.stint("delete", "again", "-p", "vision", "-y"))
        self.submit("again", "-g", "9")
        screen.send("y")
        os.kill(pid, signal.SIGCONT)
        kit.eventually(lambda: "made again meanwhile" in screen.text() or "nothing was done" in screen.text(), "a word about it")
        second = self.cluster.api.get(path)
        self.assertNotEqual(second["metadata"]["uid"], first["metadata"]["uid"])
        self.assertFalse(second["spec"].get("suspend"))

    def test_delete_suspend_resume_and_priority(self):
        self.submit("acted-on", "-g", "1")
        screen = self.screen("--view", "workloads", "-p", "vision")
        screen.wait_for("acted-on", "Running")
        screen.type("/acted-on")
        screen.send("Enter", "S")
        screen.wait_for("Suspend this workload?")
        screen.send("y")
        screen.wait_for("is suspended", "Suspended")
        screen.send("R")
        screen.wait_for("Resume this workload?")
        screen.send("y")
        screen.wait_for("is resumed", "Running")
        screen.send("+")
        screen.wait_for("Raise the priority of")
        screen.send("y")
        screen.wait_for("has priority class build-preemptible now")
        self.assertEqual(self.cluster.api.get("/apis/batch/v1/namespaces/vision/jobs/acted-on")["metadata"]["labels"]["priorityClassName"],
                         "build-preemptible")
        screen.send("d")
        screen.wait_for("Delete this workload?")
        screen.send("y")
        screen.wait_for("is being deleted")
        screen.wait_for("0 of 0 Workloads")

    def test_logs_follow_and_survive_a_storm_of_resizes(self):
        self.submit("talks", "-g", "0.5", "--annotation", "sim/log=first words\nsecond words\nthird words")
        screen = self.screen("--view", "workloads", "-p", "vision")
        screen.wait_for("talks", "Running")
        screen.type("/talks")
        screen.send("Enter", "l")
        screen.wait_for("Logs", "second words", "following")
        for at in range(30):
            screen.resize(80 + at * 3 % 70, 24 + at % 20)
        screen.resize(100, 30)
        text = screen.wait_for("Logs", "second words", "following")
        self.assertEqual(len(text.splitlines()), 30)
        screen.type("/third")
        screen.send("Enter")
        screen.wait_for('search "third"')
        screen.send("q")
        self.assertEqual(screen.exit_code(), 0)

    def test_too_small_a_window_is_a_sentence_and_no_end(self):
        screen = self.screen("--view", "nodes")
        screen.wait_for("node-0")
        screen.resize(60, 10)
        screen.wait_for("The dashboard needs 80 x 24")
        screen.resize(100, 30)
        screen.wait_for("node-0", "NODE")

    def test_q_ends_it_from_every_view_with_0(self):
        self.submit("some-row", "-g", "9")
        for keys in ("1", "2", "3", "4", "5", "6", "7", "?", "2s", "2c", "2d", "5y", "2l"):
            screen = self.screen()
            screen.wait_for("NODES READY")
            screen.type(keys)
            screen.send("q")
            self.assertEqual(screen.exit_code(), 0, keys)
            screen.close()

    def test_commands_of_stint_run_from_inside_with_completion(self):
        self.submit("seen-inside", "-g", "9")
        screen = self.screen()
        screen.wait_for("NODES READY")
        screen.type(":lis")
        screen.send("Tab")
        screen.wait_for(":list")
        screen.type("-p vision")
        screen.send("Enter")
        screen.wait_for("Output of list -p vision", "seen-inside", "Pending")
        screen.send("Escape")
        screen.wait_for("NODES READY")
        screen.type(":no-such-verb")
        screen.send("Enter")
        screen.wait_for("no-such-verb", "exit code 2")

    def test_more_commands_than_screens_can_lie_on_each_other(self):
        screen = self.screen()
        screen.wait_for("NODES READY")
        for at in range(10):
            screen.type(":no-such-%d" % at)
            screen.send("Enter")
            screen.wait_for("Output of no-such-%d" % at, "exit code 2")
        screen.send("Escape")
        screen.wait_for("Output of no-such-6")
        screen.send("q")
        self.assertEqual(screen.exit_code(), 0)

    def test_a_shell_has_the_terminal_and_gives_it_back(self):
        self.submit("has-a-shell", "-g", "0.5")
        screen = self.screen("--view", "workloads", "-p", "vision")
        screen.wait_for("has-a-shell", "Running")
        screen.send("e")
        screen.wait_for("$")
        screen.type("echo spoken in the pod")
        screen.send("Enter")
        screen.wait_for("\nspoken in the pod")
        screen.type("exit")
        screen.send("Enter")
        screen.wait_for("has-a-shell", "Workloads")
        screen.type(":exec has-a-shell -p vision -- no-such-program")
        screen.send("Enter")
        screen.wait_for("exit code 127: press a key")
        screen.send("Enter")
        screen.wait_for("has-a-shell", "Workloads")
        screen.send("q")
        self.assertEqual(screen.exit_code(), 0)

    def test_after_a_failed_shell_any_key_brings_the_dashboard_back_and_nothing_typed_before_counts(self):
        self.submit("fails-inside", "-g", "0.5")
        screen = self.screen("--view", "workloads", "-p", "vision")
        screen.wait_for("fails-inside", "Running")
        for key in ("x", "C-c", "Up"):
            screen.send("e")
            screen.wait_for("$")
            screen.send("exit 3", "Enter", "d", "y")  # the last two come while the shell ends
            screen.wait_for("exit code 3: press a key")
            screen.send(key)
            screen.wait_for("fails-inside", "Workloads")
            self.assertIn("Running", screen.line("fails-inside"))
        screen.send("q")
        self.assertEqual(screen.exit_code(), 0)

    def test_settings_are_written_back_whole(self):
        self.assert_works(self.cluster.stint("config", "set", "project", "vision"))
        self.addCleanup(self.cluster.stint, "config", "set", "project", "--unset")
        screen = self.screen("--view", "workloads")
        screen.wait_for("Workloads")
        screen.type(":set theme light")
        screen.send("Enter")
        screen.wait_for("dashboard-theme is light from now on")
        self.addCleanup(self.cluster.stint, "config", "set", "dashboard-theme", "--unset")
        self.assertEqual(self.assert_works(self.cluster.stint("config", "get", "dashboard-theme")).out, "light\n")
        self.assertEqual(self.assert_works(self.cluster.stint("config", "get", "project")).out, "vision\n")
        self.assert_refused(self.cluster.stint("config", "set", "dashboard-theme", "pink"), 2, "dark or light")
        self.assert_refused(self.cluster.stint("config", "set", "dashboard-keys", "fly=x"), 2, "fly")


class Victims(kit.Case):
    """Two devices, two projects with a quota of one each: who borrows has to give back."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.Sandbox("--nodes", "1", "--gpus", "2")
        cls.addClassCleanup(cls.cluster.close)
        for project in ("tenants", "owners"):
            cls.cluster.project(project, "1")

    def submit(self, project, name, *options):
        self.assert_works(self.cluster.stint("submit", "train", name, "-i", "img", "-p", project, "-g", "1", *options))

    def test_who_was_evicted_why_for_whom_what_was_lost_and_when_it_starts_again(self):
        screen = Screen(self.cluster, "--view", "workloads")
        self.addCleanup(screen.close)
        for name in ("first", "second"):
            self.submit("tenants", name, "--time", "1h")
            kit.eventually(lambda name=name: "Running" in (screen.line(name) or ""), "%s running" % name)
        self.submit("owners", "comes", "--time", "2h")
        screen.send("7")
        text = screen.wait_for("1 Evicted")
        told = re.search(r"(first|second) +tenants +Reclaimed +queue owners +1 GPU after \d+\w* ", text)
        self.assertTrue(told, text)
        victim = told.group(1)
        screen.send("Enter")
        screen.wait_for("Detail tenants/" + victim, 'Reclaimed: queue "owners" has not had its share', "lost: 1 GPU after")
        screen.send("Escape")
        screen.wait_for("1 Evicted", "Pending")
        screen.send("5")
        kit.eventually(lambda: re.search(r"1 +%s +tenants +1 .* NoRoom +it asks for 1 GPU" % victim, screen.text()), "what holds it back")
        kit.eventually(lambda: re.search(r"%s +tenants .* (60m|59m|1h|58m\S*) +NoRoom" % victim, screen.text()), "when it starts")
        screen.send("y")
        screen.wait_for(victim + " waits: NoRoom", "Who has it", "Starts")
        self.assertRegex(screen.line("Starts"), r"in (1h|59m)\w* at the latest")
        screen.send("q")
        self.assertEqual(screen.exit_code(), 0)
        # Who opens it later learns of it by its event.
        done = self.assert_works(self.cluster.stint("dashboard", "--once", "--view", "evicted", "--size", "140x24"))
        self.assertRegex(done.out, victim + r" +tenants +Reclaimed +queue owners +1 GPU after \d+\w* ")
        done = self.assert_works(self.cluster.stint("events", "-p", "tenants", "-o", "json"))
        self.assertIn("lost: 1 GPU after", done.out)
        self.assertIn("lost: 1 GPU after", self.cluster.stint("why", victim, "-p", "tenants").out)


class Ends(Dashboard):
    """The terminal is as it was, however the program ends."""

    def ended(self, screen, code):
        self.assertEqual(screen.exit_code(), code)
        kit.eventually(lambda: (screen.folder / "stty").exists() and "speed" in (screen.folder / "stty").read_text())
        settings = (screen.folder / "stty").read_text()
        for word in ("icanon", "echo", "isig", "opost"):
            self.assertRegex(settings, r"(?m)(^|\s)%s(\s|$)" % word, "after exit %d" % code)
        self.assertEqual(screen.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").split(), ["0", "1"])

    def test_by_its_own_will(self):
        screen = self.screen()
        screen.wait_for("NODES READY")
        screen.send("q")
        self.ended(screen, 0)

    def test_by_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            screen = self.screen()
            screen.wait_for("NODES READY")
            os.kill(screen.pid(), number)
            self.ended(screen, 128 + number)

    def test_for_a_while_by_ctrl_z(self):
        screen = self.screen()
        screen.wait_for("NODES READY")
        pid = screen.pid()
        screen.send("C-z")
        kit.eventually(lambda: pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()[0] == "T", "it being stopped")
        self.assertEqual(screen.tmux("display-message", "-p", "#{alternate_on}").strip(), "0")
        os.kill(pid, signal.SIGCONT)
        screen.wait_for("NODES READY")
        screen.send("q")
        self.ended(screen, 0)

    def test_for_a_while_by_ctrl_z_and_fg_though_the_window_changes_meanwhile(self):
        screen = self.screen(program="exec bash --norc --noprofile -i")

        def say(words):
            screen.type(words)
            screen.send("Enter")

        def stop():
            screen.send("C-z")
            kit.eventually(lambda: screen.tmux("display-message", "-p", "#{alternate_on}").strip() == "0", "the shell's screen")
        screen.wait_for("bash-")
        say("%s dashboard" % (kit.BIN / "stint"))
        screen.wait_for("NODES READY")
        stop()
        screen.wait_for("Stopped")
        screen.resize(90, 30)
        say("echo still $((40 + 2)) here")
        screen.wait_for("still 42 here")
        say("fg")
        self.assertEqual(len(screen.wait_for("NODES READY", "q quit").splitlines()), 30)
        # Ended while it is stopped: it gives the terminal back when it learns of it, and not before.
        stop()
        say("kill %1; clear; fg; echo it ended with $?")
        screen.wait_for("it ended with 143")
        say("clear; stty -a")
        self.assertRegex(screen.wait_for(" icanon ", " echo "), r"\bisig\b")
        self.assertEqual(screen.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").split(), ["0", "1"])

    def test_by_a_crash(self):
        screen = self.screen()
        screen.wait_for("NODES READY")
        os.kill(screen.pid(), signal.SIGSEGV)
        kit.eventually(lambda: screen.exit_file.exists(), "the end")
        self.assertNotEqual(screen.exit_code(), 0)
        self.ended(screen, screen.exit_code())


class Gate:
    """Stands before the API server of a cluster: it can be shut and opened again, and refuse what it is told to. A kubeconfig of its own."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, pathlib.Path(folder)
        self.refuse = lambda path: None  # gives a status, or None
        self.links, self.port, self.server = set(), 0, None
        made = kit.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=gate",
                       "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.folder / "gate.key", "-out", self.folder / "gate.crt")
        assert made.code == 0, str(made)
        self.open()
        self.kubeconfig = self.folder / "gate.kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "gate",
            "contexts": [{"name": "gate", "context": {"cluster": "gate", "user": "gate", "namespace": "vision"}}],
            "clusters": [{"name": "gate", "cluster": {"server": "https://127.0.0.1:%d" % self.port, "certificate-authority": str(self.folder / "gate.crt")}}],
            "users": [{"name": "gate", "user": {"token": cluster.api.token}}]}))

    def environment(self, **more):
        return dict(self.cluster.environment(**more), KUBECONFIG=str(self.kubeconfig))

    def open(self):
        gate = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                gate.links.add(self.connection)

            def finish(self):
                gate.links.discard(self.connection)
                with contextlib.suppress(OSError, ValueError):
                    super().finish()

            def log_message(self, *words):
                pass

            def pass_on(self):
                status = gate.refuse(self.path)
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length) if length else None
                if status:
                    text = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
                                       "reason": {401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}[status], "message": "refused by the gate"}).encode()
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                    return
                url = urllib.parse.urlsplit(gate.cluster.api.server)
                link = http.client.HTTPSConnection(url.hostname, url.port, context=gate.cluster.api.context)
                link.request(self.command, self.path, body, {
                    name: value for name, value in self.headers.items() if name.lower() not in ("host", "accept-encoding", "connection")})
                answer = link.getresponse()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while True:
                    piece = answer.read1(1 << 16)
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
                    if not piece:
                        break
                link.close()

            def do_GET(self):
                with contextlib.suppress(OSError):
                    self.pass_on()

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *words):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "gate.crt", self.folder / "gate.key")
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def shut(self):
        """No connection is taken, and those that there are end."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        for link in list(self.links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)


class Trouble(Dashboard):
    def gate(self):
        folder = tempfile.mkdtemp(prefix="stint-gate-")
        self.addCleanup(shutil.rmtree, folder, True)
        gate = Gate(self.cluster, folder)
        self.addCleanup(gate.shut)
        return gate

    def test_a_lost_server_is_told_and_comes_back_by_itself(self):
        gate = self.gate()
        self.submit("was-there", "-g", "9")
        screen = self.screen("--view", "workloads", cluster=gate)
        screen.wait_for("was-there")
        gate.shut()
        self.assertIn("was-there", screen.wait_for("No news for"), "the screen stays")
        screen.send("1")
        screen.wait_for("No news for", "NODES READY")
        screen.send("2")
        self.submit("came-meanwhile", "-g", "9")
        self.cluster.stint("delete", "was-there", "-p", "vision", "-y")
        gate.open()
        screen.wait_gone("No news for")
        screen.wait_for("came-meanwhile")
        screen.wait_gone("was-there")
        self.submit("came-later", "-g", "9")
        screen.wait_for("came-later")

    def test_an_expired_credential_says_what_to_do(self):
        gate = self.gate()
        screen = self.screen("--view", "workloads", cluster=gate)
        screen.wait_for("Workloads", "STATE")
        gate.refuse = lambda path: 401
        for link in list(gate.links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        screen.wait_for("No news for", "log in again")
        gate.refuse = lambda path: None
        screen.wait_gone("No news for")

    def test_a_refusal_of_one_moment_hides_nothing(self):
        gate = self.gate()
        self.submit("stays-seen", "-g", "9")
        screen = self.screen("--view", "workloads", columns=160, cluster=gate)
        screen.wait_for("stays-seen")
        gate.refuse = lambda path: 403 if "/pods" in path else None
        for link in list(gate.links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        text = screen.wait_for("No news for", "refused by the gate")
        self.assertIn("stays-seen", text)
        self.assertNotIn("hidden", text)
        gate.refuse = lambda path: None
        screen.wait_gone("No news for")
        self.submit("is-seen-too", "-g", "9")
        text = screen.wait_for("stays-seen", "is-seen-too")
        self.assertNotIn("hidden", text)

    def test_what_is_hidden_is_seen_once_it_may_be_read(self):
        gate = self.gate()
        gate.refuse = lambda path: None if "/namespaces/vision/" in path else 403
        screen = self.screen("--view", "nodes", columns=160, cluster=gate)
        screen.wait_for("hidden: nodes, queues, other projects")
        gate.refuse = lambda path: None
        screen.wait_gone("hidden")
        screen.wait_for("node-0")

    def test_who_may_read_one_project_sees_it_and_is_told_what_is_hidden(self):
        gate = self.gate()
        gate.refuse = lambda path: None if "/namespaces/vision/" in path else 403
        self.submit("mine", "-g", "9")
        screen = self.screen("--view", "workloads", columns=160, cluster=gate)
        screen.wait_for("mine", "project vision", "hidden: nodes, queues, other projects")
        self.assertNotIn("scheduler", screen.text(), "who may not read the Lease knows nothing of it")
        screen.send("1")
        screen.wait_for("nodes may not be seen", "mine")
        self.assertNotIn("0 of 0", screen.text())
        screen.send("3")
        screen.wait_for("no nodes are to be seen")
        screen.send("q")
        self.assertEqual(screen.exit_code(), 0)
        done = kit.run(kit.BIN / "stint", "dashboard", "--once", "--size", "120x40", env=gate.environment())
        self.assertIn("mine", self.assert_works(done).out)

    def test_that_no_scheduler_works_is_told_until_one_does(self):
        gate = self.gate()
        gate.refuse = lambda path: 404 if "/leases/" in path else None
        screen = self.screen(cluster=gate)
        screen.wait_for("no scheduler has come to this cluster yet", "NODES READY")
        done = kit.run(kit.BIN / "stint", "dashboard", "--once", "--size", "120x40", env=gate.environment())
        self.assertIn("no scheduler has come to this cluster yet", self.assert_works(done).out)
        gate.refuse = lambda path: None
        screen.wait_gone("no scheduler")

    def test_a_server_that_is_not_there_yet_is_waited_for(self):
        gate = self.gate()
        gate.shut()
        screen = self.screen("--view", "nodes", cluster=gate, XDG_CONFIG_HOME="/nonexistent")
        screen.wait_for("No news for")
        gate.open()
        screen.wait_for("node-0", timeout=60)


class Load(Dashboard):
    """As many changes a second as the sandbox makes, and 2,000 at most: how many there were is said, and that they came while it answered is tested."""

    CHANGES, RATE = 2000 if kit.SANITIZED else 12000, 2000  # at least so many in all; a sanitized sandbox makes less than 300 a second

    def filter(self, screen, text):
        screen.type("/")
        screen.send("C-u")
        screen.type(text)
        screen.send("Enter")

    def test_a_flood_of_changes_leaves_it_answering_and_right(self):
        names = ["busy-%d" % at for at in range(60)]
        for name in names:
            self.cluster.api.create("/api/v1/namespaces/vision/pods", {
                "metadata": {"name": name, "labels": {"round": "none", "busy": "yes"}},
                "spec": {"schedulerName": "stint-scheduler", "containers": [{"name": "main", "image": "img"}]}})
        paths = ["/api/v1/namespaces/vision/pods/" + name for name in names]
        self.addCleanup(lambda: [self.cluster.api.call("DELETE", path + "?gracePeriodSeconds=0") for path in paths])
        screen = self.screen("--view", "workloads", "-p", "vision")
        screen.wait_for("60 Workloads")
        self.filter(screen, "round=none")
        screen.wait_for("60 of 60 Workloads")
        with changes.Changes(self.cluster.api, paths, self.RATE) as load:
            screen.wait_for("0 of 60 Workloads")  # they arrive
            answers, limit = 0, time.monotonic() + 240
            while load.done < self.CHANGES:  # changes come until the last of these answers has been seen
                self.assertLess(time.monotonic(), limit, "%d of %d changes were made" % (load.done, self.CHANGES))
                for keys in ("3", "5", "1", "2"):
                    screen.send(keys)
                    screen.wait_for({"3": "DEVICES", "5": "HELD BACK BY", "1": "NODES READY", "2": "REASON"}[keys])
                    answers += 1
            self.submit("meanwhile", "-g", "9")
            self.filter(screen, "meanwhile")
            screen.wait_for("1 of 61 Workloads", "NeverFits")
            made, rate = load.done, load.rate_reached()
            load.stop()
            print("# %.0f changes a second of the %d that were asked for, %d in all, while it answered %d keys" % (rate, self.RATE, made, answers))
            self.assertLessEqual(rate, self.RATE)
        # Nothing was lost on the way: each pod says what was written last.
        labels = {load.label(path) for path in paths}
        for label in labels:
            self.filter(screen, "round=" + label)
            wanted = sum(load.label(path) == label for path in paths)
            screen.wait_for("%d of 61 Workloads" % wanted, "filter round=" + label)
        screen.send("q")
        self.assertEqual(screen.exit_code(), 0)


if __name__ == "__main__":
    kit.main()
