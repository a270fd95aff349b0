/*
 * holder_engine: what the engine sees of one holder, and what the engine knows of the shares on its slot. See holder.h.
 */
#include <stdlib.h>
#include <string.h>

#include <scheduler/holder.h>

static void unblock(struct holder *holder)
{
	if (!holder->blocker)
		return;
	stint_engine_pod_remove(holder->all->options.engine, holder->blocker->meta.uid);
	stint_object_unref(&holder->blocker->meta);
	holder->blocker = NULL;
}

/* A pod object for a holder that has none, so that its slot can be counted as used. */
static void make_blocker(struct holder *holder)
{
	stint_auto_json *json = stint_holder_manifest(holder->node, holder->slot, holder->all->options.image, NULL);
	stint_autofree char *uid = stint_format("no-holder:%s", holder->name);
	stint_json_set_string(stint_json_get(json, "metadata"), "uid", uid);
	const struct stint_decode_as as = {.kind = STINT_KIND_POD};
	holder->blocker = stint_pod_of(stint_object_from_json(holder->all->options.model, &as, json, NULL));
}

void holder_tell_engine(struct holder *holder)
{
	struct stint_engine *engine = holder->all->options.engine;
	const bool blocks = holder->state == STINT_HOLDER_FAILED || holder->state == STINT_HOLDER_LEAVING || holder->mismatch;
	struct stint_pod_facts facts = {.group = STINT_NO_HANDLE,
		.status = holder->state == STINT_HOLDER_LEAVING ? STINT_POD_RELEASING : STINT_POD_BOUND,
		.devices = UINT64_C(1) << holder->slot,
		.holder = !blocks};
	if (holder->pod) {
		unblock(holder);
		facts.pod = holder->pod;
		stint_engine_pod_upsert(engine, &facts);
		return;
	}
	if (!blocks) {
		unblock(holder);
		return;
	}
	if (!holder->blocker)
		make_blocker(holder);
	facts.pod = holder->blocker;
	if (holder->blocker)
		stint_engine_pod_upsert(engine, &facts);
}

bool holder_has_share(const struct holder *holder)
{
	const struct stint_engine *engine = holder->all->options.engine;
	const uint32_t node = stint_engine_node_find(engine, holder->node);
	if (node == STINT_NO_HANDLE)
		return false;
	for (uint32_t at = stint_engine_node_pod_next(engine, node, STINT_NO_HANDLE); at != STINT_NO_HANDLE;
		at = stint_engine_node_pod_next(engine, node, at)) {
		struct stint_pod_view view;
		if (stint_engine_pod_view(engine, at, &view) && view.pod != holder->pod && view.pod != holder->blocker &&
			(view.devices >> holder->slot & 1) && view.pod->spec->gpu.kind != STINT_GPU_WHOLE)
			return true;
	}
	return false;
}

/* The UUID that the shares of this slot were given, to be compared with what a new holder reports; NULL: no share tells. */
char *holder_uuid_of_shares(const struct holder *holder)
{
	const struct stint_engine *engine = holder->all->options.engine;
	const uint32_t node = stint_engine_node_find(engine, holder->node);
	for (uint32_t at = node == STINT_NO_HANDLE ? STINT_NO_HANDLE : stint_engine_node_pod_next(engine, node, STINT_NO_HANDLE);
		at != STINT_NO_HANDLE; at = stint_engine_node_pod_next(engine, node, at)) {
		struct stint_pod_view view;
		if (!stint_engine_pod_view(engine, at, &view) || !view.pod->node)
			continue;
		const char *uuids = stint_object_annotation(&view.pod->meta, "stint.dev/gpu-uuids");
		uint16_t slots[STINT_MAX_DEVICES];
		const int count = uuids ? stint_pod_gpu_devices(view.pod, slots, STINT_MAX_DEVICES) : -1;
		char **words = uuids ? stint_split(uuids, ",") : NULL;
		char *found = NULL;
		for (int i = 0; i < count && words[i]; i++) {
			if (slots[i] == holder->slot)
				found = stint_strdup(words[i]);
		}
		stint_strings_free(words);
		if (found)
			return found;
	}
	return NULL;
}
