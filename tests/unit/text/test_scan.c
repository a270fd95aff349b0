/* The bracket scanner: the same end as a look at every byte gives, wherever pieces end. */
#include "tests/unit/test.h"

#include "core/text/scan.h"

#include <stint/text.h>

/* A value of random brackets, strings and escapes; well-formed as far as framing goes. */
static void random_value(struct stint_buf *out, unsigned *seed, int depth)
{
	static const char *const plain[] = {"1", "true", "\"a\"", "\"\"", "\"\\\"\"", "\"\\\\\"", "\"{[]}\"", "\"\\\\\\\"}\"",
		"\"a long string of more than sixty-four bytes, "
		"so that a block lies wholly within it ]}\""};
	const int kind = rand_r(seed) % 4;
	if (depth > 6 || kind == 0) {
		stint_buf_puts(out, plain[(size_t)rand_r(seed) % STINT_COUNT(plain)]);
		return;
	}
	const int members = rand_r(seed) % 5;
	stint_buf_putc(out, kind == 1 ? '[' : '{');
	for (int i = 0; i < members; i++) {
		if (i)
			stint_buf_putc(out, ',');
		if (kind != 1)
			stint_buf_puts(out, "\"k\\\"\":");
		random_value(out, seed, depth + 1);
	}
	stint_buf_putc(out, kind == 1 ? ']' : '}');
}

static void the_end_is_found_wherever_the_pieces_end(void **state)
{
	unsigned seed = 7;
	(void)state;
	for (int round = 0; round < 300; round++) {
		stint_auto_buf text = {0};
		stint_buf_putc(&text, '{');
		stint_buf_puts(&text, "\"items\":");
		random_value(&text, &seed, 0);
		stint_buf_putc(&text, '}');
		const size_t length = text.length;
		stint_buf_puts(&text, ",{\"next\":1}]}}}");
		for (size_t piece = 1; piece < 140; piece += 1 + (size_t)rand_r(&seed) % 13) {
			struct json_scan scan = {0};
			bool closed = false;
			size_t at = 0;
			while (!closed && at < text.length) {
				const size_t room = text.length - at < piece ? text.length - at : piece;
				at = (size_t)(json_scan_brackets(&scan, text.data + at, text.data + at + room, &closed) - text.data);
			}
			if (!closed || at != length)
				fail_msg("piece %zu: ended at %zu of %zu: %s", piece, at, length, text.data);
		}
	}
}

static void a_value_that_is_cut_is_not_closed(void **state)
{
	static const char text[] =
		"{\"a\":[{\"b\":\"}]\\\"\"},[]],\"a longer key that fills a whole block of bytes without a bracket\":{}}";
	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		struct json_scan scan = {0};
		bool closed;
		assert_ptr_equal(json_scan_brackets(&scan, text, text + length, &closed), text + length);
		assert_false(closed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_is_found_wherever_the_pieces_end),
		cmocka_unit_test(a_value_that_is_cut_is_not_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
