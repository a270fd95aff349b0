/* What becomes of a PodGroup's sub-groups and topology constraints, from the objects to what is decided and what is said. */
#include "cluster.h"

#include <stint/grouping.h>
#include <stint/mirror.h>

#define GROUP(spec) "{\"metadata\":{\"namespace\":\"default\",\"name\":\"pg\",\"uid\":\"g-1\"},\"spec\":{\"queue\":\"default\"," spec "}}"
#define IN_PG "\"annotations\":{\"pod-group-name\":\"pg\"}"
#define IN_PART(part) IN_PG ",\"labels\":{\"kai.scheduler/subgroup-name\":\"" part "\"}"
#define TOPOLOGY                                                                                                                      \
	"{\"metadata\":{\"name\":\"fabric\",\"uid\":\"t-1\"},\"spec\":{\"levels\":[{\"nodeLabel\":\"zone\"},{\"nodeLabel\":\"rack\"," \
	"\"alias\":\"r\"}]}}"

static void put_group(struct cluster *c, const char *json)
{
	cluster_put(c, STINT_KIND_POD_GROUP, NULL, NULL, json);
}

static void put_node(struct cluster *c, const char *name, int gpus, const char *rack)
{
	stint_autofree char *json =
		stint_format("{\"metadata\":{\"name\":\"%s\",\"uid\":\"n-%s\",\"labels\":{\"zone\":\"z\",\"rack\":\"%s\","
			     "\"stint.dev/virtual\":\"true\"}},\"status\":{\"allocatable\":{\"cpu\":\"64\",\"memory\":\"512Gi\","
			     "\"pods\":\"110\",\"nvidia.com/gpu\":\"%d\"},\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
			name, name, rack, gpus);
	cluster_put(c, STINT_KIND_NODE, NULL, NULL, json);
}

/* The parts as text: "name>parent:need" with * for all, + before the name of one that holds parts. */
static char *shape_of(const struct stint_subgroups *subgroups)
{
	struct stint_buf out = {0};
	for (size_t i = 1; i < subgroups->count; i++) {
		const struct stint_part_spec *part = &subgroups->parts[i];
		stint_buf_printf(
			&out, "%s%s%s>%s:", i > 1 ? " " : "", part->inner ? "+" : "", part->name, subgroups->parts[part->parent].name);
		if (part->needs == STINT_ALL)
			stint_buf_puts(&out, "*");
		else
			stint_buf_printf(&out, "%u", part->needs);
	}
	return stint_buf_steal(&out);
}

static void sub_groups_become_a_tree_with_parents_first(void **state)
{
	struct cluster *c = *state;
	static const struct {
		const char *spec, *shape, *problem;
	} rows[] = {
		{"\"minMember\":3", NULL, NULL},
		{"\"topologyConstraint\":{\"topology\":\"t\",\"requiredTopologyLevel\":\"rack\"},\"minMember\":3", "default>:3", NULL},
		{"\"subGroups\":[{\"name\":\"a\",\"minMember\":2},{\"name\":\"b\"}]", "a>:2 b>:0", NULL},
		{"\"subGroups\":[{\"name\":\"a\",\"parent\":\"x\",\"minMember\":1},{\"name\":\"x\",\"minSubGroup\":1}]", "+x>:1 a>x:1",
			NULL},
		{"\"subGroups\":[{\"name\":\"a\",\"parent\":\"x\",\"minMember\":1},{\"name\":\"x\"}]", "+x>:* a>x:1", NULL},
		{"\"subGroups\":[{\"name\":\"a\",\"parent\":\"X\",\"minMember\":1},{\"name\":\"x\"}]", "+x>:* a>x:1", NULL},
		{"\"subGroups\":[{\"name\":\"a\"},{\"name\":\"a\"}]", NULL, "two sub-groups have the name \"a\""},
		{"\"subGroups\":[{\"name\":\"a\",\"parent\":\"y\"}]", NULL, "sub-group \"a\" has the parent \"y\", which does not exist"},
		{"\"subGroups\":[{\"name\":\"a\",\"parent\":\"b\"},{\"name\":\"b\",\"parent\":\"a\"}]", NULL, "each other's parents"},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_autofree char *json = stint_format(
			"{\"metadata\":{\"namespace\":\"default\",\"name\":\"pg\",\"uid\":\"g\"},\"spec\":{%s}}", rows[i].spec);
		struct stint_object *object = cluster_decode(c, STINT_KIND_POD_GROUP, NULL, NULL, json);
		STINT_CLEANUP(stint_subgroups_clear) struct stint_subgroups subgroups = {0};
		const struct stint_pod_group *group = stint_pod_group_of(object);
		if (rows[i].problem) {
			assert_fails(stint_subgroups_read(&subgroups, group, NULL, 3, &err), STINT_USAGE, rows[i].problem);
		} else {
			assert_works(stint_subgroups_read(&subgroups, group, NULL, 3, &err));
			stint_autofree char *shape = shape_of(&subgroups);
			assert_string_equal(shape ? shape : "", rows[i].shape ? rows[i].shape : "");
		}
		stint_object_unref(object);
	}
}

