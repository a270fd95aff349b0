/*
 * rounds: runs the engine on a scenario, round by round, and writes down what it decided and how things stand.
 *
 * The outside world is simple: what was bound runs, what was reserved waits again, what was leaving goes as its workload says. Every
 * round starts from the state that the former one settled to, in the same engine, as in a cluster.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/journal.h>

#include "scenario.h"

struct run {
	struct scenario *scenario;
	struct stint_engine *engine;
	struct stint_map *by_uid; /* struct sim_pod */
	struct stint_json *rounds;
	int64_t now_ms;
};

static bool is_on_node(enum sim_status status)
{
	return status >= SIM_BINDING && status <= SIM_PIPELINED;
}

static enum stint_pod_status engine_status(enum sim_status status)
{
	switch (status) {
	case SIM_PENDING:
	case SIM_PIPELINED: return STINT_POD_PENDING;
	case SIM_GATED: return STINT_POD_GATED;
	case SIM_RELEASING: return STINT_POD_RELEASING;
	case SIM_STUCK: return STINT_POD_STUCK;
	default: return STINT_POD_BOUND;
	}
}

static void tell(struct run *run, struct sim_pod *pod)
{
	if (pod->status == SIM_FAILED || pod->status == SIM_SUCCEEDED) {
		stint_engine_pod_remove(run->engine, pod->object->meta.uid);
		pod->handle = STINT_NO_HANDLE;
		return;
	}
	pod->object->node = is_on_node(pod->status) && pod->status != SIM_PIPELINED ? pod->node : NULL;
	const struct stint_pod_facts facts = {
		.pod = pod->object,
		.group = pod->workload->handle,
		.part = pod->part,
		.status = engine_status(pod->status),
		.devices = pod->devices,
		.zones = pod->zones,
		.zones_count = pod->zones_count,
	};
	pod->handle = stint_engine_pod_upsert(run->engine, &facts);
}

static void load(struct run *run)
{
	struct scenario *scenario = run->scenario;
	for (size_t i = 0; i < scenario->nodes_count; i++)
		stint_engine_node_upsert(run->engine, &scenario->nodes[i]);
	for (size_t i = 0; i < scenario->topologies_count; i++)
		stint_engine_topology_upsert(run->engine, &scenario->topologies[i]);
	load_claims(scenario, run->engine);
	load_zones(scenario, run->engine);
	for (size_t i = 0; i < scenario->queues_count; i++) {
		const uint32_t queue = stint_engine_queue_upsert(run->engine, &scenario->queues[i].object);
		stint_engine_queue_usage(run->engine, queue, scenario->queues[i].usage);
	}
	for (size_t i = 0; i < scenario->workloads_count; i++) {
		struct sim_workload *workload = &scenario->workloads[i];
		workload->handle = stint_engine_group_upsert(run->engine, &workload->group);
		for (size_t p = 0; p < workload->pods_count; p++)
			tell(run, &workload->pods[p]);
	}
}

/* ---- what came out ----------------------------------------------------------------------------------------------------------------- */

static struct stint_json *device_list(const struct sim_pod *pod)
{
	struct stint_json *list = stint_json_new_array();
	for (size_t i = 0; i < pod->gpu_groups_count && is_on_node(pod->status); i++)
		stint_json_append(list, stint_json_new_string(pod->gpu_groups[i]));
	return list;
}

static bool is_taken(const struct device_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->items[i] && strcmp(names->items[i], name) == 0)
			return true;
	}
	return false;
}

/* A device keeps its name; one that was never shared gets one that is new on its node. */
static const char *device_name(struct scenario *scenario, const char *node, const char *kind, unsigned slot)
{
	struct device_names *names = stint_map_get(scenario->devices, node);
	const bool opened = strcmp(kind, "gpu") == 0;
	if (opened && names->items[slot])
		return names->items[slot];
	stint_auto_buf name = {0};
	stint_buf_printf(&name, "%s-%u", kind, slot);
	while (is_taken(names, name.data))
		stint_buf_putc(&name, '+');
	const char *kept = stint_arena_strndup(scenario->arena, name.data, name.length);
	if (opened)
		names->items[slot] = kept;
	return kept;
}

