/* What the grouper promises: who is in one group, with which minimum, queue, priority and preemptibility. */
#include <stint/grouping.h>

#include "../test.h"

struct fixture {
	struct stint_model *model;
	struct stint_catalog *catalog;
	struct stint_pod *pod;
	struct stint_grouping got;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->model = stint_model_new();
	f->catalog = stint_catalog_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	stint_grouping_clear(&f->got);
	if (f->pod)
		stint_object_unref(&f->pod->meta);
	stint_catalog_free(f->catalog);
	stint_model_free(f->model);
	free(f);
	return 0;
}

static struct stint_object *decode(struct fixture *f, const struct stint_decode_as *as, const char *json)
{
	struct stint_error *err = NULL;
	struct stint_object *object = stint_object_decode(f->model, as, json, strlen(json), &err);
	if (!object)
		fail_msg("%s: %s", json, err->message);
	return object;
}

static void put(struct fixture *f, enum stint_kind kind, const char *api_version, const char *kind_name, const char *json)
{
	const struct stint_decode_as as = {kind, api_version, kind_name};
	struct stint_object *object = decode(f, &as, json);
	stint_catalog_put(f->catalog, object);
	stint_object_unref(object);
}

static void put_queue(struct fixture *f, const char *name)
{
	stint_autofree char *json = stint_format("{\"metadata\":{\"name\":\"%s\",\"uid\":\"q-%s\"},\"spec\":{}}", name, name);
	put(f, STINT_KIND_QUEUE, NULL, NULL, json);
}

static void put_class(struct fixture *f, const char *name, int value, bool global_default)
{
	stint_autofree char *json = stint_format("{\"metadata\":{\"name\":\"%s\",\"uid\":\"c-%s\"},\"value\":%d,\"globalDefault\":%s}",
		name, name, value, global_default ? "true" : "false");
	put(f, STINT_KIND_PRIORITY_CLASS, NULL, NULL, json);
}

/* metadata and spec are the insides of the pod's two objects, without braces; either may be empty. */
static const struct stint_grouping *group(struct fixture *f, const char *metadata, const char *spec)
{
	static const struct stint_decode_as as = {STINT_KIND_POD, NULL, NULL};
	stint_autofree char *json =
		stint_format("{\"metadata\":{\"namespace\":\"vision\",\"name\":\"p\",\"uid\":\"u1\"%s%s},\"spec\":{%s}}",
			metadata[0] ? "," : "", metadata, spec);
	if (f->pod)
		stint_object_unref(&f->pod->meta);
	f->pod = stint_pod_of(decode(f, &as, json));
	stint_grouping_clear(&f->got);
	stint_group_pod(f->catalog, f->pod, &f->got);
	return &f->got;
}

#define OWNED_BY(api, kind, name, uid)                                                                                \
	"\"ownerReferences\":[{\"apiVersion\":\"" api "\",\"kind\":\"" kind "\",\"name\":\"" name "\",\"uid\":\"" uid \
	"\",\"controller\":true}]"

static void pods_of_a_job_are_one_group_with_minimum_one(void **state)
{
	struct fixture *f = *state;
	put_queue(f, "default");
	put(f, STINT_KIND_OWNER, "batch/v1", "Job", "{\"metadata\":{\"namespace\":\"vision\",\"name\":\"train\",\"uid\":\"j1\"}}");
	const struct stint_grouping *got = group(f, OWNED_BY("batch/v1", "Job", "train", "j1"), "");
	assert_int_equal(got->wait, STINT_GROUPING_COMPLETE);
	assert_string_equal(got->key, "vision/Job/train/j1");
	assert_string_equal(got->workload_kind, "Job");
	assert_string_equal(got->workload_name, "train");
	assert_int_equal(got->minimum, 1);
}

