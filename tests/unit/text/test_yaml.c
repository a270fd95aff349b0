/* text: YAML to the tree and back. */
#include <stint/text.h>

#include "tests/unit/test.h"

static struct stint_json *parse(const char *text, struct stint_error **err)
{
	return stint_yaml_parse("job.yaml", text, strlen(text), err);
}

static void scalars_are_typed_as_kubernetes_types_them(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *json;
	} cases[] = {
		{"a: yes", "[{\"a\":true}]"},
		{"a: y", "[{\"a\":true}]"},
		{"a: 'yes'", "[{\"a\":\"yes\"}]"},
		{"a: off", "[{\"a\":false}]"},
		{"a: ~", "[{\"a\":null}]"},
		{"a:", "[{\"a\":null}]"},
		{"a: 0x10", "[{\"a\":16}]"},
		{"a: 010", "[{\"a\":8}]"},
		{"a: 0o10", "[{\"a\":8}]"},
		{"a: 1_000", "[{\"a\":1000}]"},
		{"a: -5", "[{\"a\":-5}]"},
		{"a: 1e3", "[{\"a\":1000}]"},
		{"a: .5", "[{\"a\":0.5}]"},
		{"a: 10Gi", "[{\"a\":\"10Gi\"}]"},
		{"a: 1.2.3", "[{\"a\":\"1.2.3\"}]"},
		{"a: .", "[{\"a\":\".\"}]"},
		{"a: 2026-11-24", "[{\"a\":\"2026-11-24\"}]"},
		{"a: .nan", "[{\"a\":\".nan\"}]"},
		{"a: !!str 5", "[{\"a\":\"5\"}]"},
		{"1: x\ntrue: y", "[{\"1\":\"x\",\"true\":true}]"},
		{"a: [x, {b: c}]", "[{\"a\":[\"x\",{\"b\":\"c\"}]}]"},
		{"{\"a\": \"b\"}", "[{\"a\":\"b\"}]"},
		{"a: &x {b: 1}\nc: *x", "[{\"a\":{\"b\":1},\"c\":{\"b\":1}}]"},
		{"---\n---\na: 1\n---\nb: 2\n", "[{\"a\":1},{\"b\":2}]"},
		{"", "[]"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct stint_json *json = NULL;
		assert_works(json = parse(cases[i].yaml, &err));
		stint_autofree char *printed = stint_json_print(json);
		assert_string_equal(printed, cases[i].json);
		stint_json_free(json);
	}
}

static void dangerous_yaml_is_refused_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *words;
	} cases[] = {
		{"a: 1\na: 2", "line 2, column 1: the key \"a\" stands twice"},
		{"a: &x {b: *x}", "into itself"},
		{"a: *nowhere", "anchor"},
		{"a: &x {b: 1}\nc:\n  <<: *x", "merge key"},
		{"? [a]\n: b", "plain word"},
		{"a: !!binary aGk=", "tags"},
		{"a: [1, 2", "line"},
		{"a: b: c", "line 1"},
		{"\x01\x02", "line 1"},
		{"a: \"x\\0y\"", "NUL"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++)
		assert_fails(parse(cases[i].yaml, &err), STINT_USAGE, cases[i].words);
}

static void bombs_are_counted_after_expansion(void **state)
{
	(void)state;
	stint_auto_buf bomb = {0};
	stint_buf_puts(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 9; i++) {
		stint_buf_printf(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			stint_buf_printf(&bomb, "%s*a%d", j ? "," : "", i - 1);
		stint_buf_puts(&bomb, "]\n");
	}
	assert_fails(parse(bomb.data, &err), STINT_USAGE, "too many nodes");
	stint_auto_buf deep = {0};
	for (int i = 0; i < 5000; i++)
		stint_buf_putc(&deep, '[');
	assert_fails(parse(deep.data, &err), STINT_USAGE, "deep");
}

static void a_mapping_of_many_keys_is_read_in_no_time(void **state)
{
	(void)state;
	stint_auto_buf wide = {0};
	for (int i = 0; i < 45000; i++)
		stint_buf_printf(&wide, "key-%d: 1\n", i);
	const int64_t started = stint_monotonic_ms();
	struct stint_json *json = NULL;
	assert_works(json = parse(wide.data, &err));
	stint_json_free(json);
	/* A search of every earlier key takes minutes; ten seconds is generous to a busy machine. */
	assert_true(stint_monotonic_ms() - started < 10000);
}

static void printed_yaml_reads_back_as_the_same_tree(void **state)
{
	(void)state;
	static const char text[] = "{\"s\":[\"yes\",\"5\",\"\",\"a: b\",\"# c\",\"line1\\nline2\\n\",\"x\\ny\",\"\\u00e9\",\" "
				   "lead\",\"-\",\"*x\",\"null\",\"tab\\tin\"],"
				   "\"n\":[1,0.5,-3],\"e\":{},\"l\":[],\"t\":true,\"z\":null,\"on\":{\"deep\":[{\"a\":1,\"b\":2}]}}";
	struct stint_json *json = NULL, *back = NULL;
	assert_works(json = stint_json_parse(text, strlen(text), 0, &err));
	stint_autofree char *yaml = stint_yaml_print(json);
	assert_works(back = parse(yaml, &err));
	assert_true(stint_json_equal(json, stint_json_first(back)));
	stint_json_free(json);
	stint_json_free(back);
}

static void printed_yaml_looks_as_kubectls(void **state)
{
	(void)state;
	static const char text[] =
		"{\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\"},\"args\":[\"-c\",\"echo hi\"],\"ports\":[{\"port\":80}],\"none\":{}}";
	struct stint_json *json = NULL;
	assert_works(json = stint_json_parse(text, strlen(text), 0, &err));
	stint_autofree char *yaml = stint_yaml_print(json);
	assert_string_equal(yaml, "apiVersion: v1\nmetadata:\n  name: x\nargs:\n- -c\n- echo hi\nports:\n- port: 80\nnone: {}\n");
	stint_json_free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_are_typed_as_kubernetes_types_them),
		cmocka_unit_test(dangerous_yaml_is_refused_with_its_place),
		cmocka_unit_test(bombs_are_counted_after_expansion),
		cmocka_unit_test(a_mapping_of_many_keys_is_read_in_no_time),
		cmocka_unit_test(printed_yaml_reads_back_as_the_same_tree),
		cmocka_unit_test(printed_yaml_looks_as_kubectls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
