/*
 * standing: how a queue compares with its siblings (kai-engine 4.4), as a function of numbers alone: for the engine's own order (ordering.c), and for
 * those who show it. Holds no state; O(1).
 */
#include <stint/engine.h>

#include <string.h>

double stint_bounds_allocatable(double quota, double limit, double fair)
{
	if (quota < 0)
		return limit;
	const double due = quota > fair ? quota : fair;
	return limit >= 0 && limit < due ? limit : due;
}

static double share_of(double amount, double allocatable, double total)
{
	if (allocatable < 0)
		allocatable = total;
	return allocatable > 0 ? amount / allocatable : 1000 * amount;
}

struct stint_standing stint_standing_of(int32_t priority, const struct stint_stake stakes[static STINT_DIMENSIONS])
{
	struct stint_standing standing = {.priority = priority, .over_used = true, .starved = true};
	for (int d = 0; d < STINT_DIMENSIONS; d++) {
		const struct stint_stake *stake = &stakes[d];
		const double allocatable = stint_bounds_allocatable(stake->quota, stake->limit, stake->fair);
		standing.allocatable[d] = allocatable;
		standing.over_used = standing.over_used && stake->fair >= 0 && stake->fair < stake->has;
		standing.starved = standing.starved && (stake->quota < 0 || stake->then <= stake->quota);
		standing.zero_share = standing.zero_share || (allocatable == 0 && stake->then > 0);
		const double share = share_of(stake->has, allocatable, stake->total);
		const double share_then = share_of(stake->with_step, allocatable, stake->total);
		standing.share = share > standing.share ? share : standing.share;
		standing.share_with_step = share_then > standing.share_with_step ? share_then : standing.share_with_step;
	}
	return standing;
}

/* Unlimited is more than any number. */
static bool no_more(double a, double b)
{
	return b < 0 || (a >= 0 && a <= b);
}

static bool allocatable_is_less(const struct stint_standing *p, const struct stint_standing *q)
{
	bool less = false;
	for (int d = 0; d < STINT_DIMENSIONS; d++) {
		if (!no_more(p->allocatable[d], q->allocatable[d]))
			return false;
		less = less || !no_more(q->allocatable[d], p->allocatable[d]);
	}
	return less;
}

int stint_standing_compare(const struct stint_standing *p, const struct stint_standing *q)
{
	if (p->over_used != q->over_used)
		return q->over_used ? -1 : 1;
	if (p->starved != q->starved)
		return p->starved ? -1 : 1;
	if (p->priority != q->priority)
		return p->priority > q->priority ? -1 : 1;
	if (p->zero_share != q->zero_share)
		return q->zero_share ? -1 : 1;
	if (p->share_with_step != q->share_with_step)
		return p->share_with_step < q->share_with_step ? -1 : 1;
	if (p->share != q->share)
		return p->share < q->share ? -1 : 1;
	if (allocatable_is_less(p, q))
		return -1;
	return allocatable_is_less(q, p) ? 1 : 0;
}

int stint_age_compare(int64_t created_ms, const char *name, int64_t other_created_ms, const char *other_name)
{
	if (created_ms != other_created_ms)
		return created_ms < other_created_ms ? -1 : 1;
	return strcmp(name, other_name);
}