static void batch_min_member_of_a_job_is_the_minimum_and_nonsense_is_one(void **state)
{
	struct fixture *f = *state;
	put_queue(f, "default");
	static const struct {
		const char *value;
		int32_t minimum;
	} table[] = {{"8", 8}, {"1", 1}, {"0", 1}, {"-3", 1}, {"x", 1}, {"", 1}, {"99999999999", 1}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		stint_autofree char *job = stint_format("{\"metadata\":{\"namespace\":\"vision\",\"name\":\"train\",\"uid\":\"j1\","
							"\"annotations\":{\"kai.scheduler/batch-min-member\":\"%s\"}}}",
			table[i].value);
		put(f, STINT_KIND_OWNER, "batch/v1", "Job", job);
		assert_int_equal(group(f, OWNED_BY("batch/v1", "Job", "train", "j1"), "")->minimum, table[i].minimum);
	}
}

static void replicas_of_deployments_and_stateful_sets_are_placed_one_by_one(void **state)
{
	struct fixture *f = *state;
	put_queue(f, "default");
	put(f, STINT_KIND_OWNER, "apps/v1", "Deployment", "{\"metadata\":{\"namespace\":\"vision\",\"name\":\"web\",\"uid\":\"d1\"}}");
	put(f, STINT_KIND_OWNER, "apps/v1", "ReplicaSet",
		"{\"metadata\":{\"namespace\":\"vision\",\"name\":\"web-5d\",\"uid\":\"r1\"," OWNED_BY(
			"apps/v1", "Deployment", "web", "d1") "}}");
	const struct stint_grouping *got = group(f, OWNED_BY("apps/v1", "ReplicaSet", "web-5d", "r1"), "");
	assert_string_equal(got->key, "vision/Pod/p/u1");
	assert_string_equal(got->workload_kind, "Deployment");
	assert_string_equal(got->workload_name, "web");

	put(f, STINT_KIND_OWNER, "apps/v1", "StatefulSet", "{\"metadata\":{\"namespace\":\"vision\",\"name\":\"nb\",\"uid\":\"s1\"}}");
	got = group(f, OWNED_BY("apps/v1", "StatefulSet", "nb", "s1"), "");
	assert_string_equal(got->key, "vision/Pod/p/u1");
	assert_string_equal(got->workload_name, "nb");
}

static void each_run_of_a_cron_job_is_a_workload_of_its_own(void **state)
{
	struct fixture *f = *state;
	put_queue(f, "default");
	put(f, STINT_KIND_OWNER, "batch/v1", "Job",
		"{\"metadata\":{\"namespace\":\"vision\",\"name\":\"nightly-1\",\"uid\":\"j1\"," OWNED_BY(
			"batch/v1", "CronJob", "nightly", "c1") "}}");
	const struct stint_grouping *got = group(f, OWNED_BY("batch/v1", "Job", "nightly-1", "j1"), "");
	assert_string_equal(got->key, "vision/Job/nightly-1/j1");
	assert_string_equal(got->workload_name, "nightly-1");
}

static void a_pod_waits_for_its_owner_until_that_is_known_to_be_gone(void **state)
{
	struct fixture *f = *state;
	put_queue(f, "default");
	assert_int_equal(group(f, OWNED_BY("batch/v1", "Job", "train", "j1"), "")->wait, STINT_GROUPING_NEEDS_OWNER);
	stint_catalog_note_absent(f->catalog, "j1");
	assert_int_equal(group(f, OWNED_BY("batch/v1", "Job", "train", "j1"), "")->wait, STINT_GROUPING_COMPLETE);
	assert_int_equal(group(f, OWNED_BY("ray.io/v1", "RayCluster", "r", "x"), "")->wait, STINT_GROUPING_COMPLETE);
}