static void name_devices(struct scenario *scenario, struct sim_pod *pod, const struct stint_decision *decision)
{
	pod->gpu_groups_count = 0;
	if (decision->gpu == STINT_GPU_WHOLE || decision->gpu == STINT_GPU_NONE)
		return;
	pod->gpu_groups = stint_arena_alloc(scenario->arena, decision->device_count * sizeof *pod->gpu_groups);
	for (unsigned slot = 0; slot < STINT_MAX_DEVICES; slot++) {
		if (decision->devices >> slot & 1)
			pod->gpu_groups[pod->gpu_groups_count++] = device_name(scenario, pod->node, "gpu", slot);
		if (decision->unopened >> slot & 1)
			pod->gpu_groups[pod->gpu_groups_count++] = device_name(scenario, pod->node, "unopened", slot);
	}
}

static struct sim_pod *pod_of(struct run *run, uint32_t handle)
{
	struct stint_pod_view view;
	stint_engine_pod_view(run->engine, handle, &view);
	return stint_map_get(run->by_uid, view.pod->meta.uid);
}

static void leave(struct sim_pod *pod)
{
	pod->evicted = true;
	pod->left_node = pod->node;
	pod->left_gpu_groups = pod->gpu_groups;
	pod->left_gpu_groups_count = pod->gpu_groups_count;
	pod->left_devices = pod->devices;
	pod->status = SIM_RELEASING;
}

/* Its reservation is void: it waits, or goes on leaving the place that it was evicted from. */
static void withdraw(struct sim_pod *pod)
{
	pod->status = pod->evicted ? SIM_RELEASING : SIM_PENDING;
	pod->node = pod->evicted ? pod->left_node : NULL;
	pod->gpu_groups = pod->left_gpu_groups;
	pod->gpu_groups_count = pod->evicted ? pod->left_gpu_groups_count : 0;
	pod->devices = pod->evicted ? pod->left_devices : 0;
}

static void place(struct run *run, struct sim_pod *pod, const struct stint_decision *decision, const char *node)
{
	const bool bind = decision->kind == STINT_DECIDE_BIND;
	pod->node = node;
	pod->status = bind ? SIM_BINDING : SIM_PIPELINED;
	pod->devices = bind ? decision->devices : 0;
	name_devices(run->scenario, pod, decision);
}

static const char *workload_name(const struct run *run, uint32_t group)
{
	struct stint_group_view view;
	return group != STINT_NO_HANDLE && stint_engine_group_view(run->engine, group, &view) ? view.key : NULL;
}

static struct stint_json *apply(struct run *run, const struct stint_decision *decision)
{
	static const char *const ops[] = {[STINT_DECIDE_BIND] = "bind",
		[STINT_DECIDE_RESERVE] = "pipeline",
		[STINT_DECIDE_EVICT] = "evict",
		[STINT_DECIDE_WITHDRAW] = "withdraw"};
	struct sim_pod *pod = pod_of(run, decision->pod);
	struct stint_node_view node;
	stint_engine_node_view(run->engine, decision->node, &node);
	const bool gains = decision->kind == STINT_DECIDE_BIND || decision->kind == STINT_DECIDE_RESERVE;
	if (gains)
		place(run, pod, decision, node.name);
	else if (decision->kind == STINT_DECIDE_EVICT)
		leave(pod);
	else
		withdraw(pod);

