/*
 * state: what is known of the cluster, kept by list + watch, and made into a world when it has changed. Nothing here blocks: lists fill while
 * the loop turns, and a kind that may not be read is hidden, not an error. Who may read one project only sees that one.
 */
#ifndef STINT_CLI_TUI_STATE_H
#define STINT_CLI_TUI_STATE_H

#include <stint/kube.h>

#include "cli/tui/world.h"

struct tui_state_options {
	const char *project; /* NULL: all, if they may be read; copied */
	const char *fallback; /* the project to look at when they may not; copied */
	const char *const *scheduler_names; /* whose pods make up workloads */
	void (*on_change)(void *user); /* something is another now, or in another state; comes often */
	void *user;
};
struct tui_state;
struct tui_state *tui_state_open(struct stint_kube *kube, const struct tui_state_options *options);
void tui_state_close(struct tui_state *state); /* NULL is fine */
/* All first lists have been read, or refused. */
bool tui_state_is_complete(const struct tui_state *state);
/* Pods and nodes have been read or refused: there is something to show. */
bool tui_state_is_usable(const struct tui_state *state);
/* The world as it is now, made anew: costly, so ask tui_state_news first. NULL: not usable yet. Valid until the next call. */
const struct tui_world *tui_state_world(struct tui_state *state, int64_t now_ms);
/* Whether the next world will be another. SOON: nodes have reported how busy they are, and nothing else; they do so all the time. */
enum tui_news { TUI_NO_NEWS, TUI_NEWS_SOON, TUI_NEWS };
enum tui_news tui_state_news(const struct tui_state *state);
/* Events are many: they are read only while somebody looks at them. */
void tui_state_want_events(struct tui_state *state, bool wanted);
/* The only project that is seen, given or fallen back to; NULL: all. */
const char *tui_state_project(const struct tui_state *state);
/* Since when nothing has come (wall clock); 0: all is well. *problem: the last error's sentence; *code what it was. Both may be NULL. */
int64_t tui_state_lost(const struct tui_state *state, const char **problem, enum stint_code *code);
/* "no scheduler works: ..."; NULL: one does, or that may not be read. Freed by the caller. */
char *tui_state_scheduler(const struct tui_state *state, int64_t now_ms);
/* The scheduler's Lease, borrowed until the loop turns again; NULL: there is none, or it may not be read. */
const struct stint_json *tui_state_lease(const struct tui_state *state);
/* "nodes and queues may not be read"; NULL: nothing is hidden. Freed by the caller. */
char *tui_state_hidden(const struct tui_state *state);

#endif