static void a_pod_group_that_the_pod_names_rules_alone(void **state)
{
	struct fixture *f = *state;
	put_queue(f, "q");
	put_class(f, "build", 100, false);
	const char *named = "\"annotations\":{\"pod-group-name\":\"pg\"}";
	const struct stint_grouping *got = group(f, named, "");
	assert_int_equal(got->wait, STINT_GROUPING_NEEDS_POD_GROUP);
	assert_string_equal(got->missing, "pg");
	put(f, STINT_KIND_POD_GROUP, NULL, NULL,
		"{\"metadata\":{\"namespace\":\"other\",\"name\":\"pg\",\"uid\":\"g0\"},\"spec\":{\"minMember\":9,\"queue\":\"q\"}}");
	assert_int_equal(group(f, named, "")->wait, STINT_GROUPING_NEEDS_POD_GROUP);
	put(f, STINT_KIND_POD_GROUP, NULL, NULL,
		"{\"metadata\":{\"namespace\":\"vision\",\"name\":\"pg\",\"uid\":\"g1\"},\"spec\":{\"minMember\":4,\"queue\":\"q\","
		"\"priorityClassName\":\"build\",\"preemptibility\":\"preemptible\"}}");
	got = group(f, named, "");
	assert_int_equal(got->wait, STINT_GROUPING_COMPLETE);
	assert_string_equal(got->key, "vision/PodGroup/pg/g1");
	assert_int_equal(got->minimum, 4);
	assert_string_equal(got->queue, "q");
	assert_int_equal(got->priority, 100);
	assert_true(got->preemptible);
}

static void the_queue_is_looked_for_on_owner_pod_project_and_defaults_in_that_order(void **state)
{
	struct fixture *f = *state;
	const char *owner_label =
		"{\"metadata\":{\"namespace\":\"vision\",\"name\":\"train\",\"uid\":\"j1\",\"labels\":{\"kai.scheduler/queue\":\"o\"}}}";
	const char *no_label = "{\"metadata\":{\"namespace\":\"vision\",\"name\":\"train\",\"uid\":\"j1\"}}";
	const char *project = "{\"metadata\":{\"name\":\"vision\",\"uid\":\"n1\",\"labels\":{\"stint.dev/project\":\"proj\"}}}";
	const char *no_project = "{\"metadata\":{\"name\":\"vision\",\"uid\":\"n1\"}}";
	const char *owned = OWNED_BY("batch/v1", "Job", "train", "j1");
	const char *owned_labelled = OWNED_BY("batch/v1", "Job", "train", "j1") ",\"labels\":{\"kai.scheduler/queue\":\"p\"}";
	const struct {
		const char *job, *space, *pod;
		const char *queues[5]; /* that exist */
		const char *queue;
		enum stint_grouping_wait wait;
	} table[] = {
		{owner_label, project, owned_labelled, {"o", "p", "proj", "default"}, "o", STINT_GROUPING_COMPLETE},
		{no_label, project, owned_labelled, {"o", "p", "proj", "default"}, "p", STINT_GROUPING_COMPLETE},
		{no_label, project, owned, {"o", "p", "proj", "default"}, "proj", STINT_GROUPING_COMPLETE},
		{no_label, no_project, owned, {"vision", "default", "default-queue"}, "default", STINT_GROUPING_COMPLETE},
		{no_label, no_project, owned, {"default-queue"}, "default-queue", STINT_GROUPING_COMPLETE},
		{no_label, no_project, owned, {"other"}, NULL, STINT_GROUPING_NEEDS_QUEUE},
		{owner_label, project, owned_labelled, {"p", "proj", "default"}, "o", STINT_GROUPING_NEEDS_QUEUE},
		{no_label, project, owned, {"default"}, "proj", STINT_GROUPING_NEEDS_QUEUE},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		stint_catalog_clear(f->catalog);
		for (size_t q = 0; q < 5 && table[i].queues[q]; q++)
			put_queue(f, table[i].queues[q]);
		put(f, STINT_KIND_OWNER, "batch/v1", "Job", table[i].job);
		put(f, STINT_KIND_NAMESPACE, NULL, NULL, table[i].space);
		const struct stint_grouping *got = group(f, table[i].pod, "");
		if (got->wait != table[i].wait)
			fail_msg("row %zu: waits for %d", i, (int)got->wait);
		if (table[i].queue)
			assert_string_equal(got->queue, table[i].queue);
		else
			assert_null(got->queue);
	}
}

