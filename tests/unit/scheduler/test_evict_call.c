/* What evictions promise: the cause stands on the very pod that goes, budgets are asked unless told otherwise, and answers mean what they say. */
#include <scheduler/evict_call.h>

#include <stint/text.h>

#include "../test.h"

static struct stint_eviction *make(bool direct)
{
	return stint_eviction_new(NULL, "vision", "train-0", "u-1", "Reclaimed", "for queue \"nlp\"", 0, direct);
}

static void the_condition_names_the_cause_and_the_very_pod(void **state)
{
	(void)state;
	struct stint_eviction *eviction = make(false);
	stint_autofree char *body = stint_eviction_condition(eviction);
	assert_string_equal(body,
		"{\"metadata\":{\"uid\":\"u-1\"},\"status\":{\"conditions\":[{\"type\":\"stint.dev/Evicted\",\"status\":\"True\","
		"\"reason\":\"Reclaimed\",\"message\":\"for queue \\\"nlp\\\"\",\"lastTransitionTime\":\"1970-01-01T00:00:00Z\"}]}}");
	stint_eviction_free(eviction);
}

static void an_eviction_and_a_deletion_both_carry_the_uid(void **state)
{
	(void)state;
	struct stint_eviction *gentle = make(false), *direct = make(true);
	stint_autofree char *asked = stint_eviction_body(gentle), *deleted = stint_eviction_body(direct);
	assert_string_equal(asked,
		"{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"train-0\",\"namespace\":\"vision\"},"
		"\"deleteOptions\":{\"preconditions\":{\"uid\":\"u-1\"}}}");
	assert_string_equal(deleted, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":\"u-1\"}}");
	stint_eviction_free(gentle);
	stint_eviction_free(direct);
}

static void a_budget_may_refuse_for_a_while_before_it_counts_as_a_no(void **state)
{
	(void)state;
	static const struct {
		bool direct;
		unsigned attempts;
		int status;
		enum stint_errand_outcome outcome;
	} table[] = {
		{false, 1, 201, STINT_ERRAND_DONE},
		{false, 1, 429, STINT_ERRAND_NOT_YET},
		{false, STINT_EVICT_ATTEMPTS - 1, 429, STINT_ERRAND_NOT_YET},
		{false, STINT_EVICT_ATTEMPTS, 429, STINT_ERRAND_REFUSED},
		{false, STINT_EVICT_ATTEMPTS, 503, STINT_ERRAND_UNCERTAIN},
		{true, STINT_EVICT_ATTEMPTS, 429, STINT_ERRAND_UNCERTAIN},
		{false, 1, 404, STINT_ERRAND_GONE},
		{false, 1, 409, STINT_ERRAND_CONFLICT},
		{false, 1, 403, STINT_ERRAND_REFUSED},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct stint_eviction *eviction = make(table[i].direct);
		eviction->errand.attempts = table[i].attempts;
		assert_int_equal(stint_eviction_outcome_of_write(eviction, table[i].status), table[i].outcome);
		stint_eviction_free(eviction);
	}
}

static void the_pod_tells_whether_the_eviction_came_through(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		enum stint_errand_outcome outcome;
	} table[] = {
		{200, "{\"metadata\":{\"uid\":\"u-1\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}", STINT_ERRAND_DONE},
		{200, "{\"metadata\":{\"uid\":\"u-1\"}}", STINT_ERRAND_CONFLICT},
		{200, "{\"metadata\":{\"uid\":\"u-2\"}}", STINT_ERRAND_GONE},
		{404, "", STINT_ERRAND_GONE},
		{200, "{", STINT_ERRAND_UNCERTAIN},
		{0, "", STINT_ERRAND_UNCERTAIN},
	};
	struct stint_eviction *eviction = make(false);
	for (size_t i = 0; i < STINT_COUNT(table); i++)
		assert_int_equal(
			stint_eviction_outcome_of_pod(eviction, table[i].status, table[i].body, strlen(table[i].body)), table[i].outcome);
	stint_eviction_free(eviction);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_condition_names_the_cause_and_the_very_pod),
		cmocka_unit_test(an_eviction_and_a_deletion_both_carry_the_uid),
		cmocka_unit_test(a_budget_may_refuse_for_a_while_before_it_counts_as_a_no),
		cmocka_unit_test(the_pod_tells_whether_the_eviction_came_through),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
