/*
 * What the API's rules promise to a caller in this process: conflicts, identity, deletion in two steps, binding, eviction, scale.
 */
#include "support.h"

#include "core/sandbox/controllers/tell.h"

static const char pod_text[] =
	"{'metadata':{'name':'p'},'spec':{'terminationGracePeriodSeconds':30,'containers':[{'name':'c','image':'i'}]}}";

static bool bind(struct cluster *cluster, const char *text, struct stint_json **status)
{
	struct stint_api_call call = call_of(cluster->pods, "p");

	call.subresource = "binding";
	return stint_api_create(cluster->api, &call, json(text), NULL, status);
}

static bool set_data(void *user, struct stint_json *object)
{
	stint_json_set_string(stint_json_ensure_object(object, "data"), "k", user);
	return true;
}

static void test_a_new_object_gets_an_identity_of_its_own(void **state)
{
	struct cluster *cluster = *state;
	stint_auto_json *made = must_create(cluster, cluster->maps,
		"{'metadata':{'generateName':'gen-','uid':'mine','deletionTimestamp':'2020-01-01T00:00:00Z','selfLink':'/x'}}");
	const char *name = stint_json_string_at(made, "metadata", "name");

	assert_true(stint_starts_with(name, "gen-"));
	assert_int_equal(strlen(name), 9);
	assert_int_equal(strlen(stint_json_string_at(made, "metadata", "uid")), 36);
	assert_null(stint_json_at(made, "metadata", "deletionTimestamp"));
	assert_string_equal(stint_json_string_at(made, "metadata", "namespace"), "default");
	assert_string_equal(stint_json_string_at(stint_json_first(stint_json_at(made, "metadata", "managedFields")), "manager"), "test");
}

static void test_refusals_of_create_have_their_code_and_reason(void **state)
{
	static const struct {
		const char *space, *text;
		int code;
		const char *reason;
	} rows[] = {
		{"default", "{'metadata':{'name':'there'}}", 409, "AlreadyExists"},
		{"default", "{'metadata':{}}", 422, "Invalid"},
		{"default", "{'metadata':{'name':'x','resourceVersion':'7'}}", 500, ""},
		{"default", "{'metadata':{'name':'x','namespace':'other'}}", 400, "BadRequest"},
		{"nowhere", "{'metadata':{'name':'x'}}", 404, "NotFound"},
	};
	struct cluster *cluster = *state;

	stint_json_free(must_create(cluster, cluster->maps, "{'metadata':{'name':'there'}}"));
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct stint_api_call call = call_of(cluster->maps, NULL);
		struct stint_json *status = NULL;

		call.space = rows[i].space;
		assert_false(stint_api_create(cluster->api, &call, json(rows[i].text), NULL, &status));
		expect_status(status, rows[i].code, rows[i].reason);
	}
}

static void test_a_dry_run_stores_nothing(void **state)
{
	struct cluster *cluster = *state;
	struct stint_api_call call = call_of(cluster->maps, NULL);
	stint_auto_json *out = NULL;
	uint64_t version = stint_store_version(cluster->api->store);

	call.dry_run = true;
	assert_true(stint_api_create(cluster->api, &call, json("{'metadata':{'name':'x'}}"), &out, NULL));
	assert_non_null(stint_json_at(out, "metadata", "uid"));
	assert_null(stint_json_at(out, "metadata", "resourceVersion"));
	assert_int_equal(stint_store_version(cluster->api->store), version);
}

static void test_a_stale_version_and_a_foreign_uid_are_conflicts(void **state)
{
	struct cluster *cluster = *state;
	stint_auto_json *first = must_create(cluster, cluster->maps, "{'metadata':{'name':'x'}}");
	struct stint_api_call call = call_of(cluster->maps, "x");
	struct stint_json *status = NULL;

	assert_true(stint_api_change(cluster->api, &call, set_data, (void *)(uintptr_t) "1", NULL, NULL));
	assert_false(stint_api_update(cluster->api, &call, stint_json_dup(first), NULL, &status));
	expect_status(status, 409, "Conflict");
	status = NULL;
	assert_false(stint_api_update(cluster->api, &call, json("{'metadata':{'name':'x','uid':'other'}}"), NULL, &status));
	expect_status(status, 409, "Conflict");
}

