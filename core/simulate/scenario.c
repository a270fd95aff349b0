/*
 * scenario: reads a scenario document into objects that the engine takes.
 *
 * Everything that is not understood is an error where it would change what comes out (an action, a kind of request, a gang of several
 * parts); unknown keys elsewhere are ignored, as the format asks.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

const char *const sim_status_names[SIM_STATUS_COUNT] = {
	"Pending", "Gated", "Binding", "Bound", "Running", "Releasing", "StuckInReleasing", "Pipelined", "Failed", "Succeeded"};

void *scenario_room(struct scenario *scenario, size_t count, size_t size)
{
	return stint_arena_alloc(scenario->arena, (count ? count : 1) * size);
}

const char *scenario_keep(struct scenario *scenario, const char *text)
{
	return text ? stint_arena_strndup(scenario->arena, text, strlen(text)) : NULL;
}

struct stint_object scenario_object(struct scenario *scenario, enum stint_kind kind, const char *name, int64_t created_ms)
{
	return (struct stint_object){.kind = kind,
		.refs = 1,
		.name = scenario_keep(scenario, name),
		.uid = scenario_keep(scenario, name),
		.created_ms = created_ms,
		.deleted_ms = -1};
}

bool reader_claim(struct reader *r, struct stint_map *names, const struct place *place, const char *name, void *value)
{
	if (stint_map_has(names, name))
		return field_fail(place, "name", r->err, "is taken: names are unique per kind");
	stint_map_set(names, name, value);
	return true;
}

/* ---- config and run --------------------------------------------------------------------------------------------------------- */

static bool read_actions(struct reader *r, const struct stint_json *config, const struct place *place)
{
	struct stint_policy *policy = &r->scenario->policy;
	const struct stint_json *actions;
	size_t count;
	if (!field_array(place, config, "actions", STINT_ACTIONS, &actions, &count, r->err))
		return false;
	if (!actions) {
		stint_policy_evict(policy);
		return true;
	}
	policy->actions_count = 0;
	stint_json_each(item, actions) {
		const char *name = stint_json_string_or(item, "");
		enum stint_action action = 0;
		while (action < STINT_ACTIONS && strcmp(name, stint_action_name(action)) != 0)
			action++;
		if (action == STINT_ACTIONS)
			return field_fail(place, "actions", r->err,
				"must be a list of allocate, consolidation, reclaim, preempt and staleGangEviction");
		policy->actions[policy->actions_count++] = action;
	}
	return true;
}

static bool read_eviction_settings(struct reader *r, const struct stint_json *config, const struct place *place)
{
	static const char *const methods[] = {"lca", "queue"};
	struct stint_policy *policy = &r->scenario->policy;
	const char *unbounded = stint_json_string(stint_json_get(config, "consolidationMaxVictims"));
	double most = UINT32_MAX;
	int method;
	if ((!unbounded || strcmp(unbounded, "unlimited") != 0) &&
		!field_number(place, config, "consolidationMaxVictims", 0, UINT32_MAX, UINT32_MAX, &most, r->err))
		return false;
	policy->consolidation_max_victims = (uint32_t)most;
	policy->reclaim_may_consolidate = stint_json_bool_or(stint_json_get(config, "reclaimMayConsolidate"), true);
	/* skipSimilarFailures changes nothing: see stint/simulate.h. */
	if (!field_number(place, config, "reclaimSaturationMultiplier", 0, 1e9, 1, &policy->reclaim_saturation, r->err) ||
		!field_choice(place, config, "minRuntimeMethod", methods, 2, 0, &method, r->err) ||
		!field_seconds(place, config, "defaultPreemptMinRuntimeSeconds", 0, &policy->preempt_min_runtime_ms, r->err) ||
		!field_seconds(place, config, "defaultReclaimMinRuntimeSeconds", 0, &policy->reclaim_min_runtime_ms, r->err) ||
		!field_seconds(place, config, "staleGangGraceSeconds", 60000, &policy->stale_grace_ms, r->err))
		return false;
	policy->reclaim_saturation = fmax(1, policy->reclaim_saturation);
	policy->min_runtime_method = (enum stint_min_runtime)method;
	return true;
}

