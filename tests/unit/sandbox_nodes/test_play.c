/*
 * The life of virtual pods: a pod and a time come in, what a kubelet would report comes out.
 */
#include "core/sandbox/nodes/play.h"

#include "core/sandbox/nodes/demand.h"
#include "core/sandbox/nodes/logs.h"
#include "tests/unit/sandbox_controllers/scene.h"

/* A pod under test, its play, and the status that the API would hold. */
struct life {
	struct stint_json *pod;
	struct play *play;
	struct play_turn turn;
};

static struct life begin(const char *annotations, const char *spec)
{
	stint_autofree char *text =
		stint_format("{'metadata': {'name': 'p', 'namespace': 'default', 'uid': 'u', 'annotations': %s}, 'spec': %s,"
			     "'status': {'phase': 'Pending'}}",
			annotations, spec);
	struct life life = {.pod = json_of(text), .turn = {.wake_ms = -1}};
	life.play = play_new(life.pod);
	return life;
}

static void go(struct life *life, int64_t at_ms)
{
	play_turn_free(&life->turn);
	play_step(life->play, life->pod, "10.0.0.1", "10.0.0.2", START_MS + at_ms, &life->turn);
	if (life->turn.status)
		stint_json_set(life->pod, "status", stint_json_dup(life->turn.status));
}

static void end(struct life *life)
{
	play_turn_free(&life->turn);
	stint_json_free(life->pod);
	free(life->play);
}

static const char *phase(const struct life *life)
{
	return stint_json_string_or(stint_json_at(life->pod, "status", "phase"), "");
}

static const struct stint_json *container(const struct life *life, const char *list)
{
	return stint_json_first(stint_json_at(life->pod, "status", list));
}

static const char one[] = "{'containers': [{'name': 'c', 'image': 'i'}], 'restartPolicy': 'Never'}";
static const char always[] = "{'containers': [{'name': 'c', 'image': 'i'}], 'restartPolicy': 'Always'}";

static void a_pod_without_annotations_runs_until_it_is_deleted(void **state)
{
	(void)state;
	struct life life = begin("{}", one);
	go(&life, 0);
	assert_string_equal(phase(&life), "Running");
	assert_int_equal(life.turn.wake_ms, -1);
	assert_string_equal(stint_json_string(stint_json_at(life.pod, "status", "podIP")), "10.0.0.2");
	assert_true(stint_json_bool_or(stint_json_get(container(&life, "containerStatuses"), "ready"), false));
	go(&life, 1000000);
	assert_null(life.turn.status);
	scene_time(stint_json_get(life.pod, "metadata"), "deletionTimestamp", START_MS);
	go(&life, 1000001);
	assert_true(life.turn.remove);
	assert_string_equal(phase(&life), "Failed");
	assert_int_equal(stint_json_int_or(stint_json_at(container(&life, "containerStatuses"), "state", "terminated", "exitCode"), -1),
		PLAY_TERMINATED);
	end(&life);
}

static void run_seconds_and_exit_code_decide_the_end(void **state)
{
	(void)state;
	static const struct {
		const char *annotations, *phase;
		int64_t code;
	} cases[] = {
		{"{'sim/run-seconds': '2'}", "Succeeded", 0},
		{"{'sim/run-seconds': '2', 'sim/exit-code': '3'}", "Failed", 3},
		{"{'sim/run-seconds': '2', 'sim/exit-code': 'x'}", "Succeeded", 0},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct life life = begin(cases[i].annotations, one);
		go(&life, 0);
		assert_int_equal(life.turn.wake_ms, START_MS + 2000);
		go(&life, 1999);
		assert_string_equal(phase(&life), "Running");
		go(&life, 2000);
		assert_string_equal(phase(&life), cases[i].phase);
		assert_int_equal(
			stint_json_int_or(stint_json_at(container(&life, "containerStatuses"), "state", "terminated", "exitCode"), -1),
			cases[i].code);
		assert_int_equal(life.turn.wake_ms, -1);
		end(&life);
	}
}

static void init_containers_come_first_one_after_another(void **state)
{
	(void)state;
	struct life life = begin("{}", "{'initContainers': [{'name': 'a'}, {'name': 'b'}], 'containers': [{'name': 'c'}]}");
	go(&life, 0);
	assert_string_equal(phase(&life), "Pending");
	const struct stint_json *second = stint_json_next(stint_json_first(stint_json_at(life.pod, "status", "initContainerStatuses")));
	assert_non_null(stint_json_at(second, "state", "waiting"));
	go(&life, PLAY_INIT_MS);
	assert_string_equal(phase(&life), "Pending");
	second = stint_json_next(stint_json_first(stint_json_at(life.pod, "status", "initContainerStatuses")));
	assert_non_null(stint_json_at(second, "state", "running"));
	go(&life, 2 * PLAY_INIT_MS);
	assert_string_equal(phase(&life), "Running");
	end(&life);
}

