/*
 * snapshot_pods: pods of a live cluster, grouped as the scheduler groups them, to workloads of a scenario.
 *
 * A pod that the scheduler would hold back (its PodGroup is not there, or its sub-groups make no tree) is Gated. Succeeded members
 * lower the minimum of their gang and stay in the list, so that it is never taken for stale.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stint/workload.h>

#include "snapshot.h"

#define HOLDERS "stint-reservation" /* the namespace of pods that hold devices for others: what they hold is told by those */

struct group {
	struct stint_grouping grouping; /* of its first pod */
	struct stint_pod **pods;
	size_t count, capacity, succeeded;
	struct stint_map *succeeded_parts; /* counts by set of pods */
	int64_t started_ms; /* 0: never */
	char *name;
};

static void free_group(void *value)
{
	struct group *group = value;
	stint_grouping_clear(&group->grouping);
	stint_map_free(group->succeeded_parts);
	free(group->pods);
	free(group->name);
	free(group);
}

/* ---- where a pod may go ---------------------------------------------------------------------------------------------------------------- */

void snap_label_class(char out[static SNAP_LABEL_SIZE], size_t number)
{
	snprintf(out, SNAP_LABEL_SIZE, "stint.dev/nodes-%zu", number);
}

static bool may_go(const struct stint_pod_spec *spec, const struct stint_node *node)
{
	return stint_pod_spec_selects(spec, node) &&
		!stint_untolerated_taint(node->taints, node->taints_count, spec->tolerations, spec->tolerations_count);
}

size_t snap_class(struct snap *snap, const struct stint_pod *pod)
{
	char key[SNAP_LABEL_SIZE];
	snprintf(key, sizeof key, "%p", (const void *)pod->spec);
	const size_t known = (size_t)(uintptr_t)stint_map_get(snap->spec_classes, key);
	if (known)
		return known - 1;
	const struct snap_list *nodes = &snap->from->nodes;
	stint_autofree char *members = stint_alloc(nodes->count + 1);
	for (size_t i = 0; i < nodes->count; i++)
		members[i] = may_go(pod->spec, stint_node_of(nodes->items[i])) ? '1' : '0';
	size_t number = strchr(members, '0') ? (size_t)(uintptr_t)stint_map_get(snap->classes, members) : 0;
	if (!number && strchr(members, '0')) {
		stint_grow(&snap->members, &snap->members_capacity, snap->members_count + 1, sizeof *snap->members);
		snap->members[snap->members_count++] = stint_strdup(members);
		number = snap->members_count;
		stint_map_set(snap->classes, members, (void *)(uintptr_t)number);
	}
	stint_map_set(snap->spec_classes, key, (void *)(uintptr_t)(number + 1));
	return number;
}

/* ---- pods --------------------------------------------------------------------------------------------------------------------------------- */

static void add_requests(const struct stint_pod_spec *spec, struct stint_json *pod)
{
	char cpu[STINT_QUANTITY_SIZE], memory[STINT_QUANTITY_SIZE];
	struct stint_json *out = stint_json_ensure_object(pod, "requests");
	stint_json_set_string(out, "cpu", stint_quantity_format_milli(spec->request.cpu_milli, cpu));
	stint_json_set_string(out, "memory", stint_quantity_format_bytes(spec->request.memory_bytes, memory));
	struct stint_json *mig = NULL;
	for (uint32_t i = 0; i < spec->request.extended_count; i++) {
		const struct stint_extended *extended = &spec->request.extended[i];
		int32_t slices;
		if (!stint_mig_profile(extended->name, &slices))
			continue;
		mig = stint_json_ensure_object(out, "mig");
		stint_json_set_int(mig, extended->name, extended->amount / 1000);
	}
	switch (spec->gpu.kind) {
	case STINT_GPU_FRACTION: stint_json_set_double(out, "gpuFraction", spec->gpu.portion); break;
	case STINT_GPU_MEMORY: stint_json_set_int(out, "gpuMemoryMiB", spec->gpu.memory_mib); break;
	case STINT_GPU_WHOLE: stint_json_set_int(out, "gpu", spec->gpu.devices); return;
	case STINT_GPU_NONE:
		if (!mig)
			stint_json_set_int(out, "gpu", 0);
		return;
	}
	stint_json_set_int(out, "gpuDevices", spec->gpu.devices);
}

