/*
 * reasons: why a pod waits, as one word for programs and one sentence for people. One table (reasons.c) has a sentence for every word.
 */
#ifndef STINT_SCHEDULER_REASONS_H
#define STINT_SCHEDULER_REASONS_H

#include <scheduler/mirror.h>

/* What a sentence may speak of. Numbers come as text with their unit; NULL where there is nothing to say. */
struct stint_reason_facts {
	const char *queue;
	const char *bound, *allocated, *asked; /* "8 GPUs", "6 GPUs", "4 GPUs" */
	const char *more; /* what is missing to let it pass, "2 GPUs" */
	uint32_t have, need;
	const char *detail; /* a histogram, a cause */
	const char *name; /* of an object that the reason is about */
	const char *who, *remedy; /* whose bound it is, and what would change it */
	const char *part; /* a sub-group */
	const char *topology, *level, *domain;
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

/* Everything that can be said about one group now. Costs O(nodes + pods) when `why` is asked for. */
struct stint_explanation {
	const char *word; /* of the table; NULL: nothing is known to hold it */
	char *sentence;
	bool never;
	bool has_why;
	struct stint_why why;
};
/* The word alone, for a pod of ours that waits: O(1). NULL: there is none, or others tell it (scheduling gates). */
const char *stint_explain_word(const struct stint_engine *engine, const struct stint_mirror_pod *pod);
/* pod: of a group; its own hold or note comes before what the group waits for. */
void stint_explain(struct stint_engine *engine, const struct stint_mirror_pod *pod, struct stint_explanation *out);
void stint_explanation_clear(struct stint_explanation *explanation);

#endif