static void test_a_write_that_changes_nothing_keeps_the_version(void **state)
{
	struct cluster *cluster = *state;
	struct stint_api_call call = call_of(cluster->maps, "x");
	stint_auto_json *same = must_create(cluster, cluster->maps, "{'metadata':{'name':'x'},'data':{'k':'1'}}");
	uint64_t version = stint_store_version(cluster->api->store);

	assert_true(stint_api_change(cluster->api, &call, set_data, (void *)(uintptr_t) "1", NULL, NULL));
	assert_int_equal(stint_store_version(cluster->api->store), version);
	assert_true(stint_api_change(cluster->api, &call, set_data, (void *)(uintptr_t) "2", NULL, NULL));
	assert_int_equal(stint_store_version(cluster->api->store), version + 1);
	assert_non_null(same);
}

static void test_leases_and_custom_kinds_are_replaced_only_with_their_version(void **state)
{
	struct cluster *cluster = *state;
	const struct stint_kind *leases = stint_api_kind(cluster->api, "coordination.k8s.io/v1", "Lease");
	struct stint_api_call call = call_of(leases, "l");
	struct stint_json *status = NULL;

	/* The first PUT makes it. */
	assert_true(stint_api_update(cluster->api, &call, json("{'metadata':{'name':'l'},'spec':{'holderIdentity':'a'}}"), NULL, NULL));
	assert_false(stint_api_update(cluster->api, &call, json("{'metadata':{'name':'l'},'spec':{'holderIdentity':'b'}}"), NULL, &status));
	expect_status(status, 422, "Invalid");
}

static void test_a_finalizer_keeps_a_deleted_object_until_it_is_taken_off(void **state)
{
	struct cluster *cluster = *state;
	struct stint_api_call call = call_of(cluster->maps, "x");
	stint_auto_json *patch = json("{'metadata':{'finalizers':null}}");
	stint_auto_json *out = NULL;
	stint_auto_json *held = NULL;

	stint_json_free(must_create(cluster, cluster->maps, "{'metadata':{'name':'x','finalizers':['example.com/hold']}}"));
	assert_true(stint_api_delete(cluster->api, &call, NULL, &out, NULL));
	assert_string_equal(stint_json_string_at(out, "kind"), "ConfigMap");
	held = now(cluster, cluster->maps, "x");
	assert_non_null(stint_json_at(held, "metadata", "deletionTimestamp"));
	assert_true(stint_api_patch(cluster->api, &call, STINT_PATCH_MERGE, patch, NULL, NULL, NULL));
	assert_null(now(cluster, cluster->maps, "x"));
}

static void test_a_deletion_minds_its_preconditions(void **state)
{
	struct cluster *cluster = *state;
	struct stint_api_call call = call_of(cluster->maps, "x");
	struct stint_delete_options foreign = {.grace_s = -1, .uid = "other"}, stale = {.grace_s = -1, .resource_version = "1"};
	struct stint_json *status = NULL;

	stint_json_free(must_create(cluster, cluster->maps, "{'metadata':{'name':'x'}}"));
	assert_false(stint_api_delete(cluster->api, &call, &foreign, NULL, &status));
	expect_status(status, 409, "Conflict");
	status = NULL;
	assert_false(stint_api_delete(cluster->api, &call, &stale, NULL, &status));
	expect_status(status, 409, "Conflict");
	assert_true(stint_api_delete(cluster->api, &call, NULL, NULL, NULL));
	status = NULL;
	assert_false(stint_api_delete(cluster->api, &call, NULL, NULL, &status));
	expect_status(status, 404, "NotFound");
}

