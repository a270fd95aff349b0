/*
 * pods: the table of pods and the changes of their status (kai-engine 1.2, 1.3).
 *
 * Owns engine.pods. What a pod takes is added up in books.c; here it is taken out, changed and put back.
 * Promises: news that change nothing cost nothing; a pod that was decided here keeps its place while the news have not caught up.
 */
#include "state.h"

uint32_t stint_engine_pod_find(const struct stint_engine *engine, const char *uid)
{
	return (uint32_t)(uintptr_t)stint_map_get(engine->pod_uids, uid) - 1;
}

enum stint_pod_status stint_engine_pod_status_of(const struct stint_pod *pod, int64_t now_ms, int64_t stuck_after_ms)
{
	const bool deleted = pod->meta.deleted_ms >= 0;
	if (deleted && pod->phase == STINT_PHASE_RUNNING && now_ms - pod->meta.deleted_ms > stuck_after_ms)
		return STINT_POD_STUCK;
	if (deleted)
		return STINT_POD_RELEASING;
	if (pod->node)
		return STINT_POD_BOUND;
	return pod->gates_count ? STINT_POD_GATED : STINT_POD_PENDING;
}

uint64_t stint_engine_pod_devices_of(const struct stint_pod *pod)
{
	uint16_t slots[STINT_MAX_DEVICES];
	const int count = stint_pod_gpu_devices(pod, slots, STINT_MAX_DEVICES);
	uint64_t devices = 0;
	for (int i = 0; i < count && i < STINT_MAX_DEVICES; i++) {
		if (slots[i] >= STINT_MAX_DEVICES)
			return 0;
		devices |= UINT64_C(1) << slots[i];
	}
	return devices;
}

/* kai-engine 4.2: what stands before age. */
static void read_task_order(struct pod *pod)
{
	const char *job_role = stint_object_label(&pod->object->meta, "training.kubeflow.org/job-role");
	const char *ray_type = stint_object_label(&pod->object->meta, "ray.io/node-type");
	const char *priority = stint_object_label(&pod->object->meta, "kai.scheduler/task-priority");
	const bool first_role = job_role && (strcmp(job_role, "master") == 0 || strcmp(job_role, "launcher") == 0);
	const bool ray_head = ray_type && strcmp(ray_type, "head") == 0;
	pod->role = first_role ? 0 : ray_head ? 1 : 2;
	pod->has_task_priority = priority && stint_parse_int(priority, INT32_MIN, INT32_MAX, &pod->task_priority);
}

static uint32_t add(struct stint_engine *engine, const struct stint_pod_facts *facts, const char *uid)
{
	if (!engine->free_pods.count)
		stint_grow(&engine->pods, &engine->pods_capacity, engine->pods_count + 1, sizeof *engine->pods);
	const uint32_t handle = engine_take_slot(&engine->free_pods, &engine->pods_count);
	engine->pods[handle] = (struct pod){
		.object = facts->pod,
		.group = STINT_NO_HANDLE,
		.node = STINT_NO_HANDLE,
		.shape = STINT_NO_HANDLE,
		.shade = STINT_NO_HANDLE,
		.choice = STINT_NO_HANDLE,
		.holder = facts->holder,
		.reach = stint_reach_ref(facts->reach),
	};
	stint_object_ref(&facts->pod->meta);
	stint_map_set(engine->pod_uids, uid, (void *)(uintptr_t)(handle + 1));
	engine_pod_claims_read(engine, handle);
	engine_pod_claims_meet(engine, handle);
	read_task_order(&engine->pods[handle]);
	return handle;
}

/* A pod's UID, or its name where somebody made it without one (tests, simulations). */
static const char *uid_of(const struct stint_pod *pod)
{
	return pod->meta.uid ? pod->meta.uid : pod->meta.name;
}

static void leave_node(struct stint_engine *engine, uint32_t node)
{
	if (node != STINT_NO_HANDLE)
		engine_node_release(engine, node);
}

static void join_group(struct stint_engine *engine, uint32_t handle, uint32_t group, const char *part)
{
	engine->pods[handle].group = group;
	if (group == STINT_NO_HANDLE)
		return;
	engine->pods[handle].part = engine_group_part(engine, group, part);
	engine_group_add_pod(engine, group, handle);
}

