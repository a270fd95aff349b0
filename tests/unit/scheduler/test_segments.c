/* Segments of an Indexed Job: which sub-groups its pods make, and that each has its own place. */
#include "cluster.h"

#include <stint/grouping.h>

#define SEGMENT "kai.scheduler/segment-"
#define TOPOLOGY "{\"metadata\":{\"name\":\"fabric\",\"uid\":\"t-1\"},\"spec\":{\"levels\":[{\"nodeLabel\":\"rack\"}]}}"

/* annotations: of the Job; spec: what stands in its spec. */
static void put_job(struct cluster *c, const char *annotations, const char *spec)
{
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"train\",\"uid\":\"j1\",\"annotations\":{%s}},\"spec\":{%s}}",
		annotations, spec);
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", json);
}

static void put_worker(struct cluster *c, int index, const char *annotations)
{
	stint_autofree char *name = stint_format("w%d", index);
	stint_autofree char *metadata = stint_format("%s,\"annotations\":{\"batch.kubernetes.io/job-completion-index\":\"%d\"%s%s}",
		CLUSTER_OWNED("Job", "train", "j1"), index, annotations[0] ? "," : "", annotations);
	cluster_pod(c, name, metadata, "GPU", "");
}

static void put_node(struct cluster *c, const char *name, int gpus, const char *rack)
{
	stint_autofree char *json =
		stint_format("{\"metadata\":{\"name\":\"%s\",\"uid\":\"n-%s\",\"labels\":{\"rack\":\"%s\",\"stint.dev/virtual\":\"true\"}},"
			     "\"status\":{\"allocatable\":{\"cpu\":\"64\",\"memory\":\"512Gi\",\"pods\":\"110\",\"nvidia.com/gpu\":\"%d\"},"
			     "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
			name, name, rack, gpus);
	cluster_put(c, STINT_KIND_NODE, NULL, NULL, json);
}

/* ---- the tree ---------------------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *what, *annotations, *spec, *tree, *problem; /* tree: "name:needs[@level]" of each part but the root */
} trees[] = {
	{"no size, no segments", "", "\"completions\":4,\"completionMode\":\"Indexed\"", "", NULL},
	{"equal segments", "\"" SEGMENT "size\":\"2\",\"kai.scheduler/batch-min-member\":\"4\"",
		"\"completions\":4,\"completionMode\":\"Indexed\"", "segment-0:2 segment-1:2", NULL},
	{"the last may be shorter", "\"" SEGMENT "size\":\"3\",\"kai.scheduler/batch-min-member\":\"4\"",
		"\"completions\":4,\"completionMode\":\"Indexed\"", "segment-0:3 segment-1:1", NULL},
	{"those behind the minimum need none", "\"" SEGMENT "size\":\"2\",\"kai.scheduler/batch-min-member\":\"3\"",
		"\"completions\":6,\"completionMode\":\"Indexed\"", "segment-0:2 segment-1:2 segment-2:0", NULL},
	{"one that is larger than the Job", "\"" SEGMENT "size\":\"9\",\"kai.scheduler/batch-min-member\":\"4\"",
		"\"completions\":4,\"completionMode\":\"Indexed\"", "segment-0:4", NULL},
	{"without completions its parallelism counts", "\"" SEGMENT "size\":\"2\",\"kai.scheduler/batch-min-member\":\"3\"",
		"\"parallelism\":3,\"completionMode\":\"Indexed\"", "segment-0:2 segment-1:1", NULL},
	{"each has its own level",
		"\"" SEGMENT "size\":\"1\",\"kai.scheduler/topology\":\"fabric\",\"" SEGMENT
		"topology-required-placement\":\"rack\",\"kai.scheduler/batch-min-member\":\"2\"",
		"\"completions\":2,\"completionMode\":\"Indexed\"", "segment-0:1@rack segment-1:1@rack", NULL},
	{"no number", "\"" SEGMENT "size\":\"two\"", "\"completions\":4,\"completionMode\":\"Indexed\"", NULL,
		"\"two\" is no size of a segment"},
	{"nothing", "\"" SEGMENT "size\":\"0\"", "\"completions\":4,\"completionMode\":\"Indexed\"", NULL, "\"0\" is no size"},
	{"less than nothing", "\"" SEGMENT "size\":\"-1\"", "\"completions\":4,\"completionMode\":\"Indexed\"", NULL, "\"-1\" is no size"},
	{"pods without an index", "\"" SEGMENT "size\":\"2\"", "\"completions\":4", NULL, "the Job is not Indexed"},
	{"too many", "\"" SEGMENT "size\":\"1\"", "\"completions\":10001,\"completionMode\":\"Indexed\"", NULL, "more than 10000 segments"},
	{"as many as may be", "\"" SEGMENT "size\":\"2\"", "\"completions\":20000,\"completionMode\":\"Indexed\"", NULL, NULL},
	{"a level of no topology", "\"" SEGMENT "size\":\"2\",\"" SEGMENT "topology-required-placement\":\"rack\"",
		"\"completions\":4,\"completionMode\":\"Indexed\"", NULL, "bound to \"rack\" of no topology"},
};

