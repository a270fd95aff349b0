/*
 * prompt: the line at the bottom in which text is typed: a filter (live), a search, a command with history and completion. Keys are those of
 * a shell. Esc brings back what was there before.
 */
#include "cli/tui/app.h"

#include <stdlib.h>
#include <string.h>

enum { TYPED_MAX = 1000 };
#define NO_CHOICE SIZE_MAX

static const char *typed(const struct tui_app *app)
{
	return app->typed.data ? app->typed.data : "";
}

static void set_typed(struct tui_app *app, const char *text)
{
	stint_autofree char *copy = stint_strdup(text);
	stint_buf_reset(&app->typed);
	stint_buf_puts(&app->typed, copy);
	app->typed_at = app->typed.length;
}

static void forget_choices(struct tui_app *app)
{
	stint_strings_free(stint_steal(&app->choices));
}

void tui_prompt_open(struct tui_app *app, enum tui_prompt prompt)
{
	const struct tui_list *list = tui_app_list(app);
	const struct tui_screen *screen = tui_app_screen(app);
	app->prompt = prompt;
	free(stint_steal(&app->note));
	if (prompt == TUI_FILTER_PROMPT && list) {
		app->former_filter = stint_strdup(list->filter_text);
		set_typed(app, list->filter_text);
	} else if (prompt == TUI_SEARCH_PROMPT && screen) {
		set_typed(app, screen->pager.search ? screen->pager.search : "");
	} else {
		set_typed(app, "");
	}
	app->history_at = app->history_count;
}

static void close_prompt(struct tui_app *app)
{
	app->prompt = TUI_NO_PROMPT;
	free(stint_steal(&app->former_filter));
	forget_choices(app);
}

/* ---- while it is typed ------------------------------------------------------------------------------------------------------------- */

static void filter_live(struct tui_app *app, const char *text)
{
	struct tui_list *list = tui_app_list(app);
	/* What is no filter yet (a selector half typed) leaves the rows as they are. */
	if (list && tui_list_filter(list, text, NULL) && app->now.world)
		tui_list_refresh(list, &app->now);
}

static void search_live(struct tui_app *app)
{
	struct tui_screen *screen = tui_app_screen(app);
	if (!screen)
		return;
	free(screen->pager.search);
	screen->pager.search = *typed(app) ? stint_strdup(typed(app)) : NULL;
	screen->pager.match = UINT64_MAX;
	const struct tui_lines lines = tui_app_lines(app, screen);
	if (screen->pager.search)
		tui_pager_search(&screen->pager, &lines, screen->pager.search, false);
}

static void changed(struct tui_app *app)
{
	forget_choices(app);
	if (app->prompt == TUI_FILTER_PROMPT)
		filter_live(app, typed(app));
	if (app->prompt == TUI_SEARCH_PROMPT)
		search_live(app);
}

static void insert(struct tui_app *app, uint32_t key)
{
	char bytes[5];
	size_t length = 0;
	if (key < 0x80) {
		bytes[length++] = (char)key;
	} else if (key < 0x800) {
		bytes[length++] = (char)(0xc0 | key >> 6);
		bytes[length++] = (char)(0x80 | (key & 0x3f));
	} else if (key < 0x10000) {
		bytes[length++] = (char)(0xe0 | key >> 12);
		bytes[length++] = (char)(0x80 | (key >> 6 & 0x3f));
		bytes[length++] = (char)(0x80 | (key & 0x3f));
	} else {
		bytes[length++] = (char)(0xf0 | key >> 18);
		bytes[length++] = (char)(0x80 | (key >> 12 & 0x3f));
		bytes[length++] = (char)(0x80 | (key >> 6 & 0x3f));
		bytes[length++] = (char)(0x80 | (key & 0x3f));
	}
	bytes[length] = '\0';
	if (app->typed.length + length > TYPED_MAX)
		return;
	stint_autofree char *rest = stint_strdup(typed(app) + app->typed_at);
	app->typed.length = app->typed_at;
	stint_buf_puts(&app->typed, bytes);
	stint_buf_puts(&app->typed, rest);
	app->typed_at += length;
	changed(app);
}

