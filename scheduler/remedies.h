/*
 * remedies: what would start a workload that waits, as sentences and as JSON.
 */
#ifndef STINT_SCHEDULER_REMEDIES_H
#define STINT_SCHEDULER_REMEDIES_H

#include <stint/engine.h>
#include <stint/text.h>

/* Appends {change, text, from, to, ...} for each single change that starts the group now, the smallest first. Costs stint_engine_remedies. */
void stint_remedies_add(struct stint_json *changes, struct stint_engine *engine, uint32_t group);
/* The sentence alone. Freed by the caller. */
char *stint_remedy_text(const struct stint_engine *engine, const struct stint_remedy *remedy, const char *queue);

#endif
