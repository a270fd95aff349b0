/*
 * What the Job controller decides, case by case: a Job's spec and status and its pods come in; what is made, removed, released and
 * written must come out.
 */
#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/job.h"

#include "scene.h"

struct job_case {
	const char *name;
	const char *spec, *status, *pods;
	int64_t after_s; /* time of the sync, seconds after START_MS */
	const char *creates; /* "2" pods without index, or "0 2" indexes with "#" */
	const char *removals, *releases;
	const char *wanted; /* of the new status; conditions as in `conditions` */
	const char *conditions; /* "Type=True/Reason ..." that must be there; "!Type" must not be */
	int64_t again_s; /* -1: not asked to come again; -2: not looked at */
};

static const struct job_case cases[] = {
	{.name = "a new Job gets as many pods as its parallelism and a start time",
		.spec = "{'parallelism': 2, 'completions': 3}",
		.creates = "2",
		.wanted = "{'active': 2, 'ready': 0, 'terminating': 0, 'uncountedTerminatedPods': {}, 'startTime': '2023-11-14T22:13:20Z'}",
		.again_s = -1},
	{.name = "never more pods than completions are left",
		.spec = "{'parallelism': 5, 'completions': 3}",
		.status = "{'succeeded': 2}",
		.creates = "1",
		.again_s = -1},
	{.name = "a pod that succeeds is counted once and loses its finalizer",
		.spec = "{'parallelism': 1, 'completions': 2}",
		.pods = "a Succeeded; b Succeeded untracked",
		.status = "{'succeeded': 0}",
		.creates = "1",
		.releases = "a",
		.wanted = "{'succeeded': 1, 'active': 1}",
		.again_s = -1},
	{.name = "a Job is complete when all completions have succeeded",
		.spec = "{'parallelism': 1, 'completions': 1}",
		.pods = "a Succeeded",
		.releases = "a",
		.wanted = "{'succeeded': 1, 'active': null, 'completionTime': '2023-11-14T22:13:20Z'}",
		.conditions = "SuccessCriteriaMet=True/CompletionsReached Complete=True/CompletionsReached",
		.again_s = -1},
	{.name = "it is not complete while a pod still terminates, but the criteria are met",
		.spec = "{'parallelism': 1, 'completions': 1}",
		.pods = "a Succeeded; b Running deleting bound untracked",
		.releases = "a",
		.wanted = "{'terminating': 1}",
		.conditions = "SuccessCriteriaMet=True/CompletionsReached !Complete",
		.again_s = -1},
	{.name = "a work queue (no completions) ends with its first success and waits for the others",
		.spec = "{'parallelism': 2}",
		.pods = "a Succeeded; b Running bound",
		.releases = "a",
		.wanted = "{'succeeded': 1, 'active': 1}",
		.conditions = "!Complete !SuccessCriteriaMet",
		.again_s = -1},
	{.name = "a failed pod is counted and replaced after ten seconds, not before",
		.spec = "{'parallelism': 1, 'completions': 1, 'backoffLimit': 3}",
		.pods = "a Failed done=5",
		.after_s = 7,
		.creates = "0",
		.releases = "a",
		.wanted = "{'failed': 1, 'active': null}",
		.again_s = 8},
	{.name = "one failure too many fails the Job",
		.spec = "{'parallelism': 2, 'completions': 2, 'backoffLimit': 0}",
		.pods = "a Failed; b Running bound",
		.removals = "b",
		.releases = "a",
		.wanted = "{'failed': 1}",
		.conditions = "FailureTarget=True/BackoffLimitExceeded !Failed",
		.again_s = -1},
	{.name = "the failure is final when nothing runs any more",
		.spec = "{'parallelism': 1, 'completions': 1, 'backoffLimit': 0}",
		.status = "{'failed': 1, 'conditions': [{'type': 'FailureTarget', 'status': 'True', 'reason': 'BackoffLimitExceeded', "
			  "'message': 'm'}]}",
		.pods = "a Failed untracked",
		.conditions = "Failed=True/BackoffLimitExceeded",
		.again_s = -1},
	{.name = "with restartPolicy OnFailure the restarts of running pods count",
		.spec = "{'parallelism': 1, 'completions': 1, 'backoffLimit': 2, 'template': {'spec': {'restartPolicy': 'OnFailure'}}}",
		.pods = "a Running bound restarts=2",
		.removals = "a",
		.conditions = "FailureTarget=True/BackoffLimitExceeded",
		.again_s = -1},
	{.name = "the deadline counts from the start",
		.spec = "{'parallelism': 1, 'completions': 1, 'activeDeadlineSeconds': 10}",
		.status = "{'startTime': '2023-11-14T22:13:20Z', 'active': 1}",
		.pods = "a Running bound",
		.after_s = 4,
		.conditions = "!FailureTarget",
		.again_s = 6},
	{.name = "a deadline beyond all times never comes",
		.spec = "{'parallelism': 1, 'completions': 1, 'activeDeadlineSeconds': 9223372036854775807}",
		.status = "{'startTime': '2023-11-14T22:13:20Z', 'active': 1}",
		.pods = "a Running bound",
		.after_s = 4,
		.conditions = "!FailureTarget",
		.again_s = INT32_MAX - 4},
	{.name = "after the deadline everything is stopped",
		.spec = "{'parallelism': 1, 'completions': 1, 'activeDeadlineSeconds': 10}",
		.status = "{'startTime': '2023-11-14T22:13:20Z'}",
		.pods = "a Running bound",
		.after_s = 10,
		.removals = "a",
		.conditions = "FailureTarget=True/DeadlineExceeded",
		.again_s = -1},
	{.name = "a suspended Job has no pods, and their end is no failure",
		.spec = "{'parallelism': 2, 'completions': 2, 'suspend': true}",
		.status = "{'startTime': '2023-11-14T22:13:00Z'}",
		.pods = "a Running bound ready; b Pending",
		.removals = "a b",
		.wanted = "{'active': null, 'ready': 0, 'failed': null, 'startTime': '2023-11-14T22:13:00Z'}",
		.conditions = "Suspended=True/JobSuspended",
		.again_s = -1},
	{.name = "a Job created suspended has no start time",
		.spec = "{'parallelism': 1, 'completions': 1, 'suspend': true}",
		.wanted = "{'startTime': null}",
		.conditions = "Suspended=True/JobSuspended",
		.again_s = -1},
	{.name = "resumption renews the start time",
		.spec = "{'parallelism': 1, 'completions': 1, 'suspend': false}",
		.status = "{'startTime': '2023-11-14T20:00:00Z', 'conditions': [{'type': 'Suspended', 'status': 'True', 'reason': "
			  "'JobSuspended', 'message': 'Job suspended'}]}",
		.creates = "1",
		.wanted = "{'startTime': '2023-11-14T22:13:20Z'}",
		.conditions = "Suspended=False/JobResumed",
		.again_s = -1},
	{.name = "less parallelism removes the pods of least worth, uncounted",
		.spec = "{'parallelism': 1, 'completions': 9}",
		.pods = "a Running bound ready; b Pending; c Running bound",
		.removals = "b c",
		.wanted = "{'active': 1}",
		.again_s = 0},
	{.name = "an indexed Job makes the lowest missing indexes",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 3, 'completions': 5}",
		.status = "{'completedIndexes': '1', 'succeeded': 1}",
		.pods = "b Running index=2 bound",
		.creates = "#0 3",
		.wanted = "{'active': 3, 'completedIndexes': '1'}",
		.again_s = -1},
	{.name = "succeeded indexes are written as intervals",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 1, 'completions': 9}",
		.status = "{'completedIndexes': '0,2,5', 'succeeded': 3}",
		.pods = "a Succeeded index=1; b Running index=3 bound",
		.releases = "a",
		.wanted = "{'completedIndexes': '0-2,5', 'succeeded': 4}",
		.again_s = -1},
	{.name = "a doubled index and one out of range are removed",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 3, 'completions': 3}",
		.pods = "a Running index=0 bound ready; b Pending index=0; c Running index=7 bound",
		.removals = "b c",
		.again_s = 0},
	{.name = "podFailurePolicy FailJob ends the Job at once",
		.spec = "{'parallelism': 1, 'completions': 1, 'backoffLimit': 6, 'podFailurePolicy': {'rules': [{'action': 'FailJob', "
			"'onExitCodes': {'operator': 'In', 'values': [42]}}]}}",
		.pods = "a Failed code=42",
		.releases = "a",
		.wanted = "{'failed': 1}",
		.conditions = "FailureTarget=True/PodFailurePolicy Failed=True/PodFailurePolicy",
		.again_s = -1},
	{.name = "podFailurePolicy Ignore does not count an eviction",
		.spec = "{'parallelism': 1, 'completions': 1, 'backoffLimit': 0, 'podFailurePolicy': {'rules': [{'action': 'Ignore', "
			"'onPodConditions': [{'type': 'DisruptionTarget', 'status': 'True'}]}]}}",
		.pods = "a Failed disrupted",
		.after_s = 20,
		.creates = "1",
		.releases = "a",
		.wanted = "{'failed': null, 'active': 1}",
		.conditions = "!FailureTarget",
		.again_s = -1},
	{.name = "NotIn matches exit codes that are not listed, never 0",
		.spec = "{'parallelism': 1, 'completions': 1, 'podFailurePolicy': {'rules': [{'action': 'FailJob', 'onExitCodes': "
			"{'operator': 'NotIn', 'values': [1]}}]}}",
		.pods = "a Failed code=1",
		.after_s = 20,
		.creates = "1",
		.releases = "a",
		.conditions = "!FailureTarget",
		.again_s = -1},
	{.name = "an index beyond backoffLimitPerIndex is lost, the others go on",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 2, 'completions': 2, 'backoffLimitPerIndex': 0}",
		.pods = "a Failed index=1 failures=0; b Running index=0 bound",
		.releases = "a",
		.wanted = "{'failedIndexes': '1', 'failed': 1}",
		.conditions = "!FailureTarget",
		.again_s = -1},
	{.name = "a failed index waits for its back-off, uncounted and held by its finalizer",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 1, 'completions': 1, 'backoffLimitPerIndex': 2}",
		.pods = "a Failed index=0 failures=0 done=0",
		.after_s = 4,
		.creates = "#",
		.releases = "",
		.wanted = "{'failed': null, 'failedIndexes': ''}",
		.again_s = 6},
	{.name = "an index that was evicted waits for itself, however many others were",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 3, 'completions': 3, 'backoffLimit': 0, 'backoffLimitPerIndex': 0, "
			"'maxFailedIndexes': 0, 'podFailurePolicy': {'rules': [{'action': 'Ignore', 'onPodConditions': [{'type': "
			"'DisruptionTarget', 'status': 'True'}]}]}}",
		.pods = "a Failed index=0 disrupted done=0; b Failed index=1 disrupted done=0; c Failed index=2 disrupted done=0",
		.after_s = 10,
		.creates = "#0 1 2",
		.releases = "a b c",
		.wanted = "{'failed': null, 'failedIndexes': ''}",
		.conditions = "!FailureTarget",
		.again_s = -1},
	{.name = "its replacement carries the number of failures on",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 1, 'completions': 1, 'backoffLimitPerIndex': 2}",
		.pods = "a Failed index=0 failures=1 done=0",
		.after_s = 20,
		.creates = "#0/2",
		.releases = "a",
		.wanted = "{'failed': 1}",
		.again_s = -1},
	{.name = "lost and succeeded indexes together end the Job",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 2, 'completions': 2, 'backoffLimitPerIndex': 0}",
		.status = "{'failedIndexes': '1', 'failed': 1}",
		.pods = "a Succeeded index=0",
		.releases = "a",
		.conditions = "FailureTarget=True/FailedIndexes Failed=True/FailedIndexes",
		.again_s = -1},
	{.name = "maxFailedIndexes ends the Job early",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 3, 'completions': 3, 'backoffLimitPerIndex': 0, 'maxFailedIndexes': "
			"0}",
		.pods = "a Failed index=0; b Running index=1 bound; c Running index=2 bound",
		.removals = "b c",
		.releases = "a",
		.conditions = "FailureTarget=True/MaxFailedIndexesExceeded !Failed",
		.again_s = -1},
	{.name = "FailIndex loses the index whatever its limit",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 2, 'completions': 2, 'backoffLimitPerIndex': 5, 'podFailurePolicy': "
			"{'rules': [{'action': 'FailIndex', 'onExitCodes': {'operator': 'In', 'values': [9]}}]}}",
		.pods = "a Failed index=0 code=9; b Running index=1 bound",
		.releases = "a",
		.wanted = "{'failedIndexes': '0'}",
		.again_s = -1},
	{.name = "successPolicy ends the Job when its indexes have succeeded",
		.spec = "{'completionMode': 'Indexed', 'parallelism': 3, 'completions': 3, 'successPolicy': {'rules': "
			"[{'succeededIndexes': '0'}]}}",
		.pods = "a Succeeded index=0; b Running index=1 bound; c Running index=2 bound",
		.removals = "b c",
		.releases = "a",
		.conditions = "SuccessCriteriaMet=True/SuccessPolicy !Complete",
		.again_s = -1},
	{.name = "podReplacementPolicy Failed waits for the end of a terminating pod",
		.spec = "{'parallelism': 1, 'completions': 1, 'podReplacementPolicy': 'Failed'}",
		.pods = "a Running bound deleting",
		.creates = "0",
		.wanted = "{'terminating': 1, 'active': null}",
		.again_s = -1},
	{.name = "without it a terminating pod counts as failed",
		.spec = "{'parallelism': 1, 'completions': 1}",
		.pods = "a Running bound deleting",
		.after_s = 30,
		.creates = "0",
		.releases = "a",
		.wanted = "{'failed': 1, 'terminating': 1}",
		.again_s = -2},
	{.name = "a finished Job lets go of all finalizers and waits for its time to live",
		.spec = "{'parallelism': 1, 'completions': 1, 'ttlSecondsAfterFinished': 60}",
		.status = "{'conditions': [{'type': 'Complete', 'status': 'True', 'lastTransitionTime': '2023-11-14T22:13:20Z'}]}",
		.pods = "a Running bound",
		.after_s = 15,
		.releases = "a",
		.again_s = 45},
};

