/* text: the tree, the cursor and the splitter. */
#include <stint/text.h>

#include "tests/unit/test.h"

static struct stint_json *parsed(const char *text)
{
	struct stint_json *json = NULL;
	assert_works(json = stint_json_parse(text, strlen(text), STINT_JSON_REJECT_DUPLICATES, &err));
	return json;
}

static void a_document_survives_a_round_trip(void **state)
{
	(void)state;
	static const char *const documents[] = {
		"{}",
		"[]",
		"null",
		"true",
		"-1",
		"0.1",
		"1e+300",
		"9007199254740993",
		"-9223372036854775808",
		"[1,[2,{\"a\":[]}],\"x\"]",
		"{\"b\":1,\"a\":{\"c\":null,\"d\":false}}",
		"\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\xc3\xa9\"",
	};
	for (size_t i = 0; i < STINT_COUNT(documents); i++) {
		stint_auto_json *json = parsed(documents[i]);
		stint_autofree char *printed = stint_json_print(json);
		assert_string_equal(printed, documents[i]);
	}
}

static void escapes_become_characters(void **state)
{
	(void)state;
	stint_auto_json *json = parsed("\"\\u00e9\\ud83d\\ude00\\ud83dx\\u0000\\/\"");
	assert_string_equal(stint_json_string(json), "\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbdx\xef\xbf\xbd/");
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "line 1, column 1"},
		{"{", "ends within"},
		{"{\n  \"a\": tru\n}", "line 2"},
		{"[1,]", "comma"},
		{"{\"a\":1,}", "comma"},
		{"[1 2]", "comma"},
		{"{\"a\" 1}", "colon"},
		{"{a:1}", "string"},
		{"01", "begins with 0"},
		{"1.", "point"},
		{"1e", "exponent"},
		{"+1", "value"},
		{"[1e999]", "too large"},
		{"\"a", "not closed"},
		{"\"a\nb\"", "control"},
		{"\"\\x\"", "escape"},
		{"\"\\u12\"", "escape"},
		{"nul", "value"},
		{"1 1", "after the value"},
		{"{\"a\":1,\"a\":2}", "twice"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++)
		assert_fails(stint_json_parse(cases[i].text, strlen(cases[i].text), STINT_JSON_REJECT_DUPLICATES, &err), STINT_USAGE,
			cases[i].words);
	stint_auto_buf deep = {0};
	for (int i = 0; i < 100000; i++)
		stint_buf_putc(&deep, '[');
	assert_fails(stint_json_parse(deep.data, deep.length, 0, &err), STINT_USAGE, "deep");
}

static void the_last_of_two_equal_keys_stands_unless_they_are_refused(void **state)
{
	(void)state;
	stint_auto_buf text = {0};
	stint_buf_puts(&text, "{\"twice\":1");
	for (int i = 0; i < 50; i++)
		stint_buf_printf(&text, ",\"k%d\":%d", i, i);
	stint_buf_puts(&text, ",\"twice\":2,\"k49\":3}");
	struct stint_json *json = NULL;
	assert_works(json = stint_json_parse(text.data, text.length, 0, &err));
	assert_int_equal(stint_json_int_or(stint_json_get(json, "twice"), 0), 2);
	assert_int_equal(stint_json_int_or(stint_json_get(json, "k49"), 0), 3);
	assert_int_equal(stint_json_count(json), 51);
	stint_json_free(json);
	assert_fails(stint_json_parse(text.data, text.length, STINT_JSON_REJECT_DUPLICATES, &err), STINT_USAGE, "twice");
}

static void trees_are_equal_whatever_the_order_of_keys(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1}", true},
		{"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
		{"[1,2]", "[2,1]", false},
		{"[1]", "[1,1]", false},
		{"9007199254740993", "9007199254740992", false},
		{"1.0", "1", true},
		{"\"1\"", "1", false},
		{"true", "false", false},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *a = parsed(cases[i].a), *b = parsed(cases[i].b);
		assert_int_equal(stint_json_equal(a, b), cases[i].equal);
		assert_int_equal(stint_json_equal(b, a), cases[i].equal);
	}
}

