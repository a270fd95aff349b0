/* Pods and owners become workloads: which belongs to which, and what is said of each. */
#include "tests/unit/test.h"

#include <stint/workload.h>

/* The objects of a YAML stream go into a set; uid and namespace are filled in (uid is the name). */
static void put_all(struct stint_workload_set *set, struct stint_model *model, const char *text)
{
	struct stint_error *err = NULL;
	stint_auto_json *documents = stint_yaml_parse("objects", text, strlen(text), &err);
	if (!documents)
		fail_msg("%s", err->message);
	stint_json_each(document, documents) {
		const char *kind = stint_json_string_or(stint_json_get(document, "kind"), "");
		struct stint_json *metadata = stint_json_ensure_object(document, "metadata");
		const enum stint_kind as_kind = strcmp(kind, "Pod") == 0 ? STINT_KIND_POD
			: strcmp(kind, "Node") == 0			 ? STINT_KIND_NODE
									 : STINT_KIND_OWNER;
		const struct stint_decode_as as = {as_kind, stint_json_string_or(stint_json_get(document, "apiVersion"), "batch/v1"), kind};
		if (!stint_json_get(metadata, "uid"))
			stint_json_set_string(metadata, "uid", stint_json_string(stint_json_get(metadata, "name")));
		if (as_kind != STINT_KIND_NODE && !stint_json_get(metadata, "namespace"))
			stint_json_set_string(metadata, "namespace", "p");
		struct stint_object *object = stint_object_from_json(model, &as, document, &err);
		if (!object)
			fail_msg("%s", err->message);
		stint_workload_set_put(set, object);
		stint_object_unref(object);
	}
}

/* "project/name kind type phase(reason) gpus requested/allocated pods running+waiting/total", one a line. */
static char *spell(struct stint_workload_set *set)
{
	stint_auto_buf text = {0};
	size_t count;
	const struct stint_workload *const *list = stint_workload_set_list(set, &count);
	for (size_t at = 0; at < count; at++) {
		const struct stint_workload *w = list[at];
		stint_buf_printf(&text, "%s/%s %s %s %s%s%s%s%s %g/%g %d+%d/%d\n", w->project, w->name, w->kind,
			stint_workload_type_name(w->type), stint_workload_phase_name(w->phase), w->reason ? "(" : "",
			w->reason ? w->reason : "", w->reason ? ")" : "", w->never ? "!" : "", w->gpus_requested, w->gpus_allocated,
			(int)w->pods_running, (int)w->pods_waiting, (int)w->pods_total);
	}
	return stint_buf_steal(&text);
}

#define JOB_SPEC "template: {metadata: {annotations: {gpu-fraction: '0.5'}}, spec: {schedulerName: s, containers: [{name: c}]}}"
#define POD_SPEC(more) "spec: {schedulerName: s, containers: [{name: c}]" more "}"
#define OWNED(kind, name) "ownerReferences: [{apiVersion: batch/v1, kind: " kind ", name: " name ", uid: " name ", controller: true}]"
#define HALF "annotations: {gpu-fraction: '0.5'}"

