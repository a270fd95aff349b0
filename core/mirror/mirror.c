/*
 * mirror: pods as they come, what the rest of the scheduler says of them, life and look-ups. See stint/mirror.h; settle.c brings the
 * engine up to date, objects.c takes in everything that is no pod.
 */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mirror_changed(struct stint_mirror *mirror)
{
	mirror->hooks.changed(mirror->hooks.user);
}

void mirror_mark_dirty(struct stint_mirror *mirror, struct stint_mirror_pod *pod)
{
	if (pod->dirty)
		return;
	pod->dirty = true;
	stint_grow(&mirror->dirty, &mirror->dirty_capacity, mirror->dirty_count + 1, sizeof(*mirror->dirty));
	mirror->dirty[mirror->dirty_count++] = pod;
}

static void forget_dirty(struct stint_mirror *mirror, const struct stint_mirror_pod *pod)
{
	for (size_t i = 0; pod->dirty && i < mirror->dirty_count; i++) {
		if (mirror->dirty[i] == pod)
			mirror->dirty[i] = mirror->dirty[--mirror->dirty_count];
	}
}

bool mirror_serves(const struct stint_mirror *mirror, const char *scheduler_name)
{
	for (char *const *name = mirror->names; *name; name++) {
		if (scheduler_name && strcmp(*name, scheduler_name) == 0)
			return true;
	}
	return false;
}

bool mirror_asks_for_share(const struct stint_pod *pod)
{
	return pod->spec->gpu.kind == STINT_GPU_FRACTION || pod->spec->gpu.kind == STINT_GPU_MEMORY;
}

/* ---- changes of pods ----------------------------------------------------------------------------------------------------------------- */

static void free_pod(void *value)
{
	struct stint_mirror_pod *pod = value;
	stint_object_unref(&pod->pod->meta);
	free(pod->lack);
	free(pod->note);
	free(pod);
}

bool stint_pod_is_holder(const struct stint_pod *pod, int *slot)
{
	const bool in_place = pod->meta.space && strcmp(pod->meta.space, STINT_RESERVATION_NAMESPACE) == 0;
	const char *text = in_place ? stint_object_annotation(&pod->meta, STINT_ANNOTATION_SLOT) : NULL;
	int64_t number;
	*slot = stint_parse_int(text, 0, STINT_MAX_DEVICES - 1, &number) ? (int)number : -1;
	return text;
}