static void a_tree_can_be_changed_in_place(void **state)
{
	(void)state;
	stint_auto_json *json = parsed("{\"a\":1,\"b\":2,\"c\":[1,3]}");
	stint_json_set_string(json, "b", "two");
	stint_json_remove(json, "a");
	stint_json_insert(stint_json_get(json, "c"), 1, stint_json_new_int(2));
	stint_json_set_bool(stint_json_ensure_object(json, "d"), "e", true);
	struct stint_json *taken = stint_json_take(json, "c");
	stint_json_set(json, "f", taken);
	stint_json_unlink(taken, stint_json_item(taken, 0));
	stint_autofree char *printed = stint_json_print(json);
	assert_string_equal(printed, "{\"b\":\"two\",\"d\":{\"e\":true},\"f\":[2,3]}");
	assert_true(stint_json_bool_or(stint_json_at(json, "d", "e"), false));
	assert_null(stint_json_at(json, "d", "x", "y"));
}

static void pretty_printing_is_kubectls(void **state)
{
	(void)state;
	stint_auto_json *json = parsed("{\"a\":[1,{}],\"b\":[]}");
	stint_autofree char *printed = stint_json_print_pretty(json);
	assert_string_equal(printed, "{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": []\n}");
}

static void a_cursor_reads_what_it_wants_and_skips_the_rest(void **state)
{
	(void)state;
	const char *text = " { \"skip\" : [ {\"x\":\"]\\\\\\\"}\"} , 2 ] , \"name\" : \"n\\n\" , \"count\": -42, \"list\":[1,2 , 3], "
			   "\"raw\": {\"z\":1}, \"flag\":false } ";
	struct stint_cursor c = stint_cursor_over(text, strlen(text));
	struct stint_slice key, name = {0}, raw = {0};
	bool escaped = false, flag = true;
	int64_t count = 0, sum = 0;
	assert_true(stint_cursor_object(&c));
	while (stint_cursor_key(&c, &key)) {
		if (stint_slice_is(key, "name")) {
			stint_cursor_string(&c, &name, &escaped);
		} else if (stint_slice_is(key, "count")) {
			stint_cursor_int(&c, &count);
		} else if (stint_slice_is(key, "list")) {
			int64_t item;
			stint_cursor_array(&c);
			while (stint_cursor_item(&c) && stint_cursor_int(&c, &item))
				sum += item;
		} else if (stint_slice_is(key, "raw")) {
			stint_cursor_raw(&c, &raw);
		} else if (stint_slice_is(key, "flag")) {
			stint_cursor_bool(&c, &flag);
		} else {
			stint_cursor_skip(&c);
		}
	}
	assert_null(c.error);
	assert_true(stint_cursor_end(&c));
	assert_true(stint_slice_is(name, "n\\n") && escaped);
	assert_int_equal(count, -42);
	assert_int_equal(sum, 6);
	assert_true(stint_slice_is(raw, "{\"z\":1}"));
	assert_false(flag);
}

static void a_cursor_stops_at_the_first_error_for_good(void **state)
{
	(void)state;
	struct stint_cursor c = stint_cursor_over("{\"a\":99999999999999999999}", 26);
	struct stint_slice key;
	int64_t value;
	assert_true(stint_cursor_object(&c) && stint_cursor_key(&c, &key));
	assert_false(stint_cursor_int(&c, &value));
	assert_string_equal(c.error, "a number is too large");
	assert_false(stint_cursor_skip(&c) || stint_cursor_key(&c, &key) || stint_cursor_end(&c));
	c = stint_cursor_over("-9223372036854775808", 20);
	assert_true(stint_cursor_int(&c, &value));
	assert_true(value == INT64_MIN);
}

struct split {
	struct stint_buf items;
	int stop_after;
};

static bool take_item(void *user, const char *item, size_t length)
{
	struct split *split = user;
	stint_buf_add(&split->items, item, length);
	stint_buf_putc(&split->items, '|');
	return --split->stop_after != 0;
}

static bool split_in_pieces(const char *text, size_t piece, struct split *split, struct stint_json **rest, struct stint_error **err)
{
	struct stint_splitter *splitter = stint_splitter_new(64, take_item, split);
	bool good = true;
	for (size_t at = 0, length = strlen(text); good && at < length; at += piece)
		good = stint_splitter_feed(splitter, text + at, length - at < piece ? length - at : piece, err);
	*rest = good ? stint_splitter_finish(splitter, err) : NULL;
	stint_splitter_free(splitter);
	return *rest;
}

