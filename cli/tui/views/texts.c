/*
 * texts: the views that are a text and little more: logs (the app's own lines), help (from the tables of keys and of terms), what a command has printed.
 */
#include <string.h>

#include "cli/tui/terms.h"
#include "cli/tui/views/common.h"

const struct tui_view tui_view_logs = {.name = "logs", .title = "Logs", .where = TUI_IN_LOGS};

static void write_help(const struct tui_app *app, const struct tui_screen *screen, struct tui_text *text)
{
	(void)screen;
	stint_autofree char *end = tui_keys_text(&app->keys, TUI_DO_END);
	tui_say(text, TUI_DIM, "  What the figures and the colours mean stands below the keys: ");
	tui_say(text, TUI_KEY, "%s", end);
	tui_say_line(text);
	tui_say_title(text, "Keys");
	for (int at = 0; at < TUI_REQUEST_COUNT; at++) {
		stint_autofree char *keys = tui_keys_text(&app->keys, (enum tui_request)at);
		tui_say(text, TUI_KEY, "  %-18s", keys);
		tui_say(text, TUI_DIM, " %-16s", tui_key_rows[at].name);
		tui_say(text, TUI_TEXT, "%s", tui_key_rows[at].help);
		tui_say_line(text);
	}
	tui_say_title(text, "What is drawn");
	tui_say(text, TUI_TEXT, "  A cell is a device: as high as it is held, in the colour of the project that has most of it.");
	tui_say_line(text);
	tui_say(text, TUI_TEXT, "  A quota bar: ");
	tui_say(text, TUI_GUARANTEED, "within the quota");
	tui_say(text, TUI_TEXT, ", ");
	tui_say(text, TUI_BORROWED, "borrowed beyond it");
	tui_say(text, TUI_TEXT, ", %s where it is not known, and a mark at the fair share of the project as things stand.",
		app->settings.utf8 ? "▒" : "=");
	tui_say_line(text);
	tui_say(text, TUI_TEXT, "  \"?\" stands for what is not known; it is never counted as 0.");
	tui_say_line(text);
	tui_say_title(text, "What the figures are");
	for (int at = 0; at < TUI_TERM_COUNT; at++) {
		tui_say(text, TUI_HEADER, "  %-12s", tui_term_rows[at].title);
		tui_say(text, TUI_TEXT, " %s", tui_term_rows[at].meaning);
		tui_say_line(text);
	}
	tui_say_title(text, "Settings");
	tui_say(text, TUI_TEXT,
		"  :set theme dark|light   :set refresh 1..20   :set view NAME   :set keys name=key,...   :set columns name,...");
	tui_say_line(text);
}

const struct tui_view tui_view_help = {.name = "help", .title = "Help", .where = TUI_IN_TEXT, .write = write_help};

static void write_output(const struct tui_app *app, const struct tui_screen *screen, struct tui_text *text)
{
	(void)app;
	const char *output = screen->problem ? screen->problem : "";
	if (!*output) {
		tui_say(text, TUI_DIM, "it has printed nothing");
		tui_say_line(text);
	}
	for (const char *at = output; *at;) {
		const size_t length = strcspn(at, "\n");
		tui_say(text, TUI_TEXT, "%.*s", (int)length, at);
		tui_say_line(text);
		at += length + (at[length] == '\n');
	}
}

const struct tui_view tui_view_output = {.name = "output", .title = "Output of", .where = TUI_IN_TEXT, .write = write_output};
