"""The same input means the same decisions: again, in another order, in another build of the program, and out of a journal; of the simulator and
of a scheduler that serves a cluster."""

import json
import os
import pathlib
import subprocess
import tempfile

import kit
import scenarios

SEEDS = range(1, 9 if kit.SANITIZED else 31)  # the release pass has looked at more of them


def other_builds():
    """Programs that must decide the same as the one under test: those that STINT_BUILDS names, and the release build when it is up to date and
    not itself under test."""
    named = [pathlib.Path(path) for path in os.environ.get("STINT_BUILDS", "").split(":") if path]
    if kit.SANITIZED and subprocess.run(["make", "-q", "bin/stint"], cwd=kit.ROOT, capture_output=True).returncode == 0:
        named.append(kit.ROOT / "bin" / "stint")
    return named


class Decisions(kit.Case):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def simulate(self, scenario, program=kit.BIN / "stint"):
        """The result document, and the bytes of the journal."""
        journal = self.folder / "journal"
        done = self.assert_works(kit.run(program, "simulate", "-", "--journal", journal, "-o", "json", stdin=json.dumps(scenario)))
        return done.out, journal.read_bytes()

    def test_the_order_of_what_is_listed_changes_nothing(self):
        decided = 0
        for seed in SEEDS:
            scenario = scenarios.make(seed)
            first = json.loads(self.simulate(scenario)[0])
            second = json.loads(self.simulate(scenarios.shuffled(scenario, seed))[0])
            for one, other in zip(first["rounds"], second["rounds"]):
                self.assertEqual(one["decisions"], other["decisions"], "seed %d" % seed)
                for key in ("pods", "nodes"):
                    self.assertEqual(sorted(one[key], key=str), sorted(other[key], key=str), "seed %d" % seed)
                decided += len(one["decisions"])
        self.assertGreater(decided, 20 * len(SEEDS))

    def test_every_build_decides_the_same_bytes(self):
        for seed in SEEDS:
            scenario = scenarios.make(seed)
            here = self.simulate(scenario)
            for program in other_builds() or [kit.BIN / "stint"]: # the same one again is another process, with other addresses
                self.assertEqual(here, self.simulate(scenario, program), "seed %d, %s" % (seed, program))

    def test_a_journal_is_decided_again_and_what_differs_is_shown(self):
        for seed in list(SEEDS)[:5]:
            journal = self.simulate(scenarios.make(seed))[1]
            path = self.folder / "kept"
            path.write_bytes(journal)
            same = self.assert_works(kit.run(kit.BIN / "stint", "simulate", "--replay", path))
            self.assertRegex(same.out, r"^4 cycles, \d+ decisions: the same\n$")
            for program in other_builds():
                self.assert_works(kit.run(program, "simulate", "--replay", path))
            lines = journal.decode().splitlines(keepends=True)
            at = next(number for number, line in enumerate(lines) if line.startswith('{"decision":"bind"'))
            lines[at] = lines[at].replace('"node":"node-', '"node":"mode-')
            path.write_text("".join(lines))
            differs = kit.run(kit.BIN / "stint", "simulate", "--replay", path)
            self.assertEqual(differs.code, 1, str(differs))
            self.assertIn("%s:%d: differs, in cycle 1\n" % (path, at + 1), differs.out)
            self.assertRegex(differs.out, r'the journal: .*"mode-.*\n  this engine: .*"node-')
            shown = kit.run(kit.BIN / "stint", "simulate", "--replay", path, "-o", "json").json
            self.assertEqual((shown["same"], shown["differs"]["line"], shown["cycles"]), (False, at + 1, 1))

    def test_what_cannot_be_replayed_is_refused_with_its_place(self):
        path = self.folder / "bad"
        for text, words in (("", "bad:1: this is no journal"), ('{"journal":1}\n{"node":{"name":"n","gpus":-1.5}}\n', "bad:2: node.gpus must be"),
                            ('{"journal":1}\n{"cycle":1\n', "bad:2: ")):
            path.write_text(text)
            self.assert_refused(kit.run(kit.BIN / "stint", "simulate", "--replay", path), 2, words)
        self.assert_refused(kit.run(kit.BIN / "stint", "simulate", "--replay", path, "file"), 2, "--replay takes all from its journal")
        self.assert_refused(kit.run(kit.BIN / "stint", "simulate", "--journal", path, "--trace", "x", "--nodes", "y"), 2, "--journal records")
        self.assertEqual(kit.run(kit.BIN / "stint", "simulate", "--replay", self.folder / "none").code, 3)


