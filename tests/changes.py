"""Changes of pods at a rate: what a busy cluster does to those who watch it. One thread; many requests are under way on each connection, so
that it costs little beside what is measured."""

import json
import re
import select
import socket
import threading
import time
import urllib.parse

LINKS, UNDER_WAY, TURN_S = 2, 32, 0.005
ANSWER = re.compile(rb"HTTP/1\.1 (\d\d\d) ")


class Link:
    """A connection on which answers come in the order of the requests. It has pods of its own, so that the changes of each come in order."""

    def __init__(self, api, paths):
        url = urllib.parse.urlsplit(api.server)
        self.socket = api.context.wrap_socket(socket.create_connection((url.hostname, url.port)), server_hostname=url.hostname)
        self.head = "Host: %s\r\nAuthorization: Bearer %s\r\n" % (url.netloc, api.token)
        self.paths, self.sent, self.under_way, self.rest = paths, 0, 0, b""
        self.labels = {}  # by path: the one that was written last

    def send(self, count):
        text = []
        for _ in range(count):
            path = self.paths[self.sent % len(self.paths)]
            self.labels[path] = "r%d" % (self.sent // len(self.paths))
            data = json.dumps({"metadata": {"labels": {"round": self.labels[path]}}})
            text.append("PATCH %s HTTP/1.1\r\n%sContent-Type: application/merge-patch+json\r\nContent-Length: %d\r\n\r\n%s"
                        % (path, self.head, len(data), data))
            self.sent += 1
        self.socket.sendall("".join(text).encode())
        self.under_way += count

    def take(self):
        """Reads what has come; how many answers began in it."""
        data = self.rest + self.socket.recv(1 << 18)
        while self.socket.pending():
            data += self.socket.recv(1 << 18)
        assert data != self.rest, "the server has ended the connection"
        answers = ANSWER.findall(data)
        assert all(answer == b"200" for answer in answers), data[:2000]
        self.rest = data[-12:]  # the begin of an answer, maybe; never a whole one
        self.under_way -= len(answers)
        return len(answers)


class Changes:
    """Sets label `round` of the pods at these paths, one after the other and again, `rate` times a second, until stopped or `most` changes
    have been made. Use it with `with`. What went wrong in its thread is raised at the end."""

    def __init__(self, api, paths, rate, most=10 ** 9):
        self.rate, self.most, self.done = rate, most, 0
        self.links = [Link(api, paths[at::LINKS]) for at in range(LINKS)]
        self.stopped, self.wrong = threading.Event(), None
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.began = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *words):
        self.stop()

    def stop(self):
        self.stopped.set()
        self.finish()

    def finish(self):
        """Waits until all have been made; the seconds that it took."""
        self.thread.join()
        if self.wrong:
            raise self.wrong
        return time.monotonic() - self.began

    def rate_reached(self):
        """Changes a second that the server has made so far."""
        return self.done / (time.monotonic() - self.began)

    def label(self, path):
        """What stands there in the end."""
        return next(link.labels[path] for link in self.links if path in link.labels)

    def turn(self):
        sent = sum(link.sent for link in self.links)
        due = 0 if self.stopped.is_set() else min(int((time.monotonic() - self.began) * self.rate), self.most) - sent
        for link in self.links:
            count = min(due, UNDER_WAY - link.under_way)
            if count > 0:
                link.send(count)
                due -= count
        readable = select.select([link.socket for link in self.links], [], [], TURN_S)[0]
        self.done += sum(link.take() for link in self.links if link.socket in readable)

    def run(self):
        try:
            while self.done < self.most and not (self.stopped.is_set() and not any(link.under_way for link in self.links)):
                self.turn()
        except (AssertionError, OSError) as wrong:
            self.wrong = wrong
