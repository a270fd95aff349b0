/*
 * record: between the record of a group (record.c) and the changes that would start it (remedies.c).
 */
#ifndef STINT_REASONS_RECORD_H
#define STINT_REASONS_RECORD_H

#include <stint/reasons.h>

/* Appends {change, text, from, to, ...} for each single change that starts the group now, the smallest first. Costs stint_engine_remedies. */
void remedies_add(struct stint_json *changes, struct stint_engine *engine, uint32_t group);

#endif