static const struct {
	const char *objects, *workloads;
} cases[] = {
	/* A Job before its pods, waiting, starting, running, ended. */
	/* One whose pods the controller has not made again: the evicted one that it still keeps tells why, else its status that it looks. */
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}, status: {startTime: '2026-01-01T00:00:00Z'}}",
		"p/j Job training Pending(NoPods) 0.5/0 0+1/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}, status: {startTime: '2026-01-01T00:00:00Z'}}\n"
	 "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
		 "") ", status: {phase: Failed, conditions: [{type: DisruptionTarget, status: 'True', lastTransitionTime: "
		     "'2026-01-01T00:01:00Z'}]}}",
		"p/j Job training Pending(Evicted) 0.5/0 0+1/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}}\n"
	 "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
		 "") ", status: {phase: Failed, containerStatuses: [{state: {terminated: {exitCode: 1, finishedAt: "
		     "'2026-01-01T00:01:00Z'}}}]}}",
		"p/j Job training Pending(BackOff) 0.5/0 0+1/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}}", "p/j Job training Pending 0.5/0 0+1/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}}\n"
	 "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
		 "") ", status: {phase: Pending, conditions: "
		     "[{type: PodScheduled, status: 'False', reason: Unschedulable, message: 'NoRoom: no node can take it now'}]}}",
		"p/j Job training Pending(NoRoom) 0.5/0 0+1/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}}\n"
	 "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
		 "") ", status: {phase: Pending, conditions: "
		     "[{type: PodScheduled, status: 'False', reason: Unschedulable, message: 'NeverFits: no node could'}]}}",
		"p/j Job training Pending(NeverFits)! 0.5/0 0+1/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}}\n"
	 "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
		 "") ", status: {phase: Pending, conditions: "
		     "[{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/3 nodes are available: 3 Insufficient "
		     "cpu.'}]}}",
		"p/j Job training Pending(Unschedulable) 0.5/0 0+1/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}}\n"
	 "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
		 ", nodeName: node") ", status: {phase: Pending, "
				     "containerStatuses: [{name: c, ready: false, restartCount: 0, state: {waiting: {reason: "
				     "ErrImagePull}}}]}}",
		"p/j Job training Starting(ErrImagePull) 0.5/0.5 0+0/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}}\n"
	 "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF
								     "}, " POD_SPEC(", nodeName: node") ", status: {phase: Running}}",
		"p/j Job training Running 0.5/0.5 1+0/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}, status: {succeeded: 1, conditions: [{type: Complete, status: 'True'}]}}\n"
	 "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF
								     "}, " POD_SPEC(", nodeName: node") ", status: {phase: Succeeded}}",
		"p/j Job training Succeeded 0.5/0 0+0/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC
	 "}, status: {conditions: [{type: Failed, status: 'True', reason: DeadlineExceeded}]}}",
		"p/j Job training Failed(DeadlineExceeded) 0.5/0 0+0/0\n"},
	/* The Job's word hides that its time was up; the pod's does not. */
	{"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC
	 "}, status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded}]}}\n"
	 "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
		 ", nodeName: node") ", status: {phase: Failed, reason: DeadlineExceeded}}",
		"p/j Job training Failed(DeadlineExceeded) 0.5/0 0+0/1\n"},
	{"{kind: Job, metadata: {name: j}, spec: {suspend: true, " JOB_SPEC "}}", "p/j Job training Suspended 0.5/0 0+0/0\n"},
	/* A gang of which one is not made yet, and one has ended. */
	{"{kind: Job, metadata: {name: j}, spec: {completions: 3, parallelism: 3, " JOB_SPEC "}, status: {succeeded: 1}}\n"
	 "---\n{kind: Pod, metadata: {name: j-0, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
		 ", nodeName: node") ", status: {phase: Succeeded}}\n"
				     "---\n{kind: Pod, metadata: {name: j-1, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
					     ", nodeName: node") ", status: {phase: Running}}",
		"p/j Job training Running 1.5/0.5 1+1/2\n"},
	/* Through a ReplicaSet to its Deployment; scaled to nothing; remembered. */
	{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 2, " JOB_SPEC "}}\n"
	 "---\n{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: d-1, " OWNED(
		 "Deployment", "d") "}, spec: {replicas: 2, " JOB_SPEC "}}\n"
				    "---\n{kind: Pod, metadata: {name: d-1-x, " OWNED("ReplicaSet", "d-1") ", " HALF "}, " POD_SPEC(
					    ", nodeName: node") ", status: {phase: Running}}",
		"p/d Deployment inference Running 1/0.5 1+1/2\n"},
	{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, annotations: {stint.dev/suspended-replicas: '3'}}, spec: {replicas: "
	 "0, " JOB_SPEC "}}",
		"p/d Deployment inference Suspended 1.5/0 0+0/0\n"},
	{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {replicas: 1, " JOB_SPEC "}}",
		"p/s StatefulSet workspace Pending 0.5/0 0+1/1\n"},
	/* The label says more than the kind. */
	{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s, labels: {stint.dev/type: inference}}, spec: {replicas: 1, " JOB_SPEC
	 "}}",
		"p/s StatefulSet inference Pending 0.5/0 0+1/1\n"},
	/* An owner that was not read, a bare pod, a group, somebody else's scheduler. */
	{"{kind: Pod, metadata: {name: t-0, " OWNED("PyTorchJob", "t") ", " HALF "}, " POD_SPEC(
		 ", nodeName: node") ", status: {phase: Running}}\n"
				     "---\n{kind: Pod, metadata: {name: t-1, " OWNED("PyTorchJob", "t") ", " HALF "}, " POD_SPEC(
					     "") ", status: {phase: Pending}}",
		"p/t PyTorchJob training Running 1/0.5 1+1/2\n"},
	/* Through a pod: the workers of a LeaderWorkerSet belong to a StatefulSet of their leader. */
	{"{kind: Pod, metadata: {name: l-0-1, " OWNED("StatefulSet", "l-set") ", " HALF "}, " POD_SPEC(
		 "") ", status: {phase: Pending}}\n"
		     "---\n{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: l-set, " OWNED(
			     "Pod", "l-0") "}, spec: {replicas: 1, " JOB_SPEC "}}\n"
					   "---\n{kind: Pod, metadata: {name: l-0, " OWNED("LeaderWorkerSet", "l") ", " HALF "}, " POD_SPEC(
						   ", nodeName: node") ", status: {phase: Running}}",
		"p/l LeaderWorkerSet training Running 1/0.5 1+1/2\n"},
	{"{kind: Pod, metadata: {name: b, " HALF "}, " POD_SPEC(", nodeName: node") ", status: {phase: Failed, reason: Evicted}}",
		"p/b Pod training Failed(Evicted) 0.5/0 0+0/1\n"},
	{"{kind: Pod, metadata: {name: a, annotations: {pod-group-name: g}}, " POD_SPEC(
		 "") ", status: {phase: Pending}}\n"
		     "---\n{kind: Pod, metadata: {name: b, annotations: {pod-group-name: g}}, " POD_SPEC(
			     ", nodeName: node") ", status: {phase: Running}}",
		"p/g PodGroup training Running 0/0 1+1/2\n"},
	{"{kind: Pod, metadata: {name: b}, spec: {schedulerName: default-scheduler, containers: []}, status: {phase: Running}}", ""},
	{"{kind: Pod, metadata: {name: b, " OWNED("Node", "node") "}, " POD_SPEC(", nodeName: node") ", status: {phase: Running}}",
		"p/b Pod training Running 0/0 1+0/1\n"},
	/* Memory counts where the node's devices are known. */
	{"{kind: Pod, metadata: {name: m, annotations: {gpu-memory: '1000', gpu-fraction-num-devices: '2'}}, " POD_SPEC(
		 ", nodeName: node") ", status: {phase: "
				     "Running}}\n"
				     "---\n{kind: Node, metadata: {name: node, labels: {nvidia.com/gpu.memory: '4000'}}}",
		"p/m Pod training Running 0.5/0.5 1+0/1\n"},
	/* Deleting; sorted by project and name. */
	{"{kind: Job, metadata: {name: b, deletionTimestamp: '2026-11-24T06:00:00Z'}, spec: {" JOB_SPEC "}}\n"
	 "---\n{kind: Job, metadata: {name: a}, spec: {" JOB_SPEC "}}\n"
	 "---\n{kind: Job, metadata: {name: z, namespace: o}, spec: {" JOB_SPEC "}}",
		"o/z Job training Pending 0.5/0 0+1/1\np/a Job training Pending 0.5/0 0+1/1\np/b Job training Deleting 0.5/0 0+1/1\n"},
};

