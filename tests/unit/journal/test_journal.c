/*
 * The journal: random worlds come out of a replay as they came out at first, byte for byte; what differs is found at its line; what is no journal
 * is refused with its place.
 */
#include "tests/unit/test.h"

#include <stdio.h>

#include <stint/journal.h>

#include "tests/unit/engine/life.h"

static void keep(void *user, const char *lines, size_t length)
{
	stint_buf_add(user, lines, length);
}

/* A world that lives for some steps, with its journal. Questions that the live scheduler asks in between must leave no trace. */
static void record_world(uint64_t seed, bool curious, struct stint_buf *out)
{
	struct world *w = stint_alloc(sizeof *w);
	random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	w->now_ms = CLUSTER_NOW_MS;
	make_policy(w);
	w->policy.hold_moved_ms = chance(50) ? 30000 : 0;
	terms_percent = chance(50) ? 30 : 0;
	pools_percent = seed % 3 == 0 ? 60 : 0;
	make_nodes(w);
	make_queues(w);
	for (int g = 0; g < GROUPS; g++) {
		if (chance(40))
			make_group(w, &w->groups[g]);
	}
	struct cluster *c = cluster_new();
	struct stint_journal *journal = stint_journal_new(c->engine, keep, out);
	tell_all_to(c, w, false);
	for (int step = 0; step < STEPS; step++) {
		run_cycle(c);
		apply(c, w);
		for (size_t i = 0; curious && i < c->last.judged_count; i++) {
			struct stint_remedy remedies[STINT_MAX_REMEDIES];
			struct stint_why why;
			struct stint_group_view view;
			if (!stint_engine_group_view(c->engine, c->last.judged[i], &view))
				continue;
			stint_engine_why(c->engine, c->last.judged[i], &why);
			if (i == 0 && view.pending)
				stint_engine_remedies(c->engine, c->last.judged[i], remedies);
			stint_engine_expected(c->engine, c->last.judged[i], w->now_ms);
		}
		forget_placed(w);
		live(c, w);
	}
	stint_journal_free(journal);
	cluster_free(c);
	free(w);
}

static void assert_same(const struct stint_buf *journal, uint64_t seed)
{
	STINT_CLEANUP(stint_replay_clear) struct stint_replay replay = {0};
	stint_auto_error *err = NULL;
	if (!stint_journal_replay("world", journal->data, journal->length, &replay, &err))
		fail_msg("seed %llu: %s", (unsigned long long)seed, err->message);
	if (replay.differs)
		fail_msg("seed %llu, line %zu\n  was %s\n  is  %s", (unsigned long long)seed, replay.differs, replay.was, replay.is);
	assert_false(replay.cut);
	assert_int_equal(replay.cycles, STEPS);
}

#ifdef __SANITIZE_ADDRESS__ /* several times slower; the release pass has looked at more of them */
enum { WORLDS = 15, CURIOUS_WORLDS = 5 };
#else
enum { WORLDS = 60, CURIOUS_WORLDS = 25 };
#endif

static void random_worlds_are_the_same_again(void **state)
{
	(void)state;
	size_t decisions = 0;
	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		stint_auto_buf journal = {0};
		record_world(seed, false, &journal);
		assert_same(&journal, seed);
		decisions += strstr(journal.data, "\"decision\":\"evict\"") != NULL;
	}
	assert_true(decisions > WORLDS / 6);
}

static void assert_same_lines(const struct stint_buf *a, const struct stint_buf *b, uint64_t seed)
{
	size_t at = 0, from = 0, line = 1;
	for (; at < a->length && at < b->length && a->data[at] == b->data[at]; at++) {
		line += a->data[at] == '\n';
		from = a->data[at] == '\n' ? at + 1 : from;
	}
	if (at < a->length || at < b->length)
		fail_msg("seed %llu, line %zu:\n  %.*s\n  %.*s", (unsigned long long)seed, line, (int)strcspn(a->data + from, "\n"),
			a->data + from, (int)strcspn(b->data + from, "\n"), b->data + from);
}

