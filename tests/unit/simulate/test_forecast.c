/*
 * Forecasts: what is told of a cluster and of what comes to it is what the scheduler would do, in whatever order things were listed.
 */
#include "tests/unit/test.h"

#include <stint/model.h>
#include <stint/simulate.h>

#define NOW_MS INT64_C(1700000100000)

static const struct {
	const char *kind, *api_version;
	enum stint_kind as;
} kinds[] = {{"Node", "v1", STINT_KIND_NODE}, {"Pod", "v1", STINT_KIND_POD}, {"Job", "batch/v1", STINT_KIND_OWNER},
	{"Queue", "scheduling.run.ai/v2", STINT_KIND_QUEUE}, {"Namespace", "v1", STINT_KIND_NAMESPACE},
	{"ResourceClaim", "resource.k8s.io/v1", STINT_KIND_RESOURCE_CLAIM},
	{"ResourceSlice", "resource.k8s.io/v1", STINT_KIND_RESOURCE_SLICE}, {"DeviceClass", "resource.k8s.io/v1", STINT_KIND_DEVICE_CLASS}};

/* Two nodes of two devices, one department, two projects with two each. */
#define NODE(name)                                                                                               \
	"---\n{kind: Node, metadata: {name: " name ", uid: " name ", annotations: {kwok.x-k8s.io/node: fake}}, " \
	"status: {allocatable: {cpu: '8', memory: 64Gi, pods: '20', nvidia.com/gpu: '2'}, "                      \
	"conditions: [{type: Ready, status: 'True'}]}}\n"
#define QUEUE(name, parent, quota)                                                                                                     \
	"---\n{kind: Queue, metadata: {name: " name ", uid: q" name ", creationTimestamp: '2023-11-14T22:00:00Z'}, spec: {" parent     \
	"resources: {gpu: {quota: " quota ", limit: -1, overQuotaWeight: 1}, cpu: {quota: -1, limit: -1}, memory: {quota: -1, limit: " \
	"-1}}}}\n"
#define SPACE(name) "---\n{kind: Namespace, metadata: {name: " name ", uid: s" name ", labels: {stint.dev/project: " name "}}}\n"
#define WORLD                 \
	NODE("alpha")         \
	NODE("beta")          \
	QUEUE("all", "", "4") \
	QUEUE("ours", "parentQueue: all, ", "2") QUEUE("theirs", "parentQueue: all, ", "2") SPACE("ours") SPACE("theirs")

#define SPEC "schedulerName: stint-scheduler, containers: [{name: c, resources: {limits: {nvidia.com/gpu: '1'}}}]"
#define RUNS(space, name, owner, node, meta)                                                           \
	"---\n{kind: Pod, metadata: {namespace: " space ", name: " name ", uid: p" name                \
	", creationTimestamp: '2023-11-14T22:10:00Z'" owner meta "}, spec: {nodeName: " node ", " SPEC \
	"}, status: {phase: Running, startTime: '2023-11-14T22:14:00Z'}}\n"
#define WAITS(space, name, owner)                                                       \
	"---\n{kind: Pod, metadata: {namespace: " space ", name: " name ", uid: p" name \
	", creationTimestamp: '2023-11-14T22:14:20Z'" owner "}, spec: {" SPEC "}, status: {phase: Pending}}\n"
#define OF_JOB(name) ", ownerReferences: [{apiVersion: batch/v1, kind: Job, name: " name ", uid: j" name ", controller: true}]"
#define JOB(space, name)                                                                                      \
	"---\n{kind: Job, apiVersion: batch/v1, metadata: {namespace: " space ", name: " name ", uid: j" name \
	", creationTimestamp: '2023-11-14T22:10:00Z'}}\n"
#define COMING(name, spec) \
	"---\n{apiVersion: batch/v1, kind: Job, metadata: {name: " name "}, spec: {" spec "template: {spec: {" SPEC "}}}}\n"

