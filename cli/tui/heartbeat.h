/*
 * heartbeat: whether a scheduler works, as its Lease tells. The Role of the Lease lets everybody get it and nobody else watch it, so it is
 * read anew every few seconds, which is a few hundred bytes; who may not read it at all is told of nothing.
 */
#ifndef STINT_CLI_TUI_HEARTBEAT_H
#define STINT_CLI_TUI_HEARTBEAT_H

#include <stint/kube.h>
#include <stint/text.h>

struct tui_heartbeat;
struct tui_heartbeat *tui_heartbeat_start(struct stint_kube *kube, void (*on_change)(void *user), void *user);
void tui_heartbeat_free(struct tui_heartbeat *heartbeat); /* NULL is fine */
bool tui_heartbeat_settled(const struct tui_heartbeat *heartbeat); /* it has been read, or is not to be had */
/* The Lease, borrowed until the loop turns again; NULL: there is none, or it may not be read. */
const struct stint_json *tui_heartbeat_lease(const struct tui_heartbeat *heartbeat);
/* "no scheduler works: ..."; NULL: one does, or that is not known. Freed by the caller. */
char *tui_heartbeat_trouble(const struct tui_heartbeat *heartbeat, int64_t now_ms);

#endif
