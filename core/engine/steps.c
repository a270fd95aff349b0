/*
 * steps: which of two sets of steps is the better choice of victims.
 *
 * Sets are compared from the most deserving steps down, by runs of steps that queue and job order leave equal (kai-engine 4.1, 4.4
 * reversed, age left out): the set is better that loses fewer GPU-seconds of such a run, then the one that takes from fewer groups; so
 * nothing falls while something less deserving suffices. What is equal in all of that goes by age, the youngest first, and by name at last.
 *
 * Promises: a total order of sets; changes nothing. All lists of steps are in ascending order.
 * Costs: O(steps of both), and MOST_AGES squared where they are equal but for age.
 */
#include "cheaper.h"

enum { MOST_AGES = 64 };

struct toll engine_steps_toll(const struct search *search, const struct handles *list, size_t *end, uint32_t rank)
{
	struct toll toll = {0, 0};
	for (; *end > 0 && search->steps[list->items[*end - 1]].rank == rank; --*end) {
		const struct step *step = &search->steps[list->items[*end - 1]];
		toll.loss = stint_add_saturated(toll.loss, step->loss);
		toll.groups += step->before == STINT_NO_HANDLE || search->steps[step->before].rank != rank;
	}
	return toll;
}

int engine_steps_compare_tolls(const struct search *search, const struct handles *a, const struct handles *b)
{
	size_t i = a->count, j = b->count;
	while (i > 0 || j > 0) {
		const uint32_t p = i ? search->steps[a->items[i - 1]].rank : 0, q = j ? search->steps[b->items[j - 1]].rank : 0;
		const uint32_t rank = p > q ? p : q;
		const struct toll x = engine_steps_toll(search, a, &i, rank), y = engine_steps_toll(search, b, &j, rank);
		if (x.loss != y.loss)
			return x.loss < y.loss ? -1 : 1;
		if (x.groups != y.groups)
			return x.groups < y.groups ? -1 : 1;
	}
	return 0;
}

/* Of the groups, the oldest first; more than MOST_AGES are not told apart by age. */
static size_t ages_of(const struct stint_engine *engine, const struct handles *list, int64_t out[static MOST_AGES])
{
	size_t count = 0;
	for (size_t i = 0; i < list->count && count < MOST_AGES; i++) {
		const struct step *step = &engine->search->steps[list->items[i]];
		if (step->before != STINT_NO_HANDLE)
			continue;
		const int64_t created_ms = engine->groups[step->group].created_ms;
		size_t at = count++;
		for (; at > 0 && out[at - 1] > created_ms; at--)
			out[at] = out[at - 1];
		out[at] = created_ms;
	}
	return count;
}

static int compare_ages(const struct stint_engine *engine, const struct handles *a, const struct handles *b)
{
	int64_t x[MOST_AGES], y[MOST_AGES];
	const size_t count_a = ages_of(engine, a, x), count_b = ages_of(engine, b, y);
	for (size_t i = 0; i < count_a && i < count_b; i++) {
		if (x[i] != y[i])
			return x[i] > y[i] ? -1 : 1;
	}
	return 0;
}

int engine_steps_compare(const struct stint_engine *engine, const struct handles *a, const struct handles *b)
{
	const int tolls = engine_steps_compare_tolls(engine->search, a, b);
	const int ages = tolls ? tolls : compare_ages(engine, a, b);
	if (ages)
		return ages;
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		const uint32_t x = a->items[a->count - 1 - i], y = b->items[b->count - 1 - i];
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a->count == b->count ? 0 : a->count < b->count ? -1 : 1;
}

bool engine_steps_have_later(const struct search *search, const struct handles *list, uint32_t index)
{
	for (size_t i = list->count; i > 0 && list->items[i - 1] > index; i--) {
		if (search->steps[list->items[i - 1]].group == search->steps[index].group)
			return true;
	}
	return false;
}

bool engine_steps_by_index(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	(void)engine;
	return a < b;
}
