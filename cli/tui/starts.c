/*
 * starts: see starts.h.
 */
#include "cli/tui/starts.h"

#include <stdlib.h>

struct tui_start {
	int64_t asked_ms, answered_ms, at_ms;
};

void tui_starts_free(struct tui_starts *starts)
{
	stint_map_free(starts->by_uid);
	*starts = (struct tui_starts){0};
}

static struct tui_start *find(const struct tui_starts *starts, const char *uid)
{
	return starts && starts->by_uid ? stint_map_get(starts->by_uid, uid) : NULL;
}

/* Those that have gone are forgotten with all the others, when there are many: asking again is what costs little. */
void tui_starts_ask(struct tui_starts *starts, const char *uid, int64_t now_ms)
{
	struct tui_start *start = find(starts, uid);
	if (!starts->by_uid)
		starts->by_uid = stint_map_new(free);
	if (!start) {
		if (stint_map_count(starts->by_uid) >= TUI_STARTS_MOST)
			stint_map_clear(starts->by_uid);
		start = stint_alloc(sizeof *start);
		*start = (struct tui_start){.at_ms = -1};
		stint_map_set(starts->by_uid, uid, start);
	}
	start->asked_ms = now_ms;
}

void tui_starts_answer(struct tui_starts *starts, const char *uid, int64_t at_ms, int64_t now_ms)
{
	struct tui_start *start = find(starts, uid);
	if (!start)
		return;
	start->at_ms = at_ms;
	start->answered_ms = now_ms;
}

int64_t tui_starts_asked(const struct tui_starts *starts, const char *uid)
{
	const struct tui_start *start = find(starts, uid);
	return start ? start->asked_ms : -1;
}

int64_t tui_starts_at(const struct tui_starts *starts, const char *uid, int64_t now_ms)
{
	const struct tui_start *start = find(starts, uid);
	return start && now_ms - start->answered_ms <= TUI_STARTS_HOLDS_MS ? start->at_ms : -1;
}