static bool read_config(struct reader *r, const struct stint_json *document)
{
	static const char *const keys[] = {"actions", "gpuNodePlacement", "cpuNodePlacement", "gpuDevicePlacement", "preferNodesThatFitNow",
		"preferNodesWithSharedDevices", "preferCpuNodesForCpuPods", "fairShareUsageFactor", "consolidationMaxVictims",
		"reclaimMayConsolidate", "reclaimSaturationMultiplier", "minRuntimeMethod", "defaultPreemptMinRuntimeSeconds",
		"defaultReclaimMinRuntimeSeconds", "staleGangGraceSeconds", "skipSimilarFailures"};
	static const char *const placements[] = {"binpack", "spread", "none"};
	const struct place place = {.key = "config", .index = -1};
	const struct stint_json *config = stint_json_get(document, "config");
	stint_json_each(member, config) {
		bool known = false;
		for (size_t i = 0; i < STINT_COUNT(keys); i++)
			known = known || strcmp(stint_json_key(member), keys[i]) == 0;
		if (!known)
			return field_fail(&place, stint_json_key(member), r->err, "is no setting");
	}
	struct stint_policy *policy = &r->scenario->policy;
	int gpu, cpu, device;
	*policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	if (!read_actions(r, config, &place) || !field_choice(&place, config, "gpuNodePlacement", placements, 3, 0, &gpu, r->err) ||
		!field_choice(&place, config, "cpuNodePlacement", placements, 3, 0, &cpu, r->err) ||
		!field_choice(&place, config, "gpuDevicePlacement", placements, 3, 0, &device, r->err) ||
		!field_number(&place, config, "fairShareUsageFactor", 0, 1e9, 1, &policy->usage_factor, r->err) ||
		!read_eviction_settings(r, config, &place))
		return false;
	policy->gpu_nodes = (enum stint_placement)gpu;
	policy->cpu_nodes = (enum stint_placement)cpu;
	policy->gpu_devices = (enum stint_placement)device;
	policy->prefer_idle = stint_json_bool_or(stint_json_get(config, "preferNodesThatFitNow"), true);
	policy->prefer_shared = stint_json_bool_or(stint_json_get(config, "preferNodesWithSharedDevices"), true);
	policy->prefer_cpu_nodes = stint_json_bool_or(stint_json_get(config, "preferCpuNodesForCpuPods"), true);
	return true;
}

static bool read_run(struct reader *r, const struct stint_json *document)
{
	static const char *const modes[] = {"once", "rounds"};
	const struct place place = {.key = "run", .index = -1};
	const struct stint_json *run = stint_json_get(document, "run");
	double rounds, stable;
	int mode;
	if (!field_choice(&place, run, "mode", modes, 2, 0, &mode, r->err) ||
		!field_number(&place, run, "rounds", 1, SCENARIO_MAX_ROUNDS, 1, &rounds, r->err) ||
		!field_number(&place, run, "stableRounds", 0, SCENARIO_MAX_ROUNDS, 0, &stable, r->err) ||
		!field_seconds(&place, run, "secondsBetweenRounds", 0, &r->scenario->between_ms, r->err))
		return false;
	r->scenario->once = mode == 0;
	r->scenario->rounds = mode == 0 ? 1 : (int64_t)rounds + (int64_t)stable;
	return true;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------------- */

/* What changes the outcome and is not understood. */
bool reader_refuse(struct reader *r, const struct stint_json *object, const struct place *place, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct stint_json *value = stint_json_get(object, keys[i]);
		if (stint_json_count(value) || stint_json_bool_or(value, false))
			return field_fail(place, keys[i], r->err, "is not simulated by this version");
	}
	return true;
}