static struct stint_json *make_job(const struct job_case *item)
{
	struct stint_json *job =
		json_of("{'apiVersion': 'batch/v1', 'kind': 'Job', 'metadata': {'name': 'j', 'namespace': 'default', 'uid': 'owner'}}");
	stint_json_set(job, "spec", json_of(item->spec));
	stint_json_set(job, "status", json_of(item->status ? item->status : "{}"));
	return job;
}

static char *creates_text(const struct job_plan *plan, bool indexes)
{
	stint_auto_buf text = {0};
	if (!indexes)
		return stint_format("%zu", plan->create_count);
	stint_buf_puts(&text, "#");
	for (size_t i = 0; i < plan->create_count; i++) {
		stint_buf_printf(&text, "%s%lld", i > 0 ? " " : "", (long long)plan->creates[i].index);
		if (plan->creates[i].counts_failures && plan->creates[i].failures > 0)
			stint_buf_printf(&text, "/%lld", (long long)plan->creates[i].failures);
	}
	return stint_buf_steal(&text);
}

static void check_conditions(const struct stint_json *status, const char *text, const char *name)
{
	char **words = stint_split(text ? text : "", " ");
	for (size_t i = 0; words[i]; i++) {
		if (words[i][0] == '!') {
			if (condition_find(status, words[i] + 1))
				fail_msg("%s: condition %s is there", name, words[i] + 1);
			continue;
		}
		char *truth = strchr(words[i], '='), *reason = strchr(words[i], '/');
		*truth++ = *reason++ = '\0';
		const struct stint_json *condition = condition_find(status, words[i]);
		if (!condition || !condition_is(status, words[i], truth) ||
			strcmp(stint_json_string_or(stint_json_get(condition, "reason"), ""), reason) != 0)
			fail_msg("%s: condition %s is not %s/%s", name, words[i], truth, reason);
	}
	stint_strings_free(words);
}

