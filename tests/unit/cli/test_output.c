/* Jsonpath, tables, sorting and the forms of a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/internal.h"
#include "cli/output/jsonpath.h"
#include "cli/parse.h"

static const char document_text[] =
	"{\"kind\":\"List\",\"items\":["
	"{\"name\":\"a\",\"gpus\":0.5,\"tags\":[\"x\",\"y\",\"z\"],\"meta\":{\"app.io/name\":\"one\"},\"on\":true},"
	"{\"name\":\"b\",\"gpus\":2,\"tags\":[],\"meta\":{\"app.io/name\":\"two\"},\"on\":false},"
	"{\"name\":\"c\",\"gpus\":10,\"size\":\"10Gi\",\"meta\":{\"labels\":{\"name\":\"deep\"}}}]}";

static struct stint_json *document(void)
{
	struct stint_json *json = stint_json_parse(document_text, strlen(document_text), 0, NULL);
	assert_non_null(json);
	return json;
}

static void jsonpath_prints_what_kubectl_prints(void **state)
{
	(void)state;
	static const struct {
		const char *path, *prints;
	} cases[] = {
		{"{.kind}", "List"},
		{"{ .kind }", "List"},
		{".kind", "List"},
		{"kind", "List"},
		{"{.items[*].name}", "a b c"},
		{"{.items[0].name}", "a"},
		{"{.items[-1].name}", "c"},
		{"{.items[1:].name}", "b c"},
		{"{.items[:2].name}", "a b"},
		{"{.items[0:3:2].name}", "a c"},
		{"{.items[-2:].name}", "b c"},
		{"{.items[0,2].name}", "a c"},
		{"{.items[7].name}", ""},
		{"{.items[0]['name','gpus']}", "a 0.5"},
		{"{.items[0].meta.app\\.io/name}", "one"},
		{"{.items[*].meta['app.io/name']}", "one two"},
		{"{.items[?(@.name==\"b\")].gpus}", "2"},
		{"{.items[?(@.name != 'b')].name}", "a c"},
		{"{.items[?(@.gpus>1)].name}", "b c"},
		{"{.items[?(@.gpus<=2)].name}", "a b"},
		{"{.items[?(@.on==true)].name}", "a"},
		{"{.items[?(@.size)].name}", "c"},
		{"{.items[?(@.tags[0]=='x')].name}", "a"},
		{"{.items[0].tags}", "[\"x\",\"y\",\"z\"]"},
		{"{.items[0].tags[*]}", "x y z"},
		{"{..name}", "a b c deep"},
		{"{.nothing.at.all}", ""},
		{"{range .items[*]}{.name}={.gpus}{\"\\n\"}{end}", "a=0.5\nb=2\nc=10\n"},
		{"{range .items[*]}{range .tags[*]}{@}{end};{end}", "xyz;;;"},
		{"{range .items[?(@.on)]}{.name}{'\\t'}{$.kind}|{end}", "a\tList|b\tList|"},
		{"names: {.items[*].name}!", "names: a b c!"},
	};
	stint_auto_json *json = document();
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		stint_auto_error *err = NULL;
		stint_auto_buf out = {0};
		struct cli_jsonpath *path = cli_jsonpath_compile(cases[at].path, &err);
		if (!path)
			fail_msg("%s", err->message);
		cli_jsonpath_print(path, json, &out);
		cli_jsonpath_free(path);
		if (strcmp(out.data ? out.data : "", cases[at].prints) != 0)
			fail_msg("%s printed \"%s\" and not \"%s\"", cases[at].path, out.data ? out.data : "", cases[at].prints);
	}
}

static void a_broken_jsonpath_is_a_usage_error_before_anything_is_asked(void **state)
{
	(void)state;
	static const char *const cases[] = {"", "{", "{.a", "{.a]}", "{.items[}", "{.items[a]}", "{.items[?(@.x=]}", "{.items[?(@.x==\"y]}",
		"{range .items[*]}", "{end}", "{.items[0:2:0]}", "{.items[1", "{name}", "{.items[99999999999999999999]}", "{.a\"}", "{..}",
		"{[?(@[?(@[?(@[?(@[?(@[?(@[?(@[?(@[?(@[?(@.a)])])])])])])])])])]}"};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		stint_auto_error *err = NULL;
		struct cli_jsonpath *path = cli_jsonpath_compile(cases[at], &err);
		if (path)
			fail_msg("%s was accepted", cases[at]);
		assert_int_equal(err->code, STINT_USAGE);
	}
}

/* ---- tables ---------------------------------------------------------------------------------------------------------------------- */