static void questions_leave_no_trace_in_what_is_decided(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= CURIOUS_WORLDS; seed++) {
		stint_auto_buf plain = {0}, curious = {0};
		record_world(seed, false, &plain);
		record_world(seed, true, &curious);
		assert_same_lines(&plain, &curious, seed);
		assert_same(&curious, seed);
	}
}

/* ---- what differs ------------------------------------------------------------------------------------------------------------------------- */

static size_t line_of(const struct stint_buf *journal, const char *at)
{
	size_t line = 1;
	for (const char *c = journal->data; c < at; c++)
		line += *c == '\n';
	return line;
}

static void another_decision_is_found_at_its_line(void **state)
{
	(void)state;
	stint_auto_buf journal = {0};
	record_world(3, false, &journal);
	char *decision = strstr(journal.data, "\"decision\":\"bind\"");
	assert_non_null(decision);
	char *node = strstr(decision, "\"node\":\"n");
	node[strlen("\"node\":\"n")] = '9';
	STINT_CLEANUP(stint_replay_clear) struct stint_replay replay = {0};
	assert_true(stint_journal_replay("j", journal.data, journal.length, &replay, NULL));
	assert_int_equal(replay.differs, line_of(&journal, decision));
	assert_non_null(strstr(replay.was, "\"node\":\"n9\""));
	assert_null(strstr(replay.is, "\"node\":\"n9\""));
}

static void half_a_line_or_cycle_is_said_and_the_rest_compared(void **state)
{
	(void)state;
	stint_auto_buf journal = {0};
	record_world(3, false, &journal);
	STINT_CLEANUP(stint_replay_clear) struct stint_replay whole = {0};
	assert_true(stint_journal_replay("j", journal.data, journal.length, &whole, NULL));
	const char *last_decision = NULL;
	for (const char *at = journal.data; (at = strstr(at, "\"done\"")); at++)
		last_decision = at;
	const size_t lengths[] = {journal.length - 5, (size_t)(last_decision - journal.data), journal.length / 2};
	for (size_t i = 0; i < STINT_COUNT(lengths); i++) {
		STINT_CLEANUP(stint_replay_clear) struct stint_replay replay = {0};
		assert_true(stint_journal_replay("j", journal.data, lengths[i], &replay, NULL));
		assert_true(replay.cut);
		assert_int_equal(replay.differs, 0);
		assert_true(replay.lines < whole.lines && replay.lines > whole.lines / 4);
	}
}

/* ---- what is no journal ---------------------------------------------------------------------------------------------------------------------- */

