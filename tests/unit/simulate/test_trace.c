/*
 * Traces: what lists are refused with, the published measure of fragmentation by hand, and that a replay is a function of its input.
 */
#include "tests/unit/test.h"

#include "core/simulate/trace.h"
#include "tests/unit/simulate/trace_lists.h"

#define NODES "sn,cpu_milli,memory_mib,gpu,model\n"
#define PODS "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"

static struct stint_trace *read_texts(const char *pods, const char *nodes, struct stint_error **err)
{
	return stint_trace_parse(stint_slice_of(pods), "pods.csv", stint_slice_of(nodes), "nodes.csv", NULL, err);
}

static struct stint_trace *trace_of(const char *pods, const char *nodes)
{
	struct stint_trace *trace = NULL;
	assert_works((trace = read_texts(pods, nodes, &err)));
	return trace;
}

static void a_bad_list_is_answered_with_file_line_and_column(void **state)
{
	(void)state;
	static const struct {
		const char *pods, *nodes, *words;
	} cases[] = {
		{PODS "p,1,1,0,0,\n", "", "nodes.csv: the first line"},
		{PODS "p,1,1,0,0,\n", "sn,cpu_milli\nn,1\n", "nodes.csv: line 1 has no column memory_mib"},
		{PODS "p,1,1,0,0,\n", NODES "n,1,1,0,T4\n", "nodes.csv: no node has a GPU"},
		{PODS "p,1,1,0,0,\n", NODES "n,1,1,65,T4\n", "nodes.csv: line 2, column gpu: must be a whole number from 0 to 64"},
		{PODS "p,1,1,0,0,\n", NODES "n,1,1,1,T4\nn,1,1,1,T4\n", "nodes.csv: line 3, column sn: is the name of another"},
		{PODS "p,1,1,0,0,\n", NODES "n,1,1,1\n", "nodes.csv: line 2 has 4 fields, line 1 has 5"},
		{PODS "p,1,1,0,0,\n", NODES "n,\"1,1,1,T4\n", "nodes.csv: line 2 has a quote that is not closed"},
		{PODS "p,-1,1,0,0,\n", NODES "n,1,1,1,T4\n", "pods.csv: line 2, column cpu_milli"},
		{PODS "p,1,1,1,0,\n", NODES "n,1,1,1,T4\n", "pods.csv: line 2, column gpu_milli: must be from 1 to 1000"},
		{PODS "p,1,1,2,500,\n", NODES "n,1,1,1,T4\n", "pods.csv: line 2, column gpu_milli: must be 1000"},
		{PODS "p,1,1,0,10,\n", NODES "n,1,1,1,T4\n", "pods.csv: line 2, column gpu_milli: must be 0"},
		{PODS "a b,1,1,0,0,\n", NODES "n,1,1,1,T4\n", "pods.csv: line 2, column name: must be of printable"},
		{PODS, NODES "n,1,1,1,T4\n", "pods.csv: there is no pod"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++)
		assert_fails(read_texts(cases[i].pods, cases[i].nodes, &err), STINT_USAGE, cases[i].words);
}

static void quotes_line_ends_and_unknown_columns_are_read(void **state)
{
	(void)state;
	struct stint_trace *trace =
		trace_of("\xEF\xBB\xBFname,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,more\r\n\"p\",\"1\",1,1,500,T4|A10,\r\n\r\n",
			NODES "n,1,1,2,T4");
	assert_int_equal(trace->pods_count, 1);
	assert_int_equal(trace->shapes[0].milli, 500);
	assert_int_equal(trace->shapes[0].models, 1); /* no node has an A10 */
	assert_int_equal(trace->capacity_milli, 2000);
	stint_trace_free(trace);
}

/* ---- the measure ------------------------------------------------------------------------------------------------------------------------- */

static void fragmentation_is_what_the_next_typical_pod_cannot_use(void **state)
{
	(void)state;
	/* Four of ten ask for half a device, three for a whole one with 8 cores, two for two, one for none. */
	struct stint_trace *trace = trace_of(PODS "a,1000,1,1,500,\nb,1000,1,1,500,\nc,1000,1,1,500,\nd,1000,1,1,500,\n"
						  "e,8000,1,1,1000,\nf,8000,1,1,1000,\ng,8000,1,1,1000,\n"
						  "h,1000,1,2,1000,\ni,1000,1,2,1000,\nj,1000,1,0,0,\n",
		NODES "n,16000,1,2,T4\n");
	struct measure *measure = measure_new(trace);
	assert_int_equal(measure_scale(measure), 10);
	const struct {
		int64_t cpu_milli;
		uint16_t left[TRACE_LANES];
		int64_t wanted;
	} cases[] = {
		{16000, {1000, 1000}, 2000 * 1}, /* only the pod without devices has no use for them */
		{16000, {1000, 400}, 1400 * 1 + 4 * 400 + 3 * 400 + 2 * 1400}, /* 400 is too little for all, and one device for two pods */
		{4000, {1000, 1000}, 2000 * (1 + 3)}, /* too little CPU for three of them */
		{0, {1000, 500}, 1500 * 10},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++)
		assert_int_equal(measure_node(measure, 0, cases[i].cpu_milli, cases[i].left, TRACE_LANES), cases[i].wanted);
	measure_free(measure);
	stint_trace_free(trace);
}

static void rare_requests_are_not_typical(void **state)
{
	(void)state;
	stint_auto_buf pods = {0};
	stint_buf_puts(&pods, PODS);
	for (unsigned i = 0; i < 100; i++)
		stint_buf_printf(&pods, "p%u,1000,1,1,%u,\n", i, i < 60 ? 500 : i < 96 ? 1000 : i);
	struct stint_trace *trace = trace_of(pods.data, NODES "n,16000,1,2,T4\n");
	struct typicals typicals;
	trace_typicals_find(trace, &typicals);
	assert_int_equal(typicals.count, 2);
	assert_int_equal(typicals.total, 96);
	assert_int_equal(typicals.items[0].milli, 500);
	free(typicals.items);
	stint_trace_free(trace);
}

/* ---- the replay --------------------------------------------------------------------------------------------------------------------------- */

static void arrivals_are_the_list_shuffled_and_drawn_on_to_the_wanted_load(void **state)
{
	(void)state;
	struct stint_trace *trace = trace_of(PODS "a,1,1,1,1000,\nb,1,1,1,250,\n", NODES "n,1,1,8,T4\n");
	struct trace_random random;
	struct trace_arrivals arrivals;
	for (uint64_t seed = 1; seed < 20; seed++) {
		trace_random_seed(&random, seed);
		trace_arrivals_draw(trace, 1.3, &random, &arrivals);
		int64_t demand = 0;
		for (size_t i = 0; i < arrivals.count; i++)
			demand += trace_gpu_milli(&trace->shapes[arrivals.shapes[i]]);
		assert_true(demand <= 10400 && demand > 9400);
		assert_int_equal(arrivals.shapes[0] + arrivals.shapes[1], 1);
		free(arrivals.shapes);
		trace_random_seed(&random, seed);
		trace_arrivals_draw(trace, 0.1, &random, &arrivals);
		assert_true(arrivals.count <= 1);
		free(arrivals.shapes);
	}
	stint_trace_free(trace);
}

/* The state that is kept must be what a look at all nodes would find, for every policy. */
static void a_kept_score_is_what_it_would_be_if_made_anew(void **state)
{
	(void)state;
	struct lists lists = {0};
	lists_make(&lists, 300);
	struct stint_trace *trace = NULL;
	assert_works((trace = stint_trace_parse(slice_of(&lists.pods), "p", slice_of(&lists.nodes), "n", NULL, &err)));
	struct measure *measure = measure_new(trace);
	for (unsigned p = STINT_TRACE_DOTPROD; p < STINT_TRACE_POLICIES; p++) {
		struct replay *kept = replay_new(trace, measure, &replay_policies[p], 7);
		struct replay *anew = replay_new(trace, measure, &replay_policies[p], 7);
		for (size_t i = 0; i < trace->pods_count; i++) {
			replay_forget_scores(anew);
			assert_int_equal(replay_place(kept, trace->pods[i].shape), replay_place(anew, trace->pods[i].shape));
			assert_int_equal(kept->used_milli, anew->used_milli);
			assert_int_equal(kept->fragments_sum, anew->fragments_sum);
		}
		int64_t free_milli = 0, fragments = 0;
		for (size_t n = 0; n < trace->nodes_count; n++) {
			assert_memory_equal(replay_left(kept, (uint32_t)n), replay_left(anew, (uint32_t)n), kept->lanes * sizeof(uint16_t));
			free_milli += kept->free_milli[n];
			fragments +=
				measure_node(measure, kept->nodes[n]->model, kept->cpu[n], replay_left(kept, (uint32_t)n), kept->lanes);
		}
		assert_int_equal(free_milli + kept->used_milli, trace->capacity_milli);
		assert_int_equal(fragments, kept->fragments_sum);
		replay_free(kept);
		replay_free(anew);
	}
	measure_free(measure);
	stint_trace_free(trace);
	lists_free(&lists);
}

static double figure(const struct stint_json *entry, const char *key)
{
	double value = -1;
	assert_true(stint_json_double(stint_json_get(entry, key), &value));
	return value;
}

static bool stop_at_two(void *user, size_t done, size_t total)
{
	(void)user;
	assert_int_equal(total, 2 * 8);
	return done < 2;
}

static void a_replay_gives_every_policy_its_figures(void **state)
{
	(void)state;
	struct lists lists = {0};
	lists_make(&lists, 400);
	struct stint_trace *trace = NULL;
	assert_works((trace = stint_trace_parse(slice_of(&lists.pods), "p", slice_of(&lists.nodes), "n", NULL, &err)));
	struct stint_trace_replay how = {.policies = (1u << STINT_TRACE_LEARNED) - 1, .first_seed = 1, .last_seed = 2, .fill = 1.3};
	stint_auto_json *first = stint_trace_replay(trace, &how, NULL), *second = stint_trace_replay(trace, &how, NULL);
	struct stint_json *other = stint_json_first(stint_json_get(second, "policies"));
	double ours = 0, random = 0;
	stint_json_each(entry, stint_json_get(first, "policies")) {
		const char *name = stint_json_string_at(entry, "policy");
		const double allocation = figure(entry, "allocation_percent");
		assert_true(allocation > 50 && allocation <= 100);
		assert_true(allocation + figure(entry, "fragmentation_percent") <= 100.001);
		assert_true(stint_json_equal(stint_json_get(entry, "curve"), stint_json_get(other, "curve")));
		if (strcmp(name, "random") == 0)
			random = allocation;
		if (strcmp(name, "fragmentation") == 0) {
			ours = allocation;
			assert_true(figure(stint_json_get(entry, "learned"), "allocation_percent") > random);
		}
		other = stint_json_next(other);
	}
	assert_true(ours > random + 2);
	how.progress = stop_at_two;
	assert_fails(stint_trace_replay(trace, &how, &err), STINT_INTERRUPTED, "interrupted");
	stint_trace_free(trace);
	lists_free(&lists);
}

/* ---- in time ------------------------------------------------------------------------------------------------------------------------------- */

static void arrivals_wait_for_room_in_turn(void **state)
{
	(void)state;
	/* One device: b comes while a runs and waits 60 s; c needs nothing of it; d wants a model that is not there. */
	struct stint_trace *trace = trace_of("name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time\n"
					     "a,1,1,1,1000,,LS,1000,1100\nb,1,1,1,600,,BE,1040,1140\nc,1,1,0,0,,BE,1050,1060\n"
					     "d,1,1,1,1000,A10,BE,1060,1070\n",
		NODES "n,16000,64,1,T4\n");
	static const enum stint_placement placements[] = {STINT_BINPACK, STINT_FRAGMENTATION};
	static const char *const names[] = {"binpack", "fragmentation"};
	const struct stint_trace_arrivals how = {.placements = placements, .names = names, .count = 2, .load = 1};
	stint_auto_json *result = stint_trace_arrive(trace, &how, NULL);
	stint_json_each(entry, stint_json_get(result, "policies")) {
		assert_int_equal(stint_json_int_or(stint_json_get(entry, "never_started"), -1), 1);
		assert_true(figure(stint_json_get(entry, "wait"), "max_seconds") == 60);
		assert_true(figure(stint_json_get(entry, "wait"), "mean_seconds") == 20);
		assert_true(figure(stint_json_get(entry, "slowdown"), "max") == 1.6);
		assert_true(figure(entry, "utilisation_percent") == 100); /* until the last arrival, at 1060 */
		assert_true(figure(stint_json_item(stint_json_get(entry, "queues"), 1), "mean_wait_seconds") == 30);
	}
	stint_trace_free(trace);
	trace = trace_of(PODS "p,1,1,0,0,\n", NODES "n,1,1,1,T4\n");
	assert_fails(stint_trace_arrive(trace, &how, &err), STINT_USAGE, "creation_time and deletion_time");
	stint_trace_free(trace);
}

static void a_load_lets_pods_come_faster(void **state)
{
	(void)state;
	struct lists lists = {0};
	lists_make(&lists, 300);
	struct stint_trace *trace = NULL;
	assert_works((trace = stint_trace_parse(slice_of(&lists.pods), "p", slice_of(&lists.nodes), "n", NULL, &err)));
	static const enum stint_placement placements[] = {STINT_FRAGMENTATION};
	static const char *const names[] = {"fragmentation"};
	struct stint_trace_arrivals how = {.placements = placements, .names = names, .count = 1, .load = 1};
	stint_auto_json *calm = stint_trace_arrive(trace, &how, NULL);
	how.load = 20;
	stint_auto_json *busy = stint_trace_arrive(trace, &how, NULL), *again = stint_trace_arrive(trace, &how, NULL);
	assert_true(stint_json_equal(busy, again));
	const struct stint_json *few = stint_json_first(stint_json_get(calm, "policies")),
				*many = stint_json_first(stint_json_get(busy, "policies"));
	assert_true(figure(stint_json_get(few, "wait"), "mean_seconds") < figure(stint_json_get(many, "wait"), "mean_seconds"));
	assert_true(figure(few, "utilisation_percent") < figure(many, "utilisation_percent"));
	stint_trace_free(trace);
	lists_free(&lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_list_is_answered_with_file_line_and_column),
		cmocka_unit_test(quotes_line_ends_and_unknown_columns_are_read),
		cmocka_unit_test(fragmentation_is_what_the_next_typical_pod_cannot_use),
		cmocka_unit_test(rare_requests_are_not_typical),
		cmocka_unit_test(arrivals_are_the_list_shuffled_and_drawn_on_to_the_wanted_load),
		cmocka_unit_test(a_kept_score_is_what_it_would_be_if_made_anew),
		cmocka_unit_test(a_replay_gives_every_policy_its_figures),
		cmocka_unit_test(arrivals_wait_for_room_in_turn),
		cmocka_unit_test(a_load_lets_pods_come_faster),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
