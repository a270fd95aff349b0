"""A hundred bad inputs: one or two lines on standard error, the right exit code, nothing on standard output, nothing half done."""

import kit

USAGE, NOT_FOUND, FORBIDDEN, CONFLICT, UNREACHABLE = 2, 3, 4, 5, 8
LONG = "x" * 300

# What is submitted with otherwise good arguments: (flags, a word that the sentence has).
FLAGS = [
    (["-g", "0"], "0"), (["-g", "-1"], "-1"), (["-g", "1.5"], "1.5"), (["-g", "NaN"], "NaN"), (["-g", "inf"], "inf"), (["-g", ""], "-g"),
    (["-g", "half"], "half"), (["-g", "0x1"], "0x1"), (["-g", "1e99"], "1e99"), (["-g", "0.0001"], "0.0001"), (["-g", "1 "], "1"),
    (["-g", "0.5", "--gpu-memory", "1Gi"], "gpu-memory"), (["--gpu-memory", "0"], "0"), (["--gpu-memory", "-1Gi"], "-1Gi"),
    (["--gpu-memory", "lots"], "lots"), (["--gpu-memory", "10Xi"], "10Xi"), (["--gpu-memory", "NaN"], "NaN"),
    (["--devices", "2"], "devices"), (["-g", "2", "--devices", "2"], "devices"), (["-g", "0.5", "--devices", "0"], "0"),
    (["-g", "0.5", "--devices", "-1"], "-1"), (["-g", "0.5", "--devices", "1.5"], "1.5"), (["-g", "0.5", "--devices", "x"], "x"),
    (["--workers", "0"], "0"), (["--workers", "-2"], "-2"), (["--workers", "1.5"], "1.5"), (["--workers", "many"], "many"),
    (["--workers", "99999999999999999999"], "99999999999999999999"),
    (["--cpu", "-1"], "-1"), (["--cpu", "fast"], "fast"), (["--cpu", "1.2.3"], "1.2.3"), (["--cpu", "NaN"], "NaN"),
    (["--memory", "-5Gi"], "-5Gi"), (["--memory", "5GB"], "5GB"), (["--memory", "Gi"], "Gi"),
    (["--env", "NOEQUALS"], "NOEQUALS"), (["--env", "=x"], "=x"), (["--env", "1A B=x"], "1A B"),
    (["--label", "novalue"], "novalue"), (["--label", "bad key=x"], "bad key"), (["--label", "k=" + "v" * 64], "v" * 64), (["--label", "k=a b"], "a b"),
    (["--annotation", "novalue"], "novalue"), (["--annotation", "/=x"], "/"),
    (["--node-selector", "novalue"], "novalue"), (["--node-selector", "a b=c"], "a b"),
    (["--toleration", "x=y:Sometimes"], "Sometimes"), (["--toleration", ""], "toleration"),
    (["--pvc", "data"], "data"), (["--pvc", "data:relative"], "relative"), (["--pvc", ":/data"], "/data"),
    (["--shm-size", "-1"], "-1"), (["--shm-size", "big"], "big"),
    (["--workdir", "relative"], "relative"),
    (["--time", "0"], "0"), (["--time", "-4h"], "-4h"), (["--time", "soon"], "soon"), (["--time", "4x"], "4x"),
    (["--ttl", "-1"], "-1"), (["--ttl", "later"], "later"),
    (["--image-pull-policy", "Sometimes"], "Sometimes"), (["--priority", "no such class"], "no such class"),
    (["--dry-run=perhaps"], "perhaps"), (["--no-such-flag"], "no-such-flag"), (["-Z"], "-Z"), (["-o", "html", "--dry-run=client"], "html"),
]

NAMES = ["UPPER", "under_score", "-dash", "dash-", "a b", "a/b", "a.b", "ü", "", LONG, "../etc", "1.2"]

YAML = {
    "broken": "a: [1, 2", "duplicate": "apiVersion: batch/v1\nkind: Job\nkind: Pod\n", "deep": "[" * 5000, "scalar": "hello", "list": "[1]",
    "empty": "", "no-kind": "apiVersion: batch/v1\nmetadata: {name: x}\n", "alias": "a: &x {b: *x}\n", "merge": "a: &x {b: 1}\nc: {<<: *x}\n",
    "tabs": "a:\n\tb: 1\n", "no-name": "apiVersion: batch/v1\nkind: Job\nspec: {}\n",
}


