/* The option parser: what a command line means, and what is said about one that means nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/parse.h"

static int run_nothing(struct cli_context *ctx)
{
	(void)ctx;
	return 0;
}

static const struct cli_flag go_flags[] = {
	{.name = "gpus", .letter = 'g', .type = CLI_TEXT, .help = "gpus"},
	{.name = "tail", .type = CLI_INT, .low = -1, .high = 100, .help = "tail"},
	{.name = "weight", .type = CLI_NUMBER, .help = "weight"},
	{.name = "time", .type = CLI_DURATION, .help = "time"},
	{.name = "follow", .letter = 'f', .type = CLI_SWITCH, .help = "follow"},
	{.name = "env", .letter = 'e', .type = CLI_TEXT, .repeated = true, .help = "env"},
	{.name = "pull", .type = CLI_CHOICE, .choices = "Always|Never", .otherwise = "Never", .help = "pull"},
	{.name = NULL},
};
static const struct cli_positional go_positionals[] = {
	{.name = "NAME", .help = "name"},
	{.name = "MORE", .help = "more", .optional = true, .repeated = true},
	{.name = NULL},
};
static const struct cli_command go = {.name = "go",
	.aliases = "run|walk",
	.summary = "go",
	.positionals = go_positionals,
	.flags = go_flags,
	.rest = CLI_REST_COMMAND,
	.run = run_nothing};
static const struct cli_positional make_positionals[] = {{.name = "NAME", .help = "name"}, {.name = NULL}};
static const struct cli_command make = {
	.name = "create", .summary = "make", .positionals = make_positionals, .sets = CLI_SET_YES, .run = run_nothing};
static const struct cli_command *const noun_children[] = {&make, NULL};
static const struct cli_command noun = {.name = "project", .summary = "projects", .children = noun_children};
static const struct cli_command *const commands[] = {&go, &noun, NULL};

enum { MOST_WORDS = 32 };

/* Cuts the line at blanks ('' is the empty word) and parses it. The words live in a static buffer. */
static bool parse(const char *line, struct cli_parsed *out, struct stint_error **err)
{
	static char text[512];
	char *argv[MOST_WORDS + 1] = {0};
	int argc = 0;
	snprintf(text, sizeof text, "%s", line);
	for (char *at = text; *at && argc < MOST_WORDS;) {
		argv[argc++] = at;
		at += strcspn(at, " ");
		if (*at)
			*at++ = '\0';
		if (strcmp(argv[argc - 1], "''") == 0)
			argv[argc - 1] = argv[argc - 1] + 2;
	}
	return cli_parse(commands, argc, argv, out, err);
}

/* Everything that was understood in one line: command, flags in order, positionals, rest. */
static char *spell(const struct cli_parsed *out)
{
	stint_auto_buf text = {0};
	stint_autofree char *path = out->command ? cli_command_path(out->parent, out->command) : stint_strdup("none");
	stint_buf_puts(&text, path);
	for (size_t at = 0; at < out->values->count; at++)
		stint_buf_printf(&text, " %s=%s", out->values->items[at].flag->name, out->values->items[at].text);
	stint_buf_puts(&text, " |");
	for (size_t at = 0; at < out->positional_count; at++)
		stint_buf_printf(&text, " %s", out->positionals[at]);
	if (out->rest_given)
		stint_buf_puts(&text, " --");
	for (size_t at = 0; at < out->rest_count; at++)
		stint_buf_printf(&text, " %s", out->rest[at]);
	return stint_buf_steal(&text);
}

static void good_lines_mean_what_gnu_and_kubectl_users_expect(void **state)
{
	(void)state;
	static const struct {
		const char *line, *meaning;
	} cases[] = {
		{"go x", "go | x"},
		{"run x", "go | x"},
		{"walk x y z", "go | x y z"},
		{"go --gpus=2 x", "go gpus=2 | x"},
		{"go --gpus 2 x", "go gpus=2 | x"},
		{"go -g2 x", "go gpus=2 | x"},
		{"go -g 2 x", "go gpus=2 | x"},
		{"go -g=0.5 x", "go gpus=0.5 | x"},
		{"go x -g -1", "go gpus=-1 | x"},
		{"go -fg 2 x", "go follow=true gpus=2 | x"},
		{"go -fg2 x", "go follow=true gpus=2 | x"},
		{"go -f=false x", "go follow=false | x"},
		{"go --follow=false x", "go follow=false | x"},
		{"go -e A=1 -e B=2 x", "go env=A=1 env=B=2 | x"},
		{"go --env=A=1=2 x", "go env=A=1=2 | x"},
		{"-n lab go x", "go namespace=lab | x"},
		{"--project=lab go x -v -v", "go project=lab verbose=true verbose=true | x"},
		{"go x -- python -c print", "go | x -- python -c print"},
		{"go x --", "go | x --"},
		{"go -- x", NULL},
		{"go - -f", "go follow=true | -"},
		{"go x --tail -1", "go tail=-1 | x"},
		{"go x --time 1h30m --weight 0.25", "go time=1h30m weight=0.25 | x"},
		{"project create lab -y", "project create yes=true | lab"},
		{"project -n lab create -- -odd", "project create namespace=lab | -odd --"},
		{"go --help --nonsense", "go help=true |"},
		{"project --help", "project help=true |"},
		{"", "none |"},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		struct cli_parsed parsed;
		stint_auto_error *err = NULL;
		const bool fine = parse(cases[at].line, &parsed, &err);
		stint_autofree char *meaning = spell(&parsed);
		if (fine != (cases[at].meaning != NULL) || (fine && strcmp(meaning, cases[at].meaning) != 0))
			fail_msg("\"%s\": %s", cases[at].line, fine ? meaning : err->message);
		cli_parsed_free(&parsed);
	}
}