static struct stint_json *parsed(const char *text)
{
	struct stint_error *err = NULL;
	struct stint_json *documents = stint_yaml_parse("test", text, strlen(text), &err);
	if (!documents)
		fail_msg("%s", err->message);
	return documents;
}

static void put(struct stint_snapshot *snapshot, struct stint_model *model, const struct stint_json *document)
{
	for (size_t i = 0; i < STINT_COUNT(kinds); i++) {
		if (strcmp(stint_json_string_at(document, "kind"), kinds[i].kind) != 0)
			continue;
		const struct stint_decode_as as = {kinds[i].as, kinds[i].api_version, kinds[i].kind};
		struct stint_error *err = NULL;
		struct stint_object *object = stint_object_from_json(model, &as, document, &err);
		if (!object)
			fail_msg("%s", err->message);
		stint_snapshot_put(snapshot, object);
		stint_object_unref(object);
	}
}

static const struct stint_usage *past_use; /* of the questions that follow */

/* NULL: what comes is refused, see *err. */
static struct stint_json *forecast(const char *cluster, const char *coming, bool backwards, struct stint_error **err)
{
	static char name[] = "stint-scheduler";
	static char *const names[] = {name, NULL};
	struct stint_model *model = stint_model_new();
	struct stint_snapshot *snapshot = stint_snapshot_new();
	stint_auto_json *listed = parsed(cluster), *objects = parsed(coming);
	const size_t count = stint_json_count(listed);
	for (size_t i = 0; i < count; i++)
		put(snapshot, model, stint_json_item(listed, backwards ? count - 1 - i : i));
	struct stint_policy policy;
	stint_simulate_usual_policy(&policy);
	const struct stint_forecast_question question = {.policy = &policy, .scheduler_names = names, .now_ms = NOW_MS, .usage = past_use};
	struct stint_json *told =
		stint_snapshot_create(snapshot, model, objects, "ours", NOW_MS, err) ? stint_forecast(snapshot, &question) : NULL;
	stint_snapshot_free(snapshot);
	stint_model_free(model);
	return told;
}

/* As JSON in one line, so that a case can name a part of it. */
static char *told_of(const char *cluster, const char *coming)
{
	struct stint_error *err = NULL;
	stint_auto_json *told = forecast(cluster, coming, false, &err), *again = forecast(cluster, coming, true, &err);
	if (!told || !again)
		fail_msg("%s", err->message);
	stint_autofree char *other = stint_json_print(again);
	char *text = stint_json_print(told);
	assert_string_equal(text, other);
	return text;
}

#define FULL                                                                                        \
	WORLD JOB("theirs", "a") JOB("theirs", "b") RUNS("theirs", "a-0", OF_JOB("a"), "alpha", "") \
		RUNS("theirs", "b-0", OF_JOB("b"), "alpha", "") RUNS("theirs", "c", "", "beta", "") RUNS("theirs", "d", "", "beta", "")
#define DELETED ", deletionTimestamp: '2023-11-14T22:14:50Z'"

