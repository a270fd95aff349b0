"""What the cases on a real node share: the control plane, its containerd, a project, and a scheduler of the built programs."""

import os
import pathlib
import subprocess
import sys

import kit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import control_plane  # noqa: E402

PLANE = control_plane.ControlPlane(os.environ["STINT_E2E_PROGRAMS"], os.environ["STINT_E2E_PLANE"])
NODE = control_plane.Node(PLANE)
IMAGE = "docker.io/local/busybox:1"


def import_program(program, name, *additions):
    """Puts an image of one of our programs on the node."""
    archive = PLANE.folder / (program + ".tar")
    subprocess.run([kit.ROOT / "tools/image", "--program", kit.BIN / program, "--name", name, "--output", archive,
                    *[word for addition in additions for word in ("--add", addition)]], check=True)
    NODE.import_image(archive)
    archive.unlink()


class NodeCase(kit.Case):
    """A project with quota on the real node. Subclasses say how the scheduler runs."""

    project = "real"
    scheduler_flags = ["--leader-elect=false"]

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster()
        cls.start_scheduler()
        cls.cluster.project(cls.project, 8)
        cls.addClassCleanup(cls.cluster.remove_project, cls.project)

    @classmethod
    def start_scheduler(cls):
        scheduler = cls.cluster.scheduler(*cls.scheduler_flags)
        cls.scheduler = scheduler.__enter__()
        cls.addClassCleanup(scheduler.__exit__, None, None, None)

    def submit(self, name, *arguments):
        self.assert_works(self.cluster.stint("submit", name, "-p", self.project, "-i", IMAGE, *arguments))
        self.addCleanup(self.delete, name)

    def delete(self, name):
        self.cluster.stint("delete", name, "-p", self.project, "-y")
        # A shell that sleeps as process 1 does not hear SIGTERM: half a minute of grace is not what is tested here.
        for pod in self.pods(name):
            self.cluster.kubectl("-n", self.project, "delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force", "--wait=false")
        kit.eventually(lambda: not self.pods(name), "the pods of %s being gone" % name, timeout=60)

    def pods(self, name):
        return [p for p in self.cluster.api.pods(self.project) if p["metadata"]["name"].startswith(name + "-")]

    def running(self, name, count=1):
        def all_run():
            pods = self.pods(name)
            return len(pods) == count and all(p["status"].get("phase") == "Running" for p in pods) and pods
        return kit.eventually(all_run, "%s running" % name, timeout=60)
