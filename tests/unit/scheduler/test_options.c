/* What the command line and the configuration file promise. */
#include <scheduler/options.h>

#include <stint/journal.h>
#include <stint/simulate.h>

#include "../test.h"

#include <unistd.h>

static bool parse(struct stint_scheduler_options *options, struct stint_error **err, const char *arguments)
{
	char **words = stint_split(arguments, " ");
	int argc = 0;
	while (words[argc])
		argc++;
	const bool done = stint_scheduler_options_parse(argc, words, options, err);
	stint_strings_free(words);
	return done;
}

static void without_arguments_the_defaults_hold(void **state)
{
	(void)state;
	struct stint_scheduler_options options;
	assert_true(parse(&options, NULL, "stint-scheduler"));
	assert_string_equal(options.scheduler_names[0], "stint-scheduler");
	assert_null(options.scheduler_names[1]);
	assert_true(options.leader_elect);
	assert_null(options.listen);
	assert_int_equal(options.gpu_placement, STINT_BINPACK);
	assert_int_equal(stint_log_level_of(&options), STINT_LOG_INFO);
	stint_scheduler_options_clear(&options);
}

static void values_come_by_equals_sign_or_as_the_next_word(void **state)
{
	(void)state;
	struct stint_scheduler_options options;
	assert_true(parse(&options, NULL,
		"s --scheduler-name stint-scheduler,kai-scheduler --leader-elect=false --gpu-placement=spread --listen [::1]:9 --log-level "
		"debug"));
	assert_string_equal(options.scheduler_names[1], "kai-scheduler");
	assert_false(options.leader_elect);
	assert_int_equal(options.gpu_placement, STINT_SPREAD);
	assert_int_equal(options.node_placement, STINT_BINPACK);
	assert_string_equal(options.listen, "[::1]:9");
	assert_int_equal(stint_log_level_of(&options), STINT_LOG_DEBUG);
	stint_scheduler_options_clear(&options);
}

static void what_is_wrong_is_named_and_is_a_usage_error(void **state)
{
	(void)state;
	static const struct {
		const char *arguments, *says;
	} table[] = {
		{"s --frobnicate", "--frobnicate"},
		{"s word", "word"},
		{"s --scheduler-name", "needs a value"},
		{"s --scheduler-name=", "scheduler names"},
		{"s --scheduler-name=Upper", "Upper"},
		{"s --scheduler-name=a,b,c,d,e,f,g,h,i", "8 names"},
		{"s --leader-elect=maybe", "maybe"},
		{"s --gpu-placement heap", "heap"},
		{"s --listen nowhere", "nowhere"},
		{"s --listen host.example:80", "host.example"},
		{"s --listen 127.0.0.1:70000", "70000"},
		{"s --log-level loud", "loud"},
		{"s --config /nonexistent/file", "/nonexistent/file"},
		{"s --kubeconfig=", "--kubeconfig"},
		{"s --pool-placement spread", "\"spread\" says no placement of a pool"},
		{"s --pool-placement =spread", "POOL=PLACEMENT"},
		{"s --pool-placement h100=heap", "heap"},
		{"s --pool-placement=,", "POOL=PLACEMENT"},
		{"s --node-pool H100", "\"H100\" is no node pool"},
		{"s --node-pool=", "no node pool"},
		{"s --usage-half-life 7", "\"7\" has no unit: write 7s for seconds"},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct stint_scheduler_options options;
		stint_auto_error *err = NULL;
		assert_false(parse(&options, &err, table[i].arguments));
		assert_non_null(err);
		if (!strstr(err->message, table[i].says))
			fail_msg("%s: \"%s\" does not name \"%s\"", table[i].arguments, err->message, table[i].says);
		assert_null(options.scheduler_names);
	}
}

static void the_command_line_wins_over_the_file_and_the_file_over_defaults(void **state)
{
	(void)state;
	char path[] = "/tmp/stint-options-XXXXXX";
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	static const char text[] = "scheduler-name: [kai-scheduler, other]\nleader-elect: false\nnode-placement: spread\n";
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	stint_autofree char *arguments = stint_format("s --leader-elect=true --config %s", path);
	struct stint_scheduler_options options;
	stint_auto_error *err = NULL;
	const bool done = parse(&options, &err, arguments);
	unlink(path);
	assert_true(done);
	assert_string_equal(options.scheduler_names[1], "other");
	assert_true(options.leader_elect);
	assert_int_equal(options.node_placement, STINT_SPREAD);
	stint_scheduler_options_clear(&options);
}

