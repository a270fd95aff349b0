/*
 * snapshot: objects of a live cluster to a scenario. See stint/simulate.h.
 *
 * What the format cannot say as the cluster does is said by what it means: the nodes that selectors, affinity terms and taints leave to a pod
 * get a label of ours, which the pod asks for; what pods of other schedulers use is taken off their node, as the engine takes it off the
 * total; a node that takes no pods is not ready. What has no such form is counted and told.
 * Cost: O(objects), and the number of distinct pod specs times nodes. The same objects give the same bytes, in whatever order they came.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

enum { DEFAULT_MOVES = 16 }; /* option consolidation-max of the scheduler, where nobody sets it */

/* ---- what is put in ------------------------------------------------------------------------------------------------------------------ */

struct stint_snapshot *stint_snapshot_new(void)
{
	struct stint_snapshot *snapshot = stint_alloc(sizeof *snapshot);
	snapshot->catalog = stint_catalog_new();
	return snapshot;
}

static void clear_list(struct snap_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		stint_object_unref(list->items[i]);
	free(list->items);
}

void stint_snapshot_free(struct stint_snapshot *snapshot)
{
	if (!snapshot)
		return;
	clear_list(&snapshot->nodes);
	clear_list(&snapshot->queues);
	clear_list(&snapshot->topologies);
	clear_list(&snapshot->pods);
	clear_list(&snapshot->all);
	clear_list(&snapshot->coming);
	stint_catalog_free(snapshot->catalog);
	free(snapshot);
}

static struct snap_list *list_of(struct stint_snapshot *snapshot, enum stint_kind kind)
{
	return kind == STINT_KIND_NODE	      ? &snapshot->nodes
		: kind == STINT_KIND_QUEUE    ? &snapshot->queues
		: kind == STINT_KIND_TOPOLOGY ? &snapshot->topologies
		: kind == STINT_KIND_POD      ? &snapshot->pods
					      : NULL;
}

void stint_snapshot_hide_volumes(struct stint_snapshot *snapshot)
{
	snapshot->hides_volumes = true;
}

void snap_list_add(struct snap_list *list, struct stint_object *object)
{
	stint_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items);
	list->items[list->count++] = stint_object_ref(object);
}

void stint_snapshot_put(struct stint_snapshot *snapshot, struct stint_object *object)
{
	struct snap_list *list = list_of(snapshot, object->kind);
	stint_catalog_put(snapshot->catalog, object);
	snap_list_add(&snapshot->all, object);
	if (list)
		snap_list_add(list, object);
}

static int by_name(const void *a, const void *b)
{
	const struct stint_object *x = *(struct stint_object *const *)a, *y = *(struct stint_object *const *)b;
	const int spaces = strcmp(x->space ? x->space : "", y->space ? y->space : "");
	return spaces ? spaces : strcmp(x->name, y->name);
}

static void sort(struct snap_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof *list->items, by_name);
}

/* ---- names --------------------------------------------------------------------------------------------------------------------------- */

/* As many digits as the greatest number has: names decide ties by their bytes, and must do so in the same way when they are hidden. */
void snap_hide(struct snap *snap, char letter, const char *name, size_t number, size_t of)
{
	if (!snap->anonymize)
		return;
	stint_autofree char *key = stint_format("%c/%s", letter, name);
	stint_autofree char *widest = stint_format("%zu", of);
	stint_map_set(snap->hidden, key, stint_format("%c-%0*zu", letter, (int)strlen(widest), number));
}

const char *snap_name(const struct snap *snap, char letter, const char *name)
{
	if (!snap->anonymize || !name)
		return name;
	stint_autofree char *key = stint_format("%c/%s", letter, name);
	const char *hidden = stint_map_get(snap->hidden, key);
	return hidden ? hidden : "unknown";
}

