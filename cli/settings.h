/*
 * settings: a person's own settings, ${XDG_CONFIG_HOME:-~/.config}/stint/config.yaml: a flat map of the keys in this table.
 * The file is read when a setting is first asked for and written whole or not at all.
 */
#ifndef STINT_CLI_SETTINGS_H
#define STINT_CLI_SETTINGS_H

#include <stint/base.h>
#include <stint/text.h>

struct cli_setting {
	const char *key;
	const char *help;
	/* False with a sentence when the value is none for this key. */
	bool (*check)(const char *key, const char *value, struct stint_error **err);
};
extern const struct cli_setting cli_settings[]; /* ended by a row without a key */
const struct cli_setting *cli_setting_find(const char *key, struct stint_error **err);

/* Freed by the caller. NULL: neither XDG_CONFIG_HOME nor HOME is set. */
char *cli_settings_path(void);
/* An object of texts; empty when there is no file. NULL: err. */
struct stint_json *cli_settings_read(const char *path, struct stint_error **err);
bool cli_settings_write(const char *path, const struct stint_json *settings, struct stint_error **err);

#endif
