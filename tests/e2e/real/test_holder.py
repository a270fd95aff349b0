"""Shares of a real device: a holder learns its UUID, two pods get it, and the holder goes with the last of them. NVML is a stand-in that the
test image carries; everything else is what a user's cluster runs."""

import subprocess

import kit
import real


class Holder(real.NodeCase):
    project = "sharing"
    scheduler_flags = ["--leader-elect=false", "--agent-image", "docker.io/library/stint-agent:e2e"]

    @classmethod
    def setUpClass(cls):
        library = real.PLANE.folder / "libnvidia-ml.so.1"
        subprocess.run(["gcc", "-shared", "-fPIC", "-Wl,-soname,libnvidia-ml.so.1", "-o", library,
                        real.pathlib.Path(__file__).parent / "nvml_standin.c"], check=True)
        real.import_program("stint-agent", "stint-agent:e2e", "%s:/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1" % library)
        super().setUpClass()

    def holders(self):
        return self.cluster.api.pods("stint-reservation")

    def test_two_halves_share_a_device_through_one_holder(self):
        for name in ("first", "second"):
            self.submit(name, "-g", "0.5", "--", "sh", "-c", "echo $NVIDIA_VISIBLE_DEVICES; sleep 1000")
        pods = [pod for name in ("first", "second") for pod in self.running(name)]
        annotations = [pod["metadata"]["annotations"] for pod in pods]
        self.assertEqual(annotations[0]["stint.dev/gpu-devices"], annotations[1]["stint.dev/gpu-devices"])
        uuid = annotations[0]["stint.dev/gpu-uuids"]
        self.assertTrue(uuid.startswith("GPU-"), uuid)
        for name in ("first", "second"):
            kit.eventually(lambda name=name: self.cluster.stint("logs", name, "-p", self.project).out == uuid + "\n", "the device in the container")
        holders = self.holders()
        self.assertEqual(len(holders), 1, [h["metadata"]["name"] for h in holders])
        self.assertRegex(holders[0]["metadata"]["name"], "^gpu-[0-9a-f]{16}$")
        self.delete("first")
        self.assertEqual(len(self.holders()), 1, "the holder went while a share was left")
        self.delete("second")
        kit.eventually(lambda: not self.holders(), "the holder being gone", timeout=60)

    def test_a_pod_without_the_wiring_waits_and_is_told_what_to_add(self):
        self.cluster.api.create("/api/v1/namespaces/%s/pods" % self.project, {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "unwired", "annotations": {"gpu-fraction": "0.5"}},
            "spec": {"schedulerName": "stint-scheduler", "terminationGracePeriodSeconds": 0,
                     "containers": [{"name": "main", "image": real.IMAGE, "command": ["sleep", "1000"]}]}})

        def told():
            pod = self.cluster.api.get("/api/v1/namespaces/%s/pods/unwired" % self.project)
            conditions = pod["status"].get("conditions", [])
            return next((c["message"] for c in conditions if c["type"] == "PodScheduled" and "NVIDIA_VISIBLE_DEVICES" in c.get("message", "")), None)
        self.assertIn("stint.dev/gpu-uuids", kit.eventually(told, "the reason being written"))
        self.cluster.api.call("DELETE", "/api/v1/namespaces/%s/pods/unwired" % self.project)


if __name__ == "__main__":
    kit.main()
