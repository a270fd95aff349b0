/*
 * settings: the table of own settings, and reading and writing their file. No state: the run's session keeps what was read.
 */
#include "cli/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stint/workload.h>

#include "cli/parse.h"
#include "cli/tui/settings.h"

enum { SETTINGS_MAX_BYTES = 64 * 1024 };

static bool check_project(const char *key, const char *value, struct stint_error **err)
{
	(void)key;
	return stint_name_check("project", value, 63, err);
}

/* spec.schedulerName and names of classes: dots are fine. */
static bool is_subdomain(const char *name)
{
	const size_t length = strlen(name);
	return length > 0 && length <= 253 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == length && name[0] != '-' &&
		name[0] != '.' && name[length - 1] != '-' && name[length - 1] != '.';
}

static bool check_names(const char *key, const char *value, struct stint_error **err)
{
	char **names = stint_split(value, ", ");
	bool fine = names[0] || stint_fail(err, STINT_USAGE, "%s is empty: give names of schedulers, divided by commas", key);
	for (size_t at = 0; fine && names[at]; at++)
		fine = is_subdomain(names[at]) ||
			stint_fail(err, STINT_USAGE, "%s: \"%s\" is no scheduler's name: use lower-case letters, digits, dots and dashes",
				key, names[at]);
	stint_strings_free(names);
	return fine;
}

static bool check_url(const char *key, const char *value, struct stint_error **err)
{
	return stint_starts_with(value, "https://") || stint_fail(err, STINT_USAGE, "%s must start with https://: got \"%s\"", key, value);
}

static bool check_name(const char *key, const char *value, struct stint_error **err)
{
	return is_subdomain(value) ||
		stint_fail(err, STINT_USAGE, "%s: \"%s\" is no name: use lower-case letters, digits, dots and dashes", key, value);
}

#define DASHBOARD(key, help) {key, help, tui_setting_check},
const struct cli_setting cli_settings[] = {
	TUI_SETTINGS(DASHBOARD){"project", "the project of commands that name none", check_project},
	{"runtime-class", "the runtime class of pods with GPUs that submit makes; default: nvidia, where the cluster has it", check_name},
	{"scheduler-names", "the scheduler names that stint serves, where the scheduler's Lease cannot be read", check_names},
	{"scheduler-url", "where stint-scheduler answers; default: what its Lease says", check_url},
	{NULL, NULL, NULL},
};

const struct cli_setting *cli_setting_find(const char *key, struct stint_error **err)
{
	struct stint_suggestion suggestion = {.word = key};
	stint_auto_buf names = {0};
	for (const struct cli_setting *setting = cli_settings; setting->key; setting++) {
		if (strcmp(setting->key, key) == 0)
			return setting;
		stint_suggest(&suggestion, setting->key);
		stint_buf_printf(&names, "%s%s", names.length ? ", " : "", setting->key);
	}
	if (suggestion.best)
		stint_fail(err, STINT_USAGE, "there is no setting \"%s\": did you mean %s?", key, suggestion.best);
	else
		stint_fail(err, STINT_USAGE, "there is no setting \"%s\": there are %s", key, names.data);
	return NULL;
}

char *cli_settings_path(void)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (base && *base == '/')
		return stint_format("%s/stint/config.yaml", base);
	return home && *home ? stint_format("%s/.config/stint/config.yaml", home) : NULL;
}

struct stint_json *cli_settings_read(const char *path, struct stint_error **err)
{
	stint_auto_buf text = {0};
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return stint_json_new_object();
	if (!stint_buf_read_file(&text, path, SETTINGS_MAX_BYTES, err))
		return NULL;
	stint_auto_json *documents = stint_yaml_parse(path, text.data ? text.data : "", text.length, err);
	if (!documents)
		return NULL;
	struct stint_json *settings = stint_json_new_object();
	stint_json_each(document, documents) {
		stint_json_each(member, document) {
			const char *key = stint_json_key(member), *value = stint_json_string(member);
			stint_autofree char *printed = value ? NULL : stint_json_print(member);
			if (key)
				stint_json_set_string(settings, key, value ? value : printed);
		}
	}
	return settings;
}

bool cli_settings_write(const char *path, const struct stint_json *settings, struct stint_error **err)
{
	/* Whoever keeps the file elsewhere, and a link to it here, keeps the link. */
	stint_autofree char *linked = realpath(path, NULL), *folder = stint_strdup(path);
	*strrchr(folder, '/') = '\0';
	stint_autofree char *yaml = stint_json_first(settings) ? stint_yaml_print(settings) : stint_strdup("");
	stint_autofree char *text = stint_format("# Written by `stint config set`, which keeps the values and no comments.\n%s", yaml);
	return stint_make_folders(folder, 0700, err) && stint_file_write(linked ? linked : path, text, strlen(text), 0600, err);
}
