/*
 * kai_groups: slots for KAI's GPU groups. See kai_groups.h.
 *
 * State: a map "node/group" -> slot. It only grows while KAI's pods run beside us, by one entry for each shared device.
 */
#include "kai_groups.h"

#include <stdlib.h>
#include <string.h>

struct kai_groups {
	struct stint_map *slots;
};

struct slot {
	uint32_t number;
};

struct kai_groups *kai_groups_new(void)
{
	struct kai_groups *groups = stint_alloc(sizeof(*groups));
	groups->slots = stint_map_new(free);
	return groups;
}

void kai_groups_free(struct kai_groups *groups)
{
	if (!groups)
		return;
	stint_map_free(groups->slots);
	free(groups);
}

/* Taken: by pods that the engine knows, or by another group of KAI's whose pods are still to come. */
static bool is_taken(const struct kai_groups *groups, const struct stint_engine *engine, const char *node, uint32_t handle, uint32_t number)
{
	struct stint_device_view device;
	if (!stint_engine_device_view(engine, handle, number, &device) || device.whole || device.pods > 0)
		return true;
	stint_autofree char *prefix = stint_format("%s/", node);
	const char *key = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(groups->slots, &at, &key, &value);) {
		if (((const struct slot *)value)->number == number && stint_starts_with(key, prefix))
			return true;
	}
	return false;
}

uint64_t kai_groups_slot(struct kai_groups *groups, const struct stint_engine *engine, const struct stint_pod *pod)
{
	const char *group = pod->node ? stint_object_label(&pod->meta, "runai-gpu-group") : NULL;
	if (!group)
		return 0;
	stint_autofree char *key = stint_format("%s/%s", pod->node, group);
	struct slot *slot = stint_map_get(groups->slots, key);
	if (slot)
		return UINT64_C(1) << slot->number;
	struct stint_node_view node;
	const uint32_t handle = stint_engine_node_find(engine, pod->node);
	if (handle == STINT_NO_HANDLE || !stint_engine_node_view(engine, handle, &node))
		return 0;
	for (uint32_t number = node.devices < STINT_MAX_DEVICES ? node.devices : STINT_MAX_DEVICES; number-- > 0;) {
		if (is_taken(groups, engine, pod->node, handle, number))
			continue;
		slot = stint_alloc(sizeof(*slot));
		slot->number = number;
		stint_map_set(groups->slots, key, slot);
		return UINT64_C(1) << number;
	}
	return 0;
}

bool kai_groups_is_reservation(const struct stint_pod *pod)
{
	const char *app = stint_object_label(&pod->meta, "app");
	return app && strcmp(app, "kai-resource-reservation") == 0;
}