static const struct cli_column table_columns[] = {
	{"NAME", "name", NULL, 0},
	{"GPUS", "gpus", NULL, CLI_RIGHT},
	{"EXTRA", "size", NULL, CLI_WIDE},
	{"MESSAGE", "message", NULL, CLI_WRAP},
	{NULL, NULL, NULL, 0},
};

static char *table_text(bool headers, bool wide, int terminal_columns)
{
	stint_auto_buf out = {0};
	struct cli_table *table = cli_table_new(table_columns);
	static const char *const cells[] = {
		"short", "2", "e", "fine", "a-name-that-nobody-may-cut", "0.5", NULL, "one two three four five six seven eight"};
	for (size_t at = 0; at < STINT_COUNT(cells); at++)
		cli_table_add(table, stint_strdup(cells[at]));
	cli_table_print(table, &out, headers, wide, false, terminal_columns, 0);
	cli_table_free(table);
	return stint_buf_steal(&out);
}

static void tables_align_and_never_cut(void **state)
{
	(void)state;
	stint_autofree char *plain = table_text(true, false, 0);
	assert_string_equal(plain,
		"NAME                         GPUS   MESSAGE\n"
		"short                           2   fine\n"
		"a-name-that-nobody-may-cut    0.5   one two three four five six seven eight\n");
	stint_autofree char *wide = table_text(false, true, 0);
	assert_string_equal(wide,
		"short                          2   e   fine\n"
		"a-name-that-nobody-may-cut   0.5   -   one two three four five six seven eight\n");
}

static void a_narrow_terminal_folds_prose_and_a_very_narrow_one_overflows(void **state)
{
	(void)state;
	stint_autofree char *folded = table_text(false, false, 62);
	assert_string_equal(folded,
		"short                          2   fine\n"
		"a-name-that-nobody-may-cut   0.5   one two three four five six\n"
		"                                   seven eight\n");
	stint_autofree char *overflowing = table_text(false, false, 40);
	assert_non_null(strstr(overflowing, "one two three four five six seven eight\n"));
}

static void widths_are_those_of_the_terminal(void **state)
{
	(void)state;
	assert_int_equal(cli_text_width("abc"), 3);
	assert_int_equal(cli_text_width("h\xc3\xa9llo"), 5);
	assert_int_equal(cli_text_width("\xe6\xa8\xa1\xe5\x9e\x8b"), 4);
	assert_int_equal(cli_text_width("e\xcc\x81"), 1);
	assert_int_equal(cli_text_width("\xff\xfe"), 2);
}

static void foreign_text_cannot_reach_the_terminal_as_commands(void **state)
{
	(void)state;
	stint_auto_buf out = {0};
	struct cli_table *table = cli_table_new(table_columns);
	for (int at = 0; at < 4; at++)
		cli_table_add(table, stint_strdup("a\033[2Jb\nc"));
	cli_table_print(table, &out, false, true, false, 0, 0);
	cli_table_free(table);
	assert_null(strchr(out.data, '\033'));
	assert_ptr_equal(strchr(out.data, '\n'), out.data + out.length - 1);
}

/* ---- sorting and csv -------------------------------------------------------------------------------------------------------------- */

static char *sorted_names(const char *items_text, const char *by, const char *defaults)
{
	stint_auto_json *items = stint_json_parse(items_text, strlen(items_text), 0, NULL);
	const struct cli_list list = {.kind = "TestList", .columns = table_columns, .sort = defaults};
	stint_auto_error *err = NULL;
	bool changed;
	stint_auto_buf names = {0};
	stint_autofree const struct stint_json **sorted = cli_items_sorted(&list, items, by, &changed, &err);
	assert_non_null(sorted);
	for (size_t at = 0; at < stint_json_count(items); at++)
		stint_buf_printf(&names, "%s%s", at ? " " : "", stint_json_string(stint_json_get(sorted[at], "name")));
	return stint_buf_steal(&names);
}

