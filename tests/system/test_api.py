"""What the embedded cluster's API server promises to any Kubernetes client, seen over HTTPS. All of it holds on a real API server too."""

import contextlib
import gzip
import http.client
import json
import threading
import time
import urllib.parse

import kit

NOBODY = "nobody"  # no scheduler serves it
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata%s;v=v1;g=meta.k8s.io"
PATCHES = {"json": "application/json-patch+json", "merge": "application/merge-patch+json",
           "strategic": "application/strategic-merge-patch+json", "apply": "application/apply-patch+yaml"}


class Answer:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data

    @property
    def json(self):
        return json.loads(self.data)

    def __str__(self):
        return "%s %s" % (self.status, self.data[:400])


class Watch:
    """A watch on a connection of its own; next() gives its events in order, None at its end."""

    def __init__(self, case, path, **query):
        self.connection = case.dial()
        self.connection.request("GET", path + "?" + urllib.parse.urlencode({"watch": "1", "timeoutSeconds": 60, **query}), headers=case.headers)
        self.answer = self.connection.getresponse()
        case.addCleanup(self.connection.close)

    def next(self):
        line = self.answer.readline()
        return json.loads(line) if line.strip() else None

    def expect(self, case, kind, name):
        event = self.next()
        case.assertIsNotNone(event, "the watch ended")
        case.assertEqual((event["type"], event["object"]["metadata"].get("name")), (kind, name), event)
        return event["object"]