	struct stint_json *entry = stint_json_new_object();
	const char *served = workload_name(run, decision->serves);
	stint_json_set_string(entry, "action", stint_action_name(decision->action));
	stint_json_set_string(entry, "op", ops[decision->kind]);
	stint_json_set_string(entry, "pod", pod->object->meta.name);
	stint_json_set_string(entry, "node", node.name);
	stint_json_set(entry, "gpuGroups", gains ? device_list(pod) : stint_json_new_array());
	stint_json_set_string(entry, "for", served ? served : pod->workload->name);
	return entry;
}

static struct stint_json *list_pods(struct run *run)
{
	struct stint_json *list = stint_json_new_array();
	for (size_t i = 0; i < run->scenario->workloads_count; i++) {
		const struct sim_workload *workload = &run->scenario->workloads[i];
		for (size_t p = 0; p < workload->pods_count; p++) {
			const struct sim_pod *pod = &workload->pods[p];
			struct stint_pod_view view = {0};
			if (pod->handle != STINT_NO_HANDLE)
				stint_engine_pod_view(run->engine, pod->handle, &view);
			struct stint_json *entry = stint_json_append(list, stint_json_new_object());
			stint_json_set_string(entry, "name", pod->object->meta.name);
			stint_json_set_string(entry, "workload", workload->name);
			stint_json_set_string(entry, "status", sim_status_names[pod->status]);
			stint_json_set_string(entry, "node", pod->status == SIM_PENDING || pod->status == SIM_GATED ? NULL : pod->node);
			stint_json_set(entry, "gpuGroups", device_list(pod));
			if (pod->handle != STINT_NO_HANDLE)
				list_pod_zones(run->engine, pod->handle, entry);
			stint_json_set_double(entry, "gpus", is_on_node(pod->status) ? view.gpus : 0);
		}
	}
	return list;
}

static struct stint_json *list_nodes(struct run *run)
{
	struct stint_json *list = stint_json_new_array();
	for (size_t i = 0; i < run->scenario->nodes_count; i++) {
		const char *name = run->scenario->nodes[i].meta.name;
		struct stint_node_view view;
		stint_engine_node_view(run->engine, stint_engine_node_find(run->engine, name), &view);
		struct stint_json *entry = stint_json_append(list, stint_json_new_object());
		stint_json_set_string(entry, "name", name);
		stint_json_set_int(entry, "idleGpus", view.gpus_idle);
		stint_json_set_int(entry, "releasingGpus", view.gpus_releasing);
		list_node_zones(run->scenario, run->engine, stint_engine_node_find(run->engine, name), entry);
	}
	return list;
}

static struct stint_json *list_workloads(const struct run *run)
{
	struct stint_json *list = stint_json_new_array();
	for (size_t i = 0; i < run->scenario->workloads_count; i++) {
		const struct sim_workload *workload = &run->scenario->workloads[i];
		struct stint_group_view view = {0};
		stint_engine_group_view(run->engine, workload->handle, &view);
		struct stint_json *entry = stint_json_append(list, stint_json_new_object());
		stint_json_set_string(entry, "name", workload->name);
		stint_json_set(entry, "startedSecondsAgo",
			view.started_ms ? stint_json_new_double((double)(run->now_ms - view.started_ms) / 1000) : stint_json_new_null());
	}
	return list;
}

/* ---- rounds ------------------------------------------------------------------------------------------------------------------------- */

static void settle_pod(struct run *run, struct sim_pod *pod)
{
	pod->evicted = false;
	switch (pod->status) {
	case SIM_BINDING:
	case SIM_BOUND:
		pod->status = SIM_RUNNING;
		pod->object->started_ms = run->now_ms;
		break;
	case SIM_PIPELINED: pod->status = SIM_PENDING; break;
	case SIM_RELEASING:
		if (pod->workload->after_eviction == SIM_KEEP_RELEASING)
			return;
		pod->status = pod->workload->after_eviction == SIM_GONE ? SIM_SUCCEEDED : SIM_PENDING;
		if (pod->status == SIM_SUCCEEDED && !pod->workload->group.some_succeeded) {
			pod->workload->group.some_succeeded = true;
			stint_engine_group_upsert(run->engine, &pod->workload->group);
		}
		break;
	default: return;
	}
	if (pod->status == SIM_PENDING) {
		/* Its controller made a new pod: the engine must not take the news for old ones. */
		stint_engine_pod_remove(run->engine, pod->object->meta.uid);
		pod->node = NULL;
		pod->devices = 0;
		pod->zones = NULL;
		pod->zones_count = 0;
		pod->gpu_groups_count = 0;
	}
	tell(run, pod);
}

