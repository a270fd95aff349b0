/*
 * reasons: why a group waits, as one word for programs, one sentence for people and one record with everything. The engine tells the facts;
 * here are the words. Pure. The scheduler says them of its cluster, and so does whoever runs the engine on a copy of one.
 *
 * One table (table.c) has a sentence for every word.
 */
#ifndef STINT_REASONS_H
#define STINT_REASONS_H

#include <stint/base.h>
#include <stint/engine.h>
#include <stint/text.h>

/* ---- words and sentences ------------------------------------------------------------------------------------------------------------ */

/* What a sentence may speak of. Numbers come as text with their unit; NULL where there is nothing to say. */
struct stint_reason_facts {
	const char *queue;
	const char *bound, *allocated, *asked; /* "8 GPUs", "6 GPUs", "4 GPUs" */
	const char *more; /* what is missing to let it pass, "2 GPUs" */
	uint32_t have, need;
	const char *detail; /* a histogram, a cause */
	const char *name; /* of an object that the reason is about */
	const char *who, *remedy; /* whose bound it is, and what would change it or a request that never fits */
	const char *part; /* a sub-group */
	const char *topology, *level, *domain;
	const char *pools, *within; /* " of pools \"a\" and \"b\"", " in one of pools \"a\" and \"b\""; "" where every node may do */
	const char *reason, *until; /* the sentence of the other reason that it waits for; a time */
	const char *where; /* "the whole cluster", "pool \"a\"" */
};

struct stint_reason_row {
	const char *word;
	const char *sentence; /* with {queue}, {bound}, {have} ... */
	bool never; /* it cannot change by itself or by waiting */
};
/* NULL: no such word. */
const struct stint_reason_row *stint_reason_row(const char *word);
const struct stint_reason_row *stint_reason_rows(size_t *count);
/* The word's sentence with the facts in it. Freed by the caller. */
char *stint_reason_sentence(const char *word, const struct stint_reason_facts *facts);
/* "2.5 GPUs", "1 GPU", "500m CPU cores" as "0.5 CPU cores", "16Gi of memory"; amount in the engine's unit; below 0: "without limit". */
char *stint_amount_text(enum stint_dimension dimension, double amount);

/* ---- one group ------------------------------------------------------------------------------------------------------------------------ */

/* Everything that can be said about one group now. */
struct stint_explanation {
	const char *word; /* of the table; NULL: nothing is known to hold it */
	char *sentence;
	bool never;
	bool has_why;
	struct stint_why why;
};
/* The word alone, as the last attempt left it: O(1). NULL: there is none, or others tell it (scheduling gates). */
const char *stint_explain_group_word(const struct stint_engine *engine, uint32_t group);
/* Costs O(nodes + pods). */
void stint_explain_group(struct stint_engine *engine, uint32_t group, struct stint_explanation *out);
void stint_explanation_clear(struct stint_explanation *explanation);

/* The sentence of a change that would start a group. Freed by the caller. */
char *stint_remedy_text(const struct stint_engine *engine, const struct stint_remedy *remedy, const char *queue);

/* Who a holder is to whoever reads the record: sets `project` and whatever else may be told; when it must have ended, -1: not known. */
struct stint_reason_names {
	int64_t (*name)(const void *user, uint32_t group, struct stint_json *holder);
	const void *user;
	bool known_only; /* leaves out what is tried anew: `reclaim`, `changes` and `starts_in_s` */
};
/*
 * Adds to the record of a group that waits what the engine knows of it; what it does not know is left out:
 *
 *     since, position, waiting_in_queue, bound: {queue, dimension, bound, allocated, asked}, restraint: {kind, action, until, in_s, and
 *     protected: {project, ...} of the group whose minimum runtime ends last}, sub_group, topology: {topology, level, closest,
 *     has_room_for, needs}, reclaim: {withheld_by, alone, text, of a bound: queue, dimension, bound, allocated, asked; beyond: {dimension,
 *     amount, queues: [{queue, has, due, due_by, text}], queues_total}}: the rule by which no room is taken back from others (withheld_by is
 *     a stint_bar_name; alone: without that one somebody would give way), and who has more than is due, nodes: {total, fitting, short: [{cause, text, nodes, even_when_empty}]}, changes: [{change, text, ...}] of which
 *     each was tried and would start it, the smallest first, holders: [{project, ..., pods, gpus, cpu_milli, memory_bytes, leaving,
 *     ends_in_s}], holders_total, starts_in_s
 *
 * GPUs are devices, CPU is in thousandths of a core, memory in bytes. Costs what stint_engine_remedies and
 * stint_engine_expected cost, but for known_only.
 */
void stint_reason_record(struct stint_json *record, struct stint_engine *engine, uint32_t group, const struct stint_why *why,
	int64_t now_ms, const struct stint_reason_names *names);

#endif
