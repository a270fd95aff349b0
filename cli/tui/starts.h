/*
 * starts: when the scheduler expects what waits to start, as far as it has been asked. An answer costs it a search, so one row is asked for at a
 * time, only rows that are on the screen, each at most every TUI_STARTS_AGAIN_MS. Pure: who asks is estimates.c.
 */
#ifndef STINT_CLI_TUI_STARTS_H
#define STINT_CLI_TUI_STARTS_H

#include <stint/base.h>

enum { TUI_STARTS_AGAIN_MS = 15000, TUI_STARTS_HOLDS_MS = 60000, TUI_STARTS_MOST = 2000 };

struct tui_starts {
	struct stint_map *by_uid; /* -> struct tui_start */
};
void tui_starts_free(struct tui_starts *starts); /* its contents */
/* It is asked for now, and need not be again for a while. */
void tui_starts_ask(struct tui_starts *starts, const char *uid, int64_t now_ms);
/* The answer: at_ms < 0: there is no estimate. */
void tui_starts_answer(struct tui_starts *starts, const char *uid, int64_t at_ms, int64_t now_ms);
/* When it was asked for last; -1: never. */
int64_t tui_starts_asked(const struct tui_starts *starts, const char *uid);
/* When it starts at the latest (wall clock); -1: nobody knows, or it was long ago that somebody did. */
int64_t tui_starts_at(const struct tui_starts *starts, const char *uid, int64_t now_ms);

#endif
