/*
 * indexes: sets of whole numbers as Jobs write them, "0,2-4,7". Kept as ascending, disjoint intervals. Pure.
 */
#ifndef STINT_SANDBOX_INDEXES_H
#define STINT_SANDBOX_INDEXES_H

#include <stint/base.h>

struct index_range {
	int64_t first, last;
};

struct indexes {
	struct index_range *ranges;
	size_t count, capacity;
};
void indexes_free(struct indexes *set); /* the content; also for STINT_CLEANUP */
/* Numbers of the text below `limit`; a broken text gives those before the break. */
void indexes_parse(const char *text, int64_t limit, struct indexes *set);
void indexes_add(struct indexes *set, int64_t index);
bool indexes_has(const struct indexes *set, int64_t index);
int64_t indexes_total(const struct indexes *set);
int64_t indexes_common(const struct indexes *a, const struct indexes *b); /* how many are in both */
char *indexes_format(const struct indexes *set); /* two neighbours as "3,4", more as "3-5"; owned by the caller */

#endif
