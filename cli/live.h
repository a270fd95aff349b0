/*
 * live: what a read verb looks at: the objects of some kinds, read all at once and, for --watch, kept current. One list+watch per kind.
 */
#ifndef STINT_CLI_LIVE_H
#define STINT_CLI_LIVE_H

#include <stint/kube.h>
#include <stint/workload.h>

#include "cli/cli.h"

enum cli_live_part {
	CLI_LIVE_PODS = 1,
	CLI_LIVE_OWNERS = 2, /* Jobs, Deployments, ReplicaSets, StatefulSets */
	CLI_LIVE_NODES = 4,
	CLI_LIVE_QUEUES = 8,
	CLI_LIVE_EVENTS = 16,
};

struct cli_live;
/*
 * Reads the parts, those with a namespace of `project` alone (NULL: of all), and returns when they are known. What the caller may not read
 * is left out, with a note; when a part of `needed` is among it, that is the error. selector (may be NULL): of pods and owners.
 * NULL: ctx->err.
 */
struct cli_live *cli_live_open(struct cli_context *ctx, unsigned parts, unsigned needed, const char *project, const char *selector);
void cli_live_close(struct cli_live *live);
/* Waits until something has changed, and a moment longer for what comes with it; at most longest_ms (-1: for ever). False: interrupted. */
bool cli_live_wait(struct cli_live *live, int64_t longest_ms);
bool cli_live_has(const struct cli_live *live, enum cli_live_part part); /* could be read */
/* What of the part is in that project could be read. */
bool cli_live_sees(const struct cli_live *live, enum cli_live_part part, const char *project);
/* The workloads that the pods, owners and nodes make up. */
struct stint_workload_set *cli_live_workloads(struct cli_live *live);
/* The objects of a part (not OWNERS), in no order: for (size_t at = 0; (object = cli_live_next(live, part, &at));) ... */
struct stint_object *cli_live_next(const struct cli_live *live, enum cli_live_part part, size_t *at);

/*
 * Prints a list made of what live knows, once or, with --watch, whenever it has changed. items_of gives the items as cli_print_list takes
 * them, or NULL with ctx->err. Closes live. The exit code.
 */
struct cli_list;
int cli_live_print(struct cli_context *ctx, struct cli_live *live, const struct cli_list *list,
	struct stint_json *(*items_of)(struct cli_live *live, const void *user), const void *user, const char *nothing);

/* The namespace to look at in *project, NULL for -A. False: ctx->err. */
bool cli_scope(struct cli_context *ctx, const char **project);
/* -l, checked before anything is asked: *selector, NULL when it is not given. False: ctx->err. */
bool cli_selector(struct cli_context *ctx, const char **selector);
/*
 * Whose pods make up workloads (contracts: served scheduler names): what the Lease says, else the own setting, else ours. kube NULL: no
 * Lease is asked for. One at least, NULL-ended, for stint_strings_free.
 */
char **cli_scheduler_names(struct cli_context *ctx, struct stint_kube *kube);
/* The same where the Lease has been read already: said is its annotation, NULL when that is not known. */
char **cli_scheduler_names_of(struct cli_context *ctx, const char *said);

#endif