static void what_comes_is_told_with_what_it_does_to_others(void **state)
{
	(void)state;
	static const struct {
		const char *what, *cluster, *coming, *wanted[4];
	} cases[] = {
		{"it fits", WORLD, COMING("x", ""),
			{"\"outcome\":\"Starts\",\"pods\":{\"total\":1,\"now\":1,\"later\":0,\"waiting\":0},\"placements\":[{\"pod\":\"x-"
			 "0\","
			 "\"node\":\"alpha\",\"gpu_devices\":[0],\"gpus\":1,\"later\":false}]}",
				"\"evictions\":[]", "\"settled\":true"}},
		{"as many pods as run at once", WORLD, COMING("x", "parallelism: 3, completions: 2, "),
			{"\"pods\":{\"total\":2,\"now\":2,"}},
		{"some of its pods", WORLD RUNS("theirs", "c", "", "beta", "") RUNS("theirs", "d", "", "beta", ""),
			COMING("x", "parallelism: 3, "),
			{"\"outcome\":\"StartsInPart\",\"pods\":{\"total\":3,\"now\":2,\"later\":0,\"waiting\":1}",
				"\"phase\":\"Waiting\",", "\"reason\":\"NoRoom\""}},
		{"bare pods do not come back", FULL, COMING("x", "parallelism: 2, "),
			{"\"outcome\":\"StartsLater\",\"pods\":{\"total\":2,\"now\":0,\"later\":2,\"waiting\":0}",
				"{\"project\":\"theirs\",\"workload\":\"d\",\"workload_kind\":\"Pod\",\"action\":\"reclaim\",\"for\":{"
				"\"project\":"
				"\"ours\",\"workload\":\"x\"},\"pods\":1,\"gpus\":1,\"lost_gpu_seconds\":60,\"placed_again\":0,\"gone\":1,"
				"\"nodes\":[]}",
				"\"workload\":\"c\"", "\"delayed\":[]"}},
		{"what leaves makes room", FULL RUNS("theirs", "e", "", "gone", ""), COMING("x", "suspend: true, "), {"\"workloads\":[]"}},
		{"a department's work never runs", FULL,
			"{apiVersion: v1, kind: Pod, metadata: {name: x, labels: {kai.scheduler/queue: all}}, spec: {" SPEC "}}",
			{"\"outcome\":\"Waits\"", "\"reason\":\"QueueHasChildren\""}},
		{"replicas one by one", WORLD,
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replicas: 5, template: {spec: {" SPEC "}}}}",
			{"\"workload_kind\":\"Deployment\",\"outcome\":\"StartsInPart\",\"pods\":{\"total\":5,\"now\":4,\"later\":0,"
			 "\"waiting\":1}"}},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_autofree char *told = told_of(cases[i].cluster, cases[i].coming);
		for (size_t w = 0; w < STINT_COUNT(cases[i].wanted) && cases[i].wanted[w]; w++) {
			if (!strstr(told, cases[i].wanted[w]))
				fail_msg("%s: %s\nhas no %s", cases[i].what, told, cases[i].wanted[w]);
		}
	}
}

static void who_would_have_had_the_place_is_told(void **state)
{
	(void)state;
	/* A device comes free; whoever is of higher priority gets it, and without it the other one would have. */
	stint_autofree char *told = told_of(WORLD RUNS("ours", "a", "", "alpha", "") RUNS("ours", "b", "", "alpha", "")
						    RUNS("ours", "c", "", "beta", "") RUNS("ours", "d", "", "beta", DELETED)
							    JOB("ours", "low") WAITS("ours", "low-0", OF_JOB("low")),
		"---\n{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 90}\n"
		"---\n{apiVersion: batch/v1, kind: Job, metadata: {name: x}, spec: {template: {spec: {priorityClassName: high, " SPEC
		"}}}}\n");
	assert_non_null(strstr(told, "\"outcome\":\"StartsLater\""));
	assert_non_null(strstr(
		told, "\"evictions\":[],\"delayed\":[{\"project\":\"ours\",\"workload\":\"low\",\"workload_kind\":\"Job\",\"pods\":1}]"));
}

