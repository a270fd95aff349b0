/*
 * books: what every pod takes, added up on its node, in its group and along its queues (kai-engine 1.4, 3.1).
 *
 * Promises: engine_account(+1) after engine_account(-1) restores every sum exactly, whatever happened in between to other pods; all sums
 * are integers. A change of a pod is: out of the books, change, into the books.
 * Costs: O(1) for the node, O(depth) for the queues.
 */
#include "state.h"

static void account_extended(struct stint_engine *engine, const struct pod *pod, const struct shape *shape, int sign)
{
	for (uint32_t i = 0; i < shape->extended_count; i++) {
		if (shape->extended[i].resource == STINT_NO_HANDLE)
			continue;
		struct extended *book = engine_extended(engine, pod->node, shape->extended[i].resource);
		const int64_t amount = sign * shape->extended[i].amount;
		if (book->offered == 0)
			continue;
		if (pod->status != STINT_POD_RESERVED)
			book->idle = plus(book->idle, -amount);
		if (pod->status == STINT_POD_RELEASING)
			book->leaving = plus(book->leaving, amount);
		else if (pod->status == STINT_POD_RESERVED)
			book->leaving = plus(book->leaving, -amount);
	}
}

static void link_to_node(struct stint_engine *engine, uint32_t handle, int sign)
{
	struct pod *pod = &engine->pods[handle];
	struct node *node = &engine->nodes[pod->node];
	if (sign > 0) {
		pod->node_previous = STINT_NO_HANDLE;
		pod->node_next = node->first_pod;
		if (node->first_pod != STINT_NO_HANDLE)
			engine->pods[node->first_pod].node_previous = handle;
		node->first_pod = handle;
		return;
	}
	if (pod->node_previous != STINT_NO_HANDLE)
		engine->pods[pod->node_previous].node_next = pod->node_next;
	else
		node->first_pod = pod->node_next;
	if (pod->node_next != STINT_NO_HANDLE)
		engine->pods[pod->node_next].node_previous = pod->node_previous;
}

static void account_on_node(struct stint_engine *engine, const struct pod *pod, const struct shape *shape, int sign)
{
	struct books *books = &engine->books[pod->node];
	const int64_t cpu = sign * shape->cpu_milli, memory = sign * shape->memory_bytes;
	if (pod->status != STINT_POD_RESERVED) {
		books->cpu_idle = plus(books->cpu_idle, -cpu);
		books->memory_idle = plus(books->memory_idle, -memory);
		books->pods_idle -= sign;
	}
	if (pod->status == STINT_POD_RELEASING) {
		books->cpu_leaving = plus(books->cpu_leaving, cpu);
		books->memory_leaving = plus(books->memory_leaving, memory);
		books->pods_leaving += sign;
	} else if (pod->status == STINT_POD_RESERVED) {
		books->cpu_leaving = plus(books->cpu_leaving, -cpu);
		books->memory_leaving = plus(books->memory_leaving, -memory);
		books->pods_leaving -= sign;
	}
	account_extended(engine, pod, shape, sign);
	engine->nodes[pod->node].legacy_mig += shape->spec->legacy_mig ? (uint32_t)sign : 0;
	if (shape->gpu != STINT_GPU_NONE && !pod->holder)
		engine_devices_account(engine, pod->node, pod, shape, sign);
	if (pod->choice != STINT_NO_HANDLE)
		engine_choice_account(engine, (uint32_t)(pod - engine->pods), sign);

	/* Leaving pods free nothing by being put in, a reservation nothing by being taken out after a cycle: see engine->quiet. */
	if (!engine->quiet && (sign < 0 || pod->status == STINT_POD_RELEASING))
		engine->room_epoch++;
	if (!engine->quiet)
		engine->search_epoch++;
	engine_node_changed(engine, pod->node, false);

	if (pod->group == STINT_NO_HANDLE && !pod->holder) {
		struct amounts taken = shape->asked;
		taken.gpu_percent = engine_pod_gpu_percent(pod, shape);
		amounts_add(&engine->nodes[pod->node].foreign, &taken, sign);
		engine_node_count(engine, pod->node);
	}
}

static void account_in_group(struct stint_engine *engine, const struct pod *pod, const struct shape *shape, int sign)
{
	struct group *group = &engine->groups[pod->group];
	const bool astray = group->gang && group->gang->parts[pod->part].kind == PART_STRAY;
	if (group->gang)
		engine_gang_count(group->gang, pod, sign);
	if (pod->status == STINT_POD_PENDING) {
		group->pending += astray ? 0 : (uint32_t)sign;
		group->astray += astray ? (uint32_t)sign : 0;
		if (group->queue != STINT_NO_HANDLE)
			engine_queue_account(engine, group->queue, NULL, false, &shape->asked, shape->asked_mib, sign);
		if (sign > 0 && pod->at < group->first_waiting)
			group->first_waiting = pod->at;
	} else if (pod->status == STINT_POD_GATED) {
		group->gated += (uint32_t)sign;
	} else if (engine_pod_active(pod)) {
		struct amounts taken = shape->asked;
		taken.gpu_percent = engine_pod_gpu_percent(pod, shape);
		group->active += (uint32_t)sign;
		if (pod->status == STINT_POD_RESERVED)
			group->reserved += (uint32_t)sign;
		amounts_add(&group->allocated, &taken, sign);
		if (group->queue != STINT_NO_HANDLE)
			engine_queue_account(engine, group->queue, &taken, !group->preemptible, NULL, 0, sign);
	} else {
		group->leaving += (uint32_t)sign;
	}
}

