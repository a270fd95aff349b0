/*
 * scheduler_lease: what the Lease of stint-scheduler tells of it to somebody outside: where it answers, and whether one works at all.
 */
#ifndef STINT_CLI_SCHEDULER_LEASE_H
#define STINT_CLI_SCHEDULER_LEASE_H

#include <stint/kube.h>
#include <stint/text.h>

/* The namespaces where it may be. */
enum { CLI_LEASE_SPACES = 2 };
extern const char *const cli_lease_spaces[CLI_LEASE_SPACES];
/* Whether one of them is to be believed rather than another that was found before; either may be NULL. */
bool cli_scheduler_lease_is_better(const struct stint_json *lease, const struct stint_json *other);
/*
 * Of the namespaces where it may be the one that tells an endpoint, else any. pool: of the scheduler that serves that node pool alone; NULL: of the
 * one that serves all. NULL: there is none, or it cannot be read: then *err says why.
 */
struct stint_json *cli_scheduler_lease(struct stint_kube *kube, const char *pool, struct stint_error **err);
/* `no scheduler holds the Lease since ...`; NULL: one renews it. lease NULL: there is none. Freed by the caller. */
char *cli_scheduler_trouble(const struct stint_json *lease, int64_t now_ms);

#endif
