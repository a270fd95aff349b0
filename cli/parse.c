/*
 * parse: the walk over argv. See parse.h for the grammar. State: one struct walk on the stack of cli_parse.
 */
#include "cli/parse.h"

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"

struct walk {
	const struct cli_command *const *commands;
	struct cli_parsed *out;
	size_t positional_capacity;
	char **argv;
	int argc, at;
};

static void add_positional(struct walk *walk, char *text)
{
	struct cli_parsed *out = walk->out;
	stint_grow(&out->positionals, &walk->positional_capacity, out->positional_count + 2, sizeof *out->positionals);
	out->positionals[out->positional_count++] = text;
	out->positionals[out->positional_count] = NULL;
}

/* "stint project create", for messages. */
static char *spoken(const struct cli_parsed *out)
{
	if (!out->command)
		return stint_strdup("stint");
	stint_autofree char *path = cli_command_path(out->parent, out->command);
	return stint_format("stint %s", path);
}

static bool unknown_flag(const struct walk *walk, const char *given, size_t length, struct stint_error **err)
{
	stint_autofree char *word = stint_strndup(given, length);
	stint_autofree char *command = spoken(walk->out);
	struct stint_suggestion suggestion = {.word = word};
	const struct cli_flag *flag;
	for (size_t index = 0; (flag = cli_flag_at(walk->out->command, index)); index++)
		stint_suggest(&suggestion, flag->name);
	/* Verbs that take names act in one project. */
	const bool everywhere = suggestion.best && strcmp(suggestion.best, "all-projects") == 0;
	const struct cli_positional *names = walk->out->command ? walk->out->command->positionals : NULL;
	if (suggestion.best && !(everywhere && names && names->name && names->source == CLI_WORKLOAD_NAMES))
		return stint_fail(err, STINT_USAGE, "\"%s\" has no flag --%s: did you mean --%s?", command, word, suggestion.best);
	return stint_fail(err, STINT_USAGE, "\"%s\" has no flag --%s: \"%s --help\" lists them", command, word, command);
}

/* The argument of a flag: what stood after = or the next word. NULL: err is set. */
static const char *argument_of(
	struct walk *walk, const struct cli_flag *flag, const char *spelt, const char *attached, struct stint_error **err)
{
	if (attached)
		return attached;
	if (walk->at < walk->argc)
		return walk->argv[walk->at++];
	stint_fail(err, STINT_USAGE, "%s needs an argument: %s %s", spelt, spelt, cli_flag_argument(flag));
	return NULL;
}

static bool take_flag(struct walk *walk, const struct cli_flag *flag, const char *spelt, const char *attached, struct stint_error **err)
{
	const char *text = attached ? attached : "true";
	if (flag->type != CLI_SWITCH)
		text = argument_of(walk, flag, spelt, attached, err);
	if (!text || !cli_values_add(walk->out->values, flag, text, err))
		return false;
	if (strcmp(flag->name, "help") == 0 && strcmp(text, "true") == 0)
		walk->out->help = true;
	return true;
}

static bool take_long(struct walk *walk, const char *word, struct stint_error **err)
{
	const char *equals = strchr(word, '=');
	const size_t length = equals ? (size_t)(equals - word) : strlen(word);
	if (!walk->out->command && !equals && strcmp(word, "version") == 0) {
		walk->out->version = true;
		return true;
	}
	const struct cli_flag *flag = cli_flag_find(walk->out->command, word, length);
	if (!flag)
		return unknown_flag(walk, word, length, err);
	stint_autofree char *spelt = stint_format("--%s", flag->name);
	return take_flag(walk, flag, spelt, equals ? equals + 1 : NULL, err);
}

static bool unknown_letter(const struct walk *walk, char letter, const char *word, struct stint_error **err)
{
	stint_autofree char *command = spoken(walk->out);
	stint_autofree char *within = word[1] ? stint_format(" in \"-%s\"", word) : stint_strdup("");
	if (letter == 'V')
		return stint_fail(err, STINT_USAGE, "\"%s\" has no flag -V%s: did you mean \"stint version\"?", command, within);
	return stint_fail(err, STINT_USAGE, "\"%s\" has no flag -%c%s: \"%s --help\" lists them", command, letter, within, command);
}

/* A cluster such as -yA or -n4; "-g=1" means what it says. */
static bool take_letters(struct walk *walk, const char *word, struct stint_error **err)
{
	for (const char *letters = word; *letters; letters++) {
		const struct cli_flag *flag = cli_flag_by_letter(walk->out->command, *letters);
		const char spelt[] = {'-', *letters, '\0'};
		if (!flag)
			return unknown_letter(walk, *letters, word, err);
		const bool last = flag->type != CLI_SWITCH || letters[1] == '=';
		const char *attached = letters[1] == '=' ? letters + 2 : last && letters[1] ? letters + 1 : NULL;
		if (!take_flag(walk, flag, spelt, attached, err))
			return false;
		if (last)
			return true;
	}
	return true;
}

static bool unknown_command(const struct walk *walk, const char *word, struct stint_error **err)
{
	const struct cli_command *parent = walk->out->command;
	const struct cli_command *const *commands = parent ? parent->children : walk->commands;
	struct stint_suggestion suggestion = {.word = word};
	for (size_t at = 0; commands[at]; at++)
		if (!commands[at]->hidden)
			stint_suggest(&suggestion, commands[at]->name);
	stint_autofree char *within = spoken(walk->out);
	if (suggestion.best)
		return stint_fail(
			err, STINT_USAGE, "\"%s\" has no command \"%s\": did you mean \"%s %s\"?", within, word, within, suggestion.best);
	return stint_fail(err, STINT_USAGE, "\"%s\" has no command \"%s\": \"%s --help\" lists them", within, word, within);
}

