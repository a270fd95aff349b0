/* NUMA zones in the cluster: nodes have what NodeResourceTopology says, pods what their annotations say, and a bind tells what it gives. */
#include "cluster.h"

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)
#define PREDICTED "kai.scheduler/numa-placement-predicted"
#define OBSERVED "kai.scheduler/numa-placement-observed"

/* Two zones of that many devices and 16 cores. */
static void zones(struct cluster *c, const char *node, const char *policy, int gpus, int available)
{
	stint_auto_buf list = {0};
	for (int i = 0; i < 2; i++)
		stint_buf_printf(&list,
			"%s{\"name\":\"node-%d\",\"type\":\"Node\",\"resources\":["
			"{\"name\":\"hugepages-2Mi\",\"capacity\":\"0\",\"allocatable\":\"0\",\"available\":\"0\"},"
			"{\"name\":\"cpu\",\"capacity\":\"16\",\"allocatable\":\"16\",\"available\":\"%d\"},"
			"{\"name\":\"nvidia.com/gpu\",\"capacity\":\"%d\",\"allocatable\":\"%d\",\"available\":\"%d\"}]}",
			i ? "," : "", i, available, gpus, gpus, available);
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"name\":\"%s\",\"uid\":\"z-%s\"},\"attributes\":[{\"name\":\"topologyManagerPolicy\",\"value\":\"%s\"},"
		"{\"name\":\"topologyManagerScope\",\"value\":\"pod\"}],\"zones\":[%s,{\"name\":\"other\",\"type\":\"Core\",\"resources\":["
		"]}]}",
		node, node, policy, list.data);
	cluster_put(c, STINT_KIND_NODE_ZONES, NULL, NULL, json);
}

static void gpus(struct cluster *c, const char *name, const char *annotations, int count, const char *node)
{
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\",\"uid\":\"p-%s\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\","
		"\"annotations\":{%s}},\"spec\":{%s\"schedulerName\":\"stint-scheduler\",\"containers\":[{\"name\":\"c\",\"image\":\"i\","
		"\"resources\":{"
		"\"limits\":{\"nvidia.com/gpu\":\"%d\",\"cpu\":\"2\",\"memory\":\"1Gi\"},\"requests\":{\"nvidia.com/"
		"gpu\":\"%d\",\"cpu\":\"2\","
		"\"memory\":\"1Gi\"}}}]},\"status\":{\"phase\":\"%s\",\"qosClass\":\"Guaranteed\"}}",
		name, name, annotations, node, count, count, node[0] ? "Running" : "Pending");
	cluster_put(c, STINT_KIND_POD, NULL, NULL, json);
}

static int64_t left(struct cluster *c, const char *node, uint32_t zone, const char *resource)
{
	struct stint_zone_view view;
	for (uint32_t r = 0; stint_engine_zone_view(c->engine, stint_engine_node_find(c->engine, node), zone, r, &view); r++) {
		if (strcmp(view.resource, resource) == 0)
			return view.available;
	}
	return -1;
}

static void a_pod_goes_to_the_node_that_can_align_it_and_its_bind_says_how(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 16, -1);
	cluster_node(c, "n1", 6, true);
	cluster_node(c, "n2", 8, true);
	zones(c, "n1", "single-numa-node", 3, 16);
	zones(c, "n2", "single-numa-node", 4, 16);
	gpus(c, "a", "", 4, "");
	assert_int_equal(cluster_cycle(c), 1);
	const uint32_t pod = cluster_find(c, "a")->handle;
	assert_int_equal(left(c, "n2", 0, "nvidia.com/gpu"), 0);
	stint_autofree char *annotation = stint_zones_annotation(c->engine, pod);
	assert_string_equal(annotation, "[{\"zone\":\"node-0\",\"amount\":{\"cpu\":\"2\",\"nvidia.com/gpu\":\"4\"}}]");
	/* The next scheduler reads it back. */
	stint_autofree char *quoted =
		stint_format("\"" PREDICTED "\":\"[{\\\"zone\\\":\\\"node-0\\\",\\\"amount\\\":{\\\"cpu\\\":\\\"2\\\","
			     "\\\"nvidia.com/gpu\\\":\\\"4\\\"}}]\"");
	gpus(c, "b", quoted, 4, "\"nodeName\":\"n1\",");
	stint_mirror_settle(c->mirror, 1000);
	assert_int_equal(left(c, "n1", 0, "nvidia.com/gpu"), -1000);
	assert_int_equal(left(c, "n1", 0, "cpu"), 14000);
}

static void what_was_observed_counts_before_what_was_predicted(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 16, -1);
	cluster_node(c, "n1", 8, true);
	zones(c, "n1", "single-numa-node", 4, 16);
	static const char predicted[] = "\"" PREDICTED "\":\"[{\\\"zone\\\":\\\"node-0\\\",\\\"amount\\\":{\\\"nvidia.com/gpu\\\":2}}]\"";
	stint_autofree char *both = stint_format(
		"%s,\"" OBSERVED "\":\"[{\\\"zone\\\":\\\"node-1\\\",\\\"amount\\\":{\\\"nvidia.com/gpu\\\":2}}]\"", predicted);
	gpus(c, "a", predicted, 2, "\"nodeName\":\"n1\",");
	stint_mirror_settle(c->mirror, 1000);
	assert_int_equal(left(c, "n1", 0, "nvidia.com/gpu"), 2000);
	gpus(c, "a", both, 2, "\"nodeName\":\"n1\",");
	stint_mirror_settle(c->mirror, 1000);
	assert_int_equal(left(c, "n1", 0, "nvidia.com/gpu"), 4000);
	assert_int_equal(left(c, "n1", 1, "nvidia.com/gpu"), 2000);
}

