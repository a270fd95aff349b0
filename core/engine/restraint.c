/*
 * restraint: why nothing is taken from others for a group that waits, beside what its record says: its own preemption delay, or the minimum
 * runtimes of those who could fall for it (kai-engine 9.1, 9.2). When that ends a cycle is due.
 *
 * A delay counts where the action could take something for the group at all, by the cheap tests that come before any search. A minimum
 * runtime counts where a search that does not heed it finds victims: the restraint lasts until the last of those may fall.
 * Costs: O(waiting groups) where some group has a delay; a second search for a group that failed and met protected work.
 */
#include "hunt.h"

static bool is_about_room(enum stint_reason reason)
{
	return reason == STINT_REASON_NO_ROOM || reason == STINT_REASON_TOPOLOGY || reason == STINT_REASON_OVER_LIMIT;
}

void engine_restrain(struct stint_engine *engine, uint32_t handle, const struct restraint *by)
{
	const struct group *group = &engine->groups[handle];
	struct stint_record record = *engine_record(group);
	if (!is_about_room(record.reason))
		return;
	/* What another action found stands: only its own next look can take it back. */
	if (by->kind == STINT_RESTRAINT_NONE && (record.restraint == STINT_RESTRAINT_NONE || record.restrained_action != by->action))
		return;
	if (record.restraint == STINT_RESTRAINT_DELAY && by->kind == STINT_RESTRAINT_RUNTIME)
		return;
	record.restraint = by->kind;
	record.restrained_action = by->action;
	record.restrained_until_ms = by->until_ms;
	record.restrained_by = by->group;
	engine_group_judge(engine, handle, &record);
}

/* What an attempt of the allocate action leaves as it is. */
void engine_restraint_keep(const struct stint_engine *engine, uint32_t handle, struct stint_record *record)
{
	const struct stint_record *former = engine_record(&engine->groups[handle]);
	if (former->reason != record->reason)
		return;
	record->restraint = former->restraint;
	record->restrained_action = former->restrained_action;
	record->restrained_until_ms = former->restrained_until_ms;
	record->restrained_by = former->restrained_by;
}

void engine_restraint_forget(struct stint_engine *engine)
{
	for (uint32_t i = 0; i < engine->groups_count; i++) {
		if (engine->groups[i].record)
			engine->groups[i].record->restraint = STINT_RESTRAINT_NONE;
	}
}

static bool could_take(struct stint_engine *engine, const struct hunt_rules *rules, uint32_t queue, uint32_t handle)
{
	const struct group *group = &engine->groups[handle];
	if (rules->moves_only && !group->preemptible)
		return false;
	return group->gang || rules->pod_may(engine, queue, &engine->shapes[engine->pods[engine_first_waiting(engine, handle)].shape]);
}

void engine_restraint_note_delays(struct stint_engine *engine, const struct hunt_rules *rules)
{
	for (size_t i = 0; engine->delayed_groups && i < engine->queue_order.count; i++) {
		const uint32_t handle = engine->queue_order.items[i];
		const struct line *line = &engine->queues[handle].line;
		if (engine->queues[handle].first_child != STINT_NO_HANDLE || !line->count)
			continue;
		const bool may = rules->queue_may(engine, handle);
		for (size_t at = 0; at < line->count; at++) {
			const uint32_t waits = line->items[at].group;
			const struct group *group = &engine->groups[waits];
			if (group->preemption_delay_ms <= 0 || group->stamp != line->items[at].stamp)
				continue;
			const int64_t end_ms = engine_delay_end_ms(group);
			struct restraint by = {.action = rules->action, .group = STINT_NO_HANDLE};
			if (engine->now_ms < end_ms) {
				engine_wake_at(engine, end_ms);
				if (may && could_take(engine, rules, handle, waits)) {
					by.kind = STINT_RESTRAINT_DELAY;
					by.until_ms = end_ms;
				}
			}
			if (by.kind != STINT_RESTRAINT_NONE || engine_record(group)->restraint == STINT_RESTRAINT_DELAY)
				engine_restrain(engine, waits, &by);
		}
	}
}

struct restraint engine_restraint_by_runtime(struct stint_engine *engine, const struct hunt *hunt)
{
	struct restraint by = {.action = hunt->rules->action};
	by.until_ms = engine_runtime_last_end(engine, hunt->rules->action, hunt->queue, &by.group);
	by.kind = by.group == STINT_NO_HANDLE ? STINT_RESTRAINT_NONE : STINT_RESTRAINT_RUNTIME;
	return by;
}