static bool read_node(struct reader *r, const struct stint_json *object, const struct place *place, struct stint_node *node)
{
	const char *name;
	double cpu, memory, gpus, pods, mib;
	if (!field_text(place, object, "name", &name, r->err) || !field_amount(place, object, "cpu", STINT_UNIT_MILLI, 0, &cpu, r->err) ||
		!field_amount(place, object, "memory", STINT_UNIT_ONE, 0, &memory, r->err) ||
		!field_number(place, object, "gpus", 0, STINT_MAX_DEVICES, 0, &gpus, r->err) ||
		!field_number(place, object, "maxPods", 0, 1e6, 110, &pods, r->err) ||
		!field_number(place, object, "gpuMemoryMiB", 1, 1e9, 100, &mib, r->err) || !reader_node_devices(r, object, place, name) ||
		!reader_node_zones(r, object, place, name))
		return false;
	const bool unknown_memory =
		stint_json_get(object, "gpuMemoryMiB") && stint_json_type(stint_json_get(object, "gpuMemoryMiB")) == STINT_JSON_NULL;
	*node = (struct stint_node){
		.meta = scenario_object(r->scenario, STINT_KIND_NODE, name, 0),
		.allocatable = {.cpu_milli = (int64_t)cpu,
			.memory_bytes = (int64_t)memory,
			.gpu_milli = (int64_t)gpus * 1000,
			.pods = (int64_t)pods},
		.ready = stint_json_bool_or(stint_json_get(object, "ready"), true) ? STINT_TRUE : STINT_FALSE,
		.gpu_count = (int32_t)gpus,
		.gpu_memory_mib = unknown_memory ? -1 : (int64_t)mib,
	};
	node->capacity = node->allocatable;
	struct device_names *names = scenario_room(r->scenario, 1, sizeof *names);
	names->count = (size_t)gpus;
	names->items = scenario_room(r->scenario, names->count, sizeof *names->items);
	return reader_claim(r, r->scenario->devices, place, name, names) && read_labels(r, object, place, &node->meta.labels) &&
		read_mig_node(r, object, place, node);
}

static bool read_nodes(struct reader *r, const struct stint_json *document)
{
	const struct place list = {.key = "nodes", .index = -1};
	const struct stint_json *nodes;
	if (!field_array(NULL, document, "nodes", SCENARIO_MAX_THINGS, &nodes, &r->scenario->nodes_count, r->err))
		return false;
	r->scenario->nodes = scenario_room(r->scenario, r->scenario->nodes_count, sizeof *r->scenario->nodes);
	int64_t at = 0;
	stint_json_each(node, nodes) {
		const struct place here = {.above = &list, .index = at};
		if (!read_node(r, node, &here, &r->scenario->nodes[at++]))
			return false;
	}
	return true;
}

/* ---- queues ------------------------------------------------------------------------------------------------------------------- */

static bool read_bounds(struct reader *r, const struct stint_json *queue, const struct place *place, const char *key, enum stint_unit unit,
	struct stint_queue_resource *out)
{
	const struct place here = {.above = place, .key = key, .index = -1};
	const struct stint_json *object = stint_json_get(queue, key);
	out->has_quota = out->has_limit = out->has_weight = true;
	return field_amount(&here, object, "quota", unit, 0, &out->quota, r->err) &&
		field_amount(&here, object, "limit", unit, 0, &out->limit, r->err) &&
		field_number(&here, object, "overQuotaWeight", -1, 1e15, 0, &out->weight, r->err);
}

static bool read_queue(struct reader *r, const struct stint_json *object, const struct place *place, struct sim_queue *queue)
{
	const char *name;
	double priority;
	int64_t age_ms, preempt_ms, reclaim_ms;
	if (!field_text(place, object, "name", &name, r->err) ||
		!field_number(place, object, "priority", INT32_MIN, INT32_MAX, 100, &priority, r->err) ||
		!field_seconds(place, object, "createdSecondsAgo", 0, &age_ms, r->err) ||
		!field_seconds(place, object, "preemptMinRuntimeSeconds", -1000, &preempt_ms, r->err) ||
		!field_seconds(place, object, "reclaimMinRuntimeSeconds", -1000, &reclaim_ms, r->err))
		return false;
	queue->object = (struct stint_queue){
		.meta = scenario_object(r->scenario, STINT_KIND_QUEUE, name, SCENARIO_START_MS - age_ms),
		.parent = scenario_keep(r->scenario, stint_json_string_at(object, "parent")),
		.priority = (int32_t)priority,
		.priority_known = true,
		.has_resources = true,
		.preempt_min_runtime_ms = preempt_ms < 0 ? -1 : preempt_ms,
		.reclaim_min_runtime_ms = reclaim_ms < 0 ? -1 : reclaim_ms,
	};
	const struct place usage = {.above = place, .key = "usage", .index = -1};
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		if (!field_number(&usage, stint_json_get(object, "usage"), stint_dimension_name(d), 0, 1e9, 0, &queue->usage[d], r->err))
			return false;
	}
	return read_bounds(r, object, place, "gpu", STINT_UNIT_ONE, &queue->object.gpu) &&
		read_bounds(r, object, place, "cpu", STINT_UNIT_MILLI, &queue->object.cpu) &&
		read_bounds(r, object, place, "memory", STINT_UNIT_ONE, &queue->object.memory) &&
		reader_claim(r, r->queues, place, name, queue);
}