static void hide_all(struct snap *snap, char letter, const struct snap_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		snap_hide(snap, letter, list->items[i]->name, i + 1, list->count);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void hide_texts(struct snap *snap, char letter, struct stint_map *texts)
{
	const size_t count = stint_map_count(texts);
	stint_autofree const char **sorted = stint_alloc((count + 1) * sizeof *sorted);
	size_t at = 0, made = 0;
	while (stint_map_next(texts, &at, &sorted[made], NULL))
		made++;
	qsort(sorted, count, sizeof *sorted, by_text);
	for (size_t i = 0; i < count; i++)
		snap_hide(snap, letter, sorted[i], i + 1, count);
}

/* Of labels the file has those that topologies are made of; others matter only by the nodes that they leave to a pod. */
static void hide_labels(struct snap *snap)
{
	static char there;
	struct stint_map *keys = stint_map_new(NULL), *values = stint_map_new(NULL);
	const struct snap_list *topologies = &snap->from->topologies, *nodes = &snap->from->nodes;
	for (size_t i = 0; i < topologies->count; i++) {
		const struct stint_topology *topology = stint_topology_of(topologies->items[i]);
		for (uint32_t l = 0; l < topology->levels_count; l++) {
			const char *key = topology->levels[l].node_label;
			stint_map_set(keys, key, &there);
			for (size_t n = 0; n < nodes->count; n++) {
				const char *value = stint_object_label(nodes->items[n], key);
				if (value)
					stint_map_set(values, value, &there);
			}
		}
	}
	hide_texts(snap, 'l', keys);
	hide_texts(snap, 'v', values);
	stint_map_free(keys);
	stint_map_free(values);
}

/* Those of nodes. Lists may name others: these are "unknown", and take nothing there as here. */
static void hide_pools(struct snap *snap)
{
	static char there;
	struct stint_map *pools = stint_map_new(NULL);
	for (size_t i = 0; i < snap->from->nodes.count; i++)
		stint_map_set(pools, stint_node_pool(stint_node_of(snap->from->nodes.items[i])), &there);
	stint_map_remove(pools, STINT_DEFAULT_POOL);
	hide_texts(snap, 'p', pools);
	stint_map_free(pools);
}

void snap_lose(struct snap *snap, const char *what)
{
	const uintptr_t before = (uintptr_t)stint_map_get(snap->losses, what);
	stint_map_set(snap->losses, what, (void *)(before + 1));
}

/* ---- topologies, nodes, queues ----------------------------------------------------------------------------------------------------------- */

static struct stint_json *add_object(struct stint_json *list)
{
	return stint_json_append(list, stint_json_new_object());
}

static void add_topologies(struct snap *snap, struct stint_json *scenario)
{
	struct stint_json *list = stint_json_ensure_array(scenario, "topologies");
	for (size_t i = 0; i < snap->from->topologies.count; i++) {
		const struct stint_topology *topology = stint_topology_of(snap->from->topologies.items[i]);
		struct stint_json *out = add_object(list), *levels;
		stint_json_set_string(out, "name", snap_name(snap, 't', topology->meta.name));
		levels = stint_json_ensure_array(out, "levels");
		for (uint32_t l = 0; l < topology->levels_count; l++)
			stint_json_append(levels, stint_json_new_string(snap_name(snap, 'l', topology->levels[l].node_label)));
	}
}

static void add_labels(struct snap *snap, const struct stint_node *node, size_t index, struct stint_json *out)
{
	struct stint_json *labels = stint_json_ensure_object(out, "labels");
	for (size_t i = 0; i < snap->from->topologies.count; i++) {
		const struct stint_topology *topology = stint_topology_of(snap->from->topologies.items[i]);
		for (uint32_t l = 0; l < topology->levels_count; l++) {
			const char *value = stint_object_label(&node->meta, topology->levels[l].node_label);
			if (value)
				stint_json_set_string(
					labels, snap_name(snap, 'l', topology->levels[l].node_label), snap_name(snap, 'v', value));
		}
	}
	for (size_t c = 0; c < snap->members_count; c++) {
		char key[SNAP_LABEL_SIZE];
		snap_label_class(key, c + 1);
		if (snap->members[c][index] == '1')
			stint_json_set_string(labels, key, "yes");
	}
}

static int64_t at_least_none(int64_t amount)
{
	return amount > 0 ? amount : 0;
}

static void add_instances(const struct stint_node *node, struct stint_json *out)
{
	struct stint_json *mig = NULL;
	for (uint32_t i = 0; i < node->allocatable.extended_count; i++) {
		const struct stint_extended *extended = &node->allocatable.extended[i];
		int32_t slices;
		if (!stint_mig_profile(extended->name, &slices))
			continue;
		if (!mig) {
			const char *strategy = stint_object_label(&node->meta, "nvidia.com/mig.strategy");
			mig = stint_json_ensure_object(out, "mig");
			stint_json_set_string(mig, "strategy", strategy ? strategy : "single");
		}
		stint_json_set_int(stint_json_ensure_object(mig, "instances"), extended->name, extended->amount / 1000);
	}
}

static void add_node(struct snap *snap, const struct stint_node *node, size_t index, struct stint_json *out)
{
	const struct stint_resources *used = stint_map_get(snap->nodes, node->meta.name), *offered = &node->allocatable;
	char cpu[STINT_QUANTITY_SIZE], memory[STINT_QUANTITY_SIZE];
	stint_json_set_string(out, "name", snap_name(snap, 'n', node->meta.name));
	add_labels(snap, node, index, out);
	stint_json_set_string(out, "cpu", stint_quantity_format_milli(at_least_none(offered->cpu_milli - used->cpu_milli), cpu));
	stint_json_set_string(
		out, "memory", stint_quantity_format_bytes(at_least_none(offered->memory_bytes - used->memory_bytes), memory));
	const char *strategy = stint_object_label(&node->meta, "nvidia.com/mig.strategy");
	const int64_t cut = strategy && strcmp(strategy, "mixed") == 0 ? (int64_t)node->gpu_count * 1000 : 0;
	const int64_t gpus = at_least_none((offered->gpu_milli > cut ? offered->gpu_milli : cut) - used->gpu_milli) / 1000;
	stint_json_set_int(out, "gpus", gpus < STINT_MAX_DEVICES ? gpus : STINT_MAX_DEVICES);
	if (node->gpu_memory_mib > 0)
		stint_json_set_int(out, "gpuMemoryMiB", node->gpu_memory_mib);
	else
		stint_json_set(out, "gpuMemoryMiB", stint_json_new_null());
	stint_json_set_int(out, "maxPods", at_least_none(offered->pods - used->pods));
	stint_json_set_bool(out, "ready", node->ready == STINT_TRUE && !node->unschedulable && !node->pressures);
	add_instances(node, out);
}

/* Quota or limit: -1 is no bound, and what the object does not say is 0 (kai-api). */
static void add_bound(struct stint_json *out, const char *key, bool given, double amount, char unit)
{
	char text[STINT_QUANTITY_SIZE];
	if (given && amount < 0)
		stint_json_set_string(out, key, "unlimited");
	else if (unit == 'g')
		stint_json_set_double(out, key, given ? amount : 0);
	else if (unit == 'c')
		stint_json_set_string(out, key, stint_quantity_format_milli(given ? (int64_t)amount : 0, text));
	else
		stint_json_set_string(out, key, stint_quantity_format_bytes(given ? (int64_t)amount : 0, text));
}

static void add_resource(struct stint_json *queue, const char *key, const struct stint_queue_resource *resource, char unit)
{
	struct stint_json *out = stint_json_ensure_object(queue, key);
	add_bound(out, "quota", resource->has_quota, resource->quota, unit);
	add_bound(out, "limit", resource->has_limit, resource->limit, unit);
	stint_json_set_double(out, "overQuotaWeight", resource->has_weight && resource->weight > 0 ? resource->weight : 0);
}

static void add_queue(struct snap *snap, const struct stint_queue *queue, struct stint_json *out)
{
	stint_json_set_string(out, "name", snap_name(snap, 'q', queue->meta.name));
	stint_json_set(out, "parent", stint_json_new_string(snap_name(snap, 'q', queue->parent)));
	stint_json_set_int(out, "priority", queue->priority);
	stint_json_set_double(out, "createdSecondsAgo", (double)at_least_none(snap->now_ms - queue->meta.created_ms) / 1000);
	add_resource(out, "gpu", &queue->gpu, 'g');
	add_resource(out, "cpu", &queue->cpu, 'c');
	add_resource(out, "memory", &queue->memory, 'm');
	if (queue->preempt_min_runtime_ms >= 0)
		stint_json_set_double(out, "preemptMinRuntimeSeconds", (double)queue->preempt_min_runtime_ms / 1000);
	if (queue->reclaim_min_runtime_ms >= 0)
		stint_json_set_double(out, "reclaimMinRuntimeSeconds", (double)queue->reclaim_min_runtime_ms / 1000);
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------------------- */

static void add_run(struct stint_json *scenario)
{
	static const char *const actions[] = {"allocate", "consolidation", "reclaim", "preempt", "staleGangEviction"};
	stint_json_set_int(scenario, "version", 1);
	stint_json_set_string(scenario, "kind", "schedule");
	struct stint_json *list = stint_json_ensure_array(stint_json_ensure_object(scenario, "config"), "actions");
	for (size_t i = 0; i < STINT_COUNT(actions); i++)
		stint_json_append(list, stint_json_new_string(actions[i]));
	stint_json_set_int(stint_json_get(scenario, "config"), "consolidationMaxVictims", DEFAULT_MOVES);
	stint_json_set_string(stint_json_ensure_object(scenario, "run"), "mode", "once");
}

static char *losses_of(const struct snap *snap)
{
	static const char *const order[] = {SNAP_LOSSES};
	stint_auto_buf text = {0};
	for (size_t i = 0; i < STINT_COUNT(order); i++) {
		const size_t pods = (size_t)(uintptr_t)stint_map_get(snap->losses, order[i]);
		if (pods)
			stint_buf_printf(&text, "%s%s of %zu pod%s", text.length ? ", " : "", order[i], pods, pods == 1 ? "" : "s");
	}
	return text.data ? stint_strdup(text.data) : NULL;
}

static void clear_snap(struct snap *snap)
{
	for (size_t i = 0; i < snap->members_count; i++)
		free(snap->members[i]);
	free(snap->members);
	stint_map_free(snap->nodes);
	stint_map_free(snap->hidden);
	stint_map_free(snap->classes);
	stint_map_free(snap->spec_classes);
	stint_map_free(snap->losses);
}

struct stint_json *stint_snapshot_scenario(struct stint_snapshot *snapshot, int64_t now_ms, bool anonymize, char **left_out)
{
	struct snap snap = {.from = snapshot,
		.now_ms = now_ms - now_ms % 1000,
		.anonymize = anonymize,
		.nodes = stint_map_new(free),
		.hidden = stint_map_new(free),
		.classes = stint_map_new(NULL),
		.spec_classes = stint_map_new(NULL),
		.losses = stint_map_new(NULL)};
	sort(&snapshot->nodes);
	sort(&snapshot->queues);
	sort(&snapshot->topologies);
	sort(&snapshot->pods);
	hide_all(&snap, 'n', &snapshot->nodes);
	hide_all(&snap, 'q', &snapshot->queues);
	hide_all(&snap, 't', &snapshot->topologies);
	hide_labels(&snap);
	hide_pools(&snap);
	for (size_t i = 0; i < snapshot->nodes.count; i++)
		stint_map_set(snap.nodes, snapshot->nodes.items[i]->name, stint_alloc(sizeof(struct stint_resources)));

	struct stint_json *scenario = stint_json_new_object();
	add_run(scenario);
	add_topologies(&snap, scenario);
	struct stint_json *nodes = stint_json_ensure_array(scenario, "nodes"), *queues = stint_json_ensure_array(scenario, "queues");
	for (size_t i = 0; i < snapshot->queues.count; i++)
		add_queue(&snap, stint_queue_of(snapshot->queues.items[i]), add_object(queues));
	snap_workloads(&snap, scenario);
	for (size_t i = 0; i < snapshot->nodes.count; i++)
		add_node(&snap, stint_node_of(snapshot->nodes.items[i]), i, add_object(nodes));
	snap_pools(&snap, scenario);
	*left_out = losses_of(&snap);
	clear_snap(&snap);
	return scenario;
}
