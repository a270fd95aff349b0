/* What people are told: a sentence for every word, with numbers, and what to do. */
#include <stint/reasons.h>

#include "../engine/cluster.h"
#include "../test.h"

static void every_word_has_a_sentence_without_holes(void **state)
{
	(void)state;
	size_t count = 0;
	const struct stint_reason_row *rows = stint_reason_rows(&count);
	const struct stint_reason_facts facts = {.queue = "vision",
		.bound = "8 GPUs",
		.allocated = "6 GPUs",
		.asked = "4 GPUs",
		.more = "2 GPUs",
		.have = 1,
		.need = 4,
		.detail = "3 node(s) were cordoned",
		.who = "non-preemptible work of \"vision\"",
		.remedy = "ask for fewer",
		.name = "pg",
		.part = "workers",
		.topology = "fabric",
		.level = "rack",
		.domain = "zone1.rack2",
		.reason = "there is no room",
		.until = "2026-11-24T13:30:00Z",
		.pools = " of pool \"h100\"",
		.within = " in pool \"h100\"",
		.where = "pool \"h100\""};
	for (size_t i = 0; i < count; i++) {
		stint_autofree char *sentence = stint_reason_sentence(rows[i].word, &facts);
		assert_true(strlen(sentence) > 10);
		if (strpbrk(sentence, "{}?") && !strstr(rows[i].word, "NoDeviceWiring"))
			fail_msg("%s: %s", rows[i].word, sentence);
		assert_true(strlen(rows[i].word) < 40); /* as much as is kept of what a condition says */
		assert_int_equal(strspn(rows[i].word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"), strlen(rows[i].word));
	}
}

/* The same word is said of gangs that a PodGroup makes and of those that a job of several roles or a LeaderWorkerSet makes. */
static void a_gang_without_a_pod_group_is_told_what_to_do_as_well(void **state)
{
	(void)state;
	static const struct {
		const char *word, *with, *without; /* where a PodGroup or an annotation asks for it, and where the owner's spec does */
	} rows[] = {
		{"SubGroupDoesNotExist", "label kai.scheduler/subgroup-name", "roles, replicas or segments of their owner"},
		{"SegmentsInvalid", "annotation kai.scheduler/segment-size", "subGroupPolicy of a LeaderWorkerSet"},
	};
	const struct stint_reason_facts facts = {.have = 1, .part = "worker-2", .detail = "\"7\" is no size of a segment"};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_autofree char *sentence = stint_reason_sentence(rows[i].word, &facts);
		if (!strstr(sentence, rows[i].with) || !strstr(sentence, rows[i].without) || strstr(sentence, "its PodGroup"))
			fail_msg("%s: %s", rows[i].word, sentence);
	}
}

static void amounts_carry_their_unit(void **state)
{
	(void)state;
	static const struct {
		enum stint_dimension dimension;
		double amount;
		const char *text;
	} table[] = {{STINT_GPU, 1, "1 GPU"}, {STINT_GPU, 0.5, "0.5 GPUs"}, {STINT_GPU, 8, "8 GPUs"}, {STINT_GPU, 0, "0 GPUs"},
		{STINT_CPU, 2500, "2.5 CPU cores"}, {STINT_CPU, 1000, "1 CPU core"}, {STINT_MEMORY, 16.0 * (1 << 30), "16Gi of memory"},
		{STINT_GPU, -1, "without limit"}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		stint_autofree char *text = stint_amount_text(table[i].dimension, table[i].amount);
		assert_string_equal(text, table[i].text);
	}
}

static void add_low(struct cluster *c, int64_t min_runtime_s)
{
	add_queue(c, "q", .quota = -1, .preempt_min_s = min_runtime_s);
	add_pod(c, add_group(c, "low", .queue = "q", .priority = 40, .started_ms = CLUSTER_NOW_MS - 10000), "low", .gpus = 1, .on = "n0",
		.slots = 1);
}

static int64_t tell_name(const void *user, uint32_t group, struct stint_json *holder)
{
	struct stint_group_view view;
	stint_engine_group_view(((const struct cluster *)user)->engine, group, &view);
	stint_json_set_string(holder, "name", view.key);
	return -1;
}

/* Of each the word, the end of the sentence, and the record. */
static void delays_and_minimum_runtimes_are_said(void **state)
{
	(void)state;
	for (int delay = 0; delay < 2; delay++) {
		struct cluster *c = cluster_new();
		stint_policy_evict(&c->policy);
		add_node(c, "n0", .gpus = 1);
		add_low(c, delay ? 0 : 60);
		const uint32_t waits = add_group(c, "waits", .queue = "q", .priority = 75, .delay_s = delay ? 30 : 0);
		add_pod(c, waits, "waits", .gpus = 1);
		run_cycle(c);
		struct stint_explanation said;
		stint_explain_group(c->engine, waits, &said);
		assert_string_equal(said.word, delay ? "PreemptionDelayNotElapsed" : "MinRuntimeNotElapsed");
		assert_string_equal(stint_explain_group_word(c->engine, waits), said.word);
		assert_false(said.never);
		const char *end = delay ? "; it takes nothing from others before 2001-09-09T01:47:10Z, when its preemption delay is over"
					: "; what would have to be evicted for it is left alone until 2001-09-09T01:47:30Z, when its "
					  "minimum runtime is over";
		assert_true(stint_starts_with(said.sentence, "it asks for 1 GPU, and no node can give that now"));
		assert_string_equal(strstr(said.sentence, "; "), end);
		stint_auto_json *record = stint_json_new_object();
		stint_reason_record(
			record, c->engine, waits, &said.why, c->now_ms, &(struct stint_reason_names){.name = tell_name, .user = c});
		const struct stint_json *restraint = stint_json_get(record, "restraint");
		assert_string_equal(stint_json_string(stint_json_get(restraint, "kind")), delay ? "preemption-delay" : "min-runtime");
		assert_int_equal(stint_json_int_or(stint_json_get(restraint, "in_s"), 0), delay ? 30 : 50);
		const struct stint_json *protected = stint_json_get(restraint, "protected");
		assert_true((protected == NULL) == (delay == 1));
		if (protected)
			assert_string_equal(stint_json_string(stint_json_get(protected, "name")), "low");
		stint_explanation_clear(&said);
		cluster_free(c);
	}
}

/* Of one that no node could take: what it asks for in vain, what to do, and nobody who has it. */
static void what_never_fits_names_what_is_missing_and_what_to_ask_for(void **state)
{
	(void)state;
	static const struct {
		struct node_is node;
		struct pod_is pod;
		const char *asks, *remedy;
	} rows[] = {
		{{.gpus = 2, .mib = 81900}, {.mib = 81920}, "it asks for 80Gi of a GPU, and no node could give that",
			"): the largest devices have 79.9Gi: ask for 79Gi or less"},
		{{.gpus = 2, .mib = 900}, {.mib = 901}, "it asks for 901Mi of a GPU, and",
			"): the largest devices have 900Mi: ask for 900Mi or less"},
		{{.gpus = 2}, {.gpus = 3}, "it asks for 3 GPUs, and", "): no node has more than 2 GPUs: ask for fewer in each pod"},
		{{.gpus = 2}, {.gpus = 1, .cpu_milli = 65000}, "it asks for 1 GPU and 65 CPU cores, and",
			"): ask for less, or for what the nodes have"},
		{{.gpus = 2}, {.gpus = 1, .selects = "foo", .selected = "bar"},
			"it asks for a node with label foo=bar, and no node could give that",
			"): label a node so, or take its node selector away"},
		{{.gpus = 2, .taint = "dedicated"}, {.cpu_milli = 1}, "it asks for a node whose taints it tolerates, and",
			"): let it tolerate the taint dedicated"},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = cluster_new();
		add_queue(c, "q", .quota = -1);
		struct node_is node = rows[i].node;
		struct pod_is pod = rows[i].pod;
		node.made = pod.made = true;
		add_node_(c, "n0", node);
		add_pod(c, add_group(c, "holds", .queue = "q"), "holds", .gpus = 1, .on = "n0", .slots = 1);
		const uint32_t waits = add_group(c, "waits", .queue = "q");
		add_pod_(c, waits, "waits", pod);
		run_cycle(c);
		struct stint_explanation said;
		stint_explain_group(c->engine, waits, &said);
		assert_string_equal(said.word, "NeverFits");
		if (!stint_starts_with(said.sentence, rows[i].asks) || !stint_ends_with(said.sentence, rows[i].remedy))
			fail_msg("\"%s\" is not \"%s ... %s\"", said.sentence, rows[i].asks, rows[i].remedy);
		stint_auto_json *record = stint_json_new_object();
		stint_reason_record(
			record, c->engine, waits, &said.why, c->now_ms, &(struct stint_reason_names){.name = tell_name, .user = c});
		assert_null(stint_json_first(stint_json_get(record, "holders")));
		assert_int_equal(stint_json_int_or(stint_json_get(record, "holders_total"), -1), 0);
		stint_explanation_clear(&said);
		cluster_free(c);
	}
}

/* A queue is charged in hundredths, and lists show what was asked for: the sentence has both where they differ. */
static void a_bound_names_what_was_asked_for_and_what_it_counts_as(void **state)
{
	(void)state;
	static const struct {
		double portion;
		uint32_t pods;
		const char *asks;
	} rows[] = {
		{0.125, 1, "this asks for 0.125 GPUs, which count as 0.13: "},
		{0.125, 3, "this asks for 0.375 GPUs, which count as 0.39: "},
		{0.25, 1, "this asks for 0.25 GPUs: "},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 4);
		add_queue(c, "q", .quota = 1, .limit = 1);
		add_pod(c, add_group(c, "holds", .queue = "q"), "holds", .gpus = 1, .on = "n0", .slots = 1);
		const uint32_t waits = add_group(c, "waits", .queue = "q", .min = rows[i].pods);
		for (uint32_t pod = 0; pod < rows[i].pods; pod++) {
			stint_autofree char *name = stint_format("waits-%u", pod);
			add_pod(c, waits, name, .portion = rows[i].portion);
		}
		run_cycle(c);
		struct stint_explanation said;
		stint_explain_group(c->engine, waits, &said);
		assert_string_equal(said.word, "OverLimit");
		if (!strstr(said.sentence, rows[i].asks))
			fail_msg("\"%s\" has no \"%s\"", said.sentence, rows[i].asks);
		stint_explanation_clear(&said);
		cluster_free(c);
	}
}