/* A word that is no flag: the command, the child of a noun, or a positional. */
static bool take_word(struct walk *walk, char *word, struct stint_error **err)
{
	struct cli_parsed *out = walk->out;
	if (!out->command || (out->command->children && !out->parent)) {
		const struct cli_command *const *commands = out->command ? out->command->children : walk->commands;
		const struct cli_command *command = cli_command_find(commands, word);
		if (!command && !(out->command && out->command->run))
			return unknown_command(walk, word, err);
		if (command) {
			out->parent = out->command;
			out->command = command;
			out->values->command = command;
			return true;
		}
	}
	add_positional(walk, word);
	return true;
}

static void take_rest(struct walk *walk)
{
	struct cli_parsed *out = walk->out;
	out->rest_given = true;
	if (out->command && out->command->rest == CLI_REST_COMMAND) {
		out->rest_count = (size_t)(walk->argc - walk->at);
		out->rest = stint_alloc((out->rest_count + 1) * sizeof *out->rest);
		for (size_t at = 0; at < out->rest_count; at++)
			out->rest[at] = walk->argv[(size_t)walk->at + at];
	} else {
		while (walk->at < walk->argc)
			add_positional(walk, walk->argv[walk->at++]);
	}
	walk->at = walk->argc;
}

/* A workload may be named as -o name prints it: the name behind "job.batch/". Anything else with a slash stays, and is refused later. */
static char *without_resource(char *text)
{
	static const char *const resources[] = {"job.batch/", "deployment.apps/", "statefulset.apps/", "pod/"};
	for (size_t i = 0; i < STINT_COUNT(resources); i++) {
		if (stint_starts_with(text, resources[i]))
			return text + strlen(resources[i]);
	}
	return text;
}

/* What was given without a -- and was no doubt to be run: all behind the names that the command takes. */
static char *meant_command(const struct cli_parsed *out)
{
	size_t from = 0;
	for (const struct cli_positional *next = out->command->positionals; next && next->name; next++) {
		const char *word = out->positionals[from];
		from += word && (!next->words || cli_choice_has(next->words, word, strlen(word)));
	}
	struct stint_buf text = {0};
	for (size_t i = from; i < out->positional_count; i++)
		stint_buf_printf(&text, "%s%s", i > from ? " " : "", out->positionals[i]);
	return stint_buf_steal(&text);
}

/* As many positionals as the command takes, choices among those that it names, and workloads by their bare names. */
static bool check_positionals(struct cli_parsed *out, struct stint_error **err)
{
	const struct cli_positional *positional = out->command->positionals;
	stint_autofree char *command = spoken(out);
	size_t at = 0;
	for (; positional && positional->name; positional++) {
		if (at >= out->positional_count && !positional->optional)
			return stint_fail(
				err, STINT_USAGE, "\"%s\" needs %s: \"%s --help\" tells more", command, positional->name, command);
		const size_t end = positional->repeated ? out->positional_count : at + 1;
		for (; at < end && at < out->positional_count; at++) {
			if (positional->source == CLI_WORKLOAD_NAMES)
				out->positionals[at] = without_resource(out->positionals[at]);
			const char *text = out->positionals[at];
			if (!*text)
				return stint_fail(err, STINT_USAGE, "%s of \"%s\" is empty: give a name", positional->name, command);
			if (positional->choices && !cli_choice_has(positional->choices, text, strlen(text)))
				return stint_fail(err, STINT_USAGE, "%s of \"%s\" is \"%s\": it must be one of %s", positional->name,
					command, text, positional->choices);
		}
	}
	if (at < out->positional_count && out->command->rest == CLI_REST_COMMAND && !out->rest_given) {
		stint_autofree char *meant = meant_command(out);
		return stint_fail(err, STINT_USAGE, "\"%s\" does not know what to do with \"%s\": put -- before a command, as in \"-- %s\"",
			command, out->positionals[at], meant);
	}
	if (at < out->positional_count)
		return stint_fail(err, STINT_USAGE, "\"%s\" does not know what to do with \"%s\": \"%s --help\" shows its arguments",
			command, out->positionals[at], command);
	return true;
}

bool cli_parse(const struct cli_command *const *commands, int argc, char **argv, struct cli_parsed *out, struct stint_error **err)
{
	*out = (struct cli_parsed){.values = stint_alloc(sizeof *out->values)};
	struct walk walk = {.commands = commands, .out = out, .argv = argv, .argc = argc};
	stint_grow(&out->positionals, &walk.positional_capacity, 1, sizeof *out->positionals);
	out->positionals[0] = NULL;
	while (walk.at < walk.argc && !out->help) {
		char *word = argv[walk.at++];
		bool fine = true;
		if (strcmp(word, "--") == 0)
			take_rest(&walk);
		else if (stint_starts_with(word, "--"))
			fine = take_long(&walk, word + 2, err);
		else if (word[0] == '-' && word[1])
			fine = take_letters(&walk, word + 1, err);
		else
			fine = take_word(&walk, word, err);
		if (!fine)
			return false;
	}
	if (out->help || !out->command || !out->command->run)
		return true;
	return check_positionals(out, err);
}

void cli_parsed_free(struct cli_parsed *parsed)
{
	cli_values_free(parsed->values);
	free(parsed->positionals);
	free(parsed->rest);
	*parsed = (struct cli_parsed){0};
}
