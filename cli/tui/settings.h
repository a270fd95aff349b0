/*
 * settings: the dashboard's own settings, in the same file and table as all others (cli/settings.c checks them with what is here). Set from
 * inside they are written back at once, and the file is written whole or not at all.
 */
#ifndef STINT_CLI_TUI_SETTINGS_H
#define STINT_CLI_TUI_SETTINGS_H

#include <stint/base.h>

struct tui_app;

/* The names as the config file has them: "dashboard-theme"; `:set theme` leaves the first word out. */
#define TUI_SETTINGS(X)                                                                                              \
	X("dashboard-theme", "the dashboard's colours: dark (default) or light, after the terminal's background")    \
	X("dashboard-refresh", "how often in a second the dashboard draws anew at most: 1 to 20 (default)")          \
	X("dashboard-view", "the view that the dashboard begins with; default: overview")                            \
	X("dashboard-columns", "the columns of the dashboard's tables, as \"workloads:name,state;nodes:node,gpus\"") \
	X("dashboard-keys", "other keys for what the dashboard does, as \"delete=x,logs=L\"")

/* False with a sentence when the value is none for that setting. Checked without an app. */
bool tui_setting_check(const char *key, const char *value, struct stint_error **err);
/* Puts a checked value into effect. */
void tui_setting_apply(struct tui_app *app, const char *key, const char *value);

#endif
