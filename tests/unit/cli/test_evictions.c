/* What events tell of evictions: which workload's pods had to go, how many, and why the last did. */
#include "cli/evictions.h"

#include "../test.h"

enum { CREATED_MS = 1000000000 };

static struct stint_json *item(struct stint_json *items, const char *name)
{
	char created[STINT_TIME_SIZE];
	struct stint_json *made = stint_json_append(items, stint_json_new_object());
	stint_json_set_string(made, "project", "vision");
	stint_json_set_string(made, "name", name);
	stint_json_set_string(made, "created", stint_time_format(CREATED_MS, created));
	return made;
}

static struct stint_event event(const char *pod, const char *reason, int64_t after_ms)
{
	return (struct stint_event){.about_kind = "Pod",
		.about_space = "vision",
		.about_name = pod,
		.reason = reason,
		.message = "Evicted: room is made",
		.count = 1,
		.last_ms = CREATED_MS + after_ms};
}

static void each_pod_counts_for_the_workload_it_is_named_after(void **state)
{
	(void)state;
	stint_auto_json *items = stint_json_new_array();
	struct stint_json *train = item(items, "train"), *big = item(items, "train-big");
	const struct stint_event events[] = {event("train-0-x", "Preempted", 9000), event("train-big-1-y", "Reclaimed", 5000),
		event("train-1-x", "Reclaimed", 7000), event("trainer-0", "Reclaimed", 7000), event("train-2", "Scheduled", 7000),
		event("train-0-old", "Reclaimed", -1000)};
	for (size_t i = 0; i < STINT_COUNT(events); i++)
		cli_evictions_find(items, &events[i]);
	stint_autofree char *of_train = cli_evictions_text(train, CREATED_MS + 29000);
	stint_autofree char *of_big = cli_evictions_text(big, CREATED_MS + 29000);
	assert_string_equal(of_train, "2 pods, the last 20s ago: Preempted: room is made");
	assert_string_equal(of_big, "1 pod, the last 24s ago: Reclaimed: room is made");
}

static void what_was_not_evicted_says_nothing(void **state)
{
	(void)state;
	stint_auto_json *items = stint_json_new_array();
	struct stint_json *train = item(items, "train");
	const struct stint_event started = event("train-0", "Scheduled", 1);
	struct stint_event elsewhere = event("train-0", "Reclaimed", 1);
	elsewhere.about_space = "speech";
	cli_evictions_find(items, &started);
	cli_evictions_add(train, &started);
	cli_evictions_find(items, &elsewhere);
	assert_null(cli_evictions_text(train, CREATED_MS));
	assert_null(stint_json_get(train, "evictions"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pod_counts_for_the_workload_it_is_named_after),
		cmocka_unit_test(what_was_not_evicted_says_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
