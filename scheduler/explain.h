/*
 * explain: why a pod waits (stint/reasons.h), for pods as the mirror has them.
 */
#ifndef STINT_SCHEDULER_EXPLAIN_H
#define STINT_SCHEDULER_EXPLAIN_H

#include <scheduler/mirror.h>

#include <stint/reasons.h>

/* The word alone, for a pod of ours that waits: O(1). NULL: there is none, or others tell it (scheduling gates). */
const char *stint_explain_word(const struct stint_engine *engine, const struct stint_mirror_pod *pod);
/* pod: of a group; its own hold or note comes before what the group waits for. Costs O(nodes + pods) when the engine is asked. */
void stint_explain(struct stint_engine *engine, const struct stint_mirror_pod *pod, struct stint_explanation *out);

#endif