/* The condition that an instance before us may have written: "Word: sentence". */
static void read_told(struct stint_mirror_pod *pod)
{
	pod->told[0] = '\0';
	const char *message = pod->pod->scheduled_message;
	if (pod->pod->scheduled != STINT_FALSE || !message)
		return;
	const size_t length = strspn(message, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	if (length > 0 && length < sizeof(pod->told) && message[length] == ':')
		snprintf(pod->told, sizeof(pod->told), "%.*s", (int)length, message);
}

void mirror_put_pod(struct stint_mirror *mirror, struct stint_pod *object)
{
	int slot;
	if (stint_pod_is_holder(object, &slot)) /* whoever has the mirror keeps them in the engine */
		return;
	struct stint_mirror_pod *pod = stint_map_get(mirror->pods, object->meta.uid);
	const bool ours = mirror_serves(mirror, object->spec->scheduler_name);
	if (!pod && !ours && (!object->node || stint_pod_ended(object)))
		return;
	if (!pod) {
		pod = stint_alloc(sizeof(*pod));
		pod->handle = STINT_NO_HANDLE;
		pod->ours = ours;
		pod->pod = (struct stint_pod *)stint_object_ref(&object->meta);
		read_told(pod);
		stint_map_set(mirror->pods, object->meta.uid, pod);
	} else {
		stint_object_ref(&object->meta);
		stint_object_unref(&pod->pod->meta);
		pod->pod = object;
	}
	mirror_mark_dirty(mirror, pod);
	mirror_changed(mirror);
}

void mirror_remove_pod(struct stint_mirror *mirror, struct stint_pod *object)
{
	struct stint_mirror_pod *pod = stint_map_get(mirror->pods, object->meta.uid);
	if (!pod)
		return;
	if (pod->ours)
		mirror_note_loss(mirror, pod->pod);
	mirror_take_from_engine(mirror, pod);
	mirror_leave_group(mirror, pod);
	if (mirror->hooks.pod_gone)
		mirror->hooks.pod_gone(mirror->hooks.user, pod);
	forget_dirty(mirror, pod);
	stint_map_remove(mirror->pods, object->meta.uid);
	mirror_changed(mirror);
}

void stint_mirror_refuse_wiring(struct stint_mirror *mirror, struct stint_mirror_pod *pod)
{
	pod->refused_wiring = true;
	mirror_mark_dirty(mirror, pod);
	mirror_changed(mirror);
}

int64_t stint_mirror_hold_back(struct stint_mirror *mirror, struct stint_mirror_pod *pod, int64_t now_ms)
{
	if (pod->failures < 6)
		pod->failures++;
	pod->held_until_ms = now_ms + (INT64_C(1000) << (pod->failures - 1));
	mirror_mark_dirty(mirror, pod);
	mirror_changed(mirror);
	return pod->held_until_ms;
}

void stint_mirror_bind_ended(struct stint_mirror *mirror, struct stint_mirror_pod *pod)
{
	pod->bind = NULL;
	if (!pod->put_off)
		return;
	pod->put_off = false;
	mirror_mark_dirty(mirror, pod);
	mirror_changed(mirror);
}

void stint_mirror_pod_note(struct stint_mirror_pod *pod, const char *word, char *sentence)
{
	free(pod->note);
	pod->note_word = word;
	pod->note = sentence;
}

/* ---- life and look-ups --------------------------------------------------------------------------------------------------------------- */

struct stint_mirror *stint_mirror_new(struct stint_engine *engine, char *const *names, const struct stint_mirror_hooks *hooks)
{
	struct stint_mirror *mirror = stint_alloc(sizeof(*mirror));
	mirror->engine = engine;
	mirror->names = names;
	mirror->hooks = *hooks;
	mirror->catalog = stint_catalog_new();
	mirror->kai = kai_groups_new();
	mirror->volumes = stint_volumes_new();
	mirror->zones = stint_object_map_new();
	mirror->pods = stint_map_new(free_pod);
	mirror->groups = stint_map_new(mirror_free_group);
	mirror->lost = stint_map_new(mirror_free_lost);
	mirror->new_sets = stint_map_new(NULL);
	mirror->gpu_nodes = stint_map_new(NULL);
	return mirror;
}

void stint_mirror_restrict(struct stint_mirror *mirror, const char *pool)
{
	mirror->pool = pool;
}

void stint_mirror_free(struct stint_mirror *mirror)
{
	if (!mirror)
		return;
	stint_map_free(mirror->pods);
	stint_map_free(mirror->groups);
	mirror_free_losses(mirror);
	stint_map_free(mirror->gpu_nodes);
	stint_map_free(mirror->new_sets);
	stint_catalog_free(mirror->catalog);
	kai_groups_free(mirror->kai);
	stint_volumes_free(mirror->volumes);
	stint_map_free(mirror->zones);
	free(mirror->pods_by_handle);
	free(mirror->groups_by_handle);
	free(mirror->dirty);
	free(mirror);
}

struct stint_catalog *stint_mirror_catalog(struct stint_mirror *mirror)
{
	return mirror->catalog;
}

struct stint_volumes *stint_mirror_volumes(struct stint_mirror *mirror)
{
	return mirror->volumes;
}

struct stint_mirror_pod *stint_mirror_pod_by_uid(const struct stint_mirror *mirror, const char *uid)
{
	return stint_map_get(mirror->pods, uid);
}

struct stint_mirror_pod *stint_mirror_pod_by_handle(const struct stint_mirror *mirror, uint32_t handle)
{
	return handle < mirror->pods_by_handle_capacity ? mirror->pods_by_handle[handle] : NULL;
}

struct stint_mirror_group *stint_mirror_group_by_handle(const struct stint_mirror *mirror, uint32_t handle)
{
	return handle < mirror->groups_by_handle_capacity ? mirror->groups_by_handle[handle] : NULL;
}

bool stint_mirror_pod_waits(const struct stint_mirror_pod *pod)
{
	return !pod->pod->node && !pod->bind && !stint_pod_ended(pod->pod) && pod->pod->meta.deleted_ms < 0;
}

bool stint_mirror_next_pod(const struct stint_mirror *mirror, size_t *at, struct stint_mirror_pod **pod)
{
	void *value = NULL;
	const bool more = stint_map_next(mirror->pods, at, NULL, &value);
	*pod = value;
	return more;
}

bool stint_mirror_next_group(const struct stint_mirror *mirror, size_t *at, struct stint_mirror_group **group)
{
	void *value = NULL;
	const bool more = stint_map_next(mirror->groups, at, NULL, &value);
	*group = value;
	return more;
}