static bool same_part(const struct stint_engine *engine, const struct pod *pod, const char *part)
{
	return pod->group == STINT_NO_HANDLE ||
		strcmp(engine_group_part_name(&engine->groups[pod->group], pod->part), part ? part : "default") == 0;
}

static void set_place(struct stint_engine *engine, uint32_t handle, const struct stint_pod_facts *facts)
{
	struct pod *pod = &engine->pods[handle];
	const uint32_t former = pod->node;
	const bool placed = facts->status >= STINT_POD_RESERVED && facts->pod->node;
	const uint32_t node = placed ? engine_node_named(engine, facts->pod->node) : STINT_NO_HANDLE;
	/* A bind that we decided and whose news do not name the devices keeps those that we chose. */
	if (node != former || facts->devices)
		pod->devices = facts->devices;
	if (node != former || facts->rezoned)
		pod->choice = STINT_NO_HANDLE;
	pod->node = node;
	pod->evicted = EVICTED_NOT;
	const bool homeless = !placed && facts->status >= STINT_POD_RESERVED && facts->status < STINT_POD_RELEASING;
	pod->status = homeless ? STINT_POD_GATED : (uint8_t)facts->status;
	if (placed && (pod->claims || pod->choice != STINT_NO_HANDLE || facts->zones))
		engine_choice_read(engine, handle, facts->zones, facts->zones_count);
}

/* Of a pod whose news are old: it keeps all that was decided, but for its zones. */
static void set_zones(struct stint_engine *engine, uint32_t handle, const struct stint_pod_facts *facts)
{
	engine->pods[handle].choice = STINT_NO_HANDLE;
	engine_choice_read(engine, handle, facts->zones, facts->zones_count);
}

void engine_pod_reshape(struct stint_engine *engine, uint32_t handle)
{
	const uint32_t former = engine->pods[handle].shape;
	struct pod *pod = &engine->pods[handle];
	pod->shape = engine_shape_acquire(engine, handle);
	stint_reach_unref(pod->reach); /* the shape's says the same, and is there once for all its pods */
	pod->reach = stint_reach_ref(engine->shapes[pod->shape].reach);
	if (former != STINT_NO_HANDLE)
		engine_shape_release(engine, former);
}

static bool news_are_old(const struct pod *pod, const struct stint_pod_facts *facts)
{
	if (facts->group != pod->group)
		return false;
	if (pod->status == STINT_POD_RELEASING && pod->evicted == EVICTED_DECIDED)
		return facts->status < STINT_POD_RELEASING;
	return (pod->status == STINT_POD_ASSUMED || pod->status == STINT_POD_BOUND) && facts->status < STINT_POD_RESERVED;
}

static bool nothing_new(const struct stint_engine *engine, const struct pod *pod, const struct stint_pod_facts *facts)
{
	if (facts->rezoned || pod->object->guaranteed != facts->pod->guaranteed || engine_pod_claims_differ(pod->object, facts->pod) ||
		!stint_reach_equal(pod->reach, facts->reach))
		return false;
	if (pod->group != facts->group || !same_part(engine, pod, facts->part) || pod->holder != facts->holder ||
		pod->object->spec != facts->pod->spec)
		return false;
	if (engine_terms_labels_changed(engine, pod->object, facts->pod))
		return false;
	if (news_are_old(pod, facts))
		return true;
	if (pod->status != facts->status || (facts->devices && facts->devices != pod->devices))
		return false;
	if (pod->node == STINT_NO_HANDLE)
		return true;
	return facts->pod->node && strcmp(engine->nodes[pod->node].name, facts->pod->node) == 0;
}