static void test_a_binding_is_one_write_with_node_annotations_and_condition(void **state)
{
	struct cluster *cluster = *state;
	stint_auto_json *pod = NULL;
	uint64_t version;

	stint_json_free(must_create(cluster, cluster->pods, pod_text));
	version = stint_store_version(cluster->api->store);
	assert_true(bind(cluster,
		"{'metadata':{'name':'p','annotations':{'stint.dev/"
		"gpu-devices':'3'},'labels':{'l':'x'}},'target':{'kind':'Node','name':'n1'}}",
		NULL));
	pod = now(cluster, cluster->pods, "p");
	assert_int_equal(stint_store_version(cluster->api->store), version + 1);
	assert_string_equal(stint_json_string_at(pod, "spec", "nodeName"), "n1");
	assert_string_equal(stint_json_string_at(pod, "metadata", "annotations", "stint.dev/gpu-devices"), "3");
	assert_null(stint_json_at(pod, "metadata", "labels"));
	assert_string_equal(stint_json_string_at(stint_json_first(stint_json_at(pod, "status", "conditions")), "type"), "PodScheduled");
}

static void test_a_binding_is_refused_where_a_real_server_refuses_it(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *reason;
	} rows[] = {
		{"{'metadata':{'name':'other'},'target':{'kind':'Node','name':'n1'}}", 400, "BadRequest"},
		{"{'metadata':{'name':'p'},'target':{'kind':'Pod','name':'n1'}}", 500, ""},
		{"{'metadata':{'name':'p'}}", 500, ""},
		{"{'metadata':{'name':'p','uid':'other'},'target':{'kind':'Node','name':'n1'}}", 409, "Conflict"},
	};
	struct cluster *cluster = *state;
	struct stint_json *status = NULL;

	stint_json_free(must_create(cluster, cluster->pods, pod_text));
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		status = NULL;
		assert_false(bind(cluster, rows[i].text, &status));
		expect_status(status, rows[i].code, rows[i].reason);
	}
	assert_true(bind(cluster, "{'metadata':{'name':'p'},'target':{'name':'n1'}}", NULL));
	status = NULL;
	assert_false(bind(cluster, "{'metadata':{'name':'p'},'target':{'name':'n1'}}", &status));
	expect_status(status, 409, "Conflict");
}

static void test_a_bound_pod_waits_for_its_node_and_a_loose_one_goes_at_once(void **state)
{
	struct cluster *cluster = *state;
	struct stint_api_call call = call_of(cluster->pods, "p");
	struct stint_delete_options at_once = {.grace_s = 0};
	stint_auto_json *pod = NULL;
	uint64_t version;

	stint_json_free(must_create(cluster, cluster->pods, pod_text));
	assert_true(bind(cluster, "{'metadata':{'name':'p'},'target':{'name':'n1'}}", NULL));
	assert_true(stint_api_delete(cluster->api, &call, NULL, NULL, NULL));
	pod = now(cluster, cluster->pods, "p");
	assert_int_equal(stint_json_int_or(stint_json_at(pod, "metadata", "deletionGracePeriodSeconds"), -1), 30);
	version = stint_store_version(cluster->api->store);
	assert_true(stint_api_delete(cluster->api, &call, &at_once, NULL, NULL));
	assert_int_equal(stint_store_version(cluster->api->store), version + 2); /* marked with grace 0, then gone */
	assert_null(now(cluster, cluster->pods, "p"));

	stint_json_free(must_create(cluster, cluster->pods, pod_text));
	assert_true(stint_api_delete(cluster->api, &call, NULL, NULL, NULL));
	assert_null(now(cluster, cluster->pods, "p"));
}

static void set_budget(struct cluster *cluster, int allowed)
{
	const struct stint_kind *budgets = stint_api_kind(cluster->api, "policy/v1", "PodDisruptionBudget");
	struct stint_api_call call = call_of(budgets, "b");
	stint_autofree char *text =
		stint_format("{'status':{'disruptionsAllowed':%d,'currentHealthy':1,'desiredHealthy':1,'expectedPods':1,"
			     "'observedGeneration':1}}",
			allowed);
	stint_auto_json *patch = json(text);

	call.subresource = "status";
	assert_true(stint_api_patch(cluster->api, &call, STINT_PATCH_MERGE, patch, NULL, NULL, NULL));
}

