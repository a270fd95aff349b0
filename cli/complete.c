/*
 * complete: `stint __complete -- WORD... CURRENT` prints what CURRENT may become, one a line: the value, a tab, what it is. The line
 * ":files" or ":folders" asks the shell for names of files. It never fails: what cannot be found out is not offered.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/names.h"
#include "cli/output/output.h"
#include "cli/parse.h"
#include "cli/run.h"
#include "cli/settings.h"

/* How far the words before the current one lead. */
struct place {
	struct cli_parsed parsed;
	const struct cli_flag *expects; /* the current word is this flag's argument */
	bool only_positionals; /* after -- */
};

struct offer {
	FILE *out;
	const char *prefix; /* what has been typed of the value */
	const char *lead; /* put before each value: "--flag=", when that is one word with it */
	size_t lead_length;
};

static void offer(const struct offer *to, const char *value, const char *help)
{
	if (!stint_starts_with(value, to->prefix))
		return;
	fprintf(to->out, "%.*s%s", (int)to->lead_length, to->lead, value);
	if (help && *help)
		fprintf(to->out, "\t%s", help);
	fputc('\n', to->out);
}

static void offer_choices(const struct offer *to, const char *choices)
{
	char **words = stint_split(choices, "|");
	for (size_t at = 0; words[at]; at++)
		offer(to, words[at], NULL);
	stint_strings_free(words);
}

/* ---- reading the words ------------------------------------------------------------------------------------------------------------- */

static void take_flag(struct place *place, const struct cli_flag *flag, const char *value)
{
	if (!flag)
		return;
	if (flag->type == CLI_SWITCH)
		value = "true";
	if (value)
		cli_values_add(place->parsed.values, flag, value, NULL);
	else
		place->expects = flag;
}

static void take_flag_word(struct place *place, const char *word)
{
	const struct cli_command *command = place->parsed.command;
	if (stint_starts_with(word, "--")) {
		const char *equals = strchr(word, '=');
		take_flag(place, cli_flag_find(command, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2)),
			equals ? equals + 1 : NULL);
		return;
	}
	for (const char *letter = word + 1; *letter; letter++) {
		const struct cli_flag *flag = cli_flag_by_letter(command, *letter);
		take_flag(place, flag, letter[1] ? letter + 1 : NULL);
		if (!flag || flag->type != CLI_SWITCH)
			return;
	}
}

static void take_plain_word(struct place *place, char *word)
{
	struct cli_parsed *parsed = &place->parsed;
	const struct cli_command *const *among = !parsed->command ? cli_commands() : !parsed->parent ? parsed->command->children : NULL;
	const struct cli_command *command = among ? cli_command_find(among, word) : NULL;
	if (command && !parsed->positional_count) {
		parsed->parent = parsed->command;
		parsed->command = command;
		return;
	}
	parsed->positionals[parsed->positional_count++] = word;
}

static void read_words(struct place *place, char **words, size_t count)
{
	place->parsed.values = stint_alloc(sizeof *place->parsed.values);
	place->parsed.positionals = stint_alloc((count + 1) * sizeof *place->parsed.positionals);
	for (size_t at = 0; at < count; at++) {
		char *word = words[at];
		/* bash cuts words at =, which then stands alone. */
		if (strcmp(word, "=") == 0 && place->expects)
			continue;
		if (place->expects) {
			cli_values_add(place->parsed.values, place->expects, word, NULL);
			place->expects = NULL;
		} else if (place->only_positionals) {
			take_plain_word(place, word);
		} else if (strcmp(word, "--") == 0) {
			place->only_positionals = true;
		} else if (word[0] == '-' && word[1]) {
			take_flag_word(place, word);
		} else {
			take_plain_word(place, word);
		}
	}
}

/* ---- answering --------------------------------------------------------------------------------------------------------------------- */

static void offer_formats(const struct offer *to, unsigned formats)
{
	static const char *const words[] = {"table", "wide", "name", "json", "yaml", "csv", "jsonpath="};
	for (size_t at = 0; at < STINT_COUNT(words); at++)
		if (formats & (1u << at))
			offer(to, words[at], NULL);
}

static void offer_commands(const struct offer *to, const struct cli_command *const *commands)
{
	for (; *commands; commands++)
		if (!(*commands)->hidden)
			offer(to, (*commands)->name, (*commands)->summary);
}

static void offer_names(const struct offer *to, struct cli_context *ctx, enum cli_source source)
{
	char **names = cli_names(ctx, source);
	for (size_t at = 0; names[at]; at++)
		offer(to, names[at], NULL);
	stint_strings_free(names);
}

/* Columns first, in the order of the table, then what items may have beside them. */
static void offer_sort_keys(struct offer to, const struct cli_list *list)
{
	if (*to.prefix == '-') {
		to.lead = to.lead_length ? to.lead : to.prefix;
		to.lead_length++;
		to.prefix++;
	}
	for (const struct cli_column *column = list ? list->columns : NULL; column && column->title; column++)
		if (column->path)
			offer(&to, column->path, NULL);
	char **fields = stint_split(list && list->fields ? list->fields : "", ",");
	for (char **field = fields; *field; field++)
		offer(&to, *field, NULL);
	stint_strings_free(fields);
}

