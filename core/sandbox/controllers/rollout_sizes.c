/*
 * rollout_sizes: how large each ReplicaSet of a Deployment becomes in this sync: by strategy, within maxSurge and maxUnavailable, and in
 * proportion when the Deployment itself was resized.
 */
#include "core/sandbox/controllers/rollout.h"

int64_t rollout_sum_wanted(const struct deployment_plan *plan)
{
	int64_t sum = plan->create ? plan->create_replicas : 0;
	for (size_t i = 0; i < plan->count; i++)
		sum += plan->sets[i].wanted;
	return sum;
}

static int64_t at_most(int64_t value, int64_t limit)
{
	return value < limit ? value : limit;
}

/* How many the current set may have, by the room that maxSurge leaves. */
static int64_t room_for_current(const struct rollout *rollout, int64_t has)
{
	if (rollout->recreate)
		return rollout->replicas;
	int64_t room = rollout->replicas + rollout->surge - rollout_sum_wanted(rollout->plan);
	if (room <= 0)
		return has;
	return has + at_most(room, rollout->replicas - has);
}

static bool has_old_sets_with_pods(const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->plan->count; i++) {
		const struct rollout_set *set = &rollout->plan->sets[i];
		if (!set->current && (set->replicas > 0 || set->pods > 0))
			return true;
	}
	return rollout->old_pods;
}

void rollout_recreate(struct rollout *rollout)
{
	bool waits = has_old_sets_with_pods(rollout);
	for (size_t i = 0; i < rollout->plan->count; i++) {
		struct rollout_set *set = &rollout->plan->sets[i];
		if (!set->current)
			set->wanted = 0;
	}
	if (waits)
		return; /* the events of the sets bring us back */
	if (rollout->current) {
		rollout->current->wanted = rollout->replicas;
	} else {
		rollout->plan->create = true;
		rollout->plan->create_replicas = rollout->replicas;
	}
}

/* Old pods that are not available go first: they cost no availability. Returns how many have been taken. */
static int64_t clean_up_unhealthy(const struct rollout *rollout, int64_t limit)
{
	int64_t taken = 0;
	for (size_t i = 0; i < rollout->plan->count && taken < limit; i++) {
		struct rollout_set *set = &rollout->plan->sets[i];
		if (set->current || set->wanted == 0 || set->wanted <= set->available)
			continue;
		int64_t part = at_most(limit - taken, set->wanted - set->available);
		set->wanted -= part;
		taken += part;
	}
	return taken;
}

static void scale_down_old(const struct rollout *rollout)
{
	const struct deployment_plan *plan = rollout->plan;
	int64_t min_available = rollout->replicas - rollout->unavailable, available = 0;
	int64_t new_unavailable = rollout->current ? rollout->current->wanted - rollout->current->available : plan->create_replicas;
	for (size_t i = 0; i < plan->count; i++)
		available += plan->sets[i].available;
	int64_t limit = rollout_sum_wanted(plan) - min_available - (new_unavailable > 0 ? new_unavailable : 0);
	if (limit <= 0)
		return;
	clean_up_unhealthy(rollout, limit);
	int64_t spare = available - min_available;
	for (size_t i = 0; i < plan->count && spare > 0; i++) {
		struct rollout_set *set = &plan->sets[i];
		if (set->current || set->wanted == 0)
			continue;
		int64_t part = at_most(spare, set->wanted);
		set->wanted -= part;
		spare -= part;
	}
}

void rollout_roll(struct rollout *rollout)
{
	if (!rollout->current) {
		rollout->plan->create = true;
		rollout->plan->create_replicas = 0;
		rollout->plan->create_replicas = room_for_current(rollout, 0);
		scale_down_old(rollout);
		return;
	}
	struct rollout_set *current = rollout->current;
	if (current->wanted > rollout->replicas)
		current->wanted = rollout->replicas;
	else if (current->wanted < rollout->replicas)
		current->wanted = room_for_current(rollout, current->wanted);
	if (current->wanted == current->replicas)
		scale_down_old(rollout);
}

/* The Deployment was resized since the sets were last annotated. */
bool rollout_was_resized(const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->plan->count; i++) {
		const struct rollout_set *set = &rollout->plan->sets[i];
		if (set->replicas > 0 && stint_json_string_at(set->object, "metadata", "annotations", DESIRED_KEY) &&
			rollout_number(set->object, DESIRED_KEY) != rollout->replicas)
			return true;
	}
	return false;
}

static struct rollout_set *only_active(const struct rollout *rollout)
{
	struct rollout_set *active = NULL;
	for (size_t i = 0; i < rollout->plan->count; i++) {
		if (rollout->plan->sets[i].replicas == 0)
			continue;
		if (active)
			return NULL;
		active = &rollout->plan->sets[i];
	}
	if (active)
		return active;
	return rollout->current ? rollout->current : rollout->plan->count > 0 ? &rollout->plan->sets[rollout->plan->count - 1] : NULL;
}

/* In the middle of a rollout every set grows or shrinks by its share; what rounding leaves goes to the largest. */
static void resize_in_proportion(const struct rollout *rollout)
{
	struct deployment_plan *plan = rollout->plan;
	int64_t allowed = rollout->replicas > 0 ? rollout->replicas + rollout->surge : 0, total = rollout_sum_wanted(plan), added = 0;
	int64_t change = allowed - total;
	struct rollout_set *largest = NULL;
	for (size_t i = 0; i < plan->count; i++) {
		struct rollout_set *set = &plan->sets[i];
		if (set->replicas == 0)
			continue;
		if (!largest || set->replicas > largest->replicas)
			largest = set;
		int64_t base = rollout_number(set->object, MAX_KEY);
		if (base <= 0)
			base = total > 0 ? total : 1;
		int64_t share = (2 * set->replicas * allowed + base) / (2 * base) - set->replicas;
		if (change >= 0)
			share = share < 0 ? 0 : at_most(share, change - added);
		else
			share = share > 0 ? 0 : share < change - added ? change - added : share;
		set->wanted = set->replicas + share;
		added += share;
	}
	if (largest) {
		largest->wanted += change - added;
		if (largest->wanted < 0)
			largest->wanted = 0;
	}
}

void rollout_resize(struct rollout *rollout)
{
	struct rollout_set *active = only_active(rollout);
	rollout->plan->write_sizes = true;
	if (active) {
		active->wanted = rollout->replicas;
		return;
	}
	const struct rollout_set *current = rollout->current;
	if (current && current->replicas == rollout->replicas && current->available == rollout->replicas) {
		for (size_t i = 0; i < rollout->plan->count; i++) {
			if (!rollout->plan->sets[i].current)
				rollout->plan->sets[i].wanted = 0;
		}
	} else if (!rollout->recreate) {
		resize_in_proportion(rollout);
	}
}