static void what_is_no_journal_is_refused_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *lines, *message;
	} rows[] = {
		{"", "j:1: this is no journal of version 1: its first line is {\"journal\":1}"},
		{"{\"journal\":2}\n", "j:1: this is no journal"},
		{"{\"journal\":1}\nx\n", "j:2: "},
		{"{\"journal\":1}\n[]\n", "j:2: this is no line of a journal"},
		{"{\"journal\":1}\n{\"nodes\":1}\n", "j:2: this is no line of a journal"},
		{"{\"journal\":1}\n{\"node\":{\"uid\":\"u\"}}\n", "j:2: node.name must be there"},
		{"{\"journal\":1}\n{\"node\":{\"name\":\"n\",\"gpus\":\"8\"}}\n",
			"j:2: node.gpus must be a whole number from -2147483648 to 2147483647"},
		{"{\"journal\":1}\n{\"node\":{\"name\":\"n\",\"taints\":[{\"key\":\"k\"}]}}\n", "j:2: node.taints[0].value must be there"},
		{"{\"journal\":1}\n{\"node\":{\"name\":\"n\",\"ready\":\"yes\"}}\n",
			"j:2: node.ready must be one of \"unknown\", \"false\", \"true\""},
		{"{\"journal\":1}\n{\"node\":{\"name\":\"n\",\"gpu\":1}}\n", "j:2: node.gpu is no key of a journal's"},
		{"{\"journal\":1}\n{\"node\":{\"name\":\"n\"},\"x\":1}\n", "j:2: x is no key of such a line"},
		{"{\"journal\":1}\n{\"class\":{\"name\":\"c\",\"selectors\":[\"1 +\"]}}\n",
			"j:2: class.selectors[0] must be an expression on a device"},
		{"{\"journal\":1}\n{\"usage\":\"q\",\"cpu\":0,\"memory\":0,\"gpu\":0}\n",
			"j:2: usage must name a queue that is known by then"},
		{"{\"journal\":1}\n{\"group_gone\":\"g\"}\n", "j:2: group_gone must be the key of a group that is known by then"},
		{"{\"journal\":1}\n{\"group\":{\"key\":\"g\",\"parts\":[{\"name\":\"\",\"inner\":true},{\"name\":\"\"}]}}\n",
			"j:2: group.parts make no tree"},
		{"{\"journal\":1}\n{\"confirm\":\"p\"}\n", "j:2: confirm must be the UID of a pod that is known by then"},
		{"{\"journal\":1}\n{\"pod\":{\"name\":\"p\"},\"status\":\"pending\"}\n", "j:2: pod.spec must be there"},
		{"{\"journal\":1}\n{\"pod\":{\"name\":\"p\",\"spec\":{\"gpu\":{\"portion\":2}}},\"status\":\"pending\"}\n",
			"j:2: pod.spec.gpu.portion must be a number from 0 to 1"},
		{"{\"journal\":1}\n{\"pod\":{\"name\":\"p\",\"spec\":{}},\"status\":\"assumed\"}\n",
			"j:2: status is one that the engine alone gives"},
		{"{\"journal\":1}\n{\"pod\":{\"name\":\"p\",\"spec\":{}},\"status\":\"bound\"}\n",
			"j:2: status is one of a pod that has a node"},
		{"{\"journal\":1}\n{\"pod\":{\"name\":\"p\",\"spec\":{}},\"status\":\"gated\",\"devices\":[64]}\n",
			"j:2: devices must be a list of slots"},
		{"{\"journal\":1}\n{\"cycle\":1}\n", "j:2: policy must be there in the first cycle"},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		STINT_CLEANUP(stint_replay_clear) struct stint_replay replay = {0};
		stint_auto_error *err = NULL;
		if (stint_journal_replay("j", rows[i].lines, strlen(rows[i].lines), &replay, &err))
			fail_msg("row %zu was taken", i);
		if (!stint_starts_with(err->message, rows[i].message))
			fail_msg("row %zu: %s", i, err->message);
		assert_int_equal(err->code, STINT_USAGE);
	}
}

static void a_line_that_is_too_long_is_refused_before_it_is_read(void **state)
{
	(void)state;
	stint_auto_buf journal = {0};
	stint_buf_puts(&journal, "{\"journal\":1}\n");
	stint_autofree char *line = stint_alloc(STINT_JOURNAL_MAX_LINE + 1);
	memset(line, 'x', STINT_JOURNAL_MAX_LINE);
	line[STINT_JOURNAL_MAX_LINE] = '\n';
	stint_buf_add(&journal, line, STINT_JOURNAL_MAX_LINE + 1);
	STINT_CLEANUP(stint_replay_clear) struct stint_replay replay = {0};
	stint_auto_error *err = NULL;
	assert_false(stint_journal_replay("j", journal.data, journal.length, &replay, &err));
	assert_string_equal(err->message, "j:2: the line is longer than 64 MiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_worlds_are_the_same_again),
		cmocka_unit_test(questions_leave_no_trace_in_what_is_decided),
		cmocka_unit_test(another_decision_is_found_at_its_line),
		cmocka_unit_test(half_a_line_or_cycle_is_said_and_the_rest_compared),
		cmocka_unit_test(what_is_no_journal_is_refused_with_its_place),
		cmocka_unit_test(a_line_that_is_too_long_is_refused_before_it_is_read),
	};
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