uint32_t stint_engine_pod_upsert(struct stint_engine *engine, const struct stint_pod_facts *facts)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_POD, .pod = facts});
	engine_drop_reservations(engine);
	uint32_t handle = stint_engine_pod_find(engine, uid_of(facts->pod));
	const bool known = handle != STINT_NO_HANDLE;
	if (known) {
		struct pod *pod = &engine->pods[handle];
		const bool quiet = nothing_new(engine, pod, facts);
		struct stint_pod *former = pod->object;
		stint_object_ref(&facts->pod->meta);
		struct stint_reach *former_reach = pod->reach;
		pod->object = facts->pod;
		pod->reach = stint_reach_ref(facts->reach);
		stint_reach_unref(former_reach);
		if (uid_of(former) != uid_of(facts->pod)) /* the map of UIDs borrows them from the objects */
			stint_map_set(engine->pod_uids, uid_of(facts->pod), (void *)(uintptr_t)(handle + 1));
		if (quiet) {
			stint_object_unref(&former->meta);
			return handle;
		}
		engine_account(engine, handle, -1);
		if (engine_pod_claims_differ(former, facts->pod))
			engine_pod_claims_read(engine, handle);
		pod->holder = facts->holder;
		stint_object_unref(&former->meta);
	} else {
		handle = add(engine, facts, uid_of(facts->pod));
	}

	const uint32_t former_group = engine->pods[handle].group, former_node = engine->pods[handle].node;
	if (former_group != facts->group || !same_part(engine, &engine->pods[handle], facts->part)) {
		if (former_group != STINT_NO_HANDLE)
			engine_group_drop_pod(engine, handle);
		join_group(engine, handle, facts->group, facts->part);
	}
	if (!known || !news_are_old(&engine->pods[handle], facts))
		set_place(engine, handle, facts);
	else if (facts->rezoned && engine->pods[handle].node != STINT_NO_HANDLE)
		set_zones(engine, handle, facts);
	engine_pod_reshape(engine, handle);
	engine_account(engine, handle, 1);
	if (former_node != engine->pods[handle].node)
		leave_node(engine, former_node);
	if (former_group != facts->group && former_group != STINT_NO_HANDLE)
		engine_group_touch(engine, former_group);
	if (facts->group != STINT_NO_HANDLE)
		engine_group_touch(engine, facts->group);
	return handle;
}

void stint_engine_pod_remove(struct stint_engine *engine, const char *uid)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_POD_GONE, .name = uid});
	engine_drop_reservations(engine);
	const uint32_t handle = stint_engine_pod_find(engine, uid);
	if (handle == STINT_NO_HANDLE)
		return;
	stint_map_remove(engine->pod_uids, uid);
	engine_account(engine, handle, -1);
	struct pod *pod = &engine->pods[handle];
	const uint32_t group = pod->group, node = pod->node;
	if (group != STINT_NO_HANDLE)
		engine_group_drop_pod(engine, handle);
	engine_shape_release(engine, pod->shape);
	engine_pod_claims_drop(engine, handle);
	stint_reach_unref(pod->reach);
	stint_object_unref(&pod->object->meta);
	*pod = engine_no_pod;
	handles_push(&engine->free_pods, handle);
	leave_node(engine, node);
	if (group != STINT_NO_HANDLE)
		engine_group_touch(engine, group);
}

static bool is_going(const struct pod *pod)
{
	return pod->status == STINT_POD_RELEASING && pod->evicted == EVICTED_DECIDED;
}

void stint_engine_pod_confirm(struct stint_engine *engine, uint32_t handle)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_CONFIRM, .name = uid_of(engine->pods[handle].object)});
	/* Assumed and bound pods take the same: no book changes. The group may still be tried with what it has. */
	struct pod *pod = &engine->pods[handle];
	if (pod->status == STINT_POD_ASSUMED)
		pod->status = STINT_POD_BOUND;
	else if (is_going(pod) && pod->before == STINT_POD_ASSUMED)
		pod->before = STINT_POD_BOUND;
}

void stint_engine_pod_undo(struct stint_engine *engine, uint32_t handle)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_UNDO, .name = uid_of(engine->pods[handle].object)});
	engine_drop_reservations(engine);
	struct pod *pod = &engine->pods[handle];
	if (pod->status != STINT_POD_ASSUMED && !(is_going(pod) && pod->before == STINT_POD_ASSUMED))
		return;
	engine_account(engine, handle, -1);
	const uint32_t node = pod->node;
	pod->status = STINT_POD_PENDING;
	pod->evicted = EVICTED_NOT;
	pod->node = STINT_NO_HANDLE;
	pod->devices = 0;
	pod->choice = STINT_NO_HANDLE;
	engine_account(engine, handle, 1);
	leave_node(engine, node);
	engine_group_touch(engine, pod->group);
}

void stint_engine_pod_stay(struct stint_engine *engine, uint32_t handle)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_STAY, .name = uid_of(engine->pods[handle].object)});
	engine_drop_reservations(engine);
	struct pod *pod = &engine->pods[handle];
	if (!is_going(pod))
		return;
	engine_account(engine, handle, -1);
	pod->status = pod->before;
	pod->evicted = EVICTED_NOT;
	engine_account(engine, handle, 1);
	engine_group_touch(engine, pod->group);
}