/* A declared wall time that is over before the next round. */
static void end_pod(struct run *run, struct sim_pod *pod)
{
	const int64_t time_ms = pod->workload->group.time_ms, started_ms = pod->object->started_ms;
	if (pod->status != SIM_RUNNING || time_ms <= 0 || started_ms < 0 || started_ms + time_ms > run->now_ms + run->scenario->between_ms)
		return;
	pod->status = SIM_SUCCEEDED;
	pod->workload->group.some_succeeded = true;
	tell(run, pod);
	stint_engine_group_upsert(run->engine, &pod->workload->group);
}

static void settle(struct run *run, struct stint_json *round)
{
	for (size_t i = 0; i < run->scenario->workloads_count; i++) {
		for (size_t p = 0; p < run->scenario->workloads[i].pods_count; p++)
			settle_pod(run, &run->scenario->workloads[i].pods[p]);
		for (size_t p = 0; p < run->scenario->workloads[i].pods_count; p++)
			end_pod(run, &run->scenario->workloads[i].pods[p]);
	}
	settle_claims(run->scenario, run->engine);
	struct stint_json *settled = stint_json_set(round, "settled", stint_json_new_object());
	stint_json_set(settled, "pods", list_pods(run));
	stint_json_set(settled, "nodes", list_nodes(run));
	run->now_ms += run->scenario->between_ms;
}

static void run_round(struct run *run, int64_t number)
{
	const struct stint_cycle cycle = stint_engine_cycle(run->engine, &run->scenario->policy, run->now_ms);
	struct stint_json *round = stint_json_append(run->rounds, stint_json_new_object());
	stint_json_set_int(round, "round", number);
	struct stint_json *decisions = stint_json_set(round, "decisions", stint_json_new_array());
	for (size_t i = 0; i < cycle.count; i++)
		stint_json_append(decisions, apply(run, &cycle.decisions[i]));
	stint_json_set(round, "pods", list_pods(run));
	stint_json_set(round, "nodes", list_nodes(run));
	stint_json_set(round, "workloads", list_workloads(run));
	if (!run->scenario->once)
		settle(run, round);
}

struct stint_json *simulate_rounds(
	struct scenario *scenario, const char *name, void (*write)(void *user, const char *lines, size_t length), void *user)
{
	struct stint_json *result = stint_json_new_object();
	stint_json_set_int(result, "version", 1);
	stint_json_set_string(result, "scenario", name);
	struct run run = {
		.scenario = scenario,
		.engine = stint_engine_new(),
		.by_uid = stint_map_new(NULL),
		.rounds = stint_json_set(result, "rounds", stint_json_new_array()),
		.now_ms = SCENARIO_START_MS,
	};
	for (size_t i = 0; i < scenario->workloads_count; i++) {
		for (size_t p = 0; p < scenario->workloads[i].pods_count; p++)
			stint_map_set(run.by_uid, scenario->workloads[i].pods[p].object->meta.uid, &scenario->workloads[i].pods[p]);
	}
	struct stint_journal *journal = write ? stint_journal_new(run.engine, write, user) : NULL;
	load(&run);
	for (int64_t number = 1; number <= scenario->rounds; number++)
		run_round(&run, number);
	stint_journal_free(journal);
	stint_engine_free(run.engine);
	stint_map_free(run.by_uid);
	return result;
}