static void each_case_comes_out_as_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		const struct job_case *item = &cases[i];
		stint_auto_json *job = make_job(item);
		struct pod_list pods = {0};
		struct job_memory memory = {0};
		struct job_plan plan;
		scene_pods(item->pods ? item->pods : "", &pods);
		job_sync(job, &pods, START_MS + item->after_s * 1000, &memory, &plan);
		const struct stint_json *status = plan.status ? plan.status : stint_json_get(job, "status");
		stint_autofree char *creates = creates_text(&plan, item->creates && item->creates[0] == '#');
		stint_autofree char *removals = scene_names(&plan.removals), *releases = scene_names(&plan.releases);
		assert_text(creates, item->creates ? item->creates : "0", item->name, "creations");
		assert_text(removals, item->removals ? item->removals : "", item->name, "removals");
		assert_text(releases, item->releases ? item->releases : "", item->name, "releases");
		stint_auto_json *wanted = json_of(item->wanted ? item->wanted : "{}");
		assert_has(status, wanted, item->name);
		check_conditions(status, item->conditions, item->name);
		int64_t again_s = plan.again_ms < 0 ? -1 : plan.again_ms / 1000;
		if (item->again_s != -2 && again_s != item->again_s)
			fail_msg("%s: comes again in %lld s, not %lld", item->name, (long long)again_s, (long long)item->again_s);
		job_plan_free(&plan);
		scene_free(&pods);
	}
}

