"""Fields as a client of the API sees them: validation, patches, ownership and server-side apply, documents, and kinds made by definitions.

The same cases hold on a real kube-apiserver (STINT_E2E names one); what is said here is what it does.
"""

import json

import kit

SPACE = "/api/v1/namespaces/apply-test"
MERGE, JSON, STRATEGIC = ("application/%s+json" % kind for kind in ("merge-patch", "json-patch", "strategic-merge-patch"))
APPLY = "application/apply-patch+yaml"


def config_map(name, data=None, **metadata):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
    return body if data is None else {**body, "data": data}


def pod(name, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"schedulerName": "nobody", "containers": [{"name": "c", "image": "local/none:1"}], **spec}}


def owners(thing):
    """{manager: fields} of its record."""
    return {entry["manager"]: entry["fieldsV1"] for entry in thing["metadata"].get("managedFields", [])}


def causes(status):
    return [cause["field"] for cause in status.get("details", {}).get("causes", [])]


class Fields(kit.Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster()
        cls.addClassCleanup(cls.cluster.close)
        cls.api = cls.cluster.api
        cls.api.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apply-test"}})
        cls.addClassCleanup(cls.api.call, "DELETE", "/api/v1/namespaces/apply-test")
        kit.eventually(lambda: cls.api.call("GET", SPACE + "/serviceaccounts/default")[0] == 200, "the default service account")

    def apply(self, name, data, manager, force=False, expect=200):
        path = "%s/configmaps/%s?fieldManager=%s%s" % (SPACE, name, manager, "&force=true" if force else "")
        status, body = self.api.call("PATCH", path, config_map(name, data), APPLY)
        self.assertEqual(status, expect, body)
        return body

    def patch(self, path, body, kind, expect=200):
        status, answer = self.api.call("PATCH", path, body, kind)
        self.assertEqual(status, expect, answer)
        return answer

    def test_apply_makes_changes_and_removes_what_is_dropped(self):
        made = self.apply("plain", {"x": "1", "y": "1"}, "one", expect=201)
        self.assertEqual(owners(made), {"one": {"f:data": {"f:x": {}, "f:y": {}}}})
        changed = self.apply("plain", {"y": "2"}, "one")
        self.assertEqual(changed["data"], {"y": "2"})
        again = self.apply("plain", {"y": "2"}, "one")
        self.assertEqual(again["metadata"]["resourceVersion"], changed["metadata"]["resourceVersion"])

    def test_the_field_of_another_manager_is_a_conflict_until_forced(self):
        self.apply("shared", {"x": "1"}, "one", expect=201)
        refused = self.apply("shared", {"x": "2"}, "two", expect=409)
        self.assertEqual((refused["reason"], causes(refused)), ("Conflict", [".data.x"]))
        self.assertIn('conflict with "one"', refused["message"])
        taken = self.apply("shared", {"x": "2"}, "two", force=True)
        self.assertEqual((taken["data"], owners(taken)), ({"x": "2"}, {"two": {"f:data": {"f:x": {}}}}))

    def test_an_ordinary_write_takes_over_what_it_changes(self):
        self.apply("written", {"x": "1", "y": "1"}, "one", expect=201)
        after = self.patch(SPACE + "/configmaps/written?fieldManager=hand", {"data": {"x": "2"}}, MERGE)
        self.assertEqual(owners(after), {"one": {"f:data": {"f:y": {}}}, "hand": {"f:data": {"f:x": {}}}})
        refused = self.apply("written", {"x": "1", "y": "1"}, "one", expect=409)
        self.assertIn('conflict with "hand" using v1', refused["message"])

    def test_an_applied_body_fits_its_kind_exactly(self):
        path = SPACE + "/configmaps/exact?fieldManager=one"
        status, body = self.api.call("PATCH", path, {**config_map("exact"), "wonder": 1}, APPLY)
        self.assertEqual(status, 500, body)
        self.assertIn(".wonder: field not declared in schema", body["message"])
        status, body = self.api.call("PATCH", SPACE + "/configmaps/exact", config_map("exact"), APPLY)
        self.assertEqual((status, body["reason"]), (422, "Invalid"), "without a manager")

    def test_a_create_tells_everything_that_is_wrong_at_once(self):
        wrong = pod("Wrong", restartPolicy="Sometimes", containers=[{"name": "c"}])
        status, body = self.api.call("POST", SPACE + "/pods", wrong)
        self.assertEqual((status, body["reason"]), (422, "Invalid"))
        self.assertEqual(set(causes(body)), {"metadata.name", "spec.restartPolicy", "spec.containers[0].image"})

    def test_unknown_fields_are_refused_only_when_asked(self):
        body = {**config_map("odd"), "wonder": 1}
        status, refused = self.api.call("POST", SPACE + "/configmaps?fieldValidation=Strict", body)
        self.assertEqual((status, refused["reason"]), (400, "BadRequest"))
        self.assertIn('unknown field "wonder"', refused["message"])
        self.assertNotIn("wonder", self.api.create(SPACE + "/configmaps", body))

    def test_a_pod_is_stored_with_its_defaults_and_keeps_its_spec(self):
        limits = {"cpu": "0.5", "memory": "1024Mi"}
        made = self.api.create(SPACE + "/pods", pod("kept", containers=[
            {"name": "c", "image": "local/none", "resources": {"limits": limits}, "env": [{"name": "A", "value": "1"}]}]))
        container = made["spec"]["containers"][0]
        self.assertEqual(container["resources"], {kind: {"cpu": "500m", "memory": "1Gi"} for kind in ("limits", "requests")})
        self.assertEqual((container["imagePullPolicy"], made["status"]["qosClass"]), ("Always", "Guaranteed"))
        path = SPACE + "/pods/kept"
        changed = self.patch(path, {"spec": {"containers": [{"name": "c", "image": "local/none:2"}]}}, STRATEGIC)
        self.assertEqual((changed["spec"]["containers"][0]["image"], changed["metadata"]["generation"]), ("local/none:2", 2))
        refused = self.patch(path, {"spec": {"containers": [{"name": "c", "env": [{"name": "B", "value": "2"}]}]}}, STRATEGIC, 422)
        self.assertIn("pod updates may not change fields other than", refused["message"])

    def test_patches_do_nothing_by_half(self):
        self.api.create(SPACE + "/configmaps", config_map("patched", {"a": "1"}))
        path = SPACE + "/configmaps/patched"
        self.patch(path, [{"op": "replace", "path": "/data/a", "value": "2"}, {"op": "test", "path": "/data/a", "value": "9"}], JSON, 422)
        self.assertEqual(self.api.get(path)["data"], {"a": "1"})
        changed = self.patch(path, [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "add", "path": "/data/b", "value": "2"}], JSON)
        self.assertEqual(changed["data"], {"a": "1", "b": "2"})
        self.assertEqual(self.patch(path, {"data": {"a": None}}, MERGE)["data"], {"b": "2"})
        self.patch(path, {"data": "x"}, MERGE, 422)

    def test_a_definition_makes_a_kind_that_is_checked_and_described(self):
        size = {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "minimum": 1}}}
        version = {"name": "v1", "served": True, "storage": True, "schema": {
            "openAPIV3Schema": {"type": "object", "properties": {"spec": size}}}}
        self.api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.test.stint.dev"},
            "spec": {"group": "test.stint.dev", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
                     "versions": [version]}})
        self.addCleanup(self.api.call, "DELETE",
                        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.test.stint.dev")
        path = "/apis/test.stint.dev/v1/namespaces/apply-test/gadgets"
        kit.eventually(lambda: self.api.call("GET", path)[0] == 200, "gadgets being served")

        def create(name, spec):
            return self.api.call("POST", path, {"apiVersion": "test.stint.dev/v1", "kind": "Gadget", "metadata": {"name": name}, "spec": spec})

        status, body = create("small", {"size": 0})
        self.assertEqual((status, causes(body)), (422, ["spec.size"]))
        status, body = create("fine", {"size": 2, "wonder": 1})
        self.assertEqual((status, body["spec"]), (201, {"size": 2}))
        kit.eventually(lambda: "apis/test.stint.dev/v1" in self.api.get("/openapi/v3")["paths"], "its document")

    def test_kubectl_explains_applies_and_validates(self):
        if not kit.kubectl_path():
            self.skipTest("kubectl is not installed")
        explained = self.assert_works(self.cluster.kubectl("explain", "pod.spec.containers"))
        self.assertIn("imagePullPolicy", explained.out)
        manifest = json.dumps(config_map("by-kubectl", {"x": "1"}))
        for flags in ([], ["--server-side"]):
            done = self.assert_works(self.cluster.kubectl("-n", "apply-test", "apply", *flags, "-f", "-", stdin=manifest))
            self.assertIn("configmap/by-kubectl", done.out)
        odd = json.dumps({**config_map("odder"), "wonder": 1})
        refused = self.cluster.kubectl("-n", "apply-test", "create", "--dry-run=server", "-f", "-", stdin=odd)
        self.assertNotEqual(refused.code, 0)
        self.assertIn("wonder", refused.err)


if __name__ == "__main__":
    kit.main()
