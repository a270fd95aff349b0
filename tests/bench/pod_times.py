"""When pods came to each step of their lives, as one watch of all namespaces saw it: where the time of a measurement went."""

import contextlib
import http.client
import json
import threading
import time

def is_told(pod):
    """Why it waits; that others of its gang are still to be made is no answer yet."""
    return any(c["type"] == "PodScheduled" and c["status"] == "False" and not c["message"].startswith("Incomplete")
               for c in pod["status"].get("conditions", []))


STEPS = {
    "made": lambda kind, pod: kind == "ADDED",
    "told why it waits": lambda kind, pod: is_told(pod),
    "marked": lambda kind, pod: any(c["type"] == "stint.dev/Evicted" for c in pod["status"].get("conditions", [])),
    "leaving": lambda kind, pod: "deletionTimestamp" in pod["metadata"],
    "ended": lambda kind, pod: pod["status"].get("phase") in ("Failed", "Succeeded"),
    "gone": lambda kind, pod: kind == "DELETED",
    "bound": lambda kind, pod: bool(pod["spec"].get("nodeName")),
    "running": lambda kind, pod: pod["status"].get("phase") == "Running",
}


class PodTimes(threading.Thread):
    """Begins with what there is when it is made, which counts as reached before. Of all namespaces, or of one."""

    def __init__(self, connection, namespace=None):
        super().__init__(daemon=True)
        self.connection, self.started, self.reached = connection, time.monotonic(), {}
        pods = "/api/v1/%spods" % ("namespaces/%s/" % namespace if namespace else "")
        page = json.loads(connection.call("GET", pods))
        for pod in page["items"]:
            self.take("ADDED", pod, None)
        self.path = pods + "?watch=1&resourceVersion=" + page["metadata"]["resourceVersion"]
        self.start()

    def run(self):
        self.connection.http.request("GET", self.path)
        with contextlib.suppress(http.client.IncompleteRead):  # the server ends before its watches do
            for line in self.connection.http.getresponse():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                self.take(event["type"], event["object"], time.monotonic() - self.started)

    def take(self, kind, pod, at):
        for step, holds in STEPS.items():
            if holds(kind, pod):
                self.reached.setdefault((pod["metadata"]["namespace"], step), {}).setdefault(pod["metadata"]["name"], at)

    def of(self, namespace, step):
        """When each pod of the namespace came to the step, by its name: as far as it is known now."""
        return dict(self.reached.get((namespace, step), {}))

    def report(self):
        """One line for each namespace and step that some pods came to since: how many, when the first, the middle and the last did."""
        order = list(STEPS)
        for space, step in sorted(self.reached, key=lambda key: (key[0], order.index(key[1]))):
            times = sorted(at for at in dict(self.reached[space, step]).values() if at is not None)
            if times:
                print("    %-12s %-18s %5d  %7.3f %7.3f %7.3f s" % (space, step, len(times), times[0], times[len(times) // 2], times[-1]))