static void a_changed_queue_moves_shares(void **state)
{
	(void)state;
	static const char cluster[] = WORLD JOB("theirs", "a") JOB("theirs", "b") JOB("theirs", "c") JOB("theirs", "d")
		RUNS("theirs", "a-0", OF_JOB("a"), "alpha", "") RUNS("theirs", "b-0", OF_JOB("b"), "alpha", "")
			RUNS("theirs", "c-0", OF_JOB("c"), "beta", "") RUNS("theirs", "d-0", OF_JOB("d"), "beta", "")
				WAITS("late", "w", ", labels: {kai.scheduler/queue: new}");
	stint_autofree char *told = told_of(cluster, QUEUE("new", "parentQueue: all, ", "1"));
	assert_non_null(strstr(told,
		"\"workloads\":[],\"starts\":[{\"project\":\"late\",\"workload\":\"w\",\"workload_kind\":\"Pod\",\"pods\":1,\"gpus\":1,"
		"\"later\":true,\"nodes\":[\"beta\"]}]"));
	assert_non_null(strstr(told,
		"\"workload\":\"d\",\"workload_kind\":\"Job\",\"action\":\"reclaim\",\"for\":{\"project\":\"late\",\"workload\":\"w\"}"));
	assert_non_null(strstr(told,
		"{\"name\":\"new\",\"parent\":\"all\",\"gpu\":{\"quota\":{\"before\":null,\"after\":1},\"limit\":{\"before\":null,"
		"\"after\":-1},\"fair_share\":{\"before\":null,\"after\":1},\"allocated\":{\"before\":null,\"after\":1}}}"));
	assert_non_null(strstr(told, "\"name\":\"theirs\",\"parent\":\"all\",\"gpu\":{\"quota\":{\"before\":2,\"after\":2}"));
}

/* Two projects without quotas share four devices, two each; what `theirs` has had all the time moves that, where it counts. */
static void past_use_moves_shares(void **state)
{
	(void)state;
	static const char cluster[] = NODE("alpha") NODE("beta") QUEUE("all", "", "4") QUEUE("ours", "parentQueue: all, ", "0")
		QUEUE("theirs", "parentQueue: all, ", "0") SPACE("ours") SPACE("theirs") RUNS("theirs", "a", "", "alpha", "")
			RUNS("theirs", "b", "", "alpha", "") RUNS("theirs", "c", "", "beta", "") RUNS("theirs", "d", "", "beta", "");
	static const char used[] = "{\"version\":1,\"at\":1700000100000,\"cluster\":{\"cpu\":8,\"memory\":8,\"gpu\":8,\"busy\":1},"
				   "\"queues\":{\"theirs\":{\"cpu\":0,\"memory\":0,\"gpu\":8,\"busy\":1}}}";
	for (int counts = 0; counts < 2; counts++) {
		struct stint_usage *usage = counts ? stint_usage_new(60000) : NULL;
		assert_true(!usage || stint_usage_load(usage, used, strlen(used), NOW_MS));
		past_use = usage;
		stint_autofree char *told = told_of(cluster, COMING("x", "parallelism: 3, "));
		past_use = NULL;
		if (!strstr(told,
			    counts ? "\"total\":3,\"now\":0,\"later\":3,\"waiting\":0" : "\"total\":3,\"now\":0,\"later\":2,\"waiting\":1"))
			fail_msg("%s", told);
		stint_usage_free(usage);
	}
}

#define SAYS(space, name, reason)                                                       \
	"---\n{kind: Pod, metadata: {namespace: " space ", name: " name ", uid: p" name \
	", creationTimestamp: '2023-11-14T22:14:20Z'}, spec: {" SPEC                    \
	"}, status: {phase: Pending, conditions: [{type: PodScheduled, status: "        \
	"'False', reason: " reason "}]}}\n"

/* Nobody tells when the scheduler tries such a pod again; here it is tried at once. */
static void failed_binds_are_said_not_to_be_considered(void **state)
{
	(void)state;
	static const char *const failed[] = {"BindRefused", "DeviceHolderFailed", "VolumeNotGiven"};
	for (size_t i = 0; i <= STINT_COUNT(failed); i++) {
		const bool any = i < STINT_COUNT(failed);
		stint_autofree char *pod = stint_format(SAYS("theirs", "w", "%s"), any ? failed[i] : "NoRoom");
		stint_autofree char *cluster = stint_format("%s%s", WORLD, pod);
		stint_autofree char *told = told_of(cluster, COMING("x", ""));
		assert_int_equal(strstr(told, "\"not_considered\":[\"failed binds\"]") != NULL, any);
	}
}