/* Devices that several pods share have one name on a node: the slot, or the group that KAI has given. */
static void add_devices(struct snap *snap, const struct stint_pod *pod, struct stint_json *out)
{
	if (pod->spec->gpu.kind != STINT_GPU_FRACTION && pod->spec->gpu.kind != STINT_GPU_MEMORY)
		return;
	const uint64_t slots = stint_engine_pod_devices_of(pod);
	const char *kai = stint_object_label(&pod->meta, "runai-gpu-group");
	struct stint_json *list = slots || kai ? stint_json_ensure_array(out, "gpuGroups") : NULL;
	for (unsigned slot = 0; slot < STINT_MAX_DEVICES; slot++) {
		char name[32];
		snprintf(name, sizeof name, "slot-%u", slot);
		if (slots >> slot & 1)
			stint_json_append(list, stint_json_new_string(name));
	}
	if (!slots && kai) {
		const size_t known = stint_map_count(snap->hidden);
		if (snap->anonymize && strcmp(snap_name(snap, 'g', kai), "unknown") == 0)
			snap_hide(snap, 'g', kai, known, known);
		stint_json_append(list, stint_json_new_string(snap_name(snap, 'g', kai)));
	}
}

static void count_losses(struct snap *snap, const struct stint_pod *pod, const struct stint_grouping *grouping)
{
	const struct stint_pod_spec *spec = pod->spec;
	bool extended = false;
	for (uint32_t i = 0; i < spec->request.extended_count; i++) {
		int32_t slices;
		extended = extended || !stint_mig_profile(spec->request.extended[i].name, &slices);
	}
	const struct {
		bool has;
		const char *what;
	} rows[] = {
		{spec->pod_affinity || spec->pod_anti_affinity, SNAP_LOSS_AFFINITY},
		{spec->topology_spread, SNAP_LOSS_SPREAD},
		{pod->claims_count > 0, SNAP_LOSS_CLAIMS},
		{spec->host_ports_count > 0, SNAP_LOSS_PORTS},
		{extended, SNAP_LOSS_EXTENDED},
		{spec->preferred_count > 0, SNAP_LOSS_PREFERENCE},
		{grouping->time_ms > 0, SNAP_LOSS_TIME},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		if (rows[i].has)
			snap_lose(snap, rows[i].what);
	}
}

static const char *status_of(const struct snap *snap, const struct stint_pod *pod, bool held)
{
	if (pod->phase == STINT_PHASE_SUCCEEDED)
		return "Succeeded";
	switch (stint_engine_pod_status_of(pod, snap->now_ms, STINT_STUCK_AFTER_MS)) {
	case STINT_POD_PENDING: return held || pod->spec->gpu.problem || pod->spec->legacy_mig ? "Gated" : "Pending";
	case STINT_POD_RELEASING: return "Releasing";
	case STINT_POD_STUCK: return "StuckInReleasing";
	case STINT_POD_BOUND: return pod->phase == STINT_PHASE_RUNNING ? "Running" : "Bound";
	case STINT_POD_GATED:
	case STINT_POD_RESERVED:
	case STINT_POD_ASSUMED: break;
	}
	return "Gated";
}

static char *part_of(const struct group *group, const struct stint_pod *pod)
{
	char *part = stint_grouping_part(&group->grouping, pod);
	return part ? part : stint_strdup("default");
}

