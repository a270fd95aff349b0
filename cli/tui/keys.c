/*
 * keys: see keys.h. Pure.
 */
#include "cli/tui/keys.h"

#include <stdio.h>
#include <string.h>

#define ROW(request, name, keys, where, help) [TUI_DO_##request] = {name, keys, where, help},
const struct tui_key_row tui_key_rows[TUI_REQUEST_COUNT] = {TUI_REQUESTS(ROW)};

static const struct {
	uint32_t key;
	const char *name;
} names[] = {
	{TUI_KEY_TAB, "Tab"},
	{TUI_KEY_ENTER, "Enter"},
	{TUI_KEY_ESCAPE, "Esc"},
	{TUI_KEY_BACKSPACE, "Backspace"},
	{' ', "Space"},
	{TUI_KEY_UP, "Up"},
	{TUI_KEY_DOWN, "Down"},
	{TUI_KEY_LEFT, "Left"},
	{TUI_KEY_RIGHT, "Right"},
	{TUI_KEY_PAGE_UP, "PgUp"},
	{TUI_KEY_PAGE_DOWN, "PgDn"},
	{TUI_KEY_HOME, "Home"},
	{TUI_KEY_END, "End"},
	{TUI_KEY_DELETE, "Delete"},
	{TUI_KEY_BACKTAB, "Backtab"},
};

char *tui_key_name(uint32_t key, char *out)
{
	for (size_t at = 0; at < STINT_COUNT(names); at++) {
		if (names[at].key == key) {
			snprintf(out, 16, "%s", names[at].name);
			return out;
		}
	}
	if (key < ' ')
		snprintf(out, 16, "^%c", (char)(key + '@'));
	else
		snprintf(out, 16, "%c", key < 0x7f ? (char)key : '?');
	return out;
}

uint32_t tui_key_parse(const char *word)
{
	for (size_t at = 0; at < STINT_COUNT(names); at++) {
		if (strcmp(names[at].name, word) == 0)
			return names[at].key;
	}
	if (word[0] == '^' && word[1] >= '@' && word[1] <= '_' && !word[2])
		return (uint32_t)(word[1] - '@');
	return word[0] > ' ' && word[0] < 0x7f && !word[1] ? (uint32_t)word[0] : 0;
}

static bool set_keys(uint32_t *keys, const char *text, struct stint_error **err)
{
	char **words = stint_split(text, " ");
	size_t count = 0;
	bool fine = true;
	for (; fine && words[count]; count++) {
		const uint32_t key = tui_key_parse(words[count]);
		if (!key)
			fine = stint_fail(err, STINT_USAGE, "\"%s\" is no key: say a character, ^X, or a name such as PgUp", words[count]);
		else if (count + 1 >= TUI_KEYS_MAX)
			fine = stint_fail(err, STINT_USAGE, "\"%s\" are more than %d keys for one thing", text, TUI_KEYS_MAX - 1);
		else
			keys[count] = key;
	}
	if (fine)
		keys[count] = 0;
	stint_strings_free(words);
	return fine;
}

void tui_keys_default(struct tui_keys *keys)
{
	*keys = (struct tui_keys){0};
	for (size_t at = 0; at < TUI_REQUEST_COUNT; at++)
		set_keys(keys->keys[at], tui_key_rows[at].keys, NULL);
}

static bool change_one(struct tui_keys *keys, const char *pair, struct stint_error **err)
{
	const char *equals = strchr(pair, '=');
	stint_autofree char *name = stint_strndup(pair, equals ? (size_t)(equals - pair) : strlen(pair));
	if (!equals || !equals[1])
		return stint_fail(err, STINT_USAGE, "\"%s\" does not say which keys: write name=key, as in delete=x", pair);
	for (size_t at = 0; at < TUI_REQUEST_COUNT; at++) {
		if (strcmp(tui_key_rows[at].name, name) == 0)
			return set_keys(keys->keys[at], equals + 1, err);
	}
	return stint_fail(err, STINT_USAGE, "\"%s\" is nothing that a key of the dashboard does: its help shows the names", name);
}

bool tui_keys_change(struct tui_keys *keys, const char *setting, struct stint_error **err)
{
	struct tui_keys changed = *keys;
	char **pairs = stint_split(setting, ",");
	bool fine = true;
	for (size_t at = 0; fine && pairs[at]; at++)
		fine = change_one(&changed, pairs[at] + strspn(pairs[at], " "), err);
	stint_strings_free(pairs);
	if (fine)
		*keys = changed;
	return fine;
}

/* The narrower place wins: Space marks in a list and pages elsewhere. */
enum tui_request tui_keys_find(const struct tui_keys *keys, uint32_t key, unsigned where)
{
	enum tui_request found = TUI_NOTHING;
	for (size_t at = 0; at < TUI_REQUEST_COUNT; at++) {
		const struct tui_key_row *row = &tui_key_rows[at];
		if (!(row->where & where))
			continue;
		for (size_t i = 0; keys->keys[at][i]; i++) {
			if (keys->keys[at][i] == key && (found == TUI_NOTHING || row->where != TUI_EVERYWHERE))
				found = (enum tui_request)at;
		}
	}
	return found;
}

char *tui_keys_text(const struct tui_keys *keys, enum tui_request request)
{
	stint_auto_buf text = {0};
	char name[16];
	for (size_t at = 0; keys->keys[request][at]; at++)
		stint_buf_printf(&text, "%s%s", at ? ", " : "", tui_key_name(keys->keys[request][at], name));
	return stint_buf_steal(&text);
}

char *tui_keys_manual(void)
{
	struct tui_keys keys;
	stint_auto_buf text = {0};
	tui_keys_default(&keys);
	for (size_t at = 0; at < TUI_REQUEST_COUNT; at++) {
		stint_autofree char *spelling = tui_keys_text(&keys, (enum tui_request)at);
		stint_buf_printf(&text, "%s%-20s %-15s %s", at ? "\n" : "", spelling, tui_key_rows[at].name, tui_key_rows[at].help);
	}
	return stint_buf_steal(&text);
}
