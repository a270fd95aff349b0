/*
 * evictions: which pods of a workload had to go, as events tell it: the pods themselves are gone by then. Events are kept for about an hour, and
 * what is older is not known.
 *
 * An item of WorkloadList gets `evictions`: {pods, last, reason, message}; none of it where no event speaks of one.
 */
#ifndef STINT_CLI_EVICTIONS_H
#define STINT_CLI_EVICTIONS_H

#include <stint/model.h>
#include <stint/text.h>

/* Takes an event about the workload `item` into account; those that tell of no eviction, or are older than the workload, are passed over. */
void cli_evictions_add(struct stint_json *item, const struct stint_event *event);
/* The same for the one of `items` whose pod it is by its name: of "train" and "train-big" the longer. O(items). */
void cli_evictions_find(struct stint_json *items, const struct stint_event *event);
/* `2 pods, the last 20s ago: Reclaimed: queue "nlp" has not had its share ...`; NULL: none is known. Freed by the caller. */
char *cli_evictions_text(const struct stint_json *item, int64_t now_ms);

#endif
