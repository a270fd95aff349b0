/*
 * settings: see settings.h.
 */
#include "cli/tui/settings.h"

#include <string.h>

#include "cli/tui/app.h"

static const char *const keys[] = {
#define KEY(key, help) key,
	TUI_SETTINGS(KEY)
#undef KEY
};

static bool is(const char *key, const char *word)
{
	return strcmp(key + strlen("dashboard-"), word) == 0;
}

static bool check_columns(const char *value, struct tui_app *app, struct stint_error **err)
{
	bool fine = true;
	char **views = stint_split(value, ";");
	for (size_t at = 0; fine && views[at]; at++) {
		char *colon = strchr(views[at], ':');
		if (colon)
			*colon = '\0';
		const enum tui_view_name name = tui_view_find(views[at] + strspn(views[at], " "));
		if (!colon || name >= TUI_VIEWS || !tui_view_of(name)->list) {
			fine = stint_fail(
				err, STINT_USAGE, "dashboard-columns: \"%s\" is no view with columns: write view:column,column", views[at]);
			continue;
		}
		struct tui_list scratch = {.kind = tui_view_of(name)->list};
		fine = tui_list_choose(app ? &app->lists[name] : &scratch, colon + 1, err);
	}
	stint_strings_free(views);
	return fine;
}

bool tui_setting_check(const char *key, const char *value, struct stint_error **err)
{
	int64_t number;
	struct tui_keys scratch;
	if (is(key, "theme"))
		return strcmp(value, "dark") == 0 || strcmp(value, "light") == 0 ||
			stint_fail(err, STINT_USAGE, "%s is dark or light: got \"%s\"", key, value);
	if (is(key, "refresh"))
		return stint_parse_int(value, 1, 20, &number) ||
			stint_fail(err, STINT_USAGE, "%s is a whole number from 1 to 20: got \"%s\"", key, value);
	if (is(key, "view"))
		return tui_view_find(value) < TUI_TABS ||
			stint_fail(err, STINT_USAGE, "%s is overview, workloads, nodes, projects, queue or events: got \"%s\"", key, value);
	if (is(key, "columns"))
		return check_columns(value, NULL, err);
	tui_keys_default(&scratch);
	return tui_keys_change(&scratch, value, err);
}

void tui_setting_apply(struct tui_app *app, const char *key, const char *value)
{
	int64_t number = 0;
	if (is(key, "theme"))
		app->settings.theme = strcmp(value, "light") == 0 ? TUI_LIGHT : TUI_DARK;
	else if (is(key, "refresh") && stint_parse_int(value, 1, 20, &number))
		app->settings.frames = (int)number;
	else if (is(key, "columns"))
		check_columns(value, app, NULL);
	else if (is(key, "keys"))
		tui_keys_change(&app->keys, value, NULL);
	app->dirty = true;
}

/* "set columns name,state" is about the view that is shown, and the setting holds all of them. */
static char *with_view(struct tui_app *app, const char *value)
{
	stint_auto_buf text = {0};
	for (int tab = 0; tab < TUI_TABS; tab++) {
		if (!app->lists[tab].kind)
			continue;
		stint_autofree char *names = (int)app->tab == tab ? stint_strdup(value) : tui_list_columns(&app->lists[tab]);
		stint_buf_printf(&text, "%s%s:%s", text.length ? ";" : "", tui_view_of((enum tui_view_name)tab)->name, names);
	}
	return stint_buf_steal(&text);
}

void tui_app_set(struct tui_app *app, const char *name, const char *value)
{
	stint_auto_error *err = NULL;
	stint_autofree char *key = stint_format("%s%s", stint_starts_with(name, "dashboard-") ? "" : "dashboard-", name);
	value += strspn(value, " ");
	for (size_t at = 0; at < STINT_COUNT(keys); at++) {
		if (strcmp(keys[at], key) != 0)
			continue;
		stint_autofree char *whole = is(key, "columns") && !strchr(value, ':') && app->lists[app->tab].kind ? with_view(app, value)
														    : stint_strdup(value);
		if (!tui_setting_check(key, whole, &err) ||
			(app->outside.save && !app->outside.save(app->outside.user, key, whole, &err))) {
			tui_app_note(app, TUI_BAD, "%s", err->message);
			return;
		}
		tui_setting_apply(app, key, whole);
		tui_app_note(app, TUI_GOOD, "%s is %s from now on", key, whole);
		return;
	}
	tui_app_note(app, TUI_BAD, "there is no setting \"%s\": theme, refresh, view, columns and keys are those of the dashboard", name);
}