static const char list[] = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\",\"items\":[0]},\"x\":\"items\",\n \"items\" : [ "
			   "{\"a\":\"}]\\\"{\\\\\"} , {\"b\":[{}]},{}],\"z\":[1]}";

static void a_list_cut_at_any_byte_gives_the_same_items(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof(list); piece++) {
		struct split split = {0};
		struct stint_json *rest = NULL;
		assert_works(split_in_pieces(list, piece, &split, &rest, &err));
		assert_string_equal(split.items.data, "{\"a\":\"}]\\\"{\\\\\"}|{\"b\":[{}]}|{}|");
		stint_autofree char *printed = stint_json_print(rest);
		assert_string_equal(printed,
			"{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\",\"items\":[0]},\"x\":\"items\",\"items\":[],\"z\":["
			"1]}");
		stint_json_free(rest);
		stint_buf_free(&split.items);
	}
}

static void a_broken_list_is_refused(void **state)
{
	(void)state;
	static const char *const broken[] = {
		"{\"items\":[{\"a\":1}",
		"{\"items\":[{\"a\":1},]}",
		"{\"items\":[{} {}]}",
		"{\"items\":[,{}]}",
		"{\"items\":[1]}",
		"{\"items\":[{}]",
		"{\"items\":[{\"long\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}]}",
		"",
	};
	for (size_t i = 0; i < STINT_COUNT(broken); i++) {
		for (size_t piece = 1; piece <= 8; piece++) {
			struct split split = {0};
			struct stint_json *rest = NULL;
			struct stint_error *err = NULL;
			assert_false(split_in_pieces(broken[i], piece, &split, &rest, &err));
			assert_non_null(err);
			stint_error_free(err);
			stint_buf_free(&split.items);
		}
	}
	struct split split = {.stop_after = 1};
	struct stint_json *rest = NULL;
	assert_fails(split_in_pieces(list, 10, &split, &rest, &err), STINT_FAILED, "cannot be read");
	stint_buf_free(&split.items);
}

static void an_empty_or_absent_list_is_no_item(void **state)
{
	(void)state;
	static const char *const empty[] = {"{\"items\":[]}", "{\"items\":null}", "{\"kind\":\"Status\"}", "{\"items\": [ ] }"};
	for (size_t i = 0; i < STINT_COUNT(empty); i++) {
		struct split split = {0};
		struct stint_json *rest = NULL;
		assert_works(split_in_pieces(empty[i], 3, &split, &rest, &err));
		assert_null(split.items.data);
		stint_json_free(rest);
	}
}

static void strings_are_wiped_at_every_depth(void **state)
{
	(void)state;
	static const char text[] = "{\"a\":\"secret\",\"b\":[{\"c\":\"secret\"},1,null]}";
	stint_auto_json *json = stint_json_parse(text, sizeof(text) - 1, 0, NULL);
	stint_json_wipe(json);
	assert_string_equal(stint_json_string_at(json, "a"), "");
	assert_string_equal(stint_json_string_at(stint_json_item(stint_json_get(json, "b"), 0), "c"), "");
	stint_json_wipe(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_wiped_at_every_depth),
		cmocka_unit_test(a_document_survives_a_round_trip),
		cmocka_unit_test(escapes_become_characters),
		cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
		cmocka_unit_test(the_last_of_two_equal_keys_stands_unless_they_are_refused),
		cmocka_unit_test(trees_are_equal_whatever_the_order_of_keys),
		cmocka_unit_test(a_tree_can_be_changed_in_place),
		cmocka_unit_test(pretty_printing_is_kubectls),
		cmocka_unit_test(a_cursor_reads_what_it_wants_and_skips_the_rest),
		cmocka_unit_test(a_cursor_stops_at_the_first_error_for_good),
		cmocka_unit_test(a_list_cut_at_any_byte_gives_the_same_items),
		cmocka_unit_test(a_broken_list_is_refused),
		cmocka_unit_test(an_empty_or_absent_list_is_no_item),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