class BadInput(kit.Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--nodes", "1", "--no-scheduler")
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.project("input", 1)
        cls.addClassCleanup(cls.cluster.remove_project, "input")

    def tearDown(self):
        self.assertEqual(self.cluster.api.get("/apis/batch/v1/namespaces/input/jobs")["items"], [], "something was half done")

    def submit(self, *arguments, **options):
        return self.cluster.stint("submit", *arguments, **options)

    def test_flags_of_submit(self):
        for flags, words in FLAGS:
            with self.subTest(flags=flags):
                self.assert_refused(self.submit("good", "-p", "input", "-i", "x:1", *flags, "--", "true"), USAGE, words)

    def test_names(self):
        for name in NAMES:
            with self.subTest(name=name[:20]):
                self.assert_refused(self.submit("-i", "x:1", "-p", "input", "--", "true") if name is None else
                                    self.submit("train", name, "-i", "x:1", "-p", "input", "--", "true"), USAGE, name[:20])

    def test_what_is_missing(self):
        self.assert_refused(self.submit("good", "-p", "input", "--", "true"), USAGE, "image")
        self.assert_refused(self.submit("-p", "input", "-i", "x:1"), USAGE, "NAME")
        self.assert_refused(self.cluster.stint("frobnicate"), USAGE, "frobnicate")
        self.assert_refused(self.cluster.stint("lis"), USAGE, "list")
        self.assert_refused(self.cluster.stint("delete", "-p", "input", "-y"), USAGE, "NAME")

    def test_an_unknown_project(self):
        self.assert_refused(self.submit("good", "-p", "nowhere", "-i", "x:1", "--", "true"), NOT_FOUND, "nowhere")
        self.assert_refused(self.cluster.stint("list", "-p", "nowhere"), NOT_FOUND, "nowhere")
        for verb in ("describe", "logs", "why", "suspend", "resume", "wait"):
            with self.subTest(verb=verb):
                self.assert_refused(self.cluster.stint(verb, "missing", "-p", "input"), NOT_FOUND, "missing")
        self.assert_refused(self.cluster.stint("delete", "missing", "-p", "input", "-y"), NOT_FOUND, "missing")

    def test_projects(self):
        for flags, words in ((["--gpus", "x"], "x"), (["--gpus", "NaN"], "NaN"), (["--gpus", "-2"], "-2"), (["--weight", "-1"], "-1"),
                             (["--gpu-limit", "few"], "few"), (["--priority", "1.5"], "1.5"), (["--cpu", "x"], "x"), (["--memory", "x"], "x")):
            with self.subTest(flags=flags):
                self.assert_refused(self.cluster.stint("project", "create", "fresh", *flags), USAGE, words)
        self.assert_refused(self.cluster.stint("project", "create", "input"), CONFLICT, "input")
        self.assert_refused(self.cluster.stint("project", "create", "Not_A_Name"), USAGE, "Not_A_Name")
        self.assert_refused(self.cluster.stint("project", "create", "fresh", "--department", "nowhere"), NOT_FOUND, "nowhere")
        self.assert_refused(self.cluster.stint("project", "delete", "nowhere", "-y"), NOT_FOUND, "nowhere")
        self.assert_refused(self.cluster.stint("department", "delete", "default-department", "-y"), CONFLICT, "default-department")
        status, _ = self.cluster.api.call("GET", "/apis/scheduling.run.ai/v2/queues/fresh")
        self.assertEqual(status, 404, "a refused project was made")

    def test_files(self):
        for name, text in YAML.items():
            with self.subTest(file=name):
                result = self.submit("-f", "-", "-p", "input", stdin=text)
                self.assertEqual(result.code, USAGE, str(result))
                self.assertEqual(result.out, "", str(result))
                self.assertLessEqual(len(result.err.strip().splitlines()), 2, str(result))
        self.assert_refused(self.submit("-f", "-", "-p", "input", stdin=bytes(range(256))), USAGE, "standard input")
        self.assert_refused(self.submit("-f", "/nonexistent.yaml", "-p", "input"), NOT_FOUND, "/nonexistent.yaml")

    def test_a_server_that_is_not_there(self):
        dead = self.cluster.kubeconfig.parent / "dead"
        dead.write_text("apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: a, cluster: {server: \"https://127.0.0.1:9\"}}]\n"
                        "contexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {}}]\n")
        for command in (["list"], ["submit", "x", "-i", "x:1", "--", "true"], ["project", "list"], ["why", "x"], ["node", "list"]):
            with self.subTest(command=command):
                self.assert_refused(self.cluster.stint("--kubeconfig", dead, *command), UNREACHABLE, "127.0.0.1:9")
        self.assert_refused(self.cluster.stint("--kubeconfig", "/nonexistent", "list"), NOT_FOUND, "/nonexistent")
        self.assert_refused(self.cluster.stint("--context", "nowhere", "list"), NOT_FOUND, "nowhere")
        broken = self.cluster.kubeconfig.parent / "broken"
        broken.write_text("clusters: [")
        self.assert_refused(self.cluster.stint("--kubeconfig", broken, "list"), USAGE, "broken")


if __name__ == "__main__":
    kit.main()