static char *tree_of(const struct stint_subgroups *subgroups)
{
	struct stint_buf out = {0};
	stint_buf_puts(&out, "");
	for (size_t i = 1; i < subgroups->count; i++) {
		const struct stint_part_spec *part = &subgroups->parts[i];
		const char *level = part->constraint.required_level;
		stint_buf_printf(&out, "%s%s:%u%s%s", i > 1 ? " " : "", part->name, part->needs, level ? "@" : "", level ? level : "");
	}
	return stint_buf_steal(&out);
}

static void an_indexed_job_is_cut_by_its_index(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(trees); i++) {
		void *own = NULL;
		cluster_setup(&own);
		struct cluster *c = own;
		cluster_queue(c, "default", 8, -1);
		put_job(c, trees[i].annotations, trees[i].spec);
		put_worker(c, 3, "");
		struct stint_grouping grouping;
		STINT_CLEANUP(stint_subgroups_clear) struct stint_subgroups parts = {0};
		stint_auto_error *err = NULL;
		stint_group_pod(stint_mirror_catalog(c->mirror), cluster_find(c, "w3")->pod, &grouping);
		const bool done = stint_grouping_parts(&grouping, &parts, &err);
		if (done != !trees[i].problem || (err && !strstr(err->message, trees[i].problem)))
			fail_msg("%s: %s", trees[i].what, err ? err->message : "no error");
		stint_autofree char *tree = tree_of(&parts);
		if (trees[i].tree && strcmp(tree ? tree : "", trees[i].tree) != 0)
			fail_msg("%s: %s instead of %s", trees[i].what, tree, trees[i].tree);
		if (done && trees[i].tree && trees[i].tree[0])
			assert_int_equal(grouping.segments.total > 0, true);
		stint_grouping_clear(&grouping);
		cluster_teardown(&own);
	}
}

static void a_pod_belongs_to_the_segment_of_its_index(void **state)
{
	struct cluster *c = *state;
	static const struct {
		int index;
		const char *part;
	} rows[] = {{0, "segment-0"}, {1, "segment-0"}, {2, "segment-1"}, {7, "segment-3"}};
	put_job(c, "", "\"completions\":8,\"completionMode\":\"Indexed\"");
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		put_worker(c, rows[i].index, "\"" SEGMENT "size\":\"2\""); /* as the pod template carries it */
		stint_autofree char *name = stint_format("w%d", rows[i].index);
		struct stint_grouping grouping;
		stint_group_pod(stint_mirror_catalog(c->mirror), cluster_find(c, name)->pod, &grouping);
		stint_autofree char *part = stint_grouping_part(&grouping, cluster_find(c, name)->pod);
		assert_string_equal(part, rows[i].part);
		stint_grouping_clear(&grouping);
	}
}

/* ---- in the cluster ------------------------------------------------------------------------------------------------------------------------ */

