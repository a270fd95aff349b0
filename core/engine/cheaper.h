/*
 * cheaper.h: what the search for a cheaper set shares: cheaper.c leads it, steps.c compares sets, offers.c compares nodes.
 */
#ifndef STINT_ENGINE_CHEAPER_H
#define STINT_ENGINE_CHEAPER_H

#include "hunt.h"

enum { EXACT = 10 }; /* candidates of which every choice is considered */

/* Steps that together let a node take more pods of the shape that is asked for. */
struct offer {
	uint32_t first, count; /* in cheaper.offered */
	uint32_t copies;
	uint32_t after; /* the offer of the same node that must be taken before, STINT_NO_HANDLE: none */
	bool taken;
};

struct cheaper {
	struct handles best; /* steps that fall by the best outcome so far, ascending as all lists of steps here */
	struct handles kept; /* search.set of it */
	bool current; /* the plan is that outcome */
	struct handles candidates, units, list, order, offered;
	struct offer *offers;
	size_t offers_count, offers_capacity;
	bool falls[EXACT]; /* of the units */
};

/* What a run of equal steps loses, and of how many groups. */
struct toll {
	int64_t loss;
	uint32_t groups;
};

/* steps.c */
/* Of the steps of that rank at the end of the list; *end moves before them. */
struct toll engine_steps_toll(const struct search *search, const struct handles *list, size_t *end, uint32_t rank);
/* As engine_steps_compare, without age and name. */
int engine_steps_compare_tolls(const struct search *search, const struct handles *a, const struct handles *b);
/* What falls of a group falls from its end: this step cannot stay while a later one of its group is in the list. */
bool engine_steps_have_later(const struct search *search, const struct handles *list, uint32_t index);
bool engine_steps_by_index(const struct stint_engine *engine, uint32_t a, uint32_t b);

/* cheaper.c */
/* The set of cheaper.list becomes the best if it is better than that and stands. Leaves the plan empty, or as the new outcome. */
void engine_cheaper_try(struct stint_engine *engine, const struct hunt *hunt);
bool engine_step_robbed(const struct stint_engine *engine, const struct step *step); /* the plan has taken the place of some pod of it */
/* Evicted in the plan so far, with nothing that hinders it from staying after all. */
bool engine_step_may_stay(const struct stint_engine *engine, const struct step *step);
void engine_step_evict(struct stint_engine *engine, const struct hunt *hunt, const struct step *step);
void engine_step_spare(struct stint_engine *engine, const struct hunt *hunt, const struct step *step);
void engine_step_note_nodes(struct stint_engine *engine, const struct hunt *hunt, const struct step *step); /* their room has changed */

/* offers.c */
void engine_cheaper_compare_nodes(struct stint_engine *engine, const struct hunt *hunt);

#endif