static void bad_lines_are_usage_errors_that_name_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *line, *says;
	} cases[] = {
		{"goo x", "did you mean \"stint go\"?"}, {"frobnicate", "\"stint --help\" lists them"},
		{"go x --gpus 1 --gpus 2", "--gpus is given twice, as \"1\" and \"2\""}, {"go x --gpus 2 -g 2 -e A -e B", NULL},
		{"project", NULL}, {"project craete lab", "did you mean \"stint project create\"?"}, {"go", "needs NAME"},
		{"project create", "needs NAME"}, {"project create a b", "does not know what to do with \"b\""},
		{"project create ''", "is empty"}, {"go x --gpu 1", "did you mean --gpus?"}, {"go x --gpus", "--gpus needs an argument"},
		{"go x -g", "-g needs an argument"}, {"go x -Z", "has no flag -Z:"}, {"go x -vZ", "has no flag -Z in \"-vZ\""},
		{"go x -V", "did you mean \"stint version\"?"}, {"go x --gpus=", "--gpus has an empty argument"},
		{"go x --follow=maybe", "--follow is a switch"}, {"go x --tail 1.5", "--tail needs a whole number"},
		{"go x --tail 1e3", "--tail needs a whole number"}, {"go x --tail 99999999999999999999", "--tail needs a whole number"},
		{"go x --tail -2", "from -1 to 100"}, {"go x --weight NaN", "--weight needs a number"},
		{"go x --weight 0x10", "--weight needs a number"}, {"go x --time soon", "--time needs a duration"},
		{"go x --time -5s", "--time needs a duration"}, {"go x --pull Sometimes", "must be one of Always|Never"},
		{"--gpus 1 go x", "has no flag --gpus"}, {"go x --request-timeout never", "--request-timeout needs a duration"},
		{"go x --time 5", "--time needs a unit: say 5s for seconds, 5m for minutes or 5h for hours"},
		{"go x --time 1.5", "--time needs a unit: say 1.5s"}, {"go x --request-timeout 5", NULL}, /* as kubectl takes it */
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		struct cli_parsed parsed;
		stint_auto_error *err = NULL;
		const bool fine = parse(cases[at].line, &parsed, &err);
		if (fine != (cases[at].says == NULL))
			fail_msg("\"%s\" was %s", cases[at].line, fine ? "accepted" : err->message);
		if (!fine && (err->code != STINT_USAGE || !strstr(err->message, cases[at].says)))
			fail_msg("\"%s\": code %d, %s", cases[at].line, (int)err->code, err->message);
		cli_parsed_free(&parsed);
	}
}

static void verbs_read_the_value_all_values_and_defaults(void **state)
{
	(void)state;
	struct cli_parsed parsed;
	stint_auto_error *err = NULL;
	assert_true(parse("go x --gpus 2 -e A -e B --tail 7 --weight 0.5 --time 90s -f", &parsed, &err));
	const struct cli_context ctx = {.command = parsed.command,
		.values = parsed.values,
		.positionals = parsed.positionals,
		.positional_count = parsed.positional_count};
	assert_string_equal(cli_text(&ctx, "gpus"), "2");
	assert_string_equal(cli_texts(&ctx, "env")[0], "A");
	assert_string_equal(cli_texts(&ctx, "env")[1], "B");
	assert_null(cli_texts(&ctx, "env")[2]);
	assert_int_equal(cli_int(&ctx, "tail"), 7);
	assert_true(cli_number(&ctx, "weight") > 0.49 && cli_number(&ctx, "weight") < 0.51);
	assert_int_equal(cli_duration_ms(&ctx, "time"), 90000);
	assert_true(cli_switch(&ctx, "follow"));
	assert_false(cli_switch(&ctx, "all-projects"));
	assert_string_equal(cli_text(&ctx, "pull"), "Never");
	assert_false(cli_given(&ctx, "pull"));
	assert_null(cli_text(&ctx, "context"));
	assert_string_equal(cli_positional(&ctx, 0), "x");
	assert_null(cli_positional(&ctx, 1));
	cli_parsed_free(&parsed);
}

static void suggestions_allow_few_errors_and_none_in_short_words(void **state)
{
	(void)state;
	static const struct {
		const char *word, *candidate;
		bool close;
	} cases[] = {
		{"lits", "list", true},
		{"lst", "list", true},
		{"delet", "delete", true},
		{"descirbe", "describe", true},
		{"desc", "describe", true},
		{"ls", "list", false},
		{"top", "stop", true},
		{"logs", "exec", false},
		{"suspendd", "suspend", true},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		struct stint_suggestion suggestion = {.word = cases[at].word};
		stint_suggest(&suggestion, cases[at].candidate);
		if ((suggestion.best != NULL) != cases[at].close)
			fail_msg("%s for %s", cases[at].candidate, cases[at].word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines_mean_what_gnu_and_kubectl_users_expect),
		cmocka_unit_test(bad_lines_are_usage_errors_that_name_what_is_wrong),
		cmocka_unit_test(verbs_read_the_value_all_values_and_defaults),
		cmocka_unit_test(suggestions_allow_few_errors_and_none_in_short_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