class Api(kit.Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = kit.cluster("--no-scheduler", "--nodes", 1)
        cls.addClassCleanup(cls.cluster.close)
        api = cls.cluster.api
        cls.context, cls.server = api.context, urllib.parse.urlsplit(api.server)
        cls.headers = {"Authorization": "Bearer " + api.token} if api.token else {}
        cls.count = 0

    def setUp(self):
        Api.count += 1
        self.space = "api-%d-%d" % (Api.count, int(time.time()) % 100000)
        self.link = self.dial()
        self.addCleanup(self.link.close)
        self.post("/api/v1/namespaces", {"metadata": {"name": self.space}})
        self.addCleanup(self.send, "DELETE", "/api/v1/namespaces/" + self.space)
        self.maps = "/api/v1/namespaces/%s/configmaps" % self.space
        self.pods = "/api/v1/namespaces/%s/pods" % self.space

    def dial(self):
        return http.client.HTTPSConnection(self.server.hostname, self.server.port, context=self.context, timeout=kit.DEADLINE_S)

    def send(self, method, path, body=None, headers=None, **query):
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        if query:
            path += "?" + urllib.parse.urlencode(query)
        self.link.request(method, path, data, {"Content-Type": "application/json", **self.headers, **(headers or {})})
        answer = self.link.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def get(self, path, accept="application/json", **query):
        return self.send("GET", path, headers={"Accept": accept}, **query)

    def post(self, path, body, **query):
        answer = self.send("POST", path, body, **query)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def patch(self, path, body, how="merge", **query):
        return self.send("PATCH", path, body, {"Content-Type": PATCHES[how]}, **query)

    def map(self, name, data=None, **meta):
        return self.post(self.maps, {"metadata": {"name": name, **meta}, **({"data": data} if data else {})})

    def pod(self, name, **spec):
        return self.post(self.pods, {"metadata": {"name": name, "labels": {"app": name}},
                                     "spec": {"schedulerName": NOBODY, "containers": [{"name": "c", "image": "local/none:1"}], **spec}})

    def version(self):
        return self.get(self.maps).json["metadata"]["resourceVersion"]

    def names(self, answer):
        self.assertEqual(answer.status, 200, answer)
        return [item["metadata"]["name"] for item in answer.json["items"]]

    # ---- discovery and forms

    def test_discovery_names_kinds_plain_and_aggregated(self):
        pods = next(r for r in self.get("/api/v1").json["resources"] if r["name"] == "pods")
        self.assertTrue(pods["namespaced"] and "po" in pods["shortNames"] and "watch" in pods["verbs"], pods)
        document = self.get("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json")
        self.assertIn("as=APIGroupDiscoveryList", document.headers["Content-Type"])
        self.assertIn("apps", [group["metadata"]["name"] for group in document.json["items"]])
        self.assertIn("io.k8s.api.core.v1.Pod", self.get(self.get("/openapi/v3").json["paths"]["api/v1"]["serverRelativeURL"])
                      .json["components"]["schemas"])

    def test_tables_metadata_and_yaml_are_given_to_who_asks(self):
        self.map("a", {"x": "1"})
        table = self.get(self.maps + "/a", TABLE).json
        self.assertEqual([column["name"] for column in table["columnDefinitions"]], ["Name", "Data", "Age"])
        self.assertEqual(table["rows"][0]["cells"][:2], ["a", 1])
        partial = self.get(self.maps, PARTIAL % "List", fieldSelector="metadata.name=a").json["items"][0]
        self.assertEqual((partial["kind"], "data" in partial), ("PartialObjectMetadata", False))
        self.assertIn(b"\n  name: a\n", self.get(self.maps + "/a", "application/yaml").data)
        made = self.send("POST", self.maps, "metadata:\n  name: yam\ndata: {a: 'b'}\n", {"Content-Type": "application/yaml"})
        self.assertEqual((made.status, made.json["data"]), (201, {"a": "b"}))
        self.assertEqual(self.get(self.maps, "image/png").status, 406)

    def test_a_cell_of_a_queue_is_empty_where_the_field_is_absent(self):
        queue = {"apiVersion": "scheduling.run.ai/v2", "kind": "Queue", "metadata": {"name": "plain"}, "spec": {"resources": {}}}
        queues = "/apis/scheduling.run.ai/v2/queues"
        self.post(queues, queue)
        table = self.get(queues + "/plain", TABLE).json
        columns = [column["name"] for column in table["columnDefinitions"]]
        self.assertNotIn("Children", columns)  # nobody writes status.childQueues
        self.assertIsNone(table["rows"][0]["cells"][columns.index("Priority")])

    def test_a_large_list_is_streamed_and_compressed_for_who_takes_it(self):
        for at in range(3):
            self.map("big-%d" % at, {"x": "repetition " * 20000})
        plain, packed = self.get(self.maps), self.send("GET", self.maps, headers={"Accept-Encoding": "gzip"})
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertLess(len(packed.data), len(plain.data) / 10)
        self.assertEqual([i["data"] for i in json.loads(gzip.decompress(packed.data))["items"]], [i["data"] for i in plain.json["items"]])

    # ---- refusals

    def test_refusals_say_code_and_reason(self):
        self.map("there")
        cases = [
            ("GET", self.maps + "/none", None, {}, 404, "NotFound"),
            ("GET", "/api/v1/wonders", None, {}, 404, "NotFound"),
            ("POST", self.maps, {"metadata": {"name": "there"}}, {}, 409, "AlreadyExists"),
            ("POST", self.maps, {"metadata": {}}, {}, 422, "Invalid"),
            ("POST", self.maps, "{", {}, 400, "BadRequest"),
            ("POST", self.maps, {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "x"}}, {}, 400, "BadRequest"),
            ("POST", "/api/v1/namespaces/none-such/configmaps", {"metadata": {"name": "x"}}, {}, 404, "NotFound"),
            ("POST", self.maps, {"metadata": {"name": "x"}, "wonder": 1}, {"fieldValidation": "Strict"}, 400, "BadRequest"),
            ("POST", self.maps, {"metadata": {"name": "x"}}, {"dryRun": "Some"}, 422, "Invalid"),
            ("POST", self.maps + "/there", {}, {}, 405, "MethodNotAllowed"),
            ("GET", self.maps, None, {"labelSelector": "a in"}, 400, "BadRequest"),
            ("GET", self.maps, None, {"fieldSelector": "data.x=1"}, 400, "BadRequest"),
            ("GET", self.maps, None, {"limit": "many"}, 400, "BadRequest"),
            ("GET", self.maps, None, {"limit": 1, "continue": "nonsense"}, 400, "BadRequest"),
            ("GET", self.maps, None, {"resourceVersionMatch": "Exact"}, 422, "Invalid"),
            ("GET", self.maps, None, {"resourceVersion": "900000000000"}, 504, "Timeout"),
            ("DELETE", self.maps + "/there", None, {"propagationPolicy": "Nope"}, 422, "Invalid"),
            ("DELETE", "/api/v1/namespaces/default", None, {}, 403, "Forbidden"),
            ("PATCH", self.maps + "/there", "{}", {}, 415, "UnsupportedMediaType"),
            ("POST", self.maps, {"metadata": {"name": "x"}, "data": {"x": "y" * (4 << 20)}}, {}, 413, "RequestEntityTooLarge"),
        ]
        for method, path, body, query, code, reason in cases:
            with self.subTest("%s %s %s" % (code, method, path)):
                answer = self.send(method, path, body, **query)
                self.assertEqual((answer.status, answer.json.get("reason"), answer.json.get("kind")), (code, reason, "Status"), answer)
        self.assertEqual(self.get("/apis/none.example/v1/things").data.strip(), b"404 page not found")

    def test_who_shows_no_or_a_wrong_token_learns_nothing(self):
        bare = http.client.HTTPSConnection(self.server.hostname, self.server.port, timeout=kit.DEADLINE_S,
                                           context=kit.ssl._create_unverified_context())
        with contextlib.closing(bare):
            for headers, codes in (({}, (401, 403)), ({"Authorization": "Bearer wrong"}, (401,))):
                bare.request("GET", "/api/v1/secrets", headers=headers)
                answer = bare.getresponse()
                answer.read()
                self.assertIn(answer.status, codes)

    def test_the_token_of_a_service_account_is_known_to_the_token_review(self):
        accounts = "/api/v1/namespaces/%s/serviceaccounts" % self.space
        self.post(accounts, {"metadata": {"name": "robot"}})
        token = self.post(accounts + "/robot/token", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})
        review = self.post("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token["status"]["token"]}})["status"]
        self.assertEqual(review["user"]["username"], "system:serviceaccount:%s:robot" % self.space)
        self.assertIn("system:serviceaccounts", review["user"]["groups"])

    # ---- lists

    def test_pages_walk_one_version_whatever_happens_meanwhile(self):
        for at in range(7):
            self.map("m%d" % at, labels={"walk": "y"})
        seen, versions, token = [], set(), None
        while token != "":
            page = self.get(self.maps, labelSelector="walk=y", limit=3, **({"continue": token} if token else {})).json
            seen += [item["metadata"]["name"] for item in page["items"]]
            versions.add(page["metadata"]["resourceVersion"])
            token = page["metadata"].get("continue", "")
            if len(seen) == 3:
                self.map("m0a", labels={"walk": "y"})
                self.send("DELETE", self.maps + "/m5")
        self.assertEqual((seen, len(versions)), (["m%d" % at for at in range(7)], 1))

    def test_the_past_is_shown_at_its_exact_version(self):
        self.map("first", labels={"set": "s"})
        version = self.version()
        self.map("second", labels={"set": "s"})
        self.patch(self.maps + "/first", {"metadata": {"labels": {"set": "t"}}})
        past = self.get(self.maps, labelSelector="set=s", resourceVersion=version, resourceVersionMatch="Exact")
        self.assertEqual(self.names(past), ["first"])
        self.assertEqual(self.names(self.get(self.maps, labelSelector="set=s")), ["second"])

    # ---- watches

    def test_a_watch_tells_entering_changing_leaving_and_going(self):
        watch = Watch(self, self.maps, resourceVersion=self.version(), labelSelector="in=yes")
        self.map("a", {"n": "1"})
        for labels, data in (({"in": "yes"}, "2"), ({"in": "yes"}, "3"), ({"in": "no"}, "4"), ({"in": "yes"}, "5")):
            self.patch(self.maps + "/a", {"metadata": {"labels": labels}, "data": {"n": data}})
        self.send("DELETE", self.maps + "/a")
        for kind, data in (("ADDED", "2"), ("MODIFIED", "3"), ("DELETED", "3"), ("ADDED", "5"), ("DELETED", "5")):
            self.assertEqual(watch.expect(self, kind, "a")["data"]["n"], data)

    def test_a_watch_can_begin_with_what_is_there_and_says_where_that_ends(self):
        self.map("a", labels={"set": "s"})
        watch = Watch(self, self.maps, labelSelector="set=s", sendInitialEvents="true", resourceVersionMatch="NotOlderThan", allowWatchBookmarks="true")
        watch.expect(self, "ADDED", "a")
        mark = watch.next()
        self.assertEqual(mark["object"]["metadata"]["annotations"], {"k8s.io/initial-events-end": "true"}, mark)
        self.map("b", labels={"set": "s"})
        watch.expect(self, "ADDED", "b")

    def test_a_watch_ends_in_time_and_with_a_bookmark(self):
        watch = Watch(self, self.maps, resourceVersion=self.version(), timeoutSeconds=3, allowWatchBookmarks="true", labelSelector="none=x")
        began, last, event = time.monotonic(), None, {}
        while event is not None:
            last, event = event, watch.next()
        self.assertEqual(last.get("type"), "BOOKMARK", last)
        self.assertLess(time.monotonic() - began, 10)

    def test_writers_and_watchers_agree_in_the_end(self):
        start, state = self.version(), {}
        watch = Watch(self, self.maps, resourceVersion=start, labelSelector="w=y")

        def write(seed):
            link = self.dial()
            with contextlib.closing(link):
                for at in range(30):
                    name = "w%d" % ((seed * 7 + at * 5) % 6)
                    step = (seed + at) % 3
                    method, path, kind, body = (
                        ("POST", self.maps, "application/json", {"metadata": {"name": name, "labels": {"w": "y"}}}) if step == 0 else
                        ("PATCH", self.maps + "/" + name, PATCHES["merge"], {"data": {"n": "%d-%d" % (seed, at)}}) if step == 1 else
                        ("DELETE", self.maps + "/" + name, "application/json", {}))
                    link.request(method, path, json.dumps(body), {"Content-Type": kind, **self.headers})
                    link.getresponse().read()

        writers = [threading.Thread(target=write, args=(seed,)) for seed in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        self.map("last", labels={"w": "y"})
        name = None
        while name != "last":
            event = watch.next()
            name = event["object"]["metadata"]["name"]
            self.assertEqual(event["type"] == "ADDED", name not in state, event)
            state[name] = event["object"]["metadata"]["resourceVersion"]
            if event["type"] == "DELETED":
                del state[name]
        there = {i["metadata"]["name"]: i["metadata"]["resourceVersion"] for i in self.get(self.maps, labelSelector="w=y").json["items"]}
        self.assertEqual(state, there)

    # ---- writes

    def test_the_four_patches_do_what_their_names_say(self):
        self.map("a", {"x": "1"})
        path = self.maps + "/a"
        self.assertEqual(self.patch(path, {"data": {"x": None, "y": "2"}}).json["data"], {"y": "2"})
        self.assertEqual(self.patch(path, [{"op": "test", "path": "/data/y", "value": "2"}, {"op": "add", "path": "/data/z", "value": "3"}], "json")
                         .json["data"], {"y": "2", "z": "3"})
        self.assertEqual(self.patch(path, [{"op": "test", "path": "/data/y", "value": "9"}], "json").status, 422)
        self.pod("p", containers=[{"name": "c", "image": "one"}, {"name": "d", "image": "two"}])
        merged = self.patch(self.pods + "/p", {"spec": {"containers": [{"name": "d", "image": "three"}]}}, "strategic").json
        self.assertEqual([c["image"] for c in merged["spec"]["containers"]], ["one", "three"])
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": {"x": "1"}}
        self.assertEqual(self.patch(self.maps + "/s", config, "apply", fieldManager="one").status, 201)
        config["data"]["x"] = "2"
        refused = self.patch(self.maps + "/s", config, "apply", fieldManager="two")
        self.assertEqual((refused.status, refused.json["details"]["causes"][0]["reason"]), (409, "FieldManagerConflict"))
        self.assertEqual(self.patch(self.maps + "/s", config, "apply", fieldManager="two", force="true").json["data"], {"x": "2"})

    def test_a_write_that_changes_nothing_or_is_dry_leaves_no_trace(self):
        made = self.map("a", {"x": "1"})
        same = self.send("PUT", self.maps + "/a", made).json
        self.assertEqual(same["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"])
        self.assertEqual(self.patch(self.maps + "/a", {"data": {"x": "2"}}, dryRun="All").json["data"], {"x": "2"})
        self.assertEqual(self.get(self.maps + "/a").json["data"], {"x": "1"})
        stale = self.send("PUT", self.maps + "/a", {**made, "metadata": {**made["metadata"], "resourceVersion": "1"}})
        self.assertEqual((stale.status, stale.json["reason"]), (409, "Conflict"))

    def test_finalizers_hold_what_is_deleted(self):
        self.map("a", finalizers=["example.com/hold"])
        self.assertTrue(self.send("DELETE", self.maps + "/a").json["metadata"]["deletionTimestamp"])
        self.assertEqual(self.get(self.maps + "/a").status, 200)
        self.assertEqual(self.patch(self.maps + "/a", {"metadata": {"finalizers": None}}).status, 200)
        self.assertEqual(self.get(self.maps + "/a").status, 404)

    def test_a_selection_is_deleted_and_the_rest_stays(self):
        for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
            self.map(name, labels={"l": label})
        self.assertEqual(sorted(self.names(self.send("DELETE", self.maps, labelSelector="l=x"))), ["a", "b"])
        self.assertEqual(self.names(self.get(self.maps, labelSelector="l in (x,y)")), ["c"])

    # ---- pods

    def test_a_binding_is_taken_once_and_brings_its_annotations(self):
        pod = self.pod("p")
        binding = {"metadata": {"name": "p", "annotations": {"stint.dev/gpu-devices": "3"}, "labels": {"l": "x"}}, "target": {"kind": "Node", "name": "n1"}}
        wrong = {**binding, "metadata": {"name": "p", "uid": "11111111-2222-3333-4444-555555555555"}}
        self.assertEqual(self.send("POST", self.pods + "/p/binding", wrong).status, 409)
        self.assertEqual(self.send("POST", self.pods + "/p/binding", binding).status, 201)
        self.assertEqual(self.send("POST", self.pods + "/p/binding", binding).status, 409)
        bound = self.get(self.pods + "/p").json
        self.assertEqual((bound["spec"]["nodeName"], bound["metadata"]["annotations"], bound["metadata"]["labels"]),
                         ("n1", {"stint.dev/gpu-devices": "3"}, pod["metadata"]["labels"]))
        self.assertEqual(self.names(self.get(self.pods, fieldSelector="spec.nodeName=n1")), ["p"])

    def test_an_eviction_waits_for_the_disruption_budget(self):
        self.pod("p", nodeName="n1")
        running = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
        self.assertEqual(self.patch(self.pods + "/p/status", running, "strategic").status, 200)
        budgets = "/apis/policy/v1/namespaces/%s/poddisruptionbudgets" % self.space
        self.post(budgets, {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "p"}}}})
        kit.eventually(lambda: self.get(budgets + "/b").json.get("status", {}).get("currentHealthy") == 1, "the budget being counted")
        refused = self.send("POST", self.pods + "/p/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}})
        self.assertEqual((refused.status, refused.json["reason"]), (429, "TooManyRequests"), refused)
        self.patch(budgets + "/b", {"spec": {"minAvailable": 0}})
        kit.eventually(lambda: self.send("POST", self.pods + "/p/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}})
                       .status == 201, "the eviction")
        self.send("DELETE", self.pods + "/p", gracePeriodSeconds=0)

    # ---- custom kinds

    def test_a_definition_serves_a_kind_with_its_rules(self):
        group = self.space + ".example.com"
        definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        self.post(definitions, {"metadata": {"name": "widgets." + group}, "spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget", "singular": "widget"}, "versions": [{
                "name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "required": ["size"], "properties": {
                    "size": {"type": "integer", "maximum": 9}, "color": {"type": "string", "default": "red"}}},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}}}]}})
        self.addCleanup(self.send, "DELETE", definitions + "/widgets." + group)
        widgets = "/apis/%s/v1/namespaces/%s/widgets" % (group, self.space)
        kit.eventually(lambda: self.get(widgets).status == 200, "the kind being served")
        thing = {"apiVersion": group + "/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 3}, "status": {"x": 1}}
        made = self.post(widgets, thing)
        self.assertEqual((made["spec"], "status" in made), ({"size": 3, "color": "red"}, False))
        self.assertEqual(self.send("POST", widgets, {**thing, "metadata": {"name": "v"}, "spec": {"size": 99}}).status, 422)
        self.assertEqual(self.send("PUT", widgets + "/w", thing).status, 422)  # without its resourceVersion
        self.assertEqual(self.patch(widgets + "/w", {}, "strategic").status, 415)
        self.assertEqual(self.get(widgets, TABLE).json["rows"][0]["cells"], ["w", 3])
        self.assertEqual(self.send("DELETE", definitions + "/widgets." + group).status, 200)
        kit.eventually(lambda: self.get(widgets).status == 404, "the kind being gone")

    # ---- careless clients

    def test_bytes_that_are_no_utf8_are_neither_kept_nor_sent_back(self):
        broken = b"a\xff\xe0\x80\x80\xed\xa0\x80"
        made = self.send("POST", self.maps, b'{"metadata":{"name":"raw"},"data":{"k":"%s"}}' % broken)
        self.assertEqual((made.status, set(made.json["data"]["k"])), (201, {"a", "\ufffd"}), made)
        self.assertEqual(self.get(self.maps + "/raw", "application/yaml").status, 200)
        patched = self.patch(self.maps + "/raw?fieldManager=%ff%fe", b'{"data":{"p":"\xff"}}')
        self.assertEqual((patched.json["data"]["p"], patched.json["metadata"]["managedFields"][-1]["manager"]), ("\ufffd", "\ufffd\ufffd"))
        self.assertEqual(self.names(self.get(self.maps, fieldSelector="metadata.name=raw")), ["raw"])
        self.assertEqual(self.get(self.maps + "/%ff%fe").json["code"], 404)

    def test_warnings_fit_into_the_head_of_an_answer_however_long_their_cause(self):
        made = self.send("POST", self.maps, {"metadata": {"name": "long"}, "\u00e9" * 200000: 1})
        self.assertEqual(made.status, 201, made)
        self.assertEqual(len(made.headers.get_all("Warning")), 1)
        many = self.send("POST", self.maps, {"metadata": {"name": "many"}, **{"%s%d" % ("x" * 300, i): 1 for i in range(40)}})
        self.assertEqual(many.status, 201, many)
        sizes = [len(text) for text in many.headers.get_all("Warning")]
        self.assertTrue(len(sizes) < 40 and sum(sizes) < 5000 and max(sizes) < 300, sizes)

    def test_numbers_of_seconds_beyond_reason_are_taken_for_what_they_can_mean(self):
        node = "none-%s" % self.space
        for grace, wanted in ((-5, 1), (5, 5)):
            self.pod("p%d" % wanted, nodeName=node)
            left = self.send("DELETE", self.pods + "/p%d" % wanted, gracePeriodSeconds=grace).json
            self.assertEqual(left["metadata"]["deletionGracePeriodSeconds"], wanted)
            self.send("DELETE", self.pods + "/p%d" % wanted, gracePeriodSeconds=0)
        self.pod("last", nodeName=node, terminationGracePeriodSeconds=2 ** 63 - 1)
        self.assertGreater(self.send("DELETE", self.pods + "/last").json["metadata"]["deletionGracePeriodSeconds"], 2 ** 30)
        self.send("DELETE", self.pods + "/last", gracePeriodSeconds=0)
        self.assertEqual(self.get(self.pods, watch=1, timeoutSeconds="soon").status, 400)
        accounts = "/api/v1/namespaces/%s/serviceaccounts" % self.space
        kit.eventually(lambda: self.get(accounts + "/default").status == 200, "the namespace's account")
        for seconds, status in ((599, 422), (-1, 422), (2 ** 32 + 1, 422), (2 ** 63 - 1, 422), (600, 201)):
            asked = self.send("POST", accounts + "/default/token", {"spec": {"expirationSeconds": seconds}})
            self.assertEqual(asked.status, status, (seconds, asked))

    def test_a_walk_goes_on_after_a_name_with_a_quote(self):
        roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/roles" % self.space
        for name in ('a"b', "a\\c", "z"):
            self.post(roles, {"metadata": {"name": name}, "rules": []})
        seen, token = [], ""
        while token is not None:
            page = self.get(roles, limit=1, **{"continue": token})
            seen += self.names(page)
            token = page.json["metadata"].get("continue")
        self.assertEqual(seen, ['a"b', "a\\c", "z"])

    def test_impersonated_groups_are_all_heard(self):
        answer = self.link
        answer.putrequest("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews")
        body = b"{}"
        for key, value in (*self.headers.items(), ("Impersonate-User", "ann"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b"),
                           ("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
            answer.putheader(key, value)
        answer.endheaders(body)
        groups = json.loads(answer.getresponse().read())["status"]["userInfo"]["groups"]
        self.assertEqual(groups, ["a", "b", "system:authenticated"])

    def test_patches_do_not_make_an_object_grow_without_end(self):
        things, _ = self.define("bags", "Bag", self.kind_version())
        self.post(things, {"apiVersion": "edge.example.com/v1", "kind": "Bag", "metadata": {"name": "b"}})
        grown = [self.patch(things + "/b", {"spec": {"part%d" % i: "x" * 700000}}).status for i in range(3)]
        self.assertEqual(grown, [200, 200, 500])
        self.assertEqual(sorted(self.get(things + "/b").json["spec"]), ["part0", "part1"])

    # ---- kinds that a definition makes

    def define(self, plural, kind, *versions, group=None):
        group = group or "edge.example.com"
        definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        self.post(definitions, {"metadata": {"name": "%s.%s" % (plural, group)}, "spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind, "singular": kind.lower()},
            "versions": list(versions)}})
        self.addCleanup(self.send, "DELETE", "%s/%s.%s" % (definitions, plural, group))
        objects = "/apis/%s/v1/namespaces/%s/%s" % (group, self.space, plural)
        kit.eventually(lambda: self.get(objects).status == 200, "the kind being served")
        return objects, "%s/%s.%s" % (definitions, plural, group)

    @staticmethod
    def kind_version(name="v1", served=True, properties=None, columns=None):
        spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, **({"properties": properties} if properties else {})}
        return {"name": name, "served": served, "storage": name == "v1", **({"additionalPrinterColumns": columns} if columns else {}),
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}

    def test_a_definition_takes_its_objects_along_whichever_version_is_served(self):
        versions = self.kind_version("v1alpha1", False), self.kind_version()
        things, definition = self.define("things", "Thing", *versions)
        self.post(things, {"apiVersion": "edge.example.com/v1", "kind": "Thing", "metadata": {"name": "t"}})
        self.send("DELETE", definition)
        kit.eventually(lambda: self.get(definition).status == 404, "the definition being gone")
        self.assertEqual(self.names(self.get(self.define("things", "Thing", *versions)[0])), [])

    def test_patterns_of_a_definition_are_read_as_go_reads_them(self):
        things, _ = self.define("told", "Told", self.kind_version(properties={"number": {"type": "string", "pattern": "^\\d+$"}}))
        told = {"apiVersion": "edge.example.com/v1", "kind": "Told", "metadata": {"name": "t"}}
        self.assertEqual([self.send("POST", things + "?dryRun=All", {**told, "spec": {"number": n}}).status for n in ("12", "d")], [201, 422])
        broken = {"metadata": {"name": "bombs.edge.example.com"}, "spec": {"group": "edge.example.com", "scope": "Namespaced", "names": {
            "plural": "bombs", "kind": "Bomb"}, "versions": [self.kind_version(properties={"x": {"type": "string", "pattern": "((a{99}){99}){99}"}})]}}
        self.assertEqual(self.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", broken).status, 422)

    def test_a_put_makes_no_missing_custom_object_whatever_its_kind_is_called(self):
        services, _ = self.define("services", "Service", self.kind_version(), group="serving.example.com")
        service = {"apiVersion": "serving.example.com/v1", "kind": "Service", "metadata": {"name": "a"}}
        self.assertEqual(self.send("PUT", services + "/a", service).status, 404)

    def test_printer_columns_show_the_first_of_several_and_nothing_of_another_type(self):
        paths = {"All": ".spec.l[*]", "Last": ".spec.l[-1]", "Names": ".spec.o[*].n", "Found": ".spec.o[?(@.n=='y')].v", "None": ".spec.x"}
        columns = [{"name": name, "type": "string", "jsonPath": path} for name, path in paths.items()]
        columns += [{"name": kind, "type": kind, "jsonPath": ".spec.text"} for kind in ("integer", "date", "boolean")]
        shown, _ = self.define("shown", "Shown", self.kind_version(columns=columns))
        self.post(shown, {"apiVersion": "edge.example.com/v1", "kind": "Shown", "metadata": {"name": "s"}, "spec": {
            "l": ["x", "y", "z"], "o": [{"n": "x", "v": 1}, {"n": "y", "v": 2}], "text": "text"}})
        self.assertEqual(self.get(shown, TABLE).json["rows"][0]["cells"], ["s", "x", "z", "x", "2", None, None, "<invalid>", None])


if __name__ == "__main__":
    kit.main()