static void add_pod(struct snap *snap, const struct group *group, size_t index, bool held, struct stint_json *pods)
{
	const struct stint_pod *pod = group->pods[index];
	const bool ended = pod->phase == STINT_PHASE_SUCCEEDED;
	struct stint_json *out = stint_json_append(pods, stint_json_new_object());
	stint_autofree char *width = stint_format("%zu", group->count - 1);
	stint_autofree char *name = snap->anonymize ? stint_format("%s-%0*zu", group->name, (int)strlen(width), index)
						    : stint_format("%s/%s", pod->meta.space, pod->meta.name);
	stint_json_set_string(out, "name", name);
	stint_autofree char *part = part_of(group, pod);
	if (strcmp(part, "default") != 0)
		stint_json_set_string(out, "podSet", snap_name(snap, 's', part));
	stint_json_set_string(out, "status", status_of(snap, pod, held));
	if (!ended && pod->node)
		stint_json_set_string(out, "node", snap_name(snap, 'n', pod->node));
	if (!ended && pod->node)
		add_devices(snap, pod, out);
	add_requests(pod->spec, out);
	if (pod->spec->legacy_mig)
		stint_json_set_bool(out, "legacyMig", true);
	int64_t priority;
	const char *rank = stint_object_label(&pod->meta, "kai.scheduler/task-priority");
	if (rank && stint_parse_int(rank, INT32_MIN, INT32_MAX, &priority))
		stint_json_set_int(out, "taskPriority", priority);
	const size_t class = ended ? 0 : snap_class(snap, pod);
	if (class) {
		char key[SNAP_LABEL_SIZE];
		snap_label_class(key, class);
		struct stint_json *entry = stint_json_append(stint_json_ensure_array(out, "nodeAffinity"), stint_json_new_object());
		stint_json_set_string(entry, "key", key);
		stint_json_append(stint_json_ensure_array(entry, "values"), stint_json_new_string("yes"));
	}
	if (!ended)
		count_losses(snap, pod, &group->grouping);
}

/* ---- gangs --------------------------------------------------------------------------------------------------------------------------------- */

static void add_constraint(struct snap *snap, const struct stint_topology_constraint *constraint, struct stint_json *out)
{
	if (!constraint->topology)
		return;
	struct stint_json *topology = stint_json_ensure_object(out, "topology");
	stint_json_set_string(topology, "topology", snap_name(snap, 't', constraint->topology));
	stint_json_set(topology, "required", stint_json_new_string(snap_name(snap, 'l', constraint->required_level)));
	stint_json_set(topology, "preferred", stint_json_new_string(snap_name(snap, 'l', constraint->preferred_level)));
}

/* Parents stand before their members, so each finds the object that it goes into. */
static void add_tree(struct snap *snap, const struct stint_subgroups *tree, struct stint_json *gang)
{
	stint_autofree struct stint_json **made = stint_alloc(tree->count * sizeof(struct stint_json *));
	for (size_t i = 0; i < tree->count; i++) {
		const struct stint_part_spec *part = &tree->parts[i];
		if (i > 0)
			snap_hide(snap, 's', part->name, i, tree->count - 1);
		struct stint_json *out = i == 0
			? gang
			: stint_json_append(
				  stint_json_ensure_array(made[part->parent], part->inner ? "groups" : "podSets"), stint_json_new_object());
		if (i > 0)
			stint_json_set_string(
				out, "name", strcmp(part->name, "default") == 0 ? part->name : snap_name(snap, 's', part->name));
		if (part->inner && part->needs != STINT_ALL)
			stint_json_set_int(out, "minMembers", part->needs);
		else if (!part->inner)
			stint_json_set_int(out, "minAvailable", part->needs == STINT_ALL ? 0 : part->needs);
		add_constraint(snap, &part->constraint, out);
		made[i] = out;
	}
}

static int64_t succeeded_of(const struct snap *snap, const struct group *group)
{
	const struct stint_owner *job = stint_catalog_owner(snap->from->catalog, group->grouping.uid);
	return job && job->succeeded > (int64_t)group->succeeded ? job->succeeded : (int64_t)group->succeeded;
}