static void pods_join_the_sub_group_of_their_label(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_group(c, GROUP("\"subGroups\":[{\"name\":\"a\",\"minMember\":1},{\"name\":\"b\",\"minMember\":2}]"));
	cluster_pod(c, "a0", IN_PART("a"), "GPU", "");
	cluster_pod(c, "b0", IN_PART("b"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	assert_string_equal(stint_explain_word(c->engine, cluster_find(c, "a0")), "SubGroupIncomplete");
	cluster_pod(c, "b1", IN_PART("b"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 3);
}

static void a_label_that_names_no_sub_group_is_said(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_group(c, GROUP("\"subGroups\":[{\"name\":\"a\",\"minMember\":2}]"));
	cluster_pod(c, "a0", IN_PART("a"), "GPU", "");
	cluster_pod(c, "b0", IN_PART("typo"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	struct stint_explanation said;
	stint_explain(c->engine, cluster_find(c, "b0"), &said);
	assert_string_equal(said.word, "SubGroupDoesNotExist");
	assert_non_null(strstr(said.sentence, "of sub-group \"typo\""));
	stint_explanation_clear(&said);
	put_group(c, GROUP("\"subGroups\":[{\"name\":\"a\",\"minMember\":1},{\"name\":\"typo\"}]"));
	assert_int_equal(cluster_cycle(c), 2);
}

static void sub_groups_that_make_no_tree_hold_their_pods(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_group(c, GROUP("\"subGroups\":[{\"name\":\"a\",\"parent\":\"x\"}]"));
	cluster_pod(c, "a0", IN_PART("a"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	struct stint_explanation said;
	stint_explain(c->engine, cluster_find(c, "a0"), &said);
	assert_string_equal(said.word, "SubGroupsInvalid");
	assert_true(said.never);
	assert_non_null(strstr(said.sentence, "\"x\", which does not exist"));
	stint_explanation_clear(&said);
	put_group(c, GROUP("\"subGroups\":[{\"name\":\"a\"}]"));
	assert_int_equal(cluster_cycle(c), 1);
}

static void members_that_succeed_lower_their_own_sub_group(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_group(c, GROUP("\"subGroups\":[{\"name\":\"a\",\"minMember\":2},{\"name\":\"b\",\"minMember\":2}]"));
	cluster_put(c, STINT_KIND_POD, NULL, NULL,
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"a0\",\"uid\":\"p-a0\"," IN_PART(
			"a") "},\"spec\":{\"schedulerName\":\"stint-scheduler\",\"nodeName\":\"n1\",\"containers\":[]},\"status\":{"
			     "\"phase\":"
			     "\"Succeeded\"}}");
	cluster_pod(c, "a1", IN_PART("a"), "GPU", "");
	cluster_pod(c, "b0", IN_PART("b"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	cluster_pod(c, "b1", IN_PART("b"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 3);
}

static void a_required_rack_is_kept_and_a_missing_topology_is_said(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	put_node(c, "n1", 1, "r1");
	put_node(c, "n2", 1, "r2");
	put_group(c, GROUP("\"minMember\":2,\"topologyConstraint\":{\"topology\":\"fabric\",\"requiredTopologyLevel\":\"r\"}"));
	cluster_pod(c, "w0", IN_PG, "GPU", "");
	cluster_pod(c, "w1", IN_PG, "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	assert_string_equal(stint_explain_word(c->engine, cluster_find(c, "w0")), "TopologyDoesNotExist");
	cluster_put(c, STINT_KIND_TOPOLOGY, NULL, NULL, TOPOLOGY);
	assert_int_equal(cluster_cycle(c), 0);
	struct stint_explanation said;
	stint_explain(c->engine, cluster_find(c, "w0"), &said);
	assert_string_equal(said.word, "TopologyNotSatisfied");
	assert_non_null(
		strstr(said.sentence, "no single \"r\" of topology \"fabric\" has room for its 2 pods, of 1 GPU each; z.r1 takes 1"));
	stint_explanation_clear(&said);
	put_node(c, "n3", 1, "r2");
	assert_int_equal(cluster_cycle(c), 2);
	cluster_remove(c, STINT_KIND_TOPOLOGY, TOPOLOGY);
	assert_int_equal(cluster_cycle(c), 0);
}

static void an_owner_may_ask_for_a_topology_by_annotation(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_put(c, STINT_KIND_TOPOLOGY, NULL, NULL, TOPOLOGY);
	put_node(c, "n1", 1, "r1");
	put_node(c, "n2", 1, "r2");
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job",
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"train\",\"uid\":\"j1\",\"annotations\":{\"kai.scheduler/"
		"batch-min-member\":\"2\",\"kai.scheduler/topology\":\"fabric\",\"kai.scheduler/topology-required-placement\":\"rack\"}}}");
	cluster_pod(c, "w0", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "");
	cluster_pod(c, "w1", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	put_node(c, "n3", 1, "r1");
	assert_int_equal(cluster_cycle(c), 2);
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CLUSTER(sub_groups_become_a_tree_with_parents_first),
		IN_CLUSTER(pods_join_the_sub_group_of_their_label),
		IN_CLUSTER(a_label_that_names_no_sub_group_is_said),
		IN_CLUSTER(sub_groups_that_make_no_tree_hold_their_pods),
		IN_CLUSTER(members_that_succeed_lower_their_own_sub_group),
		IN_CLUSTER(a_required_rack_is_kept_and_a_missing_topology_is_said),
		IN_CLUSTER(an_owner_may_ask_for_a_topology_by_annotation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
