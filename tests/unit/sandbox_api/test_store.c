/*
 * What the store promises: order, versions, the past, and events for who reads at his own pace or is told.
 */
#include "support.h"

struct bench {
	struct stint_loop *loop;
	struct stint_schema *schema;
	struct stint_store *store;
	const struct stint_kind *kind;
	struct stint_buf told;
	int news;
};

static struct bench *bench_new(size_t events, size_t bytes)
{
	struct bench *bench = stint_alloc(sizeof(*bench));
	struct stint_store_limits limits = {events, bytes};

	bench->loop = stint_loop_new(NULL);
	bench->schema = stint_schema_new();
	bench->store = stint_store_new(bench->loop, &limits);
	bench->kind = stint_schema_kind(bench->schema, "v1", "ConfigMap");
	return bench;
}

static int up(void **state)
{
	*state = bench_new(0, 0);
	return 0;
}

static int down(void **state)
{
	struct bench *bench = *state;

	stint_store_free(bench->store);
	stint_schema_free(bench->schema);
	stint_loop_free(bench->loop);
	stint_buf_free(&bench->told);
	free(bench);
	return 0;
}

static uint64_t put(struct bench *bench, const char *space, const char *name, const char *value)
{
	stint_autofree char *text = stint_format(
		"{'metadata':{'namespace':'%s','name':'%s','labels':{'v':'%s'}},'data':{'v':'%s'}}", space, name, value, value);
	stint_auto_json *object = json(text);

	return stint_store_put(bench->store, bench->kind, object)->version;
}

/* "space/name=value" of each item, separated by blanks. */
static char *names(struct bench *bench, const char *space, uint64_t version)
{
	stint_auto_store_list list = {0};
	stint_auto_buf text = {0};

	if (version)
		assert_true(stint_store_list_at(bench->store, bench->kind, space, version, &list));
	else
		stint_store_list(bench->store, bench->kind, space, &list);
	for (size_t i = 0; i < list.count; i++) {
		stint_auto_json *object = stint_stored_parse(list.items[i]);

		stint_buf_printf(&text, "%s%s/%s=%s", i ? " " : "", list.items[i]->space, list.items[i]->name,
			stint_json_string_at(object, "data", "v"));
	}
	return stint_buf_steal(&text);
}

#define assert_names(bench, space, version, wanted)                            \
	do {                                                                   \
		stint_autofree char *got = names((bench), (space), (version)); \
		assert_string_equal(got, (wanted));                            \
	} while (0)

static void test_lists_are_ordered_by_namespace_and_name(void **state)
{
	struct bench *bench = *state;

	put(bench, "b", "x", "1");
	put(bench, "a", "z", "2");
	put(bench, "a", "a", "3");
	put(bench, "ab", "m", "4");
	assert_names(bench, NULL, 0, "a/a=3 a/z=2 ab/m=4 b/x=1");
	assert_names(bench, "a", 0, "a/a=3 a/z=2");
	assert_names(bench, "aa", 0, "");
}

static void test_every_write_has_a_version_of_its_own_and_the_object_says_it(void **state)
{
	struct bench *bench = *state;
	uint64_t first = put(bench, "a", "x", "1"), second = put(bench, "a", "x", "2");
	const struct stint_stored *stored = stint_store_get(bench->store, bench->kind, "a", "x");
	stint_auto_json *object = stint_stored_parse(stored);
	stint_autofree char *digits = stint_format("%llu", (unsigned long long)second);

	assert_true(second > first);
	assert_int_equal(stored->version, second);
	assert_string_equal(stint_json_string_at(object, "metadata", "resourceVersion"), digits);
	assert_memory_equal(stored->data + stored->version_at, digits, stored->version_length);
	assert_true(stint_slice_is(stored->labels, "{\"v\":\"2\"}"));
}

static void test_the_past_is_shown_exactly_while_it_lasts(void **state)
{
	struct bench *bench = *state;
	uint64_t first, second, third;

	put(bench, "a", "x", "1");
	first = put(bench, "a", "y", "1");
	put(bench, "a", "x", "2");
	second = put(bench, "a", "z", "1");
	assert_true(stint_store_delete(bench->store, bench->kind, "a", "y"));
	third = put(bench, "a", "x", "3");
	assert_names(bench, "a", first, "a/x=1 a/y=1");
	assert_names(bench, "a", second, "a/x=2 a/y=1 a/z=1");
	assert_names(bench, NULL, third, "a/x=3 a/z=1");
	assert_names(bench, "b", second, "");

	stint_auto_store_list list = {0};
	assert_false(stint_store_list_at(bench->store, bench->kind, "a", third + 1, &list));
	assert_false(stint_store_list_at(bench->store, bench->kind, "a", 1, &list));
}

static void on_news(void *user)
{
	((struct bench *)user)->news++;
}

static void test_a_reader_sees_every_event_after_its_version_once(void **state)
{
	struct bench *bench = *state;
	uint64_t start = put(bench, "a", "x", "1");
	struct stint_store_reader *reader = stint_store_reader_new(bench->store, bench->kind, start, on_news, bench);
	const struct stint_store_event *event;
	bool lost;

	assert_null(stint_store_reader_next(reader, &lost));
	assert_false(lost);
	put(bench, "a", "x", "2");
	put(bench, "a", "y", "1");
	stint_store_delete(bench->store, bench->kind, "a", "x");
	assert_int_equal(bench->news, 1); /* told once, until it has read to the end again */
	event = stint_store_reader_next(reader, &lost);
	assert_int_equal(event->type, STINT_STORE_MODIFIED);
	assert_non_null(event->before);
	event = stint_store_reader_next(reader, &lost);
	assert_int_equal(event->type, STINT_STORE_ADDED);
	event = stint_store_reader_next(reader, &lost);
	assert_int_equal(event->type, STINT_STORE_DELETED);
	assert_null(event->now);
	assert_true(event->version > event->before->version);
	assert_null(stint_store_reader_next(reader, &lost));
	put(bench, "a", "z", "1");
	assert_int_equal(bench->news, 2);
	stint_store_reader_free(reader);
}