/* False: its sub-groups make no tree, and none of its pods would be placed. */
static bool add_gang(struct snap *snap, const struct group *group, struct stint_json *workload)
{
	const struct stint_grouping *grouping = &group->grouping;
	STINT_CLEANUP(stint_subgroups_clear) struct stint_subgroups tree = {0};
	stint_auto_error *problem = NULL;
	if (!stint_grouping_parts(grouping, &tree, &problem))
		return false;
	if (!stint_grouping_has_parts(grouping))
		stint_subgroups_lower(&tree, "default", succeeded_of(snap, group));
	const char *part = NULL;
	void *count = NULL;
	for (size_t at = 0; stint_map_next(group->succeeded_parts, &at, &part, &count);) {
		if (strcmp(part, "default") != 0)
			stint_subgroups_lower(&tree, part, (int64_t)(uintptr_t)count);
	}
	struct stint_json *gang = stint_json_ensure_object(workload, "gang");
	if (tree.count) {
		add_tree(snap, &tree, gang);
		return true;
	}
	struct stint_json *set = stint_json_append(stint_json_ensure_array(gang, "podSets"), stint_json_new_object());
	stint_json_set_string(set, "name", "default");
	stint_json_set_int(set, "minAvailable", stint_grouping_minimum(stint_grouping_needs(grouping), succeeded_of(snap, group)));
	return true;
}

/* ---- workloads ----------------------------------------------------------------------------------------------------------------------------- */

static double seconds_since(const struct snap *snap, int64_t then_ms)
{
	return then_ms > 0 && then_ms < snap->now_ms ? (double)(snap->now_ms - then_ms) / 1000 : 0;
}

static void add_workload(struct snap *snap, const struct group *group, struct stint_json *list)
{
	const struct stint_grouping *grouping = &group->grouping;
	struct stint_json *out = stint_json_append(list, stint_json_new_object());
	stint_json_set_string(out, "name", group->name);
	const bool known = stint_catalog_queue(snap->from->catalog, grouping->queue);
	const char *queue = known ? snap_name(snap, 'q', grouping->queue) : snap->anonymize ? NULL : grouping->queue;
	stint_json_set_string(out, "queue", queue ? queue : "no-queue");
	stint_json_set_int(out, "priority", grouping->priority);
	stint_json_set_bool(out, "preemptible", grouping->preemptible);
	stint_json_set_double(out, "createdSecondsAgo", seconds_since(snap, grouping->created_ms));
	if (group->started_ms > 0)
		stint_json_set_double(out, "startedSecondsAgo", seconds_since(snap, group->started_ms));
	if (grouping->preemption_delay_ms > 0)
		stint_json_set_double(out, "preemptionDelaySeconds", (double)grouping->preemption_delay_ms / 1000);
	if (grouping->has_stale_grace)
		stint_json_set_double(out, "staleGraceSeconds", (double)grouping->stale_grace_ms / 1000);
	if (strcmp(grouping->workload_kind, "Pod") == 0)
		stint_json_set_string(out, "afterEviction", "gone");
	bool held = !add_gang(snap, group, out);
	held = held || grouping->wait == STINT_GROUPING_NEEDS_POD_GROUP;
	struct stint_json *pods = stint_json_ensure_array(out, "pods");
	for (size_t i = 0; i < group->count; i++)
		add_pod(snap, group, i, held, pods);
}

/* ---- which pods there are -------------------------------------------------------------------------------------------------------------------- */

static bool is_served(const struct stint_pod *pod)
{
	return pod->spec->scheduler_name && strcmp(pod->spec->scheduler_name, STINT_SCHEDULER_NAME) == 0;
}

static bool is_holder(const struct stint_pod *pod)
{
	const char *app = stint_object_label(&pod->meta, "app");
	return strcmp(pod->meta.space, HOLDERS) == 0 || (app && strcmp(app, "kai-resource-reservation") == 0);
}

static void use(struct snap *snap, const struct stint_pod *pod)
{
	struct stint_resources *used = stint_map_get(snap->nodes, pod->node);
	if (!used)
		return;
	used->cpu_milli += pod->spec->request.cpu_milli;
	used->memory_bytes += pod->spec->request.memory_bytes;
	used->gpu_milli += pod->spec->request.gpu_milli;
	used->pods++;
}

