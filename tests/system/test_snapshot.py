"""A live cluster as a scenario: what the engine does with it offline is what the scheduler did."""

import json
import tempfile

import kit


def job(name, pods, gpus):
    container = {"name": "main", "image": "local/busybox:1", "resources": {"requests": {"cpu": "10m"}, "limits": {"nvidia.com/gpu": str(gpus)}}}
    return {"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": name, "annotations": {"kai.scheduler/batch-min-member": str(pods)}},
            "spec": {"parallelism": pods, "completions": pods,
                     "template": {"spec": {"schedulerName": "stint-scheduler", "restartPolicy": "Never", "containers": [container]}}}}


class Snapshot(kit.Case):
    """Two nodes of four devices: a gang takes one of them and more, the next one does not fit."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.Sandbox("--nodes", "2", "--gpus", "4")
        cls.addClassCleanup(cls.cluster.close)
        for body in (job("first", 3, 2), job("second", 2, 2)):
            cls.cluster.api.create("/apis/batch/v1/namespaces/default/jobs", body)
            kit.eventually(lambda: cls.count(body["metadata"]["name"]) == body["spec"]["parallelism"], "its pods")
        kit.eventually(lambda: len(cls.bound()) == 3, "three pods being bound")

    @classmethod
    def count(cls, name):
        return len([pod for pod in cls.cluster.api.pods("default") if pod["metadata"]["name"].startswith(name)])

    @classmethod
    def bound(cls):
        return {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in cls.cluster.api.pods("default") if pod["spec"].get("nodeName")}

    def simulate(self, *flags):
        made = self.assert_works(self.cluster.stint("simulate", "--from-cluster", *flags))
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(made.out)
            file.flush()
            return json.loads(made.out), self.assert_works(self.cluster.stint("simulate", file.name, "-o", "json")).json["rounds"][0]

    def test_what_runs_is_where_it_is_and_what_waits_goes_on_waiting(self):
        scenario, result = self.simulate()
        self.assertEqual(scenario["run"], {"mode": "once"})
        self.assertEqual(result["decisions"], [])
        placed = {pod["name"].split("/")[1]: pod["node"] for pod in result["pods"] if pod["node"]}
        self.assertEqual(placed, self.bound())
        self.assertEqual(sorted(pod["workload"] for pod in result["pods"] if pod["status"] == "Pending"), ["default/second"] * 2)

    def test_names_can_be_hidden_and_the_outcome_is_the_same(self):
        scenario, result = self.simulate("--anonymous")
        self.assertEqual([node["name"] for node in scenario["nodes"]], ["n-1", "n-2"])
        self.assertNotIn("second", json.dumps(scenario))
        self.assertEqual(result["decisions"], [])
        self.assertEqual(sorted(pod["status"] for pod in result["pods"]), ["Pending"] * 2 + ["Running"] * 3)

    def test_the_forms_that_make_no_sense_are_refused(self):
        self.assert_refused(self.cluster.stint("simulate", "--anonymous"), 2, "--from-cluster")
        self.assert_refused(self.cluster.stint("simulate", "--from-cluster", "file.json"), 2, "excludes")


if __name__ == "__main__":
    kit.main()