/* Node alpha offers two devices by a slice. */
#define SLICE                                                                                                                              \
	"---\n{kind: DeviceClass, metadata: {name: some, uid: k}, spec: {selectors: [{cel: {expression: 'device.driver == \"d.x\"'}}]}}\n" \
	"---\n{kind: ResourceSlice, metadata: {name: s, uid: s}, spec: {driver: d.x, nodeName: alpha, "                                    \
	"pool: {name: alpha, generation: 1, resourceSliceCount: 1}, devices: [{name: d0}, {name: d1}]}}\n"
#define WANTED "spec: {devices: {requests: [{name: r, exactly: {deviceClassName: some}}]}}"
#define TEMPLATE "---\n{apiVersion: resource.k8s.io/v1, kind: ResourceClaimTemplate, metadata: {name: one}, spec: {" WANTED "}}\n"
#define CLAIMS "schedulerName: stint-scheduler, resourceClaims: [{name: g, resourceClaimTemplateName: one}], containers: [{name: c}]"
#define HAS_DEVICE(number)                                                                                                                 \
	"---\n{kind: Pod, metadata: {namespace: ours, name: low-" number ", uid: plow-" number                                             \
	", creationTimestamp: '2023-11-14T22:10:00Z'" OF_JOB(                                                                              \
		"low") "}, spec: {nodeName: alpha, " CLAIMS "}, status: {phase: Running, startTime: '2023-11-14T22:14:00Z', "              \
		       "resourceClaimStatuses: [{name: g, resourceClaimName: low-" number                                                  \
		       "-g}]}}\n---\n{kind: ResourceClaim, metadata: {namespace: ours, name: low-" number "-g, uid: c" number "}, " WANTED \
		       ", status: {reservedFor: [{resource: pods, name: low-" number ", uid: plow-" number                                 \
		       "}], allocation: {devices: {results: [{request: r, driver: d.x, pool: alpha, device: d" number                      \
		       "}]}, nodeSelector: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: "                \
		       "[alpha]}]}]}}}}\n"

/* Two pods share device d0 through a claim that has a name of its own. */
#define SHARES_DEVICE(number)                                                                  \
	"---\n{kind: Pod, metadata: {namespace: ours, name: low-" number ", uid: plow-" number \
	", creationTimestamp: '2023-11-14T22:10:00Z'" OF_JOB(                                  \
		"low") "}, spec: {nodeName: alpha, schedulerName: stint-scheduler, "           \
		       "resourceClaims: [{name: g, resourceClaimName: shared}], containers: [{name: c}]}, status: {phase: Running}}\n"
#define SHARED                                                                                                               \
	SHARES_DEVICE("0")                                                                                                   \
	SHARES_DEVICE("1")                                                                                                   \
	"---\n{kind: ResourceClaim, metadata: {namespace: ours, name: shared, uid: c}, " WANTED                              \
	", status: {reservedFor: [{resource: pods, name: low-0, uid: plow-0}, {resource: pods, name: low-1, uid: plow-1}], " \
	"allocation: {devices: {results: [{request: r, driver: d.x, pool: alpha, device: d0}]}, "                            \
	"nodeSelector: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [alpha]}]}]}}}}\n"

