"""Real containers: logs, exec with stdin, a terminal and the exit code, attach, port-forward."""

import contextlib
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import kit
import real


class Containers(real.NodeCase):
    project = "containers"

    def stint(self, *arguments, **options):
        return self.cluster.stint(*arguments, "-p", self.project, **options)

    def test_logs_follow_a_container_to_its_end(self):
        self.submit("talker", "--", "sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.5; done; echo over >&2")
        self.running("talker")
        followed = self.assert_works(self.stint("logs", "-f", "talker"))
        self.assertEqual(followed.out.splitlines(), ["line 1", "line 2", "line 3", "over"])
        self.assertEqual(self.assert_works(self.stint("logs", "talker", "--tail", "1")).out, "over\n")

    def test_exec_keeps_the_streams_apart_and_gives_the_exit_code(self):
        self.submit("shell", "--", "sleep", "1000")
        self.running("shell")
        done = self.cluster.stint("exec", "shell", "-p", self.project, "--", "sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((done.code, done.out, done.err), (7, "out\n", "err\n"))
        data = bytes(range(256)) * 4096
        piped = subprocess.run([kit.BIN / "stint", "exec", "-i", "shell", "-p", self.project, "--", "cat"], input=data, capture_output=True,
                               env=self.cluster.environment(), timeout=60)
        self.assertEqual((piped.returncode, piped.stderr), (0, b""))
        self.assertEqual(piped.stdout, data)

    def test_exec_with_a_terminal(self):
        self.submit("terminal", "--", "sleep", "1000")
        self.running("terminal")
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(kit.BIN / "stint", ["stint", "exec", "-it", "terminal", "-p", self.project, "--", "sh"], self.cluster.environment())
        try:
            seen = self.converse(fd, b"tty && echo width $(stty size)\n", rb"width \d+ \d+")
            self.assertIn(b"/dev/pts", seen)
            os.write(fd, b"exit 5\n")
            self.assertEqual(os.waitstatus_to_exitcode(self.reap(pid, fd)), 5)
        finally:
            os.close(fd)

    @staticmethod
    def converse(fd, line, wanted):
        seen, limit = b"", time.monotonic() + 20
        os.write(fd, line)
        while not re.search(wanted, seen) and time.monotonic() < limit:
            if select.select([fd], [], [], 0.2)[0]:
                seen += os.read(fd, 4096)
        return seen

    @staticmethod
    def reap(pid, fd):
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            if select.select([fd], [], [], 0.1)[0]:
                try:
                    os.read(fd, 4096)
                except OSError:
                    pass
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return status
        os.kill(pid, signal.SIGKILL)
        return os.waitpid(pid, 0)[1]

    def test_attach_shows_what_the_container_prints(self):
        self.submit("ticker", "--", "sh", "-c", "while true; do echo tick; sleep 0.2; done")
        self.running("ticker")
        with kit.process(kit.BIN / "stint", "attach", "ticker", "-p", self.project, env=self.cluster.environment()) as attached:
            kit.eventually(lambda: attached.output().count("tick") >= 3, "three ticks")
            attached.send_signal(signal.SIGINT)
            self.assertEqual(attached.wait(10), 130)

    def test_port_forward_carries_bytes_both_ways(self):
        self.submit("server", "--", "sh", "-c", "while true; do nc -l -p 8000 -e cat; done")
        self.running("server")
        with kit.process(kit.BIN / "stint", "port-forward", "server", "-p", self.project, ":8000", env=self.cluster.environment(),
                         ready=lambda text: "127.0.0.1:" in text) as forward:
            port = int(re.search(r"127\.0\.0\.1:(\d+)", forward.output()).group(1))
            data = b"hello through the tunnel\n" * 4000
            for _ in range(2):
                kit.eventually(lambda: self.echo(port, data) == data, "the echo of %d bytes" % len(data))

    @staticmethod
    def echo(port, data):
        """What came back; nothing while the container does not listen yet, which shows as a reset."""
        received = b""
        with contextlib.suppress(ConnectionResetError), socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(data)
            while len(received) < len(data):
                piece = connection.recv(65536)
                if not piece:
                    break
                received += piece
        return received


if __name__ == "__main__":
    kit.main()
