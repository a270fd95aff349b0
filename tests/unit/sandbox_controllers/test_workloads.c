/*
 * What the controllers of ReplicaSets, Deployments and StatefulSets decide, case by case.
 */
#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/deployment.h"
#include "core/sandbox/controllers/replicas.h"
#include "core/sandbox/controllers/stateful.h"

#include "scene.h"

/* ---- ReplicaSets ----------------------------------------------------------------------------------------------------------- */

static void a_replica_set_keeps_its_number(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *pods;
		int64_t creates;
		const char *removals, *wanted;
	} cases[] = {
		{"{'replicas': 3}", "", 3, "", "{'replicas': 0}"},
		{"{'replicas': 2}", "a Running bound ready; b Failed; c Running bound deleting", 1, "",
			"{'replicas': 1, 'readyReplicas': 1}"},
		{"{'replicas': 1}", "a Running bound ready; b Pending; c Running bound", 0, "b c", "{'replicas': 3, 'readyReplicas': 1}"},
		{"{'replicas': 0}", "a Running bound ready", 0, "a", "{'availableReplicas': 1}"},
		{"{'replicas': 1, 'minReadySeconds': 10}", "a Running bound ready", 0, "", "{'availableReplicas': 1}"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *set = json_of("{'metadata': {'uid': 'owner', 'generation': 4}, 'status': {'replicas': 9}}");
		stint_auto_json *wanted = json_of(cases[i].wanted);
		stint_json_set(set, "spec", json_of(cases[i].spec));
		struct pod_list pods = {0};
		struct replica_plan plan;
		scene_pods(cases[i].pods, &pods);
		replica_sync(set, &pods, START_MS, &plan);
		assert_int_equal(plan.creates, cases[i].creates);
		stint_autofree char *removals = scene_names(&plan.removals);
		assert_text(removals, cases[i].removals, cases[i].spec, "removals");
		assert_has(plan.status, wanted, cases[i].spec);
		assert_int_equal(stint_json_int_or(stint_json_get(plan.status, "observedGeneration"), 0), 4);
		replica_plan_free(&plan);
		scene_free(&pods);
	}
}

/* ---- Deployments ----------------------------------------------------------------------------------------------------------- */

/* "NAME TEMPLATE REPLICAS AVAILABLE [REVISION]", oldest first. */
static struct stint_json *make_sets(const char *text)
{
	struct stint_json *sets = stint_json_new_array();
	char **items = stint_split(text, ";");
	for (size_t i = 0; items[i]; i++) {
		char **words = stint_split(items[i], " ");
		struct stint_json *set =
			json_of("{'metadata': {'annotations': {}}, 'spec': {'template': {'metadata': {'labels': {}}}}, 'status': {}}");
		struct stint_json *metadata = stint_json_get(set, "metadata"), *status = stint_json_get(set, "status");
		int64_t replicas = 0, available = 0;
		assert_true(stint_parse_int(words[2], 0, 1000, &replicas) && stint_parse_int(words[3], 0, 1000, &available));
		stint_json_set_string(metadata, "name", words[0]);
		scene_time(metadata, "creationTimestamp", START_MS + (int64_t)i * 1000);
		stint_json_set_string(stint_json_at(set, "spec", "template", "metadata", "labels"), "v", words[1]);
		stint_json_set_string(stint_json_at(set, "spec", "template", "metadata", "labels"), "pod-template-hash", words[0]);
		stint_json_set_int(stint_json_get(set, "spec"), "replicas", replicas);
		stint_json_set_int(status, "replicas", replicas);
		stint_json_set_int(status, "availableReplicas", available);
		stint_json_set_int(status, "readyReplicas", available);
		if (words[4]) {
			stint_json_set_string(stint_json_get(metadata, "annotations"), "deployment.kubernetes.io/revision", words[4]);
			stint_json_set_string(
				stint_json_get(metadata, "annotations"), "deployment.kubernetes.io/desired-replicas", words[5]);
		}
		stint_json_append(sets, set);
		stint_strings_free(words);
	}
	stint_strings_free(items);
	return sets;
}