static void other_zones_are_told_with_what_pods_have_of_them_and_what_is_available_is_no_news(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 16, -1);
	cluster_node(c, "n1", 8, true);
	zones(c, "n1", "restricted", 4, 16);
	gpus(c, "a", "\"" PREDICTED "\":\"[{\\\"zone\\\":\\\"node-1\\\",\\\"amount\\\":{\\\"nvidia.com/gpu\\\":\\\"3\\\"}}]\"", 3,
		"\"nodeName\":\"n1\",");
	stint_mirror_settle(c->mirror, 1000);
	const int changes = c->changes;
	zones(c, "n1", "restricted", 4, 1);
	assert_int_equal(c->changes, changes);
	zones(c, "n1", "single-numa-node", 5, 1);
	stint_mirror_settle(c->mirror, 1000);
	assert_int_equal(left(c, "n1", 0, "nvidia.com/gpu"), 5000);
	assert_int_equal(left(c, "n1", 1, "nvidia.com/gpu"), 2000);
	cluster_remove(c, STINT_KIND_NODE_ZONES, "{\"metadata\":{\"name\":\"n1\",\"uid\":\"z-n1\"}}");
	stint_mirror_settle(c->mirror, 1000);
	assert_int_equal(left(c, "n1", 0, "nvidia.com/gpu"), -1);
}

/* Others of higher priority are given the node of one whose eviction is being written when the node's zones change. */
static void other_zones_do_not_forget_an_eviction(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 16, -1);
	cluster_node(c, "n1", 4, true);
	zones(c, "n1", "restricted", 4, 16);
	gpus(c, "a", "\"" PREDICTED "\":\"[{\\\"zone\\\":\\\"node-1\\\",\\\"amount\\\":{\\\"nvidia.com/gpu\\\":\\\"4\\\"}}]\"", 4,
		"\"nodeName\":\"n1\",");
	cluster_put(c, STINT_KIND_PRIORITY_CLASS, NULL, NULL, "{\"metadata\":{\"name\":\"high\",\"uid\":\"c-high\"},\"value\":90}");
	cluster_pod(c, "urgent", "\"labels\":{\"priorityClassName\":\"high\"}", "GPU", "");
	stint_mirror_settle(c->mirror, 1000);
	struct stint_policy policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	stint_policy_evict(&policy);
	stint_engine_cycle(c->engine, &policy, 1000);
	const uint32_t handle = cluster_find(c, "a")->handle;
	struct stint_pod_view view = {0};
	assert_true(stint_engine_pod_view(c->engine, handle, &view));
	assert_int_equal(view.status, STINT_POD_RELEASING);
	zones(c, "n1", "restricted", 5, 16);
	stint_mirror_settle(c->mirror, 1000);
	assert_int_equal(cluster_find(c, "a")->handle, handle);
	assert_true(stint_engine_pod_view(c->engine, handle, &view));
	assert_int_equal(view.status, STINT_POD_RELEASING);
	int32_t numbers[STINT_MAX_ZONES];
	struct stint_numa_amount amounts[STINT_MAX_ZONE_RESOURCES];
	assert_int_equal(stint_engine_pod_zones(c->engine, handle, numbers), 1);
	assert_int_equal(numbers[0], 1);
	assert_int_equal(stint_engine_pod_zone_amounts(c->engine, handle, 1, amounts), 1);
	assert_int_equal(amounts[0].allocatable, 4000);
}

static void an_annotation_that_makes_no_sense_takes_nothing(void **state)
{
	static const char *const texts[] = {"", "[", "{}", "[1,{}]", "[{\\\"zone\\\":5}]",
		"[{\\\"zone\\\":\\\"node-7\\\",\\\"amount\\\":{\\\"cpu\\\":\\\"1\\\"}}]",
		"[{\\\"zone\\\":\\\"node-0\\\",\\\"amount\\\":{\\\"cpu\\\":\\\"x\\\",\\\"nvidia.com/gpu\\\":\\\"-1\\\"}}]"};
	struct cluster *c = *state;
	cluster_queue(c, "default", 16, -1);
	cluster_node(c, "n1", 8, true);
	zones(c, "n1", "single-numa-node", 4, 16);
	for (size_t i = 0; i < STINT_COUNT(texts); i++) {
		stint_autofree char *annotation = stint_format("\"" PREDICTED "\":\"%s\"", texts[i]);
		gpus(c, "a", annotation, 1, "\"nodeName\":\"n1\",");
		stint_mirror_settle(c->mirror, 1000);
		assert_int_equal(left(c, "n1", 0, "nvidia.com/gpu"), 4000);
		assert_int_equal(left(c, "n1", 0, "cpu"), 16000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CLUSTER(a_pod_goes_to_the_node_that_can_align_it_and_its_bind_says_how),
		IN_CLUSTER(what_was_observed_counts_before_what_was_predicted),
		IN_CLUSTER(other_zones_do_not_forget_an_eviction),
		IN_CLUSTER(other_zones_are_told_with_what_pods_have_of_them_and_what_is_available_is_no_news),
		IN_CLUSTER(an_annotation_that_makes_no_sense_takes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
