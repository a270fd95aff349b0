/*
 * cycle: what one cycle is: the state settles, fair shares are divided once, and the policy's actions run in their order, each on what the
 * former ones have decided.
 *
 * Costs: O(1) when nothing has changed since the last cycle and the time has not come for anything; else what the actions cost.
 */
#include "hunt.h"

static bool same_policy(const struct stint_policy *a, const struct stint_policy *b)
{
	bool same = a->gpu_nodes == b->gpu_nodes && a->cpu_nodes == b->cpu_nodes && a->gpu_devices == b->gpu_devices &&
		a->prefer_idle == b->prefer_idle && a->prefer_shared == b->prefer_shared && a->prefer_cpu_nodes == b->prefer_cpu_nodes &&
		a->prefer_pod_affinity == b->prefer_pod_affinity && a->usage_factor == b->usage_factor && a->backfill == b->backfill &&
		a->hold_moved_ms == b->hold_moved_ms && a->actions_count == b->actions_count &&
		a->consolidation_max_victims == b->consolidation_max_victims && a->reclaim_may_consolidate == b->reclaim_may_consolidate &&
		a->reclaim_saturation == b->reclaim_saturation && a->min_runtime_method == b->min_runtime_method &&
		a->preempt_min_runtime_ms == b->preempt_min_runtime_ms && a->reclaim_min_runtime_ms == b->reclaim_min_runtime_ms &&
		a->stale_grace_ms == b->stale_grace_ms && engine_pools_same_policy(a, b);
	for (enum stint_action action = 0; action < STINT_ACTIONS; action++) {
		same = same && a->queue_depth[action] == b->queue_depth[action];
		same = same && (action >= a->actions_count || a->actions[action] == b->actions[action]);
	}
	return same;
}

static void adopt_policy(struct stint_engine *engine, const struct stint_policy *policy)
{
	if (same_policy(&engine->policy, policy))
		return;
	engine->shares_stale = engine->shares_stale || engine->policy.usage_factor != policy->usage_factor;
	engine_restraint_forget(engine);
	engine->policy = *policy;
	engine_pools_adopt(engine, policy);
	engine->policy_stamp++;
	engine->room_epoch++;
	engine->search_epoch++;
	engine->stirred = true;
}

static void adopt_time(struct stint_engine *engine, int64_t now_ms)
{
	engine->now_ms = now_ms;
	if (now_ms < engine->wake_ms)
		return;
	engine->wake_ms = INT64_MAX;
	engine->search_epoch++;
	engine->stirred = true;
}

static void act(struct stint_engine *engine, enum stint_action action, struct stint_cycle *out)
{
	switch (action) {
	case STINT_ACTION_ALLOCATE: engine_allocate(engine, out); break;
	case STINT_ACTION_CONSOLIDATION: engine_hunt_all(engine, &engine_consolidation_rules, out); break;
	case STINT_ACTION_RECLAIM: engine_hunt_all(engine, &engine_reclaim_rules, out); break;
	case STINT_ACTION_PREEMPT: engine_hunt_all(engine, &engine_preempt_rules, out); break;
	case STINT_ACTION_STALE: engine_evict_stale(engine); break;
	case STINT_ACTIONS: break;
	}
}

static void run(struct stint_engine *engine, struct stint_cycle *out)
{
	engine->cycles++;
	engine_drop_reservations(engine);
	engine_choices_sweep(engine);
	engine_terms_settle(engine);
	engine_holds_begin(engine);
	engine_queue_order_settle(engine);
	engine_shares_settle(engine);
	engine_mix_settle(engine);
	engine->shares_fixed = true;
	for (uint32_t i = 0; i < engine->policy.actions_count; i++)
		act(engine, engine->policy.actions[i], out);
	engine->shares_fixed = false;
	engine->reservations_stood = engine->reserved.count > 0;
	/* What was decided may have opened a place near it to a group that failed before: that is for the next cycle. */
	engine->room_epoch += engine->terms_moved;
	engine->stirred = engine->terms_moved;
}

struct stint_cycle stint_engine_cycle(struct stint_engine *engine, const struct stint_policy *policy, int64_t now_ms)
{
	struct stint_cycle out = {0};
	adopt_policy(engine, policy);
	adopt_time(engine, now_ms);
	engine->decisions_count = 0;
	if (engine->stirred)
		run(engine, &out);
	engine_judged_renew(engine);
	engine->judged_delivered = true;
	out.decisions = engine->decisions;
	out.count = engine->decisions_count;
	out.judged = engine->judged.items;
	out.judged_count = engine->judged.count;
	out.waits_for_leaving = engine->reserved.count > 0;
	out.next_ms = engine->wake_ms == INT64_MAX ? -1 : engine->wake_ms;
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_CYCLE, .policy = policy, .now_ms = now_ms, .cycle = &out});
	return out;
}