/* "old=2 new=1 +3": wanted sizes of sets, and the size of one that is to be made. */
static char *plan_text(const struct deployment_plan *plan)
{
	stint_auto_buf text = {0};
	for (size_t i = 0; i < plan->count; i++)
		stint_buf_printf(&text, "%s%s%s", text.length > 0 ? " " : "",
			stint_json_string(stint_json_at(plan->sets[i].object, "metadata", "name")), plan->sets[i].remove ? "!" : "");
	for (size_t i = 0; i < plan->count; i++)
		stint_buf_printf(&text, " %lld", (long long)plan->sets[i].wanted);
	if (plan->create)
		stint_buf_printf(&text, " +%lld", (long long)plan->create_replicas);
	return stint_buf_steal(&text);
}

static void a_deployment_rolls_within_its_bounds(void **state)
{
	(void)state;
	static const char rolling[] = "'strategy': {'type': 'RollingUpdate', 'rollingUpdate': {'maxSurge': 1, 'maxUnavailable': 0}}";
	static const char loose[] = "'strategy': {'type': 'RollingUpdate', 'rollingUpdate': {'maxSurge': '25%', 'maxUnavailable': '25%'}}";
	static const char recreate[] = "'strategy': {'type': 'Recreate'}";
	static const struct {
		const char *name, *strategy, *more;
		int64_t replicas;
		const char *sets;
		bool old_pods;
		const char *wanted;
	} cases[] = {
		{"a new one makes its set at full size", rolling, "", 3, "", false, " +3"},
		{"a new template begins with the surge", rolling, "", 3, "a 1 3 3", false, "a 3 +1"},
		{"an old pod goes for each new one that is available", rolling, "", 3, "a 1 3 3;b 2 1 1", false, "a b 2 1"},
		{"and not before", rolling, "", 3, "a 1 3 3;b 2 1 0", false, "a b 3 1"},
		{"the room that is freed goes to the new set", rolling, "", 3, "a 1 2 2;b 2 1 1", false, "a b 2 2"},
		{"at the end the old set is empty", rolling, "", 3, "a 1 1 1;b 2 3 3", false, "a b 0 3"},
		{"percentages: surge is rounded up, unavailable down", loose, "", 4, "a 1 4 4", false, "a 3 +1"},
		{"old pods that are not available go first", rolling, "", 3, "a 1 3 1;b 2 1 0", false, "a b 3 1"},
		{"Recreate ends the old pods first", recreate, "", 2, "a 1 2 2", true, "a 0"},
		{"and waits until the last has gone", recreate, "", 2, "a 1 0 0", true, "a 0"},
		{"then makes the new ones at once", recreate, "", 2, "a 1 0 0", false, "a 0 +2"},
		{"a resize changes the only set", rolling, "", 5, "a 2 3 3 1 3", false, "a 5"},
		{"a resize in the middle of a rollout is in proportion", loose, "", 20, "a 1 8 8 1 10;b 2 4 2 2 10", false, "a b 17 8"},
		{"paused: nothing moves but the size", rolling, ", 'paused': true", 3, "a 1 3 3", false, "a 3"},
		{"old empty sets beyond the history go", rolling, ", 'revisionHistoryLimit': 1", 1, "a 1 0 0 1 1;b 3 0 0 2 1;c 2 1 1 3 1",
			false, "a! b c 0 0 1"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_autofree char *text =
			stint_format("{'metadata': {'name': 'd', 'generation': 1}, 'status': {}, 'spec': {'replicas': %lld, %s%s,"
				     "'template': {'metadata': {'labels': {'v': '2'}}}}}",
				(long long)cases[i].replicas, cases[i].strategy, cases[i].more);
		stint_auto_json *deployment = json_of(text), *sets = make_sets(cases[i].sets);
		struct deployment_plan plan;
		deployment_sync(deployment, sets, cases[i].old_pods, START_MS, &plan);
		stint_autofree char *found = plan_text(&plan);
		assert_text(found, cases[i].wanted, cases[i].name, "sizes");
		deployment_plan_free(&plan);
	}
}

static void a_rollout_is_told_and_may_time_out(void **state)
{
	(void)state;
	stint_auto_json *deployment =
		json_of("{'metadata': {'name': 'd', 'generation': 2}, 'status': {}, 'spec': {'replicas': 1, 'progressDeadlineSeconds': 60,"
			"'template': {'metadata': {'labels': {'v': '2'}}}}}");
	stint_auto_json *waiting = make_sets("a 2 1 0"), *done = make_sets("a 2 1 1");
	struct deployment_plan plan;
	deployment_sync(deployment, waiting, false, START_MS, &plan);
	assert_true(condition_is(plan.status, "Available", "False"));
	assert_string_equal(stint_json_string(stint_json_get(condition_find(plan.status, "Progressing"), "reason")), "ReplicaSetUpdated");
	stint_json_set(deployment, "status", stint_steal(&plan.status));
	deployment_plan_free(&plan);

	deployment_sync(deployment, waiting, false, START_MS + 59000, &plan);
	assert_null(plan.status);
	assert_int_equal(plan.again_ms, 1000);
	deployment_plan_free(&plan);

	deployment_sync(deployment, waiting, false, START_MS + 60000, &plan);
	assert_string_equal(
		stint_json_string(stint_json_get(condition_find(plan.status, "Progressing"), "reason")), "ProgressDeadlineExceeded");
	deployment_plan_free(&plan);

	deployment_sync(deployment, done, false, START_MS, &plan);
	assert_true(condition_is(plan.status, "Available", "True"));
	assert_string_equal(
		stint_json_string(stint_json_get(condition_find(plan.status, "Progressing"), "reason")), "NewReplicaSetAvailable");
	deployment_plan_free(&plan);
}

/* ---- StatefulSets ---------------------------------------------------------------------------------------------------------- */

static char *ordinals(const struct stateful_plan *plan)
{
	stint_auto_buf text = {0};
	for (size_t i = 0; i < plan->create_count; i++)
		stint_buf_printf(
			&text, "%s%lld%s", i > 0 ? " " : "", (long long)plan->creates[i].ordinal, plan->creates[i].current ? "" : "*");
	return stint_buf_steal(&text);
}

static void a_stateful_set_goes_in_order(void **state)
{
	(void)state;
	static const struct {
		const char *name, *spec, *pods, *creates, *removals; /* of creates: a * marks the update revision */
	} cases[] = {
		{"the first pod comes alone", "{'replicas': 3}", "", "0*", ""},
		{"the next waits until it is ready", "{'replicas': 3}", "s-0 Running bound rev=old", "", ""},
		{"then it comes", "{'replicas': 3}", "s-0 Running bound ready rev=old", "1*", ""},
		{"Parallel makes all at once", "{'replicas': 3, 'podManagementPolicy': 'Parallel'}", "", "0* 1* 2*", ""},
		{"a finished pod is removed to be made again", "{'replicas': 2}",
			"s-0 Failed bound rev=old; s-1 Running bound ready rev=old", "", "s-0"},
		{"scaling down takes the highest, one at a time", "{'replicas': 1}",
			"s-0 Running bound ready rev=new; s-1 Running bound ready rev=new; s-2 Running bound ready rev=new", "", "s-2"},
		{"and waits while one terminates", "{'replicas': 1}",
			"s-0 Running bound ready rev=new; s-1 Running bound ready rev=new; s-2 Running bound ready deleting rev=new", "",
			""},
		{"an update begins at the highest ordinal", "{'replicas': 2}",
			"s-0 Running bound ready rev=old; s-1 Running bound ready rev=old", "", "s-1"},
		{"what was updated comes back new", "{'replicas': 2}", "s-0 Running bound ready rev=old", "1*", ""},
		{"a lost pod below the rollout comes back as it was", "{'replicas': 3}",
			"s-1 Running bound ready rev=old; s-2 Running bound ready rev=new", "0", ""},
		{"the partition holds the update back", "{'replicas': 2, 'updateStrategy': {'rollingUpdate': {'partition': 1}}}",
			"s-0 Running bound ready rev=old; s-1 Running bound ready rev=new", "", ""},
		{"OnDelete updates nothing by itself", "{'replicas': 1, 'updateStrategy': {'type': 'OnDelete'}}",
			"s-0 Running bound ready rev=old", "", ""},
		{"ordinals may start elsewhere", "{'replicas': 1, 'ordinals': {'start': 5}}", "", "5*", ""},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *set = json_of("{'metadata': {'name': 's', 'uid': 'owner'}, 'status': {}}");
		stint_json_set(set, "spec", json_of(cases[i].spec));
		struct pod_list pods = {0};
		struct stateful_plan plan;
		scene_pods(cases[i].pods, &pods);
		for (size_t j = 0; j < pods.count; j++) {
			free(pods.items[j]->owner_name);
			pods.items[j]->owner_name = stint_strdup("s");
		}
		stateful_sync(set, &pods, "old", "new", START_MS, &plan);
		stint_autofree char *creates = ordinals(&plan), *removals = scene_names(&plan.removals);
		assert_text(creates, cases[i].creates, cases[i].name, "creations");
		assert_text(removals, cases[i].removals, cases[i].name, "removals");
		stateful_plan_free(&plan);
		scene_free(&pods);
	}
}

static void ordinals_are_read_from_names_exactly(void **state)
{
	(void)state;
	assert_int_equal(stateful_ordinal("web", "web-0"), 0);
	assert_int_equal(stateful_ordinal("web", "web-12"), 12);
	assert_int_equal(stateful_ordinal("web", "web-x"), -1);
	assert_int_equal(stateful_ordinal("web", "webb-1"), -1);
	assert_int_equal(stateful_ordinal("web", "web"), -1);
	assert_int_equal(stateful_ordinal("web", "web-1-2"), -1);
}

/* ---- selectors ------------------------------------------------------------------------------------------------------------- */

static void selectors_match_as_kubernetes_does(void **state)
{
	(void)state;
	static const struct {
		const char *selector, *labels;
		bool matches;
	} cases[] = {
		{"{}", "{}", true},
		{"{'matchLabels': {'a': 'b'}}", "{'a': 'b', 'c': 'd'}", true},
		{"{'matchLabels': {'a': 'b'}}", "{'a': 'c'}", false},
		{"{'matchExpressions': [{'key': 'a', 'operator': 'In', 'values': ['b', 'c']}]}", "{'a': 'c'}", true},
		{"{'matchExpressions': [{'key': 'a', 'operator': 'NotIn', 'values': ['b']}]}", "{}", true},
		{"{'matchExpressions': [{'key': 'a', 'operator': 'NotIn', 'values': ['b']}]}", "{'a': 'b'}", false},
		{"{'matchExpressions': [{'key': 'a', 'operator': 'Exists'}]}", "{'a': ''}", true},
		{"{'matchExpressions': [{'key': 'a', 'operator': 'DoesNotExist'}]}", "{'a': ''}", false},
		{"{'matchExpressions': [{'key': 'a', 'operator': 'Wonders'}]}", "{'a': ''}", false},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *selector = json_of(cases[i].selector), *labels = json_of(cases[i].labels);
		assert_int_equal(label_selector_matches(selector, labels), cases[i].matches);
	}
	assert_false(label_selector_matches(NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replica_set_keeps_its_number),
		cmocka_unit_test(a_deployment_rolls_within_its_bounds),
		cmocka_unit_test(a_rollout_is_told_and_may_time_out),
		cmocka_unit_test(a_stateful_set_goes_in_order),
		cmocka_unit_test(ordinals_are_read_from_names_exactly),
		cmocka_unit_test(selectors_match_as_kubernetes_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
