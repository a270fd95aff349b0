"""make install puts everything where it belongs, and make uninstall leaves nothing; an image has all that its program needs."""

import io
import json
import pathlib
import shutil
import tarfile
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

    def test_an_image_has_the_libraries_that_its_program_loads_when_it_needs_them(self):
        archive = self.folder / "image.tar"
        self.assert_works(kit.run(kit.ROOT / "tools/image", "--program", kit.BIN / "stint-scheduler", "--name", "s:1", "--output", archive))
        with tarfile.open(archive) as image:
            manifest = json.load(image.extractfile("manifest.json"))
            layer = image.extractfile(manifest[0]["Layers"][0]).read()
        with tarfile.open(fileobj=io.BytesIO(layer)) as files:
            names = {pathlib.PurePath(name).name for name in files.getnames()}
        for library in ("libcurl.so.4", "libnghttp2.so.14", "libmicrohttpd.so.12", "libgnutls.so.30", "libcrypto.so.3"):
            self.assertIn(library, names)


if __name__ == "__main__":
    kit.main()
