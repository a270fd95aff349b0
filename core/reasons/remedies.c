/*
 * remedies: what would start a group that waits, as sentences and as JSON. A sentence says what to change and to what; the numbers stand
 * beside it for programs.
 */
#include "record.h"

#include <stdlib.h>

enum { MIB = 1024 * 1024 };

static const char *const words[] = {
	[STINT_REMEDY_PREEMPTIBLE] = "preemptible",
	[STINT_REMEDY_TOLERATION] = "toleration",
	[STINT_REMEDY_SELECTOR] = "selector",
	[STINT_REMEDY_CPU] = "cpu",
	[STINT_REMEDY_MEMORY] = "memory",
	[STINT_REMEDY_DEVICES] = "devices",
	[STINT_REMEDY_PORTION] = "portion",
	[STINT_REMEDY_GPU_MEMORY] = "gpu-memory",
	[STINT_REMEDY_MEMBERS] = "members",
	[STINT_REMEDY_LIMIT] = "raise-limit",
	[STINT_REMEDY_QUOTA] = "raise-quota",
	[STINT_REMEDY_POOL] = "pool",
	[STINT_REMEDY_UNCORDON] = "uncordon",
};

char *stint_remedy_text(const struct stint_engine *engine, const struct stint_remedy *remedy, const char *queue)
{
	struct stint_node_view node;
	stint_autofree char *bound = stint_amount_text(remedy->dimension, remedy->to);
	stint_autofree char *cpu = stint_amount_text(STINT_CPU, remedy->to);
	stint_autofree char *memory = stint_amount_text(STINT_MEMORY, remedy->to * MIB);
	switch (remedy->kind) {
	case STINT_REMEDY_PREEMPTIBLE: return stint_strdup("submit it with --preemptible: then only limits count");
	case STINT_REMEDY_TOLERATION: return stint_format("let it tolerate the taint %s", remedy->taint);
	case STINT_REMEDY_SELECTOR: return stint_strdup("take its node selector and required node affinity away");
	case STINT_REMEDY_CPU: return stint_format("ask for %s in each pod", cpu);
	case STINT_REMEDY_MEMORY: return stint_format("ask for %s in each pod", memory);
	case STINT_REMEDY_DEVICES: return stint_format("ask for %g GPU%s in each pod", remedy->to, remedy->to == 1 ? "" : "s");
	case STINT_REMEDY_PORTION: return stint_format("ask for %g of a GPU in each pod", remedy->to);
	case STINT_REMEDY_GPU_MEMORY: return stint_format("ask for %.0fMi of a GPU's memory in each pod", remedy->to);
	case STINT_REMEDY_MEMBERS: /* no flag of submit says it: where the number stands is told */
		return stint_format("let it start with %g pod%s: minMember of its PodGroup, or annotation kai.scheduler/batch-min-member "
				    "of its Job",
			remedy->to, remedy->to == 1 ? "" : "s");
	case STINT_REMEDY_LIMIT: return stint_format("raise the limit of \"%s\" to %s", queue, bound);
	case STINT_REMEDY_QUOTA: return stint_format("raise the quota of \"%s\" to %s", queue, bound);
	case STINT_REMEDY_POOL: return stint_format("let it use node pool \"%s\" as well", remedy->pool);
	case STINT_REMEDY_UNCORDON:
		return stint_format("uncordon node %s", stint_engine_node_view(engine, remedy->node, &node) ? node.name : "?");
	}
	return NULL;
}

void remedies_add(struct stint_json *changes, struct stint_engine *engine, uint32_t group)
{
	struct stint_remedy remedies[STINT_MAX_REMEDIES];
	const size_t count = stint_engine_remedies(engine, group, remedies);
	for (size_t i = 0; i < count; i++) {
		const struct stint_remedy *remedy = &remedies[i];
		struct stint_queue_view queue = {0};
		const bool bound = remedy->queue != STINT_NO_HANDLE && stint_engine_queue_view(engine, remedy->queue, &queue);
		stint_autofree char *text = stint_remedy_text(engine, remedy, bound ? queue.name : "");
		struct stint_json *item = stint_json_append(changes, stint_json_new_object());
		stint_json_set_string(item, "change", words[remedy->kind]);
		stint_json_set_string(item, "text", text);
		if (bound) {
			stint_json_set_string(item, "queue", queue.name);
			stint_json_set_string(item, "dimension", stint_dimension_name(remedy->dimension));
		}
		if (remedy->from > 0) {
			stint_json_set_double(item, "from", remedy->from);
			stint_json_set_double(item, "to", remedy->to);
		}
	}
}
