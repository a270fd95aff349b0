/* text: what is UTF-8, and what becomes of bytes that are none. */
#include <stint/text.h>

#include "tests/unit/test.h"

static const struct {
	const char *bytes, *clean;
} cases[] = {
	{"", ""},
	{"plain text that is longer than one word of the machine", "plain text that is longer than one word of the machine"},
	{"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
	{"a\xff", "a\xef\xbf\xbd"},
	{"\xc3", "\xef\xbf\xbd"}, /* cut within a character */
	{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
	{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong */
	{"\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{"\xf0\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
	{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond U+10FFFF */
	{"\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80", "\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"},
	{"\x80z", "\xef\xbf\xbdz"},
};

static void each_byte_of_no_character_becomes_the_replacement(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_buf out = {0};
		stint_utf8_clean(&out, cases[i].bytes, strlen(cases[i].bytes));
		assert_string_equal(out.data, cases[i].clean);
		assert_int_equal(stint_utf8_valid(out.data, out.length), out.length);
		assert_int_equal(stint_utf8_valid(cases[i].bytes, strlen(cases[i].bytes)) == strlen(cases[i].bytes),
			strcmp(cases[i].bytes, cases[i].clean) == 0);
	}
}

/* libyaml's emitter refuses what it takes for no UTF-8, and the program would end with it. */
static void text_of_any_bytes_can_be_printed_as_yaml(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *object = stint_json_new_object();
		stint_json_set_string(object, "k", cases[i].bytes);
		stint_autofree char *yaml = stint_yaml_print(object);
		stint_json_set_string(object, "k", cases[i].clean);
		stint_autofree char *wanted = stint_yaml_print(object);
		assert_string_equal(yaml, wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_of_no_character_becomes_the_replacement),
		cmocka_unit_test(text_of_any_bytes_can_be_printed_as_yaml),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