static void a_crash_is_started_again_with_growing_pauses(void **state)
{
	(void)state;
	struct life life =
		begin("{'sim/run-seconds': '1', 'sim/exit-code': '1'}", "{'containers': [{'name': 'c'}], 'restartPolicy': 'OnFailure'}");
	go(&life, 0);
	go(&life, 1000); /* crashes; the first restart comes at once */
	assert_string_equal(phase(&life), "Running");
	go(&life, 1001);
	assert_int_equal(stint_json_int_or(stint_json_get(container(&life, "containerStatuses"), "restartCount"), -1), 1);
	go(&life, 2001);
	assert_string_equal(stint_json_string_or(stint_json_at(container(&life, "containerStatuses"), "state", "waiting", "reason"), ""),
		"CrashLoopBackOff");
	assert_int_equal(life.turn.wake_ms, START_MS + 2001 + PLAY_BACKOFF_MS);
	go(&life, 2001 + PLAY_BACKOFF_MS);
	go(&life, 3001 + PLAY_BACKOFF_MS);
	assert_int_equal(life.turn.wake_ms, START_MS + 3001 + PLAY_BACKOFF_MS + 2 * PLAY_BACKOFF_MS);
	assert_int_equal(stint_json_int_or(stint_json_get(container(&life, "containerStatuses"), "restartCount"), -1), 2);
	assert_int_equal(
		stint_json_int_or(stint_json_at(container(&life, "containerStatuses"), "lastState", "terminated", "exitCode"), -1), 1);
	end(&life);
}

static void an_owned_pod_is_restarted_after_success_too_but_a_bare_one_ends(void **state)
{
	(void)state;
	struct life bare = begin("{'sim/run-seconds': '1'}", always), owned = begin("{'sim/run-seconds': '1'}", always);
	stint_json_append(
		stint_json_ensure_array(stint_json_get(owned.pod, "metadata"), "ownerReferences"), json_of("{'kind': 'ReplicaSet'}"));
	go(&bare, 0);
	go(&bare, 1000);
	assert_string_equal(phase(&bare), "Succeeded");
	go(&owned, 0);
	go(&owned, 1000);
	assert_string_equal(phase(&owned), "Running");
	end(&bare);
	end(&owned);
}

static void the_deadline_of_the_pod_stops_it(void **state)
{
	(void)state;
	struct life life = begin("{}", "{'containers': [{'name': 'c'}], 'activeDeadlineSeconds': 5, 'restartPolicy': 'Never'}");
	go(&life, 0);
	assert_int_equal(life.turn.wake_ms, START_MS + 5000);
	go(&life, 5000);
	assert_string_equal(phase(&life), "Failed");
	assert_string_equal(stint_json_string(stint_json_at(life.pod, "status", "reason")), "DeadlineExceeded");
	assert_int_equal(stint_json_int_or(stint_json_at(container(&life, "containerStatuses"), "state", "terminated", "exitCode"), -1),
		PLAY_KILLED);
	end(&life);
}

static void conditions_of_others_stay_and_gates_hold_readiness_back(void **state)
{
	(void)state;
	struct life life = begin("{}", "{'containers': [{'name': 'c'}], 'readinessGates': [{'conditionType': 'example.com/gate'}]}");
	stint_json_append(stint_json_ensure_array(stint_json_get(life.pod, "status"), "conditions"),
		json_of("{'type': 'DisruptionTarget', 'status': 'True', 'reason': 'EvictionByEvictionAPI'}"));
	go(&life, 0);
	struct pod_facts *facts = pod_facts_read(life.pod);
	assert_false(facts->ready);
	pod_facts_free(facts);
	assert_string_equal(stint_json_string(stint_json_get(stint_json_first(stint_json_at(life.pod, "status", "conditions")), "reason")),
		"EvictionByEvictionAPI");
	stint_json_append(stint_json_at(life.pod, "status", "conditions"), json_of("{'type': 'example.com/gate', 'status': 'True'}"));
	go(&life, 1);
	facts = pod_facts_read(life.pod);
	assert_true(facts->ready);
	pod_facts_free(facts);
	end(&life);
}

static void a_phase_that_somebody_else_wrote_ends_the_play(void **state)
{
	(void)state;
	struct life life = begin("{'sim/run-seconds': '5'}", one);
	go(&life, 0);
	stint_json_set_string(stint_json_get(life.pod, "status"), "phase", "Succeeded");
	go(&life, 1);
	assert_null(life.turn.status);
	assert_int_equal(life.turn.wake_ms, -1);
	end(&life);
}

/* ---- what a node takes ----------------------------------------------------------------------------------------------------- */

