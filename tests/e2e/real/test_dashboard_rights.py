"""The dashboard of a person with few rights, where RBAC is enforced."""

import kit
import real


class Rights(kit.Case):
    """Somebody who was given one of two projects and nothing else, by real RBAC."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster()
        cls.kubeconfig = real.PLANE.user("carol")
        for name, options in (("carols", ["--user", "carol"]), ("others", [])):
            done = cls.cluster.stint("project", "create", name, "--gpus", "1", *options)
            assert done.code == 0, str(done)
            cls.addClassCleanup(cls.cluster.remove_project, name)
            done = cls.cluster.stint("submit", "of-" + name, "-p", name, "-i", "local/busybox:1", "-g", "1", "--", "sleep", "1000")
            assert done.code == 0, str(done)
            cls.addClassCleanup(cls.cluster.stint, "delete", "of-" + name, "-p", name, "-y")

    def frame(self, view, *options):
        done = self.cluster.stint("--kubeconfig", self.kubeconfig, "dashboard", "--once", "--view", view, "--size", "140x40", *options)
        return self.assert_works(done).out

    def test_sees_the_project_and_is_told_what_is_hidden(self):
        for options in (["-p", "carols"], []):
            with self.subTest(options=options):
                text = self.frame("workloads", *options)
                self.assertIn("of-carols", text)
                self.assertNotIn("of-others", text)
                self.assertIn("project carols", text)
                if not options:
                    self.assertIn("hidden: other projects", text)

    def test_the_other_views_say_what_is_not_known(self):
        self.assertIn("of-carols", self.frame("overview"))
        self.assertIn("unknown: what others hold may not be seen", self.frame("overview"))
        self.assertIn("carols", self.frame("projects"))
        self.assertIn("of-carols", self.frame("queue"))
        self.frame("nodes")
        self.frame("events")


if __name__ == "__main__":
    kit.main()