static void test_an_eviction_asks_the_budget(void **state)
{
	struct cluster *cluster = *state;
	const struct stint_kind *budgets = stint_api_kind(cluster->api, "policy/v1", "PodDisruptionBudget");
	struct stint_api_call call = call_of(cluster->pods, "p");
	stint_auto_json *running = json("{'status':{'phase':'Running','conditions':[{'type':'Ready','status':'True'}]}}");
	stint_auto_json *pod = NULL;
	stint_auto_json *budget = NULL;
	struct stint_json *status = NULL;

	stint_json_free(must_create(cluster, cluster->pods,
		"{'metadata':{'name':'p','labels':{'app':'x'}},'spec':{'nodeName':'n1','containers':[{'name':'c','image':'i'}]}}"));
	stint_json_free(must_create(
		cluster, budgets, "{'metadata':{'name':'b'},'spec':{'minAvailable':1,'selector':{'matchLabels':{'app':'x'}}}}"));
	call.subresource = "status";
	assert_true(stint_api_patch(cluster->api, &call, STINT_PATCH_MERGE, running, NULL, NULL, NULL));
	set_budget(cluster, 0);
	call.subresource = "eviction";
	assert_false(stint_api_create(cluster->api, &call, json("{'metadata':{'name':'p'}}"), NULL, &status));
	expect_status(status, 429, "TooManyRequests");
	set_budget(cluster, 1);
	assert_true(stint_api_create(cluster->api, &call, json("{'metadata':{'name':'p'}}"), NULL, NULL));
	pod = now(cluster, cluster->pods, "p");
	budget = now(cluster, budgets, "b");
	assert_non_null(stint_json_at(pod, "metadata", "deletionTimestamp"));
	assert_int_equal(stint_json_int_or(stint_json_at(budget, "status", "disruptionsAllowed"), -1), 0);
	assert_non_null(stint_json_at(budget, "status", "disruptedPods", "p"));
}

static void test_scale_reads_and_writes_replicas_alone(void **state)
{
	struct cluster *cluster = *state;
	const struct stint_kind *kind = stint_api_kind(cluster->api, "apps/v1", "Deployment");
	struct stint_api_call call = call_of(kind, "d");
	stint_auto_json *patch = json("{'spec':{'replicas':4}}");
	stint_auto_json *scale = NULL;
	stint_auto_json *deployment = NULL;

	stint_json_free(must_create(cluster, kind,
		"{'metadata':{'name':'d'},'spec':{'replicas':1,'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'"
		"b'}},"
		"'spec':{'containers':[{'name':'c','image':'i'}]}}}}"));
	call.subresource = "scale";
	assert_true(stint_api_patch(cluster->api, &call, STINT_PATCH_MERGE, patch, NULL, &scale, NULL));
	assert_string_equal(stint_json_string_at(scale, "kind"), "Scale");
	assert_string_equal(stint_json_string_at(scale, "status", "selector"), "a=b");
	deployment = now(cluster, kind, "d");
	assert_int_equal(stint_json_int_or(stint_json_at(deployment, "spec", "replicas"), 0), 4);
}

static void test_core_events_and_new_events_are_the_same_objects(void **state)
{
	struct cluster *cluster = *state;
	const struct stint_kind *core = stint_api_kind(cluster->api, "v1", "Event"),
				*fresh = stint_api_kind(cluster->api, "events.k8s.io/v1", "Event");
	stint_auto_json *made = must_create(cluster, fresh,
		"{'metadata':{'name':'e'},'eventTime':'2026-01-01T00:00:00.000000Z','regarding':{'kind':'Pod','name':'p','namespace':'"
		"default'},"
		"'note':'hello','reason':'R','type':'Normal','action':'A','reportingController':'c','reportingInstance':'i'}");
	stint_auto_json *stored = now(cluster, core, "e");

	assert_string_equal(stint_json_string_at(made, "note"), "hello");
	assert_string_equal(stint_json_string_at(made, "apiVersion"), "events.k8s.io/v1");
	assert_string_equal(stint_json_string_at(stored, "message"), "hello");
	assert_string_equal(stint_json_string_at(stored, "involvedObject", "name"), "p");
	assert_string_equal(stint_json_string_at(stored, "apiVersion"), "v1");
}

static void turn(struct cluster *cluster)
{
	for (int i = 0; i < 10; i++)
		stint_loop_step(cluster->loop, 0);
}

