/*
 * record: between the parts that tell of a group: its record (record.c), the changes that would start it (remedies.c), why nothing is taken back
 * for it (withheld.c), and what a request that can never be met asks for in vain (never.c).
 */
#ifndef STINT_REASONS_RECORD_H
#define STINT_REASONS_RECORD_H

#include <stint/reasons.h>

/* Appends {change, text, from, to, ...} for each single change that starts the group now, the smallest first. Costs stint_engine_remedies. */
void remedies_add(struct stint_json *changes, struct stint_engine *engine, uint32_t group);

/* `reclaim`, where a rule keeps the engine from taking room back for the group; with known_only its givers are named and nothing is added. */
void withheld_add(struct stint_json *record, struct stint_engine *engine, uint32_t group, const struct stint_reason_names *names);

/*
 * Of a group that no node could ever take, with the pod that was looked at: what it asks for ("10Gi of a GPU", `asked`, or the node that it
 * wants where that is what there is none of), and what to do. Freed by the caller. Costs O(nodes).
 */
char *never_asked(const struct stint_why *why, const struct stint_pod_spec *spec, const char *asked);
char *never_remedy(const struct stint_engine *engine, uint32_t group, const struct stint_why *why, const struct stint_pod_spec *spec);

#endif