static void pods_and_owners_become_workloads(void **state)
{
	(void)state;
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		struct stint_model *model = stint_model_new();
		const char *const schedulers[] = {"s", "t", NULL};
		struct stint_workload_set *set = stint_workload_set_new(schedulers);
		put_all(set, model, cases[at].objects);
		stint_autofree char *text = spell(set);
		stint_workload_set_free(set);
		stint_model_free(model);
		if (strcmp(text, cases[at].workloads) != 0)
			fail_msg("case %zu:\n%swhere was wanted\n%s", at, text, cases[at].workloads);
	}
}

static void changes_show_at_the_next_look(void **state)
{
	(void)state;
	struct stint_model *model = stint_model_new();
	struct stint_workload_set *set = stint_workload_set_new(NULL);
	size_t count;
	put_all(set, model, "{kind: Pod, metadata: {name: a}, " POD_SPEC("") ", status: {phase: Pending}}");
	assert_string_equal(stint_workload_phase_name(stint_workload_set_find(set, "p", "a")->phase), "Pending");
	put_all(set, model, "{kind: Pod, metadata: {name: a}, " POD_SPEC(", nodeName: node") ", status: {phase: Running}}");
	assert_string_equal(stint_workload_phase_name(stint_workload_set_find(set, "p", "a")->phase), "Running");
	assert_null(stint_workload_set_find(set, "q", "a"));
	assert_null(stint_workload_set_find(set, "p", "b"));
	stint_workload_set_remove(set, "a");
	stint_workload_set_remove(set, "a");
	stint_workload_set_list(set, &count);
	assert_int_equal(count, 0);
	stint_workload_set_free(set);
	stint_model_free(model);
}