static void failures_in_a_row_double_the_wait(void **state)
{
	(void)state;
	stint_auto_json *job =
		json_of("{'metadata': {'uid': 'owner'}, 'spec': {'parallelism': 1, 'completions': 1, 'backoffLimit': 9}, 'status': {}}");
	struct job_memory memory = {0};
	static const int64_t waits_ms[] = {10000, 20000, 40000, 80000};
	for (size_t i = 0; i < STINT_COUNT(waits_ms); i++) {
		struct pod_list pods = {0};
		struct job_plan plan;
		scene_pods("a Failed done=0", &pods);
		job_sync(job, &pods, START_MS, &memory, &plan);
		assert_int_equal(plan.again_ms, waits_ms[i]);
		job_plan_free(&plan);
		scene_free(&pods);
	}
}

static void a_success_forgets_the_failures(void **state)
{
	(void)state;
	stint_auto_json *job =
		json_of("{'metadata': {'uid': 'owner'}, 'spec': {'parallelism': 1, 'completions': 5, 'backoffLimit': 9}, 'status': {}}");
	struct job_memory memory = {.failures = 4, .last_failure_ms = START_MS};
	struct pod_list pods = {0};
	struct job_plan plan;
	scene_pods("a Succeeded done=1", &pods);
	job_sync(job, &pods, START_MS + 2000, &memory, &plan);
	assert_int_equal(memory.failures, 0);
	assert_int_equal(plan.create_count, 1);
	job_plan_free(&plan);
	scene_free(&pods);
}