static void test_a_reader_from_the_future_waits_for_it(void **state)
{
	struct bench *bench = *state;
	uint64_t start = put(bench, "a", "x", "1");
	struct stint_store_reader *reader = stint_store_reader_new(bench->store, bench->kind, start + 2, on_news, bench);
	bool lost;

	put(bench, "a", "x", "2");
	put(bench, "a", "x", "3");
	assert_null(stint_store_reader_next(reader, &lost));
	put(bench, "a", "x", "4");
	assert_int_equal(stint_store_reader_next(reader, &lost)->version, start + 3);
	stint_store_reader_free(reader);
}

static void test_a_reader_that_is_too_slow_is_told_so(void **state)
{
	struct bench *bench = bench_new(8, 0);
	uint64_t start = put(bench, "a", "x", "0");
	struct stint_store_reader *reader = stint_store_reader_new(bench->store, bench->kind, start, on_news, bench);
	void *owned = bench;
	bool lost;

	(void)state;
	for (int i = 0; i < 100; i++) {
		put(bench, "a", "x", "1");
		stint_loop_step(bench->loop, 0); /* the history is cut between turns */
	}
	assert_null(stint_store_reader_next(reader, &lost));
	assert_true(lost);
	assert_true(stint_store_compacted(bench->store) > start);
	stint_store_reader_free(reader);
	down(&owned);
}

static void test_the_history_is_bounded_by_bytes(void **state)
{
	struct bench *bench = bench_new(0, 4096);
	void *owned = bench;

	(void)state;
	for (int i = 0; i < 200; i++) {
		put(bench, "a", "x", "a value of some length, so that few of them fit");
		stint_loop_step(bench->loop, 0);
	}
	assert_true(stint_store_version(bench->store) - stint_store_compacted(bench->store) < 40);
	down(&owned);
}

static void tell(void *user, const struct stint_store_event *event)
{
	static const char marks[] = {[STINT_STORE_ADDED] = '+', [STINT_STORE_MODIFIED] = '~', [STINT_STORE_DELETED] = '-'};
	struct bench *bench = user;
	const struct stint_json *object = event->now ? stint_event_now(event) : stint_event_before(event);

	stint_buf_printf(&bench->told, "%c%s=%s ", marks[event->type], stint_json_string_at(object, "metadata", "name"),
		stint_json_string_at(object, "data", "v"));
	if (event->type == STINT_STORE_ADDED)
		put(bench, "a", stint_json_string_at(object, "metadata", "name"), "again"); /* a handler may write */
}

static void test_subscribers_are_told_in_order_after_the_writer_returned(void **state)
{
	struct bench *bench = *state;
	struct stint_subscription *subscription;

	put(bench, "a", "before", "1");
	subscription = stint_store_subscribe(bench->store, bench->kind, tell, bench);
	put(bench, "a", "x", "1");
	stint_store_delete(bench->store, bench->kind, "a", "before");
	assert_null(bench->told.data);
	for (int i = 0; i < 5; i++)
		stint_loop_step(bench->loop, 0);
	assert_string_equal(bench->told.data, "+x=1 -before=1 ~x=again ");
	stint_store_unsubscribe(subscription);
	put(bench, "a", "y", "1");
	stint_loop_step(bench->loop, 0);
	assert_string_equal(bench->told.data, "+x=1 -before=1 ~x=again ");
}

static void test_a_dropped_kind_ends_its_readers_and_keeps_the_others(void **state)
{
	struct bench *bench = *state;
	const struct stint_kind *secrets = stint_schema_kind(bench->schema, "v1", "Secret");
	struct stint_store_reader *reader, *other;
	bool lost;

	put(bench, "a", "x", "1");
	reader = stint_store_reader_new(bench->store, bench->kind, stint_store_version(bench->store), on_news, bench);
	other = stint_store_reader_new(bench->store, secrets, stint_store_version(bench->store), on_news, bench);
	assert_null(stint_store_reader_next(reader, &lost));
	stint_store_drop(bench->store, bench->kind);
	assert_int_equal(bench->news, 1);
	assert_null(stint_store_reader_next(reader, &lost));
	assert_true(lost);
	assert_null(stint_store_reader_next(other, &lost));
	assert_false(lost);
	assert_int_equal(stint_store_count(bench->store, bench->kind), 0);
	stint_store_reader_free(reader);
	stint_store_reader_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lists_are_ordered_by_namespace_and_name, up, down),
		cmocka_unit_test_setup_teardown(test_every_write_has_a_version_of_its_own_and_the_object_says_it, up, down),
		cmocka_unit_test_setup_teardown(test_the_past_is_shown_exactly_while_it_lasts, up, down),
		cmocka_unit_test_setup_teardown(test_a_reader_sees_every_event_after_its_version_once, up, down),
		cmocka_unit_test_setup_teardown(test_a_reader_from_the_future_waits_for_it, up, down),
		cmocka_unit_test(test_a_reader_that_is_too_slow_is_told_so),
		cmocka_unit_test(test_the_history_is_bounded_by_bytes),
		cmocka_unit_test_setup_teardown(test_subscribers_are_told_in_order_after_the_writer_returned, up, down),
		cmocka_unit_test_setup_teardown(test_a_dropped_kind_ends_its_readers_and_keeps_the_others, up, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
