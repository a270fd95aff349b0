/* The kubelets of the virtual nodes among others who write to the same pods. */
#include "core/sandbox/nodes/nodes.h"

#include "tests/unit/sandbox_api/support.h"

static bool put_condition(void *user, struct stint_json *pod)
{
	(void)user;
	struct stint_json *conditions = stint_json_ensure_array(stint_json_ensure_object(pod, "status"), "conditions");
	stint_json_append(conditions, json("{'type':'example.com/Checked','status':'True'}"));
	return true;
}

static bool is_checked(const struct stint_json *pod)
{
	stint_json_each(condition, stint_json_at(pod, "status", "conditions")) {
		if (strcmp(stint_json_string_or(stint_json_get(condition, "type"), ""), "example.com/Checked") == 0)
			return true;
	}
	return false;
}

/* The kubelet hears of the pod when its condition stands already, but by an event from before. */
static void a_condition_of_somebody_else_survives_the_start_of_a_pod(void **state)
{
	struct cluster *cluster = *state;
	struct fleet *fleet = fleet_new(cluster->api);
	const struct stint_kind *nodes = stint_api_kind(cluster->api, "v1", "Node");
	struct stint_api_call call = call_of(cluster->pods, "p");
	stint_json_free(must_create(cluster, nodes, "{'metadata':{'name':'n','annotations':{'kwok.x-k8s.io/node':'fake'}}}"));
	stint_loop_step(cluster->loop, 0);
	stint_json_free(must_create(
		cluster, cluster->pods, "{'metadata':{'name':'p'},'spec':{'nodeName':'n','containers':[{'name':'c','image':'x:1'}]}}"));
	call.subresource = "status";
	assert_true(stint_api_change(cluster->api, &call, put_condition, NULL, NULL, NULL));
	const int64_t deadline_ms = stint_monotonic_ms() + 10000;
	for (;;) {
		stint_auto_json *pod = now(cluster, cluster->pods, "p");
		assert_true(is_checked(pod));
		if (strcmp(stint_json_string_or(stint_json_at(pod, "status", "phase"), ""), "Running") == 0)
			break;
		assert_true(stint_monotonic_ms() < deadline_ms);
		stint_loop_step(cluster->loop, 20);
	}
	fleet_free(fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_condition_of_somebody_else_survives_the_start_of_a_pod, cluster_up, cluster_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