static void time_to_live_ends_with_removal(void **state)
{
	(void)state;
	stint_auto_json *job = json_of("{'metadata': {'uid': 'owner'}, 'spec': {'ttlSecondsAfterFinished': 5}, 'status': {'conditions':"
				       "[{'type': 'Failed', 'status': 'True', 'lastTransitionTime': '2023-11-14T22:13:20Z'}]}}");
	struct job_memory memory = {0};
	struct pod_list pods = {0};
	struct job_plan plan;
	job_sync(job, &pods, START_MS + 4999, &memory, &plan);
	assert_false(plan.remove_job);
	job_plan_free(&plan);
	job_sync(job, &pods, START_MS + 5000, &memory, &plan);
	assert_true(plan.remove_job);
	assert_null(plan.status);
	job_plan_free(&plan);
}

static void an_indexed_pod_knows_its_index_and_its_job(void **state)
{
	(void)state;
	stint_auto_json *job =
		json_of("{'apiVersion': 'batch/v1', 'kind': 'Job', 'metadata': {'name': 'train', 'namespace': 'vision', 'uid': 'u'},"
			"'spec': {'template': {'metadata': {'labels': {'a': 'b'}}, 'spec': {'containers': [{'name': 'c'}]}}}}");
	const struct job_new_pod wanted = {.index = 3, .counts_failures = true, .failures = 2};
	stint_auto_json *pod = job_make_pod(job, &wanted);
	const struct stint_json *metadata = stint_json_get(pod, "metadata");
	assert_string_equal(stint_json_string(stint_json_get(metadata, "generateName")), "train-3-");
	stint_auto_json *labels = json_of("{'a': 'b', 'batch.kubernetes.io/job-name': 'train', 'batch.kubernetes.io/controller-uid': 'u',"
					  "'batch.kubernetes.io/job-completion-index': '3'}");
	assert_has(stint_json_get(metadata, "labels"), labels, "labels");
	stint_auto_json *annotations =
		json_of("{'batch.kubernetes.io/job-completion-index': '3', 'batch.kubernetes.io/job-index-failure-count': '2'}");
	assert_has(stint_json_get(metadata, "annotations"), annotations, "annotations");
	const struct stint_json *container = stint_json_first(stint_json_at(pod, "spec", "containers"));
	const struct stint_json *variable = stint_json_first(stint_json_get(container, "env"));
	assert_string_equal(stint_json_string(stint_json_get(variable, "name")), "JOB_COMPLETION_INDEX");
	assert_string_equal(stint_json_string(stint_json_at(pod, "spec", "hostname")), "train-3");
	struct pod_facts *facts = pod_facts_read(pod);
	assert_true(facts->tracked);
	assert_string_equal(facts->owner_uid, "u");
	pod_facts_free(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_comes_out_as_told),
		cmocka_unit_test(failures_in_a_row_double_the_wait),
		cmocka_unit_test(a_success_forgets_the_failures),
		cmocka_unit_test(time_to_live_ends_with_removal),
		cmocka_unit_test(an_indexed_pod_knows_its_index_and_its_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