static void sort_by_orders_numbers_quantities_and_names_as_people_do(void **state)
{
	(void)state;
	static const char items[] =
		"[{\"name\":\"gpu-10\",\"gpus\":2,\"size\":\"1Gi\",\"pods\":{\"n\":1}},{\"name\":\"gpu-2\",\"gpus\":10,\"size\":\"512Mi\"},"
		"{\"name\":\"gpu-1\",\"gpus\":0.5,\"pods\":{\"n\":0}}]";
	static const struct {
		const char *by, *defaults, *order;
	} cases[] = {
		{NULL, NULL, "gpu-10 gpu-2 gpu-1"},
		{NULL, "name", "gpu-1 gpu-2 gpu-10"},
		{"name", NULL, "gpu-1 gpu-2 gpu-10"},
		{"-name", NULL, "gpu-10 gpu-2 gpu-1"},
		{"GPUS", NULL, "gpu-1 gpu-10 gpu-2"},
		{"gpus", NULL, "gpu-1 gpu-10 gpu-2"},
		{"{.gpus}", NULL, "gpu-1 gpu-10 gpu-2"},
		{"size", NULL, "gpu-2 gpu-10 gpu-1"},
		{"-size", NULL, "gpu-10 gpu-2 gpu-1"},
		{"pods.n", NULL, "gpu-1 gpu-10 gpu-2"},
		{"nothing", NULL, "gpu-10 gpu-2 gpu-1"},
		{NULL, "nothing,gpus", "gpu-1 gpu-10 gpu-2"},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		stint_autofree char *order = sorted_names(items, cases[at].by, cases[at].defaults);
		if (strcmp(order, cases[at].order) != 0)
			fail_msg("by %s: %s", cases[at].by ? cases[at].by : cases[at].defaults, order);
	}
}

static void csv_quotes_what_needs_it_and_keeps_exact_values(void **state)
{
	(void)state;
	static const char text[] =
		"[{\"name\":\"a,b\",\"gpus\":0.125,\"message\":\"said \\\"no\\\"\\nand left\"},{\"name\":\"c\",\"size\":\"1Gi\"}]";
	stint_auto_json *items = stint_json_parse(text, strlen(text), 0, NULL);
	const struct cli_list list = {.kind = "TestList", .columns = table_columns};
	struct cli_context ctx = {.format = CLI_FORMAT_CSV};
	const struct stint_json *rows[] = {stint_json_item(items, 0), stint_json_item(items, 1)};
	stint_auto_buf out = {0};
	cli_list_render(&ctx, &list, rows, 2, true, &out);
	assert_string_equal(out.data, "name,gpus,size,message\n\"a,b\",0.125,,\"said \"\"no\"\"\nand left\"\nc,,1Gi,\n");
}

static void what_a_cell_has_together_csv_has_apart(void **state)
{
	(void)state;
	static const struct cli_column columns[] = {
		{"PODS", "pods.running", NULL, 0}, {"TOTAL", "pods.total", NULL, CLI_CSV}, {NULL, NULL, NULL, 0}};
	static const struct {
		enum cli_format format;
		const char *text;
	} table[] = {{CLI_FORMAT_CSV, "pods.running,pods.total\n1,4\n"}, {CLI_FORMAT_TABLE, "PODS\n1\n"}, {CLI_FORMAT_WIDE, "PODS\n1\n"}};
	static const char text[] = "{\"pods\":{\"running\":1,\"total\":4}}";
	stint_auto_json *item = stint_json_parse(text, strlen(text), 0, NULL);
	const struct cli_list list = {.kind = "TestList", .columns = columns};
	const struct stint_json *rows[] = {item};
	for (size_t at = 0; at < STINT_COUNT(table); at++) {
		struct cli_context ctx = {.format = table[at].format};
		stint_auto_buf out = {0};
		cli_list_render(&ctx, &list, rows, 1, true, &out);
		assert_string_equal(out.data, table[at].text);
	}
}

static void values_for_people_are_short_and_honest(void **state)
{
	(void)state;
	static const struct {
		double gpus;
		const char *text;
	} gpus[] = {{0, "0"}, {0.5, "0.5"}, {2, "2"}, {1.0 / 3, "0.333"}, {0.125, "0.125"}, {7.25, "7.25"}, {100, "100"}, {-0.0001, "0"}};
	for (size_t at = 0; at < STINT_COUNT(gpus); at++) {
		stint_autofree char *text = cli_show_gpus(gpus[at].gpus);
		assert_string_equal(text, gpus[at].text);
	}
	stint_autofree char *age = cli_show_age("2026-11-24T06:00:00Z", 1795500000000 + 45000);
	stint_autofree char *unknown = cli_show_age(NULL, 0), *broken = cli_show_age("yesterday", 0);
	assert_true(*age >= '0' && *age <= '9');
	assert_string_equal(unknown, "-");
	assert_string_equal(broken, "-");
}

