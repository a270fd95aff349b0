/*
 * object: -o itself, one object in the forms for programs, and the "Key:   value" blocks of descriptions.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "cli/output/internal.h"
#include "cli/output/jsonpath.h"
#include "cli/parse.h"
#include "cli/run.h"

static const char *const format_names[] = {"table", "wide", "name", "json", "yaml", "csv", "jsonpath"};

static bool refuse_format(struct cli_context *ctx, const char *text)
{
	stint_autofree char *formats = cli_formats_text(ctx->command->formats);
	stint_autofree char *command = cli_command_path(ctx->parent, ctx->command);
	if (!ctx->command->formats)
		return stint_fail(&ctx->err, STINT_USAGE, "\"stint %s\" has no -o: its output has one form", command);
	return stint_fail(&ctx->err, STINT_USAGE, "\"stint %s\" has no output format \"%s\": it has %s", command, text, formats);
}

bool cli_format_choose(struct cli_context *ctx)
{
	const char *text = cli_text(ctx, "output");
	ctx->format = CLI_FORMAT_TABLE;
	if (!text)
		return true;
	const size_t length = strcspn(text, "=");
	for (size_t at = 0; at < STINT_COUNT(format_names); at++) {
		if (strlen(format_names[at]) != length || memcmp(format_names[at], text, length) != 0 ||
			!(ctx->command->formats & (1u << at)))
			continue;
		ctx->format = (enum cli_format)(1u << at);
		if (ctx->format != CLI_FORMAT_JSONPATH)
			return !text[length] || refuse_format(ctx, text);
		if (!text[length])
			return stint_fail(&ctx->err, STINT_USAGE, "-o jsonpath needs a template: -o jsonpath='{.items[*].name}'");
		ctx->jsonpath = cli_jsonpath_compile(text + length + 1, &ctx->err);
		return ctx->jsonpath != NULL;
	}
	return refuse_format(ctx, text);
}

bool cli_print_object(struct cli_context *ctx, const struct stint_json *object, const char *name_text, int *exit_code)
{
	stint_auto_buf text = {0};
	stint_autofree char *printed = NULL;
	*exit_code = STINT_OK;
	switch (ctx->format) {
	case CLI_FORMAT_JSON:
		printed = stint_json_print_pretty(object);
		stint_buf_printf(&text, "%s\n", printed);
		break;
	case CLI_FORMAT_YAML:
		printed = stint_yaml_print(object);
		stint_buf_puts(&text, printed);
		break;
	case CLI_FORMAT_NAME: stint_buf_printf(&text, "%s\n", name_text ? name_text : ""); break;
	case CLI_FORMAT_JSONPATH:
		cli_jsonpath_print(ctx->jsonpath, object, &text);
		/* The prompt of a person deserves a line of its own; a program gets the bytes of the template. */
		if (ctx->columns && text.length && text.data[text.length - 1] != '\n')
			stint_buf_putc(&text, '\n');
		break;
	case CLI_FORMAT_TABLE:
	case CLI_FORMAT_WIDE:
	case CLI_FORMAT_CSV: return false;
	}
	if (text.length)
		fwrite(text.data, 1, text.length, ctx->out);
	return true;
}

struct cli_fields {
	char **texts; /* key, value, key, value ... */
	size_t count, capacity;
};

struct cli_fields *cli_fields_new(void)
{
	return stint_alloc(sizeof(struct cli_fields));
}

void cli_fields_add(struct cli_fields *fields, const char *key, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *value = stint_vformat(format, args);
	va_end(args);
	if (!*value)
		return;
	stint_sanitize(value);
	stint_grow(&fields->texts, &fields->capacity, fields->count + 2, sizeof *fields->texts);
	fields->texts[fields->count++] = stint_strdup(key);
	fields->texts[fields->count++] = stint_steal(&value);
}

void cli_fields_print(struct cli_fields *fields, struct cli_context *ctx)
{
	size_t width = 0;
	for (size_t at = 0; at < fields->count; at += 2)
		if (strlen(fields->texts[at]) > width)
			width = strlen(fields->texts[at]);
	for (size_t at = 0; at < fields->count; at += 2) {
		const char *value = fields->texts[at + 1];
		const char *colour = ctx->colour ? cli_state_colour(value) : "";
		fprintf(ctx->out, "%s:%*s%s", fields->texts[at], (int)(width - strlen(fields->texts[at]) + 3), "", colour);
		for (; *value; value++) {
			fputc(*value, ctx->out);
			if (*value == '\n')
				fprintf(ctx->out, "%*s", (int)width + 4, "");
		}
		fprintf(ctx->out, "%s\n", *colour ? cli_colour_off : "");
		free(fields->texts[at]);
		free(fields->texts[at + 1]);
	}
	free(fields->texts);
	free(fields);
}