static void offer_source(const struct offer *to, struct cli_context *ctx, enum cli_source source)
{
	switch (source) {
	case CLI_ANYTHING: break;
	case CLI_COMMAND_NAMES: offer_commands(to, cli_commands()); break;
	case CLI_OUTPUT_FORMATS: offer_formats(to, ctx->command ? ctx->command->formats : 0); break;
	case CLI_SORT_KEYS: offer_sort_keys(*to, ctx->command ? ctx->command->list : NULL); break;
	case CLI_SETTING_NAMES:
		for (const struct cli_setting *setting = cli_settings; setting->key; setting++)
			offer(to, setting->key, setting->help);
		break;
	default: offer_names(to, ctx, source);
	}
}

/* Of "a,b" only the last one is under way. */
static void offer_of_list(struct offer to, struct cli_context *ctx, enum cli_source source)
{
	const char *comma = strrchr(to.prefix, ',');
	if (comma) {
		const size_t length = (size_t)(comma - to.prefix) + 1;
		to.lead = to.lead_length ? to.lead : to.prefix;
		to.lead_length += length;
		to.prefix += length;
	}
	offer_names(&to, ctx, source);
}

static void offer_argument(const struct offer *to, struct cli_context *ctx, const struct cli_flag *flag)
{
	if (flag->source == CLI_POOL_NAMES)
		offer_of_list(*to, ctx, flag->source);
	else if (flag->choices || flag->words)
		offer_choices(to, flag->choices ? flag->choices : flag->words);
	else if (flag->type == CLI_FILE || flag->type == CLI_FOLDER)
		fputs(flag->type == CLI_FILE ? ":files\n" : ":folders\n", to->out);
	else
		offer_source(to, ctx, flag->source);
}

static void offer_flags(const struct offer *to, const struct cli_command *command)
{
	const struct cli_flag *flag;
	for (size_t index = 0; (flag = cli_flag_at(command, index)); index++) {
		stint_autofree char *word = stint_format("--%s", flag->name);
		if (command && strcmp(flag->name, "output") == 0 && !command->formats)
			continue;
		offer(to, word, flag->help);
	}
}

/* The positional that stands next; a name that was given already is not offered again. */
static void offer_positional(const struct offer *to, struct cli_context *ctx)
{
	const struct cli_positional *positional = ctx->command->positionals;
	for (size_t at = 0; positional && positional->name && at < ctx->positional_count; at++)
		if (!positional->repeated)
			positional++;
	if (!positional || !positional->name)
		return;
	if (positional->choices || positional->words)
		offer_choices(to, positional->choices ? positional->choices : positional->words);
	else
		offer_source(to, ctx, positional->source);
}

static void answer(const struct place *place, struct cli_context *ctx, struct offer *to, const char *current)
{
	const struct cli_command *command = ctx->command;
	const char *equals = strchr(current, '=');
	if (place->expects) {
		to->prefix = strcmp(current, "=") == 0 ? "" : current;
		offer_argument(to, ctx, place->expects);
	} else if (!place->only_positionals && stint_starts_with(current, "--") && equals) {
		const struct cli_flag *flag = cli_flag_find(command, current + 2, (size_t)(equals - current - 2));
		to->prefix = equals + 1;
		to->lead = current;
		to->lead_length = (size_t)(equals - current) + 1;
		if (flag)
			offer_argument(to, ctx, flag);
	} else if (!place->only_positionals && *current == '-') {
		offer_flags(to, command);
	} else if (!command) {
		if (!ctx->positional_count)
			offer_commands(to, cli_commands());
	} else if (command->children && !place->parsed.parent && !ctx->positional_count) {
		offer_commands(to, command->children);
	} else if (!place->only_positionals || command->rest == CLI_REST_POSITIONAL) {
		offer_positional(to, ctx);
	}
}

static int run(struct cli_context *ctx)
{
	struct place place = {0};
	if (!ctx->rest_count)
		return STINT_OK;
	read_words(&place, ctx->rest, ctx->rest_count - 1);
	FILE *silence = fopen("/dev/null", "we");
	struct cli_context asked = {
		.command = place.parsed.command ? place.parsed.command : ctx->command,
		.parent = place.parsed.parent,
		.positionals = place.parsed.positionals,
		.positional_count = place.parsed.positional_count,
		.values = place.parsed.values,
		.out = ctx->out,
		.notes = silence ? silence : ctx->notes,
		.request_timeout_ms = 1000,
	};
	struct offer to = {.out = ctx->out, .prefix = ctx->rest[ctx->rest_count - 1], .lead = ""};
	if (!place.parsed.command)
		asked.command = NULL;
	answer(&place, &asked, &to, ctx->rest[ctx->rest_count - 1]);
	cli_session_free(asked.session);
	stint_error_clear(&asked.err);
	cli_parsed_free(&place.parsed);
	if (silence)
		fclose(silence);
	return STINT_OK;
}

const struct cli_command cli_command_complete = {
	.name = "__complete",
	.group = CLI_TOOLS,
	.summary = "Answer a shell that completes a line",
	.rest = CLI_REST_COMMAND,
	.rest_help = "WORD...",
	.hidden = true,
	.run = run,
};