static void join(struct snap *snap, struct stint_map *groups, struct stint_pod *pod)
{
	struct stint_grouping grouping;
	/* All owners have been listed: one that is not there is gone, and the scheduler would find that out, too. */
	const struct stint_owner_chain chain = stint_owners_of(snap->from->catalog, pod);
	if (chain.missing)
		stint_catalog_note_absent(snap->from->catalog, chain.missing->uid);
	stint_group_pod(snap->from->catalog, pod, &grouping);
	struct group *group = stint_map_get(groups, grouping.key);
	if (!group) {
		group = stint_alloc(sizeof *group);
		group->grouping = grouping;
		group->succeeded_parts = stint_map_new(NULL);
		stint_map_set(groups, grouping.key, group);
	} else {
		group->grouping.late_seen = group->grouping.late_seen || grouping.late_seen;
		stint_grouping_clear(&grouping);
	}
	stint_grow(&group->pods, &group->capacity, group->count + 1, sizeof(struct stint_pod *));
	group->pods[group->count++] = pod;
	if (pod->started_ms > 0 && (!group->started_ms || pod->started_ms < group->started_ms))
		group->started_ms = pod->started_ms;
	if (pod->phase == STINT_PHASE_SUCCEEDED) {
		stint_autofree char *part = part_of(group, pod);
		group->succeeded++;
		stint_map_set(group->succeeded_parts, part, (void *)((uintptr_t)stint_map_get(group->succeeded_parts, part) + 1));
	}
}

static void take_pod(struct snap *snap, struct stint_map *groups, struct stint_pod *pod)
{
	const bool ended = stint_pod_ended(pod), here = pod->node && stint_map_has(snap->nodes, pod->node);
	if (is_holder(pod) || pod->phase == STINT_PHASE_FAILED || (pod->meta.deleted_ms >= 0 && !pod->node))
		return;
	if (!is_served(pod)) {
		if (!ended && here)
			use(snap, pod);
	} else if (!ended && pod->node && !here) {
		snap_lose(snap, SNAP_LOSS_NODE);
	} else {
		join(snap, groups, pod);
	}
}

static int by_key(const void *a, const void *b)
{
	return strcmp((*(struct group *const *)a)->grouping.key, (*(struct group *const *)b)->grouping.key);
}

/* "namespace/name"; with the kind, or all of its key, where two would have the same. */
static void name_groups(const struct snap *snap, struct group **sorted, size_t count)
{
	static char there;
	struct stint_map *taken = stint_map_new(NULL);
	stint_autofree char *width = stint_format("%zu", count);
	for (size_t i = 0; i < count; i++) {
		const struct stint_grouping *grouping = &sorted[i]->grouping;
		const bool alone = strstr(grouping->key, "/Pod/") != NULL;
		const char *own = alone ? sorted[i]->pods[0]->meta.name : grouping->workload_name;
		char *name =
			snap->anonymize ? stint_format("w-%0*zu", (int)strlen(width), i + 1) : stint_format("%s/%s", grouping->space, own);
		if (stint_map_has(taken, name)) {
			free(name);
			name = stint_strdup(grouping->key);
		}
		stint_map_set(taken, name, &there);
		sorted[i]->name = name;
	}
	stint_map_free(taken);
}

void snap_workloads(struct snap *snap, struct stint_json *scenario)
{
	struct stint_map *groups = stint_map_new(free_group);
	for (size_t i = 0; i < snap->from->pods.count; i++)
		take_pod(snap, groups, stint_pod_of(snap->from->pods.items[i]));
	const size_t count = stint_map_count(groups);
	stint_autofree struct group **sorted = stint_alloc((count + 1) * sizeof(struct group *));
	size_t made = 0;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(groups, &at, NULL, &value);)
		sorted[made++] = value;
	qsort(sorted, count, sizeof(struct group *), by_key);
	name_groups(snap, sorted, count);
	struct stint_json *list = stint_json_ensure_array(scenario, "workloads");
	for (size_t i = 0; i < count; i++)
		add_workload(snap, sorted[i], list);
	for (size_t i = 0; i < count; i++)
		snap_pool_list(snap, scenario, sorted[i]->name, sorted[i]->grouping.pools);
	stint_map_free(groups);
}