static void pods_get_their_claims_by_templates_and_leave_them_when_they_go(void **state)
{
	(void)state;
	static const char three[] =
		"---\n{apiVersion: batch/v1, kind: Job, metadata: {name: x}, spec: {parallelism: 3, template: {spec: {" CLAIMS "}}}}\n";
	static const char high[] =
		"---\n{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 90}\n"
		"---\n{apiVersion: batch/v1, kind: Job, metadata: {name: x}, spec: {template: {spec: {priorityClassName: high, " CLAIMS
		"}}}}\n";
	static const char both[] =
		"---\n{apiVersion: resource.k8s.io/v1, kind: ResourceClaimTemplate, metadata: {name: one}, spec: {spec: {devices: "
		"{requests: [{name: r, exactly: {deviceClassName: some, count: 2}}]}}}}\n";
	static const char beside[] = "---\n{kind: ResourceSlice, metadata: {name: t, uid: t}, spec: {driver: d.x, nodeName: beta, "
				     "pool: {name: beta, generation: 1, resourceSliceCount: 1}, devices: [{name: d2}]}}\n";
	stint_autofree char *with_template = stint_format("%s%s", TEMPLATE, three);
	stint_autofree char *high_one = stint_format("%s%s", high, TEMPLATE), *high_both = stint_format("%s%s", high, both);
	stint_autofree char *full = stint_format("%s", WORLD SLICE JOB("ours", "low") HAS_DEVICE("0") HAS_DEVICE("1"));
	stint_autofree char *spare = stint_format("%s%s", WORLD SLICE JOB("ours", "low") HAS_DEVICE("0"), beside);
	const struct {
		const char *what, *cluster, *coming, *wanted[2];
	} cases[] = {
		{"two devices for three pods", WORLD SLICE, with_template,
			{"\"total\":3,\"now\":2,\"later\":0,\"waiting\":1}", "\"reason\":\"NoRoom\""}},
		{"nobody has made the template", WORLD SLICE, three,
			{"\"total\":3,\"now\":0,\"later\":0,\"waiting\":3}", "\"reason\":\"ResourceClaimNotReady\""}},
		{"who goes takes his claim with him", full, high_one,
			{"\"outcome\":\"StartsLater\"", "\"workload\":\"low\",\"workload_kind\":\"Job\",\"action\":\"preempt\""}},
		{"a claim by name gives its device back with the last of its pods", WORLD SLICE JOB("ours", "low") SHARED, high_both,
			{"\"outcome\":\"StartsLater\"", "\"pods\":2,\"gpus\":0,\"placed_again\":0,\"gone\":0,\"nodes\":[]"}},
		{"and comes back with another one", spare, high_both,
			{"\"outcome\":\"StartsLater\"", "\"pods\":1,\"gpus\":0,\"placed_again\":1,\"gone\":0,\"nodes\":[\"beta\"]"}},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_autofree char *told = told_of(cases[i].cluster, cases[i].coming);
		for (size_t w = 0; w < STINT_COUNT(cases[i].wanted); w++) {
			if (!strstr(told, cases[i].wanted[w]))
				fail_msg("%s: %s\nhas no %s", cases[i].what, told, cases[i].wanted[w]);
		}
	}
}

static void what_cannot_be_known_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *coming, *words;
	} cases[] = {
		{"{apiVersion: kubeflow.org/v1, kind: PyTorchJob, metadata: {name: t}, spec: {x: {template: {spec: {containers: []}}}}}",
			"PyTorchJob \"t\" becomes"},
		{"{apiVersion: example.com/v1, kind: Job, metadata: {name: t}, spec: {template: {spec: {containers: []}}}}", "operator"},
		{COMING("many", "parallelism: 20001, "), "at most 20000"},
		{"{apiVersion: batch/v1, kind: Job, metadata: {name: t}, spec: {}}", "no pod template"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++)
		assert_fails(forecast(WORLD, cases[i].coming, false, &err), STINT_USAGE, cases[i].words);
	stint_autofree char *told = told_of(WORLD, "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: []}}");
	assert_non_null(strstr(told, "\"workloads\":[],\"starts\":[],\"evictions\":[],\"delayed\":[],\"queues\":[]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_is_told_with_what_it_does_to_others),
		cmocka_unit_test(who_would_have_had_the_place_is_told),
		cmocka_unit_test(a_changed_queue_moves_shares),
		cmocka_unit_test(past_use_moves_shares),
		cmocka_unit_test(failed_binds_are_said_not_to_be_considered),
		cmocka_unit_test(pods_get_their_claims_by_templates_and_leave_them_when_they_go),
		cmocka_unit_test(what_cannot_be_known_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
