"""The scheduler as a pod of our own image: in-cluster configuration, its service account, and nothing else."""

import json
import subprocess

import kit
import real


class InCluster(real.NodeCase):
    project = "incluster"

    @classmethod
    def start_scheduler(cls):
        """deploy/scheduler.yaml, with what this cluster lacks: no default scheduler (so the node is named), no service network."""
        real.import_program("stint-scheduler", "stint-scheduler:e2e")
        manifest = cls.cluster.kubectl("create", "--dry-run=client", "-o", "json", "-f", kit.ROOT / "deploy/scheduler.yaml")
        items = [item for item in json.loads("[%s]" % manifest.out.replace("}\n{", "},{"))]
        deployment = next(item for item in items if item["kind"] == "Deployment")
        deployment["spec"]["replicas"] = 1
        spec = deployment["spec"]["template"]["spec"]
        spec.update(nodeName=real.NODE.name, hostNetwork=True)
        container = spec["containers"][0]
        container["image"] = "docker.io/library/stint-scheduler:e2e"
        container["env"] += [{"name": "KUBERNETES_SERVICE_HOST", "value": "127.0.0.1"}, {"name": "KUBERNETES_SERVICE_PORT", "value": str(real.PLANE.port)}]
        for item in items:
            done = cls.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(item))
            assert done.code == 0, str(done)
        cls.addClassCleanup(cls.cluster.kubectl, "delete", "-f", kit.ROOT / "deploy/scheduler.yaml", "--wait")

    def test_it_becomes_ready_and_places_a_workload(self):
        self.assert_works(self.cluster.kubectl("-n", "stint-system", "rollout", "status", "deployment/stint-scheduler", "--timeout=60s"))
        self.submit("placed", "--", "sleep", "1000")
        self.running("placed")

    def test_why_reaches_it(self):
        self.submit("toolarge", "-g", "64", "--", "sleep", "1000")
        answer = kit.eventually(lambda: (lambda r: r if r.code == 7 else None)(self.cluster.stint("why", "toolarge", "-p", self.project)), "the verdict")
        self.assertIn("GPU", answer.out)
        self.assertIn("Told by:           stint-scheduler at https://", answer.out)


if __name__ == "__main__":
    kit.main()