static void test_events_go_after_an_hour_and_the_oldest_when_they_are_too_many(void **state)
{
	struct cluster *cluster = *state;
	const struct stint_kind *events = stint_api_kind(cluster->api, "v1", "Event");
	static const char *const names[] = {"a-last", "b-first", "c-long-ago"}, *const order[] = {"b-first", "c-long-ago", "a-last"};
	int64_t now_ms = stint_now_ms();
	char seen[STINT_TIME_SIZE];

	for (size_t i = 0; i < STINT_COUNT(order); i++) {
		stint_time_format(now_ms - (strcmp(order[i], "c-long-ago") == 0 ? 86400000 : 0), seen);
		stint_autofree char *text = stint_format("{'metadata':{'name':'%s'},'involvedObject':{'kind':'Pod','namespace':'default',"
							 "'name':'p'},'lastTimestamp':'%s','reason':'R','type':'Normal'}",
			order[i], seen);
		stint_json_free(must_create(cluster, events, text));
	}
	events_expire(cluster->api, now_ms + 3590000, 3);
	assert_int_equal(stint_store_count(cluster->api->store, events), 3); /* though one was dated into the past */
	events_expire(cluster->api, now_ms, 2);
	assert_int_equal(stint_store_count(cluster->api->store, events), 2);
	for (size_t i = 0; i < STINT_COUNT(names); i++)
		assert_int_equal(
			stint_store_get(cluster->api->store, events, "default", names[i]) != NULL, strcmp(names[i], "b-first") != 0);
	events_expire(cluster->api, now_ms + 3610000, 2);
	assert_int_equal(stint_store_count(cluster->api->store, events), 0);
}

static void test_a_definition_serves_its_kind_and_takes_its_objects_along(void **state)
{
	struct cluster *cluster = *state;
	const struct stint_kind *definitions = stint_api_kind(cluster->api, "apiextensions.k8s.io/v1", "CustomResourceDefinition"),
				*widgets;
	struct stint_api_call call = call_of(definitions, "widgets.example.com");

	stint_json_free(must_create(cluster, definitions,
		"{'metadata':{'name':'widgets.example.com'},'spec':{'group':'example.com','scope':'Namespaced','names':{'plural':'widgets',"
		"'kind':'Widget'},'versions':[{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{'type':'object',"
		"'properties':{'spec':{'type':'object','properties':{'size':{'type':'integer','minimum':1}}}}}}}]}}"));
	turn(cluster);
	widgets = stint_api_kind(cluster->api, "example.com/v1", "Widget");
	assert_non_null(widgets);
	stint_json_free(
		must_create(cluster, widgets, "{'apiVersion':'example.com/v1','kind':'Widget','metadata':{'name':'w'},'spec':{'size':1}}"));
	assert_true(stint_api_delete(cluster->api, &call, NULL, NULL, NULL));
	turn(cluster);
	assert_null(stint_api_kind(cluster->api, "example.com/v1", "Widget"));
	assert_int_equal(stint_store_count(cluster->api->store, widgets), 0);
	assert_null(now(cluster, definitions, "widgets.example.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_new_object_gets_an_identity_of_its_own, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_refusals_of_create_have_their_code_and_reason, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_dry_run_stores_nothing, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_stale_version_and_a_foreign_uid_are_conflicts, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_write_that_changes_nothing_keeps_the_version, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(
			test_leases_and_custom_kinds_are_replaced_only_with_their_version, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_finalizer_keeps_a_deleted_object_until_it_is_taken_off, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_deletion_minds_its_preconditions, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_binding_is_one_write_with_node_annotations_and_condition, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_binding_is_refused_where_a_real_server_refuses_it, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_bound_pod_waits_for_its_node_and_a_loose_one_goes_at_once, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_an_eviction_asks_the_budget, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_scale_reads_and_writes_replicas_alone, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_core_events_and_new_events_are_the_same_objects, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(
			test_events_go_after_an_hour_and_the_oldest_when_they_are_too_many, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_definition_serves_its_kind_and_takes_its_objects_along, cluster_up, cluster_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
