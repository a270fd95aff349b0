"""make install puts everything where it belongs, and make uninstall leaves nothing."""

import pathlib
import shutil
import tempfile

import kit


class Install(kit.Case):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stint-install-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def make(self, target):
        self.assert_works(kit.run("make", "-C", kit.ROOT, target, "DESTDIR=%s" % self.folder, "PREFIX=/opt/stint"))

    def files(self):
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if not path.is_dir()}

    def test_uninstall_leaves_nothing(self):
        self.make("install")
        prefix = "opt/stint/"
        for name in ("bin/stint", "bin/stint-scheduler", "bin/stint-agent", "bin/kubectl-stint", "share/man/man1/stint.1",
                     "share/bash-completion/completions/stint", "share/zsh/site-functions/_stint", "share/fish/vendor_completions.d/stint.fish"):
            self.assertIn(prefix + name, self.files())
        self.assertEqual(kit.run(self.folder / prefix / "bin/stint", "version", "--client").code, 0)
        self.make("uninstall")
        self.assertEqual(self.files(), set())
        self.assertEqual([path for path in self.folder.rglob("*") if path.name not in ("opt", "stint")], [], "a folder is left")


if __name__ == "__main__":
    kit.main()
