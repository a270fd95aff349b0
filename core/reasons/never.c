/*
 * never: what a request that no node could ever meet asks for in vain, and what to do about it: the size of the devices that there are, the
 * label that no node has, the taint that none of its pods tolerates. Reads the engine, holds no state.
 */
#include "record.h"

#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024 };

/* What the nodes that it may use have, seen over all of them. */
struct survey {
	int64_t device_mib; /* of the largest device whose size is known; 0: none is */
	uint32_t devices; /* of the node with most */
	const char *taint; /* the first that keeps it off; NULL: none does */
};

static bool may_use(const struct stint_node_view *node, const char *const *pools, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (node->pool && strcmp(node->pool, pools[i]) == 0)
			return true;
	}
	return count == 0;
}

static struct survey look_around(const struct stint_engine *engine, uint32_t group, const struct stint_pod_spec *spec)
{
	const char *pools[STINT_MAX_POOLS];
	const size_t count = stint_engine_group_pools(engine, group, pools);
	struct survey out = {0};
	struct stint_node_view view;
	for (uint32_t node = stint_engine_node_next(engine, STINT_NO_HANDLE); node != STINT_NO_HANDLE;
		node = stint_engine_node_next(engine, node)) {
		if (!stint_engine_node_view(engine, node, &view) || !view.node || !may_use(&view, pools, count))
			continue;
		if (view.devices && view.device_memory_known && view.device_memory_mib > out.device_mib)
			out.device_mib = view.device_memory_mib;
		if (view.devices > out.devices)
			out.devices = view.devices;
		const struct stint_taint *taint =
			stint_untolerated_taint(view.node->taints, view.node->taints_count, spec->tolerations, spec->tolerations_count);
		if (taint && !out.taint)
			out.taint = taint->key;
	}
	return out;
}

/* Every node is ruled out by where the pod may run, none by how much it asks for. */
static bool is_kept_off(const struct stint_why *why)
{
	uint32_t off = why->even_empty[STINT_CAUSE_SELECTOR] + why->even_empty[STINT_CAUSE_TAINT];
	return off > 0 && off == why->nodes - why->short_of[STINT_CAUSE_POOL];
}

/* "a node with labels gpu=a100, zone=b", "a node that its required affinity matches", "a node whose taints it tolerates". */
static char *place_text(const struct stint_why *why, const struct stint_pod_spec *spec)
{
	struct stint_buf text = {0};
	stint_buf_puts(&text, "a node");
	const struct stint_pairs *labels = &spec->node_selector;
	if (why->even_empty[STINT_CAUSE_SELECTOR] && labels->count) {
		stint_buf_printf(&text, " with label%s", labels->count > 1 ? "s" : "");
		for (uint32_t i = 0; i < labels->count; i++)
			stint_buf_printf(&text, "%s %s=%s", i ? "," : "", labels->items[i].key, labels->items[i].value);
	}
	if (why->even_empty[STINT_CAUSE_SELECTOR] && spec->has_required_terms)
		stint_buf_printf(&text, "%s that its required affinity matches", labels->count ? " and" : "");
	if (why->even_empty[STINT_CAUSE_TAINT])
		stint_buf_printf(&text, "%s whose taints it tolerates", why->even_empty[STINT_CAUSE_SELECTOR] ? " and" : "");
	return stint_buf_steal(&text);
}

static char *place_remedy(const struct stint_why *why, const struct stint_pod_spec *spec, const struct survey *around)
{
	struct stint_buf text = {0};
	if (why->even_empty[STINT_CAUSE_SELECTOR])
		stint_buf_printf(&text, "label a node so, or take its %s away",
			!spec->has_required_terms	    ? "node selector"
				: spec->node_selector.count ? "node selector and required affinity"
							    : "required affinity");
	if (why->even_empty[STINT_CAUSE_TAINT] && around->taint)
		stint_buf_printf(&text, "%slet it tolerate the taint %s", text.length ? ", or " : "", around->taint);
	return text.length ? stint_buf_steal(&text) : NULL;
}

/* Rounded down to what people write: whole GiB, or MiB for less than one. */
static char *size_text(int64_t mib)
{
	return mib >= 1024 ? stint_format("%lldGi", (long long)(mib / 1024)) : stint_format("%lldMi", (long long)mib);
}

static char *amount_remedy(const struct stint_why *why, const struct stint_pod_spec *spec, const struct survey *around)
{
	char number[STINT_QUANTITY_SIZE];
	const struct stint_gpu_ask *gpu = &spec->gpu;
	if (why->even_empty[STINT_CAUSE_GPU_MEMORY] && gpu->kind == STINT_GPU_MEMORY) {
		if (!around->device_mib)
			return stint_strdup(
				"the nodes do not tell the size of their devices in label nvidia.com/gpu.memory: set it, or ask "
				"for a part of a GPU instead");
		stint_autofree char *ask = size_text(around->device_mib);
		if (gpu->memory_mib > around->device_mib)
			return stint_format("the largest devices have %s: ask for %s or less",
				stint_bytes_human(around->device_mib * MIB, number), ask);
	}
	if (why->even_empty[STINT_CAUSE_GPU] && gpu->kind == STINT_GPU_WHOLE && around->devices && gpu->devices > around->devices)
		return stint_format(
			"no node has more than %u GPU%s: ask for fewer in each pod", around->devices, around->devices == 1 ? "" : "s");
	return NULL;
}

/* What it asks for beside GPUs, where that is what no node has; NULL: there is nothing to add. */
static char *beside_gpus(const struct stint_why *why, const struct stint_pod_spec *spec)
{
	struct stint_buf text = {0};
	stint_autofree char *cpu = stint_amount_text(STINT_CPU, (double)spec->request.cpu_milli);
	stint_autofree char *memory = stint_amount_text(STINT_MEMORY, (double)spec->request.memory_bytes);
	if (spec->gpu.kind == STINT_GPU_NONE)
		return NULL;
	if (why->even_empty[STINT_CAUSE_CPU])
		stint_buf_printf(&text, " and %s", cpu);
	if (why->even_empty[STINT_CAUSE_MEMORY])
		stint_buf_printf(&text, " and %s", memory);
	return text.length ? stint_buf_steal(&text) : NULL;
}

char *never_asked(const struct stint_why *why, const struct stint_pod_spec *spec, const char *asked)
{
	if (is_kept_off(why))
		return place_text(why, spec);
	stint_autofree char *more = beside_gpus(why, spec);
	return stint_format("%s%s", asked, more ? more : "");
}

char *never_remedy(const struct stint_engine *engine, uint32_t group, const struct stint_why *why, const struct stint_pod_spec *spec)
{
	const struct survey around = look_around(engine, group, spec);
	char *remedy = is_kept_off(why) ? place_remedy(why, spec, &around) : amount_remedy(why, spec, &around);
	return remedy ? remedy : stint_strdup("ask for less, or for what the nodes have");
}