static void requests_are_counted_as_the_scheduler_counts_them(void **state)
{
	(void)state;
	static const struct {
		const char *name, *spec;
		int64_t cpu_milli;
	} cases[] = {
		{"containers are summed",
			"{'containers': [{'resources': {'requests': {'cpu': '500m'}}}, {'resources': {'requests': {'cpu': 1}}}]}", 1500},
		{"an init container that needs more decides",
			"{'initContainers': [{'resources': {'requests': {'cpu': '3'}}}], 'containers': [{'resources': {'requests': {'cpu': "
			"'1'}}}]}",
			3000},
		{"a sidecar runs beside them",
			"{'initContainers': [{'restartPolicy': 'Always', 'resources': {'requests': {'cpu': '1'}}}],"
			"'containers': [{'resources': {'requests': {'cpu': '1'}}}]}",
			2000},
		{"limits stand in for requests", "{'containers': [{'resources': {'limits': {'cpu': '2'}}}]}", 2000},
		{"overhead comes on top", "{'overhead': {'cpu': '250m'}, 'containers': [{'resources': {'requests': {'cpu': '1'}}}]}", 1250},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *pod = stint_json_new_object();
		stint_json_set(pod, "spec", json_of(cases[i].spec));
		struct demand demand = {0};
		demand_of_pod(pod, &demand);
		if (demand_get(&demand, "cpu") != cases[i].cpu_milli)
			fail_msg("%s: %lld", cases[i].name, (long long)demand_get(&demand, "cpu"));
		assert_int_equal(demand_get(&demand, "pods"), 1000);
		demand_free(&demand);
	}
}

static void the_first_resource_that_does_not_fit_is_named(void **state)
{
	(void)state;
	stint_auto_json *node = json_of("{'status': {'allocatable': {'cpu': '4', 'nvidia.com/gpu': '2', 'pods': '10'}}}");
	stint_auto_json *pod = json_of("{'spec': {'containers': [{'resources': {'requests': {'cpu': '1', 'nvidia.com/gpu': 2}}}]}}");
	struct demand have = {0}, used = {0}, wanted = {0};
	demand_of_node(node, &have);
	demand_of_pod(pod, &wanted);
	assert_null(demand_excess(&have, &used, &wanted));
	demand_add(&used, &wanted, 1);
	assert_string_equal(demand_excess(&have, &used, &wanted)->resource, "nvidia.com/gpu");
	demand_add(&used, &wanted, -1);
	assert_null(demand_excess(&have, &used, &wanted));
	demand_free(&have);
	demand_free(&used);
	demand_free(&wanted);
}

/* ---- logs ------------------------------------------------------------------------------------------------------------------ */

static void logs_obey_their_options(void **state)
{
	(void)state;
	static const struct {
		struct log_options options;
		const char *wanted;
	} cases[] = {
		{{.tail_lines = -1, .limit_bytes = -1, .since_ms = INT64_MIN}, "one\ntwo\nthree\n"},
		{{.tail_lines = 2, .limit_bytes = -1, .since_ms = INT64_MIN}, "two\nthree\n"},
		{{.tail_lines = 0, .limit_bytes = -1, .since_ms = INT64_MIN}, ""},
		{{.tail_lines = 9, .limit_bytes = 5, .since_ms = INT64_MIN}, "one\nt"},
		{{.tail_lines = -1, .limit_bytes = -1, .since_ms = START_MS + 1}, ""},
		{{.tail_lines = 1, .limit_bytes = -1, .since_ms = START_MS, .timestamps = true}, "2023-11-14T22:13:20.000000Z three\n"},
	};
	const struct play_run run = {START_MS, -1, 0};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_buf out = {0};
		stint_buf_puts(&out, "");
		log_write("one\ntwo\nthree\n", &run, &cases[i].options, &out);
		stint_autofree char *text = stint_strndup(out.data ? out.data : "", out.length);
		assert_string_equal(text, cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_without_annotations_runs_until_it_is_deleted),
		cmocka_unit_test(run_seconds_and_exit_code_decide_the_end),
		cmocka_unit_test(init_containers_come_first_one_after_another),
		cmocka_unit_test(a_crash_is_started_again_with_growing_pauses),
		cmocka_unit_test(an_owned_pod_is_restarted_after_success_too_but_a_bare_one_ends),
		cmocka_unit_test(the_deadline_of_the_pod_stops_it),
		cmocka_unit_test(conditions_of_others_stay_and_gates_hold_readiness_back),
		cmocka_unit_test(a_phase_that_somebody_else_wrote_ends_the_play),
		cmocka_unit_test(requests_are_counted_as_the_scheduler_counts_them),
		cmocka_unit_test(the_first_resource_that_does_not_fit_is_named),
		cmocka_unit_test(logs_obey_their_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