static void priority_and_preemptibility_follow_kais_rules(void **state)
{
	struct fixture *f = *state;
	put_queue(f, "default");
	put_class(f, "train", 50, false);
	put_class(f, "build", 100, false);
	put_class(f, "inference", 125, false);
	put_class(f, "house", 70, true);
	put(f, STINT_KIND_OWNER, "apps/v1", "Deployment", "{\"metadata\":{\"namespace\":\"vision\",\"name\":\"web\",\"uid\":\"d1\"}}");
	const char *web = OWNED_BY("apps/v1", "Deployment", "web", "d1");
	const struct {
		const char *metadata, *spec;
		int32_t priority;
		bool preemptible;
	} table[] = {
		{"", "", 50, true},
		{"", "\"priorityClassName\":\"build\"", 100, false},
		{"\"labels\":{\"priorityClassName\":\"inference\"}", "\"priorityClassName\":\"build\"", 125, false},
		{"\"labels\":{\"priorityClassName\":\"unheard-of\"}", "\"priorityClassName\":\"build\"", 100, false},
		{"\"labels\":{\"kai.scheduler/preemptibility\":\"preemptible\"}", "\"priorityClassName\":\"build\"", 100, true},
		{"\"labels\":{\"kai.scheduler/preemptibility\":\"non-preemptible\"}", "", 50, false},
		{"\"labels\":{\"kai.scheduler/preemptibility\":\"perhaps\"}", "", 50, true},
		{web, "", 125, false},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		const struct stint_grouping *got = group(f, table[i].metadata, table[i].spec);
		if (got->priority != table[i].priority || got->preemptible != table[i].preemptible)
			fail_msg("row %zu: priority %d, preemptible %d", i, (int)got->priority, got->preemptible);
	}
	stint_catalog_clear(f->catalog);
	assert_int_equal(group(f, "", "")->priority, 50);
	put_class(f, "house", 70, true);
	assert_int_equal(group(f, "", "")->priority, 70);
}

static void the_minimum_falls_as_members_succeed_but_never_below_one(void **state)
{
	(void)state;
	static const struct {
		int32_t minimum;
		int64_t succeeded;
		int32_t left;
	} table[] = {
		{8, 0, 8}, {8, 1, 7}, {8, 7, 1}, {8, 8, 1}, {8, 100, 1}, {1, 0, 1}, {1, 5, 1}, {8, -1, 8}, {INT32_MAX, 1, INT32_MAX - 1}};
	for (size_t i = 0; i < STINT_COUNT(table); i++)
		assert_int_equal(stint_grouping_minimum(table[i].minimum, table[i].succeeded), table[i].left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pods_of_a_job_are_one_group_with_minimum_one, setup, teardown),
		cmocka_unit_test_setup_teardown(batch_min_member_of_a_job_is_the_minimum_and_nonsense_is_one, setup, teardown),
		cmocka_unit_test_setup_teardown(replicas_of_deployments_and_stateful_sets_are_placed_one_by_one, setup, teardown),
		cmocka_unit_test_setup_teardown(each_run_of_a_cron_job_is_a_workload_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pod_waits_for_its_owner_until_that_is_known_to_be_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pod_group_that_the_pod_names_rules_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(the_queue_is_looked_for_on_owner_pod_project_and_defaults_in_that_order, setup, teardown),
		cmocka_unit_test_setup_teardown(priority_and_preemptibility_follow_kais_rules, setup, teardown),
		cmocka_unit_test(the_minimum_falls_as_members_succeed_but_never_below_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