/* Repeated and listed, the last word on a pool counts, and the command line has it. */
static void placements_of_pools_add_up(void **state)
{
	(void)state;
	struct stint_scheduler_options options;
	static const char file[] = "pool-placement: [h100=spread, a100=fragmentation]\nnode-pool: default\n";
	assert_true(parse(&options, NULL, "s"));
	assert_null(options.node_pool);
	assert_int_equal(options.pool_placements_count, 0);
	assert_true(stint_scheduler_options_read(&options, "f", file, sizeof(file) - 1, NULL));
	assert_string_equal(options.node_pool, "default");
	stint_scheduler_options_clear(&options);

	assert_true(
		parse(&options, NULL, "s --pool-placement a=spread,b=binpack --pool-placement a=fragmentation --pool-placement c=spread"));
	struct stint_policy policy;
	stint_scheduler_options_policy(&options, &policy);
	assert_int_equal(policy.pools_count, 3);
	static const struct {
		const char *pool;
		enum stint_placement placement;
		bool prefer_shared;
	} rows[] = {{"a", STINT_FRAGMENTATION, false}, {"b", STINT_BINPACK, true}, {"c", STINT_SPREAD, false}};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		assert_string_equal(policy.pools[i].pool, rows[i].pool);
		assert_int_equal(policy.pools[i].gpu_nodes, rows[i].placement);
		assert_int_equal(policy.pools[i].gpu_devices, rows[i].placement);
		assert_int_equal(policy.pools[i].prefer_shared, rows[i].prefer_shared);
	}
	stint_scheduler_options_clear(&options);
}

static void a_file_with_what_nobody_reads_is_refused(void **state)
{
	(void)state;
	static const char *const files[] = {
		"nothing-like-it: 1\n", "config: other.yaml\n", "- a\n", "scheduler-name: {a: b}\n", "leader-elect: 3\n", "a: [\n"};
	for (size_t i = 0; i < STINT_COUNT(files); i++) {
		struct stint_scheduler_options options;
		assert_true(parse(&options, NULL, "s"));
		stint_auto_error *err = NULL;
		assert_false(stint_scheduler_options_read(&options, "file.yaml", files[i], strlen(files[i]), &err));
		assert_int_equal(err->code, STINT_USAGE);
		assert_non_null(strstr(err->message, "file.yaml"));
		stint_scheduler_options_clear(&options);
	}
}

static void addresses_to_listen_on_are_numeric(void **state)
{
	(void)state;
	static const struct {
		const char *text, *address;
		int port;
	} table[] = {
		{":8443", NULL, 8443}, {"127.0.0.1:0", "127.0.0.1", 0}, {"[::1]:65535", "::1", 65535}, {"localhost:1", "127.0.0.1", 1}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		stint_autofree char *address = NULL;
		int port = -1;
		assert_true(stint_listen_parse(table[i].text, &address, &port, NULL));
		assert_int_equal(port, table[i].port);
		if (table[i].address)
			assert_string_equal(address, table[i].address);
		else
			assert_null(address);
	}
}

static void help_lists_every_option_with_its_default(void **state)
{
	(void)state;
	stint_auto_buf help = {0};
	stint_scheduler_options_help(&help);
	assert_non_null(strstr(help.data, "--scheduler-name N[,N...]"));
	assert_non_null(strstr(help.data, "(default stint-scheduler)"));
	assert_non_null(strstr(help.data, "--version"));
}

/* Whoever asks without being told the settings takes them to be these; and what is told is understood. */
static void the_policy_without_options_is_the_usual_one_and_can_be_told(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"s", "s --gpu-placement spread --pool-placement a=fragmentation --evictions off --stale-grace 5m"};
	for (size_t i = 0; i < STINT_COUNT(lines); i++) {
		struct stint_scheduler_options options;
		struct stint_policy policy, usual, read;
		assert_true(parse(&options, NULL, lines[i]));
		stint_scheduler_options_policy(&options, &policy);
		stint_simulate_usual_policy(&usual);
		struct stint_arena *arena = stint_arena_new(0);
		stint_auto_json *told = stint_policy_json(&policy), *usually = stint_policy_json(&usual);
		assert_int_equal(stint_json_equal(told, usually), i == 0);
		assert_works(stint_policy_read(told, arena, &read, &err));
		stint_auto_json *again = stint_policy_json(&read);
		assert_true(stint_json_equal(told, again));
		stint_arena_free(arena);
		stint_scheduler_options_clear(&options);
	}
	stint_auto_json *broken = stint_json_parse("{\"usage_factor\":\"high\"}", 23, 0, NULL);
	struct stint_policy policy;
	assert_fails(stint_policy_read(broken, NULL, &policy, &err), STINT_USAGE, "usage_factor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_arguments_the_defaults_hold),
		cmocka_unit_test(values_come_by_equals_sign_or_as_the_next_word),
		cmocka_unit_test(what_is_wrong_is_named_and_is_a_usage_error),
		cmocka_unit_test(the_command_line_wins_over_the_file_and_the_file_over_defaults),
		cmocka_unit_test(placements_of_pools_add_up),
		cmocka_unit_test(a_file_with_what_nobody_reads_is_refused),
		cmocka_unit_test(addresses_to_listen_on_are_numeric),
		cmocka_unit_test(the_policy_without_options_is_the_usual_one_and_can_be_told),
		cmocka_unit_test(help_lists_every_option_with_its_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