#define TWO_RACKS                                                                                                     \
	"\"" SEGMENT "size\":\"2\",\"kai.scheduler/topology\":\"fabric\",\"" SEGMENT "topology-required-placement\":" \
	"\"rack\",\"kai.scheduler/batch-min-member\":\"4\""
#define FOUR "\"completions\":4,\"completionMode\":\"Indexed\""

static void each_segment_gets_a_rack_of_its_own(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_put(c, STINT_KIND_TOPOLOGY, NULL, NULL, TOPOLOGY);
	put_node(c, "n1", 2, "r1");
	put_node(c, "n2", 1, "r2");
	put_node(c, "n3", 1, "r3");
	put_job(c, TWO_RACKS, FOUR);
	for (int i = 0; i < 4; i++)
		put_worker(c, i, "");
	assert_int_equal(cluster_cycle(c), 0); /* four devices, and no second rack with two */
	struct stint_explanation said;
	stint_explain(c->engine, cluster_find(c, "w0"), &said);
	assert_string_equal(said.word, "TopologyNotSatisfied");
	stint_explanation_clear(&said);
	put_node(c, "n4", 1, "r3");
	assert_int_equal(cluster_cycle(c), 4);
}

static void segments_that_cannot_be_made_are_said(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	put_node(c, "n1", 4, "r1");
	put_job(c, "\"" SEGMENT "size\":\"none\"", FOUR);
	put_worker(c, 0, "");
	assert_int_equal(cluster_cycle(c), 0);
	struct stint_explanation said;
	stint_explain(c->engine, cluster_find(c, "w0"), &said);
	assert_string_equal(said.word, "SegmentsInvalid");
	assert_true(said.never);
	assert_non_null(strstr(said.sentence, "\"none\" is no size of a segment"));
	stint_explanation_clear(&said);
	put_job(c, "\"" SEGMENT "size\":\"1\"", FOUR);
	assert_int_equal(cluster_cycle(c), 1);
}

static void put_ended(struct cluster *c, int index)
{
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"w%d\",\"uid\":\"p-w%d\",%s,"
		"\"annotations\":{\"batch.kubernetes.io/job-completion-index\":\"%d\"}},\"spec\":{\"schedulerName\":\"stint-scheduler\","
		"\"nodeName\":\"n1\",\"containers\":[]},\"status\":{\"phase\":\"Succeeded\"}}",
		index, index, CLUSTER_OWNED("Job", "train", "j1"), index);
	cluster_put(c, STINT_KIND_POD, NULL, NULL, json);
}

/* A segment that has ended needs no place any more, while the others still need theirs. */
static void members_that_succeed_lower_their_own_segment(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	put_node(c, "n1", 8, "r1");
	put_job(c, "\"" SEGMENT "size\":\"2\",\"kai.scheduler/batch-min-member\":\"4\"", FOUR);
	put_ended(c, 0);
	put_worker(c, 1, "");
	put_worker(c, 2, "");
	assert_int_equal(cluster_cycle(c), 0);
	put_worker(c, 3, "");
	assert_int_equal(cluster_cycle(c), 3);
}

static void a_segment_that_has_ended_whole_holds_nobody_up(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	put_node(c, "n1", 8, "r1");
	put_job(c, "\"" SEGMENT "size\":\"2\",\"kai.scheduler/batch-min-member\":\"4\"", FOUR);
	put_ended(c, 0);
	put_ended(c, 1);
	put_worker(c, 2, "");
	assert_int_equal(cluster_cycle(c), 0);
	put_worker(c, 3, "");
	assert_int_equal(cluster_cycle(c), 2);
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_indexed_job_is_cut_by_its_index),
		IN_CLUSTER(a_pod_belongs_to_the_segment_of_its_index),
		IN_CLUSTER(each_segment_gets_a_rack_of_its_own),
		IN_CLUSTER(segments_that_cannot_be_made_are_said),
		IN_CLUSTER(members_that_succeed_lower_their_own_segment),
		IN_CLUSTER(a_segment_that_has_ended_whole_holds_nobody_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
