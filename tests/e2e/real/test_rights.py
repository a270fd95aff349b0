"""People with few rights: nobody sees or does what RBAC does not grant, and each refusal says so in a sentence."""

import kit
import real


class Rights(real.NodeCase):
    project = "granted"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kubeconfig = real.PLANE.user("alice")

    def alice(self, *arguments):
        return self.cluster.stint("--kubeconfig", self.kubeconfig, *arguments)

    def test_a_person_without_rights_is_told_so(self):
        for command in (["list", "-p", "default"], ["submit", "x", "-p", "default", "-i", "x:1", "--", "true"],
                        ["project", "create", "mine", "--gpus", "1"], ["logs", "x", "-p", "default"], ["delete", "x", "-p", "default", "-y"]):
            with self.subTest(command=command):
                self.assert_refused(self.alice(*command), 4, "alice")

    def test_a_user_of_a_project_works_in_it_and_nowhere_else(self):
        self.assert_works(self.cluster.stint("project", "create", "hers", "--gpus", "1", "--user", "alice"))
        self.addCleanup(self.cluster.remove_project, "hers")
        self.assert_works(self.alice("submit", "mine", "-p", "hers", "-i", real.IMAGE, "--", "sleep", "1000"))
        kit.eventually(lambda: "Running" in self.alice("list", "-p", "hers").out, "her workload running", timeout=60)
        self.assert_works(self.alice("project", "list"))
        self.assert_works(self.alice("node", "list"))
        self.assert_refused(self.alice("list", "-p", self.project), 4, self.project)
        self.assert_works(self.alice("exec", "mine", "-p", "hers", "--", "true"))
        self.assert_works(self.alice("delete", "mine", "-p", "hers", "-y"))

    def test_an_admin_of_projects_keeps_them_and_hands_out_no_other_role(self):
        kubeconfig = real.PLANE.user("boss")
        self.cluster.kubectl("create", "clusterrolebinding", "boss", "--clusterrole", "stint-admin", "--user", "boss")
        self.addCleanup(self.cluster.kubectl, "delete", "clusterrolebinding", "boss")

        def boss(*arguments):
            return self.cluster.stint("--kubeconfig", kubeconfig, *arguments)
        self.addCleanup(self.cluster.remove_project, "kept")
        self.assert_works(boss("project", "create", "kept", "--gpus", "1", "--user", "alice"))
        self.assert_works(boss("project", "update", "kept", "--gpus", "2", "--user", "bob", "--group", "team"))
        self.assertEqual(self.assert_works(boss("project", "describe", "kept", "-o", "json")).json["users"], ["alice", "bob"])
        self.assert_works(boss("project", "delete", "kept", "-y"))
        status, _ = kit.Api(kubeconfig).call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "too-much"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}, "subjects": []})
        self.assertEqual(status, 403)

    def test_the_scheduler_cannot_read_secrets_nor_delete_what_is_not_its_own(self):
        account = kit.Api(real.os.environ["STINT_E2E_SCHEDULER"])
        for path in ("/api/v1/secrets", "/api/v1/namespaces/default/secrets"):
            self.assertEqual(account.call("GET", path)[0], 403, path)
        for path in ("/api/v1/namespaces/default/pods/x", "/api/v1/namespaces/default/configmaps/x"):
            self.assertEqual(account.call("DELETE", path)[0], 403, path)


if __name__ == "__main__":
    kit.main()