static bool read_queues(struct reader *r, const struct stint_json *document)
{
	const struct place list = {.key = "queues", .index = -1};
	const struct stint_json *queues;
	if (!field_array(NULL, document, "queues", SCENARIO_MAX_THINGS, &queues, &r->scenario->queues_count, r->err))
		return false;
	r->scenario->queues = scenario_room(r->scenario, r->scenario->queues_count, sizeof *r->scenario->queues);
	int64_t at = 0;
	stint_json_each(queue, queues) {
		const struct place here = {.above = &list, .index = at};
		if (!read_queue(r, queue, &here, &r->scenario->queues[at++]))
			return false;
	}
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------------ */

struct scenario *scenario_read(const struct stint_json *document, struct stint_error **err)
{
	STINT_CLEANUP(scenario_clear) struct scenario *scenario = stint_alloc(sizeof *scenario);
	scenario->arena = stint_arena_new(0);
	scenario->devices = stint_map_new(NULL);
	struct reader r = {
		.scenario = scenario,
		.pods = stint_map_new(NULL),
		.workloads = stint_map_new(NULL),
		.queues = stint_map_new(NULL),
		.volume_claims = stint_map_new(NULL),
		.err = err,
	};
	const bool ok = read_config(&r, document) && read_run(&r, document) && read_topologies(&r, document) && read_nodes(&r, document) &&
		read_queues(&r, document) && reader_claims(&r, document) && read_claim_names(&r, document) &&
		read_workloads(&r, document) && read_extras(&r, document);
	stint_map_free(r.pods);
	stint_map_free(r.workloads);
	stint_map_free(r.queues);
	stint_map_free(r.volume_claims);
	return ok ? stint_steal(&scenario) : NULL;
}

void scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return;
	stint_map_free(scenario->devices);
	for (size_t i = 0; i < scenario->classes_count; i++)
		stint_cel_free(scenario->classes[i].selectors.items[0]);
	stint_arena_free(scenario->arena);
	free(scenario);
}

void scenario_clear(struct scenario **scenario)
{
	scenario_free(*scenario);
}

struct stint_json *stint_simulate(const struct stint_json *document, struct stint_error **err)
{
	return stint_simulate_recorded(document, NULL, NULL, err);
}

struct stint_json *stint_simulate_recorded(const struct stint_json *document, void (*write)(void *user, const char *lines, size_t length),
	void *user, struct stint_error **err)
{
	if (stint_json_type(document) != STINT_JSON_OBJECT) {
		stint_fail(err, STINT_USAGE, "scenario: the document must be an object");
		return NULL;
	}
	if (stint_json_int_or(stint_json_get(document, "version"), 1) != 1) {
		stint_fail(err, STINT_USAGE, "scenario: version must be 1");
		return NULL;
	}
	static const char *const kinds[] = {"schedule", "fairshare"};
	int kind;
	if (!field_choice(NULL, document, "kind", kinds, 2, 0, &kind, err))
		return NULL;
	if (kind == 1 && write) {
		stint_fail(err, STINT_USAGE, "scenario: kind: a scenario of kind fairshare runs no cycle, so there is nothing to record");
		return NULL;
	}
	if (kind == 1)
		return simulate_fair_share(document, err);
	STINT_CLEANUP(scenario_clear) struct scenario *scenario = scenario_read(document, err);
	if (!scenario)
		return NULL;
	return simulate_rounds(scenario, stint_json_string_or(stint_json_get(document, "name"), "scenario"), write, user);
}
