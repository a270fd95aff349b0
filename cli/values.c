/*
 * values: the values of flags, checked when they come in (cli_values_add) and read by verbs (cli_text and its kin). Owned by the run's
 * context; the texts belong to argv.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/parse.h"

static bool check_switch(const char *spelt, const char *text, struct stint_error **err)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return true;
	return stint_fail(err, STINT_USAGE, "%s is a switch and takes no argument but true or false: got \"%s\"", spelt, text);
}

static bool check_number(const struct cli_flag *flag, const char *spelt, const char *text, struct stint_error **err)
{
	const bool bounded = flag->low != 0 || flag->high != 0; /* NOLINT: exact zeros mean: not set */
	const char *what = flag->type == CLI_INT ? "a whole number" : "a number";
	double number = 0;
	int64_t whole = 0;
	bool fine;
	if (flag->type == CLI_INT) {
		fine = stint_parse_int(text, INT64_MIN, INT64_MAX, &whole);
		number = (double)whole;
	} else {
		fine = stint_parse_double(text, -HUGE_VAL, HUGE_VAL, &number);
	}
	if (!fine)
		return stint_fail(err, STINT_USAGE, "%s needs %s: \"%s\" is none", spelt, what, text);
	if (bounded && (number < flag->low || number > flag->high))
		return stint_fail(err, STINT_USAGE, "%s must be %s from %.10g to %.10g: got %s", spelt, what, flag->low, flag->high, text);
	return true;
}

/* As kubectl: a number alone is refused, but for the flags of which it takes one. */
static bool check_duration(const struct cli_flag *flag, const char *spelt, const char *text, struct stint_error **err)
{
	int64_t ms;
	if (!flag->seconds && stint_duration_lacks_unit(text))
		return stint_fail(err, STINT_USAGE, "%s needs a unit: say %ss for seconds, %sm for minutes or %sh for hours", spelt, text,
			text, text);
	return stint_duration_parse(text, &ms) ||
		stint_fail(err, STINT_USAGE, "%s needs a duration such as 90s, 1h30m or 2d: got \"%s\"", spelt, text);
}

/* A second value would silently replace the first: somebody who gives two wants both, or has made a mistake. */
static bool check_once(
	const struct cli_values *values, const struct cli_flag *flag, const char *spelt, const char *text, struct stint_error **err)
{
	for (size_t at = 0; at < values->count && !flag->repeated && flag->type != CLI_SWITCH; at++) {
		const struct cli_value *before = &values->items[at];
		if (before->flag == flag && strcmp(before->text, text) != 0)
			return stint_fail(
				err, STINT_USAGE, "%s is given twice, as \"%s\" and \"%s\": it takes one value", spelt, before->text, text);
	}
	return true;
}

bool cli_values_add(struct cli_values *values, const struct cli_flag *flag, const char *text, struct stint_error **err)
{
	stint_autofree char *spelt = stint_format("--%s", flag->name);
	bool fine = true;
	if (flag->type != CLI_SWITCH && !*text)
		return stint_fail(err, STINT_USAGE, "%s has an empty argument: give %s", spelt, cli_flag_argument(flag));
	switch (flag->type) {
	case CLI_SWITCH: fine = check_switch(spelt, text, err); break;
	case CLI_INT:
	case CLI_NUMBER: fine = check_number(flag, spelt, text, err); break;
	case CLI_DURATION: fine = check_duration(flag, spelt, text, err); break;
	case CLI_CHOICE:
		fine = cli_choice_has(flag->choices, text, strlen(text));
		if (!fine)
			stint_fail(err, STINT_USAGE, "%s must be one of %s: got \"%s\"", spelt, flag->choices, text);
		break;
	case CLI_TEXT:
	case CLI_FILE:
	case CLI_FOLDER: break;
	}
	if (!fine || !check_once(values, flag, spelt, text, err))
		return false;
	stint_grow(&values->items, &values->capacity, values->count + 1, sizeof *values->items);
	values->items[values->count++] = (struct cli_value){.flag = flag, .text = text};
	return true;
}

void cli_values_free(struct cli_values *values)
{
	if (!values)
		return;
	for (size_t at = 0; at < values->lists_count; at++)
		free(values->lists[at]);
	free(values->lists);
	free(values->items);
	free(values);
}

/* A name that the table does not have is a mistake in the verb: better loud than a flag that is never seen. */
static const struct cli_flag *flag_of(const struct cli_context *ctx, const char *name)
{
	const struct cli_flag *flag = cli_flag_find(ctx->command, name, strlen(name));
	if (!flag) {
		fprintf(stderr, "stint: command \"%s\" reads flag --%s, which its table does not have\n", ctx->command->name, name);
		abort();
	}
	return flag;
}

/* A flag of a set and a global one may stand before the command's word, so they are found by name. */
static const char *last_value(const struct cli_context *ctx, const char *name)
{
	flag_of(ctx, name);
	for (size_t at = ctx->values->count; at-- > 0;)
		if (strcmp(ctx->values->items[at].flag->name, name) == 0)
			return ctx->values->items[at].text;
	return NULL;
}

bool cli_given(const struct cli_context *ctx, const char *flag)
{
	return last_value(ctx, flag) != NULL;
}

bool cli_switch(const struct cli_context *ctx, const char *flag)
{
	const char *text = cli_text(ctx, flag);
	return text && strcmp(text, "true") == 0;
}

const char *cli_text(const struct cli_context *ctx, const char *flag)
{
	const char *text = last_value(ctx, flag);
	return text ? text : flag_of(ctx, flag)->otherwise;
}

const char *const *cli_texts(const struct cli_context *ctx, const char *flag)
{
	flag_of(ctx, flag);
	struct cli_values *values = ctx->values;
	const char **list = stint_alloc((values->count + 1) * sizeof *list);
	size_t count = 0;
	for (size_t at = 0; at < values->count; at++)
		if (strcmp(values->items[at].flag->name, flag) == 0)
			list[count++] = values->items[at].text;
	stint_grow(&values->lists, &values->lists_capacity, values->lists_count + 1, sizeof *values->lists);
	values->lists[values->lists_count++] = list;
	return list;
}

int64_t cli_int(const struct cli_context *ctx, const char *flag)
{
	const char *text = cli_text(ctx, flag);
	int64_t number = 0;
	return text && stint_parse_int(text, INT64_MIN, INT64_MAX, &number) ? number : 0;
}

double cli_number(const struct cli_context *ctx, const char *flag)
{
	const char *text = cli_text(ctx, flag);
	double number = 0;
	return text && stint_parse_double(text, -HUGE_VAL, HUGE_VAL, &number) ? number : 0;
}

int64_t cli_duration_ms(const struct cli_context *ctx, const char *flag)
{
	const char *text = cli_text(ctx, flag);
	int64_t ms = 0;
	return text && stint_duration_parse(text, &ms) ? ms : 0;
}

const char *cli_positional(const struct cli_context *ctx, size_t index)
{
	return index < ctx->positional_count ? ctx->positionals[index] : NULL;
}