static void the_json_of_a_workload_has_the_fields_of_the_contracts(void **state)
{
	(void)state;
	struct stint_model *model = stint_model_new();
	struct stint_workload_set *set = stint_workload_set_new(NULL);
	put_all(set, model,
		"{kind: Job, metadata: {name: j, creationTimestamp: '2026-11-24T06:00:00Z'}, spec: {" JOB_SPEC "}}\n"
		"---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") ", " HALF "}, " POD_SPEC(
			", nodeName: node") ", status: {phase: Running}}");
	const struct stint_workload *workload = stint_workload_set_find(set, "p", "j");
	stint_auto_json *item = stint_workload_json(workload);
	static const char expected_text[] =
		"{\"name\":\"j\",\"project\":\"p\",\"type\":\"training\",\"kind\":\"Job\",\"api_version\":\"batch/v1\","
		"\"phase\":\"Running\",\"gpus_requested\":0.5,\"gpus_allocated\":0.5,\"pods\":{\"total\":1,\"running\":1,"
		"\"waiting\":0,\"succeeded\":0,\"failed\":0},\"restarts\":0,\"created\":\"2026-11-24T06:00:00Z\"}";
	stint_auto_json *expected = stint_json_parse(expected_text, strlen(expected_text), 0, NULL);
	stint_autofree char *got = stint_json_print(item), *resource = stint_workload_resource(workload);
	if (!stint_json_equal(item, expected))
		fail_msg("%s", got);
	assert_string_equal(resource, "job.batch");
	stint_workload_set_free(set);
	stint_model_free(model);
}

static void a_pods_state_is_the_word_of_kubectl(void **state)
{
	(void)state;
	static const struct {
		const char *pod, *word;
	} states[] = {
		{"status: {phase: Pending}", "Pending"},
		{"status: {phase: Running}", "Running"},
		{"status: {phase: Succeeded}", "Succeeded"},
		{"status: {phase: Failed, reason: Evicted}", "Evicted"},
		{"status: {phase: Failed, containerStatuses: [{name: c, ready: false, restartCount: 0, state: {terminated: {reason: "
		 "OOMKilled, exitCode: 137}}}]}",
			"OOMKilled"},
		{"status: {phase: Running, containerStatuses: [{name: c, ready: false, restartCount: 3, state: {waiting: {reason: "
		 "CrashLoopBackOff}}}]}",
			"CrashLoopBackOff"},
		{"status: {}", "Unknown"},
	};
	struct stint_model *model = stint_model_new();
	for (size_t at = 0; at < STINT_COUNT(states); at++) {
		struct stint_workload_set *set = stint_workload_set_new(NULL);
		stint_autofree char *text = stint_format("{kind: Pod, metadata: {name: a}, " POD_SPEC("") ", %s}", states[at].pod);
		put_all(set, model, text);
		assert_string_equal(stint_pod_state(stint_workload_set_find(set, "p", "a")->pods[0]), states[at].word);
		stint_workload_set_free(set);
	}
	stint_model_free(model);
}

static void work_has_started_when_one_of_its_pods_has(void **state)
{
	(void)state;
	static const char job[] =
		"{kind: Job, metadata: {name: j}, spec: {" JOB_SPEC "}, status: {startTime: '2026-01-01T00:00:00Z'%s}}\n%s";
	static const char ended[] = ", conditions: [{type: Complete, status: 'True'}]";
	static const char pod[] = "---\n{kind: Pod, metadata: {name: j-a, " OWNED("Job", "j") "}, " POD_SPEC("") ", status: {%s}}";
	static const struct {
		const char *more, *pod, *started;
	} table[] = {
		{"", NULL, NULL}, /* its controller has seen it: no more than that */
		{"", "phase: Pending", NULL}, {"", "phase: Running, startTime: '2026-01-01T00:00:10Z'", "2026-01-01T00:00:10Z"},
		{ended, "phase: Succeeded, startTime: '2026-01-01T00:00:10Z'", "2026-01-01T00:00:10Z"},
		{ended, NULL, "2026-01-01T00:00:00Z"}, /* its pods are gone: there is nothing better */
	};
	struct stint_model *model = stint_model_new();
	for (size_t at = 0; at < STINT_COUNT(table); at++) {
		struct stint_workload_set *set = stint_workload_set_new(NULL);
		stint_autofree char *second = table[at].pod ? stint_format(pod, table[at].pod) : stint_strdup("");
		stint_autofree char *text = stint_format(job, table[at].more, second);
		put_all(set, model, text);
		stint_auto_json *item = stint_workload_json(stint_workload_set_find(set, "p", "j"));
		const char *started = stint_json_string_at(item, "started");
		assert_string_equal(started ? started : "none", table[at].started ? table[at].started : "none");
		stint_workload_set_free(set);
	}
	stint_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_and_owners_become_workloads),
		cmocka_unit_test(changes_show_at_the_next_look),
		cmocka_unit_test(the_json_of_a_workload_has_the_fields_of_the_contracts),
		cmocka_unit_test(a_pods_state_is_the_word_of_kubectl),
		cmocka_unit_test(work_has_started_when_one_of_its_pods_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