static void a_watched_table_is_no_taller_than_the_screen(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int columns, rows, lines;
		const char *shows;
	} cases[] = {
		{"T\na\nb\n", 80, 0, 3, "T\na\nb\n"},
		{"T\na\nb\n", 80, 4, 3, "T\na\nb\n"},
		{"T\na\nb\nc\n", 80, 4, 3, "T\na\n… 2 more rows\n"},
		{"T\naaaa\nb\n", 2, 4, 2, "T\n… 2 more rows\n"},
		{"T\n\033[32maa\033[0m\nb\n", 2, 4, 3, "T\n\033[32maa\033[0m\nb\n"},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		stint_auto_buf out = {0};
		assert_int_equal(cli_watch_clip(cases[at].text, cases[at].columns, cases[at].rows, &out), cases[at].lines);
		assert_string_equal(out.data, cases[at].shows);
	}
}

static int run_nothing(struct cli_context *ctx)
{
	(void)ctx;
	return STINT_OK;
}

static void a_watched_list_on_a_pipe_tells_what_is_new_and_forgets_what_has_gone(void **state)
{
	(void)state;
	static const char *const turns[] = {"[{\"name\":\"a\",\"gpus\":1}]", "[{\"name\":\"a\",\"gpus\":1},{\"name\":\"b\",\"gpus\":1}]",
		"[{\"name\":\"b\",\"gpus\":2}]", "[{\"name\":\"a\",\"gpus\":1},{\"name\":\"b\",\"gpus\":2}]"};
	static const struct cli_list list = {.kind = "TestList", .columns = table_columns, .sort = "name"};
	static const struct cli_command command = {
		.name = "watch", .summary = "watch", .sets = CLI_SET_LIST, .list = &list, .formats = CLI_FORMATS_LIST, .run = run_nothing};
	static const struct cli_command *const commands[] = {&command, NULL};
	char verb[] = "watch", plain[] = "--no-headers", *words[] = {verb, plain, NULL}, *shown = NULL;
	struct cli_parsed parsed;
	assert_true(cli_parse(commands, 2, words, &parsed, NULL));
	size_t length;
	struct cli_context ctx = {
		.command = &command, .values = parsed.values, .format = CLI_FORMAT_CSV, .out = open_memstream(&shown, &length)};
	struct cli_watch_view *view = cli_watch_view_new(&ctx, &list);
	for (size_t at = 0; at < STINT_COUNT(turns); at++) {
		assert_true(cli_watch_view_show(view, stint_json_parse(turns[at], strlen(turns[at]), 0, NULL)));
		fputs(";", ctx.out);
	}
	fclose(ctx.out);
	assert_string_equal(shown, "a,1,,\n;b,1,,\n;b,2,,\n;a,1,,\n;");
	cli_watch_view_free(view);
	cli_parsed_free(&parsed);
	free(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jsonpath_prints_what_kubectl_prints),
		cmocka_unit_test(a_broken_jsonpath_is_a_usage_error_before_anything_is_asked),
		cmocka_unit_test(tables_align_and_never_cut),
		cmocka_unit_test(a_narrow_terminal_folds_prose_and_a_very_narrow_one_overflows),
		cmocka_unit_test(widths_are_those_of_the_terminal),
		cmocka_unit_test(foreign_text_cannot_reach_the_terminal_as_commands),
		cmocka_unit_test(sort_by_orders_numbers_quantities_and_names_as_people_do),
		cmocka_unit_test(csv_quotes_what_needs_it_and_keeps_exact_values),
		cmocka_unit_test(what_a_cell_has_together_csv_has_apart),
		cmocka_unit_test(a_watched_table_is_no_taller_than_the_screen),
		cmocka_unit_test(a_watched_list_on_a_pipe_tells_what_is_new_and_forgets_what_has_gone),
		cmocka_unit_test(values_for_people_are_short_and_honest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