void engine_account(struct stint_engine *engine, uint32_t handle, int sign)
{
	struct pod *pod = &engine->pods[handle];
	const struct shape *shape = &engine->shapes[pod->shape];
	if (pod->node != STINT_NO_HANDLE) {
		if (sign > 0) {
			pod->device_mib = engine_share_mib(engine, shape, pod->node);
			pod->percent = engine_share_percent(engine, shape, pod->node);
			pod->claim_percent =
				pod->choice == STINT_NO_HANDLE ? shape->claim_percent : engine->dra.choices[pod->choice].gpu_percent;
		}
		link_to_node(engine, handle, sign);
		account_on_node(engine, pod, shape, sign);
		if (shape->terms)
			engine_terms_account(engine, pod, shape, sign);
	}
	if (pod->group != STINT_NO_HANDLE && !pod->is_shade)
		account_in_group(engine, pod, shape, sign);
	engine->stirred = true;
}

void engine_account_group(struct stint_engine *engine, uint32_t handle, int sign)
{
	const struct group *group = &engine->groups[handle];
	for (uint32_t i = 0; i < group->pods_count; i++)
		engine_account(engine, group->pods[i], sign);
}

/* The pods that a node has out of the books are remembered in its list of pods, which only links by node_next then. */
void engine_account_node(struct stint_engine *engine, uint32_t handle, int sign)
{
	uint32_t pod = engine->nodes[handle].first_pod;
	if (sign > 0)
		engine->nodes[handle].first_pod = STINT_NO_HANDLE;
	uint32_t out = STINT_NO_HANDLE;
	while (pod != STINT_NO_HANDLE) {
		const uint32_t next = engine->pods[pod].node_next;
		engine_account(engine, pod, sign);
		if (sign < 0) {
			engine->pods[pod].node_next = out;
			out = pod;
		}
		pod = next;
	}
	if (sign < 0)
		engine->nodes[handle].first_pod = out;
}

void engine_books_mark_devices(struct stint_engine *engine, uint32_t handle)
{
	const struct node *node = &engine->nodes[handle];
	engine->books[handle].cpu_only = node->object && node->object->allocatable.gpu_milli < 1000 && node->mig == MIG_NONE &&
		!(node->devices && node->devices->gpus > 0);
}

static int32_t bounded(int64_t value, int32_t most)
{
	return value < 0 ? 0 : value > most ? most : (int32_t)value;
}

void engine_books_reset(struct stint_engine *engine, uint32_t handle)
{
	struct node *node = &engine->nodes[handle];
	struct books *books = &engine->books[handle];
	const struct stint_node *object = node->object;
	free(books->devices);
	free(node->reserved_mib);
	node->reserved_mib = NULL;
	*books = (struct books){.device_mib = STINT_DEFAULT_GPU_MIB};
	node->unseen = node->unseen_leaving = node->reserved_whole = node->mig_percent = 0;
	node->mig = MIG_NONE;
	if (engine->extended_stride)
		memset(engine_extended(engine, handle, 0), 0, engine->extended_stride * sizeof *engine->extended);
	if (!object)
		return;

	const struct stint_resources *offered = &object->allocatable;
	books->cpu_idle = offered->cpu_milli;
	books->memory_idle = offered->memory_bytes;
	books->pods_idle = bounded(offered->pods, INT32_MAX / 2);
	books->open = !object->unschedulable && object->ready == STINT_TRUE && !object->pressures;
	/* A device that the label counts and the kubelet does not offer is broken or taken away: nobody knows which one it is. */
	const int32_t usable = bounded(offered->gpu_milli / 1000, STINT_MAX_DEVICES);
	const int32_t there = bounded(object->gpu_count, STINT_MAX_DEVICES);
	const int32_t count = usable > there ? usable : there;
	books->devices_count = (uint16_t)count;
	if (object->gpu_memory_mib > 0)
		books->device_mib = bounded(object->gpu_memory_mib, INT32_MAX / 2);
	if (count)
		books->devices = stint_alloc((size_t)count * sizeof *books->devices);
	engine_mig_read_node(node);
	books->cpu_only = usable == 0 && node->mig == MIG_NONE && !(node->devices && node->devices->gpus > 0);
	node->unseen = count - usable;
	books->gpus_idle = usable;

	for (uint32_t i = 0; i < offered->extended_count; i++) {
		const uint32_t resource = engine_extended_resource(engine, offered->extended[i].name, true);
		struct extended *book = engine_extended(engine, handle, resource);
		book->offered = book->idle = offered->extended[i].amount;
	}
}