class Errors(kit.Case):
    """A scenario is untrusted: whatever is wrong with it, the file and the place in it are named."""

    def test_the_file_and_the_place_are_named(self):
        queue = {"name": "q", "parent": None, "gpu": {"quota": 1}, "cpu": {"quota": 1}, "memory": {"quota": 1}}
        rows = (
            ("{", "line 1, column 2"),
            ('{"nodes":[],"nodes":[]}', "line 1, column 23: a key stands twice"),
            ("[]", "the document must be an object"),
            ('{"version":2}', "version must be 1"),
            ('{"kind":"other"}', "kind must be"),
            ('{"nodes":{}}', "nodes must be"),
            ('{"nodes":[{"name":"n","gpus":-1}]}', "nodes[0].gpus must be"),
            ('{"nodes":[{"name":"n"},{"name":"n"}]}', "nodes[1].name is taken"),
            ('{"config":{"colour":1}}', "config.colour is no setting"),
            ('{"run":{"mode":"rounds","rounds":1e9}}', "run.rounds must be"),
            ('{"topologies":[{"levels":["zone"]}]}', "topologies[0].name must be"),
            (json.dumps({"queues": [queue], "workloads": [{"name": "w", "queue": "q", "pods": [{"status": "Dancing"}]}]}),
             "workloads[0].pods[0].status must be"),
            (json.dumps({"queues": [dict(queue, gpu={"quota": "many"})]}), "queues[0].gpu.quota must be"),
            ('{"stint":{"placement":"neat"}}', "stint.placement must be"),
            ('{"kind":"fairshare","total":{"gpu":"x"}}', "total.gpu must be"),
        )
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "scenario.json"
            for text, words in rows:
                path.write_text(text)
                done = kit.run(kit.BIN / "stint", "simulate", path)
                self.assertEqual(done.code, 2, text)
                self.assert_refused(done, 2, words)
                self.assertIn("stint: %s: " % path, done.err, text)
            done = kit.run(kit.BIN / "stint", "simulate", "-", stdin='{"version":2}')
            self.assert_refused(done, 2, "stint: standard input: ")
            self.assertIn(str(path) + ".gone", kit.run(kit.BIN / "stint", "simulate", str(path) + ".gone").err)
            path.write_text('{"kind":"fairshare"}')
            self.assert_refused(kit.run(kit.BIN / "stint", "simulate", path, "--journal", path.with_name("j")), 2, "nothing to record")
            self.assertIn("/none/j", kit.run(kit.BIN / "stint", "simulate", "-", "--journal", "/none/j", stdin="{}").err)


class Cluster(kit.Case):
    """The journal of a scheduler that serves a cluster."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.Sandbox("--nodes", "2", "--gpus", "4", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)

    def submit(self, name, gpus):
        self.assert_works(self.cluster.stint("submit", name, "-i", "local/busybox:1", "-g", gpus, "--", "sleep", "1000"))

    def running(self):
        pods = self.cluster.api.pods("default")
        return sorted(pod["metadata"]["labels"]["job-name"] for pod in pods if pod["status"].get("phase") == "Running")

    def replay(self, path):
        return self.assert_works(kit.run(kit.BIN / "stint", "simulate", "--replay", path, "-o", "json")).json

    def test_a_live_scheduler_decides_the_same_again_and_begins_another_file_when_one_is_full(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "journal"
            with self.cluster.scheduler("--journal", path, "--journal-size", "1"):
                self.submit("one", "4")
                self.submit("half", "0.5")
                self.submit("large", "8")
                kit.eventually(lambda: self.running() == ["half", "one"], "two of the jobs running")
                kit.eventually(lambda: "Unschedulable" not in self.cluster.stint("why", "large").err and path.stat().st_size, "a reason")
                self.assert_works(self.cluster.stint("delete", "one", "-y"))
                kit.eventually(lambda: self.running() == ["half"], "one job running")
                first = self.replay(path)
                self.assertTrue(first["same"])
                self.assertGreaterEqual(first["decisions"], 2)
                for number in range(60):
                    labels = {"l%d" % key: "x" * 60 for key in range(400)}
                    self.cluster.api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node",
                                                              "metadata": {"name": "heavy-%d" % number, "labels": labels}})
                kit.eventually(lambda: path.with_name("journal.1").exists(), "another file")
                self.submit("two", "1")
                kit.eventually(lambda: self.running() == ["half", "two"], "a job that came after that")
                self.assertTrue(self.replay(path.with_name("journal.1"))["same"])
                self.assertTrue(self.replay(path)["same"])


if __name__ == "__main__":
    kit.main()
