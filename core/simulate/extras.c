/*
 * extras: what the schema of scenarios has no place for, under the top-level key `stint`.
 *
 *     placement   of nodes for all pods and of devices for shares; it replaces those of `config`
 *     backfill    easy, conservative or none: which blocked workloads get a start in the future
 *     queueDepth  by action: only so many workloads of each queue take part
 *     times       by workload: its declared wall time in seconds; its pods succeed when it is over
 *     pools, nodePools   see pools.c
 */
#include "scenario.h"

const char *const sim_placements[SIM_PLACEMENTS] = {"binpack", "spread", "none", "fragmentation"};

static bool read_placement(struct reader *r, const struct place *place, const struct stint_json *extras)
{
	struct stint_policy *policy = &r->scenario->policy;
	int placement;
	if (!field_choice(place, extras, "placement", sim_placements, SIM_PLACEMENTS, -1, &placement, r->err))
		return false;
	if (placement < 0)
		return true;
	policy->gpu_nodes = policy->cpu_nodes = policy->gpu_devices = (enum stint_placement)placement;
	policy->prefer_shared = policy->prefer_shared && stint_policy_of(policy->gpu_nodes, policy->cpu_nodes).prefer_shared;
	return true;
}

static bool read_backfill(struct reader *r, const struct place *place, const struct stint_json *extras)
{
	static const char *const words[] = {
		[STINT_BACKFILL_EASY] = "easy", [STINT_BACKFILL_CONSERVATIVE] = "conservative", [STINT_BACKFILL_NONE] = "none"};
	int word;
	if (!field_choice(place, extras, "backfill", words, STINT_COUNT(words), STINT_BACKFILL_EASY, &word, r->err))
		return false;
	r->scenario->policy.backfill = (enum stint_backfill)word;
	return true;
}

static bool read_depths(struct reader *r, const struct place *above, const struct stint_json *extras)
{
	const struct place place = {.above = above, .key = "queueDepth", .index = -1};
	const struct stint_json *depths = stint_json_get(extras, "queueDepth");
	for (enum stint_action action = 0; action < STINT_ACTIONS; action++) {
		double depth;
		if (!field_number(&place, depths, stint_action_name(action), 0, SCENARIO_MAX_THINGS, 0, &depth, r->err))
			return false;
		r->scenario->policy.queue_depth[action] = (uint32_t)depth;
	}
	return true;
}

static bool read_times(struct reader *r, const struct place *above, const struct stint_json *extras)
{
	const struct place place = {.above = above, .key = "times", .index = -1};
	const struct stint_json *times = stint_json_get(extras, "times");
	stint_json_each(time, times) {
		struct sim_workload *workload = stint_map_get(r->workloads, stint_json_key(time));
		if (!workload)
			return field_fail(&place, stint_json_key(time), r->err, "names no workload of the scenario");
		if (!field_seconds(&place, times, stint_json_key(time), 0, &workload->group.time_ms, r->err))
			return false;
		for (size_t i = 0; i < workload->pods_count; i++) {
			const bool runs = workload->pods[i].status == SIM_RUNNING && workload->group.started_ms > 0;
			workload->pods[i].object->started_ms = runs ? workload->group.started_ms : -1;
		}
	}
	return true;
}

bool read_extras(struct reader *r, const struct stint_json *document)
{
	const struct place place = {.key = "stint", .index = -1};
	const struct stint_json *extras = stint_json_get(document, "stint");
	return read_pools(r, &place, extras) && read_placement(r, &place, extras) && read_backfill(r, &place, extras) &&
		read_depths(r, &place, extras) && read_times(r, &place, extras);
}
