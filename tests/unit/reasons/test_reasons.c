/* What people are told: a sentence for every word, with numbers, and what to do. */
#include <stint/reasons.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_has_a_sentence_without_holes),
		cmocka_unit_test(amounts_carry_their_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
