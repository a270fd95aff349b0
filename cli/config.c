/*
 * config: a person's own settings: `stint config set|get|list`. The file belongs to the person; cli/settings.c reads and writes it.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"
#include "cli/settings.h"

/* The settings and their path (freed by the caller); NULL: ctx->err. */
static struct stint_json *read_settings(struct cli_context *ctx, char **path)
{
	*path = cli_settings_path();
	if (*path)
		return cli_settings_read(*path, &ctx->err);
	stint_fail(&ctx->err, STINT_FAILED, "there is no place for settings: neither XDG_CONFIG_HOME nor HOME is set");
	return NULL;
}

static int run_set(struct cli_context *ctx)
{
	stint_autofree char *path = NULL;
	const struct cli_setting *setting = cli_setting_find(cli_positional(ctx, 0), &ctx->err);
	const char *value = cli_positional(ctx, 1);
	if (!setting || (value && !setting->check(setting->key, value, &ctx->err)))
		return cli_failed(ctx);
	if (!value != cli_switch(ctx, "unset"))
		return cli_fail(ctx, STINT_USAGE, "give %s a value, or --unset to forget it", setting->key);
	stint_auto_json *settings = read_settings(ctx, &path);
	if (!settings)
		return cli_failed(ctx);
	if (value)
		stint_json_set_string(settings, setting->key, value);
	else
		stint_json_remove(settings, setting->key);
	return cli_settings_write(path, settings, &ctx->err) ? STINT_OK : cli_failed(ctx);
}

static int run_get(struct cli_context *ctx)
{
	stint_autofree char *path = NULL;
	const struct cli_setting *setting = cli_setting_find(cli_positional(ctx, 0), &ctx->err);
	if (!setting)
		return cli_failed(ctx);
	stint_auto_json *settings = read_settings(ctx, &path);
	if (!settings)
		return cli_failed(ctx);
	const char *value = stint_json_string(stint_json_get(settings, setting->key));
	if (!value)
		return cli_fail(ctx, STINT_NOT_FOUND, "%s is not set: \"stint config set %s VALUE\" sets it", setting->key, setting->key);
	fprintf(ctx->out, "%s\n", value);
	return STINT_OK;
}

static const struct cli_column columns[] = {
	{"SETTING", "name", NULL, 0},
	{"VALUE", "value", NULL, 0},
	{"MEANING", "meaning", NULL, CLI_WRAP},
	{NULL, NULL, NULL, 0},
};
static const struct cli_list list = {.kind = "SettingList", .columns = columns};

static int run_list(struct cli_context *ctx)
{
	stint_autofree char *path = NULL;
	stint_auto_json *settings = read_settings(ctx, &path);
	if (!settings)
		return cli_failed(ctx);
	struct stint_json *items = stint_json_new_array();
	for (const struct cli_setting *setting = cli_settings; setting->key; setting++) {
		struct stint_json *item = stint_json_append(items, stint_json_new_object());
		const char *value = stint_json_string(stint_json_get(settings, setting->key));
		stint_json_set_string(item, "name", setting->key);
		if (value)
			stint_json_set_string(item, "value", value);
		stint_json_set_string(item, "meaning", setting->help);
	}
	return cli_print_list(ctx, &list, items, NULL);
}

static const struct cli_flag set_flags[] = {
	{.name = "unset", .type = CLI_SWITCH, .help = "forget the setting"},
	{.name = NULL},
};
static const struct cli_positional set_positionals[] = {
	{.name = "SETTING", .help = "which one; \"stint config list\" shows them", .source = CLI_SETTING_NAMES},
	{.name = "VALUE", .help = "its value from now on", .optional = true},
	{.name = NULL},
};
static const struct cli_positional get_positionals[] = {
	{.name = "SETTING", .help = "which one", .source = CLI_SETTING_NAMES},
	{.name = NULL},
};

static const struct cli_command set = {
	.name = "set",
	.group = CLI_TOOLS,
	.summary = "Set one of your settings",
	.examples = "stint config set project vision\n"
		    "stint config set project --unset",
	.positionals = set_positionals,
	.flags = set_flags,
	.no_project = true,
	.run = run_set,
};
static const struct cli_command get = {
	.name = "get",
	.group = CLI_TOOLS,
	.summary = "Print one of your settings",
	.examples = "stint config get project",
	.positionals = get_positionals,
	.exits = CLI_EXIT(STINT_NOT_FOUND),
	.no_project = true,
	.run = run_get,
};
static const struct cli_command list_command = {
	.name = "list",
	.aliases = "ls",
	.group = CLI_TOOLS,
	.summary = "List the settings with their values",
	.formats = CLI_FORMATS_LIST,
	.no_project = true,
	.run = run_list,
};
static const struct cli_command *const children[] = {&set, &get, &list_command, NULL};

const struct cli_command cli_command_config = {
	.name = "config",
	.group = CLI_TOOLS,
	.summary = "Keep your own settings",
	.description = "The settings are in ${XDG_CONFIG_HOME:-~/.config}/stint/config.yaml. A flag or a variable of the environment wins "
		       "over them.",
	.children = children,
};