/* "gives" has five GPUs, "takes" three, and one more is asked for. */
struct withheld {
	const char *rule, *text;
	double gives_quota, takes_quota;
	bool fixed, hidden;
	const char *giver; /* the whole text; NULL: there is none */
};

static int64_t tell_visible(const void *user, uint32_t group, struct stint_json *holder)
{
	stint_json_set_string(holder, "workload", "w");
	return tell_name(user, group, holder);
}

static int64_t tell_hidden(const void *user, uint32_t group, struct stint_json *holder)
{
	(void)user;
	(void)group;
	stint_json_set_string(holder, "project", "another project");
	return -1;
}

static void who_takes_nothing_back_is_told_why(void **state)
{
	(void)state;
	static const struct withheld rows[] = {
		{"fair-share",
			"\"takes\" has 3 GPUs and would have 4 GPUs, more than its fair share of 3 GPUs: ask for fewer, or raise its quota "
			"or "
			"weight",
			2, 3, false, false, "\"gives\" has 5 GPUs, and its fair share is 2 GPUs"},
		{"fair-share",
			"\"takes\" has 3 GPUs and would have 4 GPUs, more than its fair share of 3 GPUs, and no other project has more "
			"than "
			"is due to it",
			5, 3, false, false, NULL},
		{"non-preemptible", "what others have beyond what is due to them is not preemptible", 2, 4, true, true,
			"another project has 5 GPUs, and its quota is 2 GPUs"},
		{"due-to-others", "no other project has more than is due to it", 5, 4, false, false, NULL},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = cluster_new();
		stint_policy_evict(&c->policy);
		add_node(c, "n0", .gpus = 8);
		add_queue(c, "gives", .quota = rows[i].gives_quota);
		add_queue(c, "takes", .quota = rows[i].takes_quota);
		for (int job = 0; job < 8; job++) {
			stint_autofree char *key = stint_format("job-%d", job);
			add_pod(c, add_group(c, key, .queue = job < 5 ? "gives" : "takes", .fixed = job < 5 && rows[i].fixed), key,
				.gpus = 1, .on = "n0", .slots = UINT64_C(1) << job);
		}
		const uint32_t waits = add_group(c, "waits", .queue = "takes");
		add_pod(c, waits, "waits", .gpus = 1);
		run_cycle(c);
		struct stint_explanation said;
		stint_explain_group(c->engine, waits, &said);
		struct stint_reason_names names = {.name = rows[i].hidden ? tell_hidden : tell_visible, .user = c};
		stint_auto_json *record = stint_json_new_object(), *known = stint_json_new_object();
		stint_reason_record(record, c->engine, waits, &said.why, c->now_ms, &names);
		const struct stint_json *reclaim = stint_json_get(record, "reclaim");
		assert_string_equal(stint_json_string_at(reclaim, "withheld_by"), rows[i].rule);
		assert_string_equal(stint_json_string_at(reclaim, "text"), rows[i].text);
		const bool together = strstr(rows[i].text, "3 GPUs, and no other") != NULL;
		assert_int_equal(stint_json_bool_or(stint_json_get(reclaim, "alone"), together), !together);
		const struct stint_json *giver = stint_json_first(stint_json_at(reclaim, "beyond", "queues"));
		assert_true((giver != NULL) == (rows[i].giver != NULL));
		if (giver)
			assert_string_equal(stint_json_string_at(giver, "text"), rows[i].giver);
		stint_autofree char *all = stint_json_print(reclaim);
		assert_true(strstr(all, "gives") != NULL || rows[i].hidden || !giver);
		assert_true(strstr(all, "gives") == NULL || !rows[i].hidden);
		names.known_only = true;
		stint_reason_record(known, c->engine, waits, &said.why, c->now_ms, &names);
		assert_null(stint_json_get(known, "reclaim"));
		stint_explanation_clear(&said);
		cluster_free(c);
	}
}

/* What submit has no flag for is told with the place where it is written. */
static void a_smaller_minimum_says_where_it_is_set(void **state)
{
	(void)state;
	const struct stint_remedy remedy = {.kind = STINT_REMEDY_MEMBERS, .from = 4, .to = 2, .queue = STINT_NO_HANDLE};
	struct cluster *c = cluster_new();
	stint_autofree char *text = stint_remedy_text(c->engine, &remedy, "");
	assert_string_equal(
		text, "let it start with 2 pods: minMember of its PodGroup, or annotation kai.scheduler/batch-min-member of its Job");
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_has_a_sentence_without_holes),
		cmocka_unit_test(a_gang_without_a_pod_group_is_told_what_to_do_as_well),
		cmocka_unit_test(amounts_carry_their_unit),
		cmocka_unit_test(delays_and_minimum_runtimes_are_said),
		cmocka_unit_test(what_never_fits_names_what_is_missing_and_what_to_ask_for),
		cmocka_unit_test(a_bound_names_what_was_asked_for_and_what_it_counts_as),
		cmocka_unit_test(who_takes_nothing_back_is_told_why),
		cmocka_unit_test(a_smaller_minimum_says_where_it_is_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