/* Takes the bytes from `from` to the cursor out. */
static void erase(struct tui_app *app, size_t from)
{
	stint_autofree char *rest = stint_strdup(typed(app) + app->typed_at);
	app->typed.length = app->typed_at = from;
	stint_buf_puts(&app->typed, rest);
	changed(app);
}

static size_t glyph_before(const struct tui_app *app)
{
	size_t at = app->typed_at;
	while (at > 0 && ((unsigned char)typed(app)[--at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t glyph_after(const struct tui_app *app)
{
	size_t at = app->typed_at;
	if (at < app->typed.length)
		at++;
	while (((unsigned char)typed(app)[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static size_t word_before(const struct tui_app *app)
{
	size_t at = app->typed_at;
	while (at > 0 && typed(app)[at - 1] == ' ')
		at--;
	while (at > 0 && typed(app)[at - 1] != ' ')
		at--;
	return at;
}

/* ---- history and completion -------------------------------------------------------------------------------------------------------- */

static void remember(struct tui_app *app, const char *line)
{
	if (app->history_count && strcmp(app->history_lines[app->history_count - 1], line) == 0)
		return;
	if (app->history_count == TUI_HISTORY_LINES) {
		free(app->history_lines[0]);
		memmove(app->history_lines, app->history_lines + 1, (TUI_HISTORY_LINES - 1) * sizeof *app->history_lines);
		app->history_count--;
	}
	app->history_lines[app->history_count++] = stint_strdup(line);
}

static void recall(struct tui_app *app, int by)
{
	if (app->prompt != TUI_COMMAND_PROMPT)
		return;
	if (by < 0 && app->history_at > 0)
		app->history_at--;
	else if (by > 0 && app->history_at < app->history_count)
		app->history_at++;
	set_typed(app, app->history_at < app->history_count ? app->history_lines[app->history_at] : "");
}

static size_t common_length(char *const *choices)
{
	size_t length = strlen(choices[0]);
	for (size_t at = 1; choices[at]; at++) {
		size_t same = 0;
		while (same < length && choices[at][same] == choices[0][same])
			same++;
		length = same;
	}
	return length;
}

static void put_choice(struct tui_app *app, const char *choice, size_t length, const char *after)
{
	stint_autofree char *line = stint_format("%.*s%.*s%s", (int)app->completed_from, typed(app), (int)length, choice, after);
	set_typed(app, line);
}

/* Tab: what is common to all choices; pressed again, one choice after the other. */
static void complete(struct tui_app *app)
{
	if (app->prompt != TUI_COMMAND_PROMPT || !app->outside.complete)
		return;
	if (app->choices) {
		app->choice = app->choice != NO_CHOICE && app->choices[app->choice + 1] ? app->choice + 1 : 0;
		put_choice(app, app->choices[app->choice], strlen(app->choices[app->choice]), "");
		return;
	}
	app->outside.complete(app->outside.user, typed(app));
}

void tui_app_choices(struct tui_app *app, const char *line, char **choices)
{
	if (app->prompt != TUI_COMMAND_PROMPT || strcmp(line, typed(app)) != 0) { /* typed on meanwhile */
		stint_strings_free(choices);
		return;
	}
	const char *word = strrchr(typed(app), ' ');
	app->completed_from = word ? (size_t)(word + 1 - typed(app)) : 0;
	app->dirty = true;
	if (!choices[0]) {
		tui_app_note(app, TUI_DIM, "nothing to complete");
		stint_strings_free(choices);
	} else if (!choices[1]) {
		put_choice(app, choices[0], strlen(choices[0]), " ");
		stint_strings_free(choices);
	} else {
		put_choice(app, choices[0], common_length(choices), "");
		app->choices = choices;
		app->choice = NO_CHOICE;
	}
}

/* ---- at its end -------------------------------------------------------------------------------------------------------------------- */

/* "set NAME VALUE", the name of a view, "q", or a command of stint. */
static void run_command(struct tui_app *app)
{
	stint_autofree char *line = stint_strdup(typed(app) + strspn(typed(app), " "));
	for (size_t length = strlen(line); length && line[length - 1] == ' '; length--)
		line[length - 1] = '\0';
	close_prompt(app);
	if (!*line)
		return;
	remember(app, line);
	const enum tui_view_name view = tui_view_find(line);
	char **words = stint_split(line, " ");
	if (strcmp(line, "q") == 0 || strcmp(line, "quit") == 0)
		tui_app_request(app, TUI_DO_QUIT);
	else if (strcmp(line, "help") == 0)
		tui_app_request(app, TUI_DO_HELP);
	else if (view < TUI_TABS)
		tui_app_show(app, view);
	else if (strcmp(words[0], "set") == 0 && words[1])
		tui_app_set(app, words[1], words[2] ? strstr(line, words[1]) + strlen(words[1]) + 1 : "");
	else if (app->outside.command)
		app->outside.command(app->outside.user, line);
	stint_strings_free(words);
}

static void accept(struct tui_app *app)
{
	if (app->prompt == TUI_COMMAND_PROMPT) {
		run_command(app);
		return;
	}
	struct tui_list *list = tui_app_list(app);
	stint_auto_error *err = NULL;
	if (app->prompt == TUI_FILTER_PROMPT && list && !tui_list_filter(list, typed(app), &err))
		tui_app_note(app, TUI_BAD, "%s", err->message);
	else if (app->prompt == TUI_FILTER_PROMPT && list && list->doubt)
		tui_app_note(app, TUI_WARN, "%s", list->doubt);
	const struct tui_screen *screen = tui_app_screen(app);
	if (app->prompt == TUI_SEARCH_PROMPT && screen && screen->pager.search && screen->pager.match == UINT64_MAX)
		tui_app_note(app, TUI_WARN, "\"%s\" stands nowhere in this text", screen->pager.search);
	close_prompt(app);
}

static void give_up(struct tui_app *app)
{
	if (app->prompt == TUI_FILTER_PROMPT)
		filter_live(app, app->former_filter ? app->former_filter : "");
	if (app->prompt == TUI_SEARCH_PROMPT) {
		set_typed(app, "");
		search_live(app);
	}
	close_prompt(app);
}

bool tui_prompt_key(struct tui_app *app, uint32_t key)
{
	if (app->prompt == TUI_NO_PROMPT)
		return false;
	switch (key) {
	case TUI_KEY_ENTER:
	case '\n': accept(app); break;
	case TUI_KEY_ESCAPE: give_up(app); break;
	case TUI_KEY_TAB: complete(app); break;
	case TUI_KEY_UP:
	case 'P' - '@': recall(app, -1); break;
	case TUI_KEY_DOWN:
	case 'N' - '@': recall(app, 1); break;
	case TUI_KEY_LEFT:
	case 'B' - '@': app->typed_at = glyph_before(app); break;
	case TUI_KEY_RIGHT:
	case 'F' - '@': app->typed_at = glyph_after(app); break;
	case TUI_KEY_HOME:
	case 'A' - '@': app->typed_at = 0; break;
	case TUI_KEY_END:
	case 'E' - '@': app->typed_at = app->typed.length; break;
	case 'U' - '@': erase(app, 0); break;
	case 'W' - '@': erase(app, word_before(app)); break;
	case TUI_KEY_BACKSPACE:
	case 'H' - '@':
		if (app->typed.length == 0)
			give_up(app);
		else
			erase(app, glyph_before(app));
		break;
	case TUI_KEY_DELETE: {
		const size_t from = app->typed_at;
		app->typed_at = glyph_after(app);
		erase(app, from);
		break;
	}
	default:
		if (key >= ' ' && key < TUI_KEY_UP)
			insert(app, key);
	}
	return true;
}

void tui_prompt_draw(struct tui_app *app, struct tui_area foot)
{
	static const char *const signs[] = {
		[TUI_NO_PROMPT] = "", [TUI_FILTER_PROMPT] = "/", [TUI_SEARCH_PROMPT] = "/", [TUI_COMMAND_PROMPT] = ":"};
	tui_back(foot, 0, 0, foot.width, TUI_PROMPT);
	tui_put(foot, 0, 1, TUI_KEY, signs[app->prompt]);
	int x = 2 + tui_put(foot, 0, 2, TUI_PROMPT, typed(app)) + 2;
	for (size_t at = 0; app->choices && app->choices[at] && x < foot.width; at++)
		x += tui_put(foot, 0, x, at == app->choice ? TUI_ACCENT : TUI_DIM, app->choices[at]) + 2;
	if (!app->choices && app->note && app->now.ms < app->note_until_ms)
		tui_put(foot, 0, x, app->note_role, app->note);
}
