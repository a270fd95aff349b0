/*
 * forecast: what the scheduler would do with a cluster as it was read. The same mirror feeds the same engine as in the scheduler; the world
 * outside is as simple as it can be: a bind succeeds, what leaves has gone before the next cycle, and what was evicted comes back as a
 * new pod when something owns it. It ends when a cycle decides nothing and nothing leaves.
 *
 * Time stands still but for a millisecond a cycle, so that nothing ends and no grace runs out meanwhile.
 */
#include "forecast.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CYCLES = 32 };

/* ---- names -------------------------------------------------------------------------------------------------------------------------------- */

static char *workload_key(const char *space, const char *kind, const char *name)
{
	return stint_format("%s/%s/%s", space, kind, name);
}

static struct forecast_workload *workload_of(struct forecast *forecast, const struct stint_mirror_group *group)
{
	stint_autofree char *key = workload_key(group->space, group->workload_kind, group->workload_name);
	struct forecast_workload *workload = stint_map_get(forecast->workloads, key);
	if (workload)
		return workload;
	workload = stint_arena_alloc(forecast->arena, sizeof *workload);
	workload->space = stint_arena_strndup(forecast->arena, group->space, strlen(group->space));
	workload->kind = stint_arena_strndup(forecast->arena, group->workload_kind, strlen(group->workload_kind));
	workload->name = stint_arena_strndup(forecast->arena, group->workload_name, strlen(group->workload_name));
	stint_map_set(forecast->workloads, key, workload);
	return workload;
}

struct forecast_workload *forecast_find(const struct forecast *forecast, const struct forecast_workload *like)
{
	stint_autofree char *key = workload_key(like->space, like->kind, like->name);
	return stint_map_get(forecast->workloads, key);
}

/* ---- what there is -------------------------------------------------------------------------------------------------------------------------- */

/* The scheduler's own keeper of holders tells the engine of them; the mirror leaves them out. */
static bool put_holder(struct forecast *forecast, struct stint_pod *pod)
{
	int slot;
	if (!stint_pod_is_holder(pod, &slot))
		return false;
	if (!pod->node || stint_pod_ended(pod) || slot < 0)
		return true;
	const struct stint_pod_facts facts = {.pod = pod,
		.group = STINT_NO_HANDLE,
		.status = pod->meta.deleted_ms >= 0 ? STINT_POD_RELEASING : STINT_POD_BOUND,
		.devices = UINT64_C(1) << slot,
		.holder = true};
	stint_engine_pod_upsert(forecast->engine, &facts);
	return true;
}

static void put_claim(struct forecast *forecast, struct stint_resource_claim *claim)
{
	stint_autofree char *key = stint_format("%s/%s", claim->meta.space, claim->meta.name);
	stint_map_set(forecast->claims, key, claim);
}

static void put_all(struct forecast *forecast, const struct snap_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct stint_pod *pod = stint_pod_of(list->items[i]);
		struct stint_resource_claim *claim = stint_resource_claim_of(list->items[i]);
		if (claim)
			put_claim(forecast, claim);
		if (!pod || !put_holder(forecast, pod))
			stint_mirror_put(forecast->mirror, list->items[i]);
	}
}

static void nothing_to_wake(void *user)
{
	(void)user;
}

/* All owners have been listed: one that is not there is gone, and the scheduler would find that out, too. */
static void on_owner_missing(void *user, const struct stint_owner_reference *reference, const char *space)
{
	const struct forecast *forecast = user;
	(void)space;
	stint_mirror_owner_absent(forecast->mirror, reference->uid);
}

static void note_workloads(struct forecast *forecast)
{
	struct stint_mirror_group *group = NULL;
	for (size_t at = 0; stint_mirror_next_group(forecast->mirror, &at, &group);)
		workload_of(forecast, group);
}

static void note_coming(struct forecast *forecast, const struct snap_list *coming)
{
	for (size_t i = 0; i < coming->count; i++) {
		const struct stint_pod *pod = stint_pod_of(coming->items[i]);
		const struct stint_mirror_pod *found = pod ? stint_mirror_pod_by_uid(forecast->mirror, pod->meta.uid) : NULL;
		struct forecast_workload *workload = found && found->group ? workload_of(forecast, found->group) : NULL;
		if (!workload || workload->coming)
			continue;
		workload->coming = true;
		stint_grow(&forecast->coming, &forecast->coming_capacity, forecast->coming_count + 1, sizeof *forecast->coming);
		forecast->coming[forecast->coming_count++] = workload;
	}
}

/* ---- what comes of a cycle ---------------------------------------------------------------------------------------------------------------- */

static void note_step(struct forecast *forecast, const struct stint_decision *decision, bool later)
{
	struct stint_pod_view pod;
	struct stint_node_view node;
	const struct stint_mirror_group *group = stint_mirror_group_by_handle(forecast->mirror, decision->group);
	const struct stint_mirror_group *serves =
		decision->serves == STINT_NO_HANDLE ? NULL : stint_mirror_group_by_handle(forecast->mirror, decision->serves);
	if (!group || !stint_engine_pod_view(forecast->engine, decision->pod, &pod) ||
		!stint_engine_node_view(forecast->engine, decision->node, &node))
		return;
	stint_grow(&forecast->steps, &forecast->steps_capacity, forecast->steps_count + 1, sizeof *forecast->steps);
	struct forecast_step *step = &forecast->steps[forecast->steps_count++];
	*step = (struct forecast_step){.kind = decision->kind,
		.action = decision->action,
		.later = later,
		.workload = workload_of(forecast, group),
		.serves = serves ? workload_of(forecast, serves) : NULL,
		.pod = stint_arena_strndup(forecast->arena, pod.pod->meta.name, strlen(pod.pod->meta.name)),
		.node = stint_arena_strndup(forecast->arena, node.name, strlen(node.name)),
		.devices = decision->kind == STINT_DECIDE_BIND ? decision->devices : pod.devices,
		.gpus = pod.gpus,
		.lost_gpu_seconds = decision->lost_gpu_seconds};
	if (decision->kind == STINT_DECIDE_EVICT)
		step->workload->evicted++;
}

/* ---- resource claims of pods that go ------------------------------------------------------------------------------------------------------ */

static struct stint_resource_claim *claim_of(
	const struct forecast *forecast, const struct stint_pod *pod, const struct stint_pod_claim *named)
{
	stint_autofree char *key = named->claim ? stint_format("%s/%s", pod->meta.space, named->claim) : NULL;
	return key ? stint_map_get(forecast->claims, key) : NULL;
}

/* As it was without the devices that it has, and without who uses it. The arena's, as all that comes back: it outlives mirror and engine. */
static struct stint_resource_claim *emptied(struct forecast *forecast, const struct stint_resource_claim *claim)
{
	struct stint_resource_claim *again = stint_arena_alloc(forecast->arena, sizeof *again);
	*again = *claim;
	again->meta.refs = 1;
	again->allocated = false;
	again->node = NULL;
	again->results = NULL;
	again->consumers = NULL;
	again->results_count = again->consumers_count = 0;
	return again;
}

/* Without that consumer; with the last one go the devices. */
static struct stint_resource_claim *without(
	struct forecast *forecast, const struct stint_resource_claim *claim, const struct stint_pod *pod)
{
	struct stint_resource_claim *again = emptied(forecast, claim);
	struct stint_claim_consumer *others = stint_arena_alloc(forecast->arena, (claim->consumers_count + 1) * sizeof *others);
	for (uint32_t i = 0; i < claim->consumers_count; i++) {
		if (!claim->consumers[i].uid || strcmp(claim->consumers[i].uid, pod->meta.uid) != 0)
			others[again->consumers_count++] = claim->consumers[i];
	}
	again->consumers = others;
	again->allocated = claim->allocated && again->consumers_count > 0;
	if (!again->allocated)
		return again;
	again->node = claim->node;
	again->results = claim->results;
	again->results_count = claim->results_count;
	return again;
}

/* Claims that were made for the pod go with it; of others it is no consumer any more. In a cluster controllers see to that. */
static void give_back(struct forecast *forecast, const struct stint_pod *pod)
{
	for (uint32_t i = 0; i < pod->claims_count; i++) {
		struct stint_resource_claim *claim = claim_of(forecast, pod, &pod->claims[i]);
		if (claim && pod->claims[i].from_template) {
			stint_mirror_remove(forecast->mirror, &claim->meta);
		} else if (claim) {
			struct stint_resource_claim *again = without(forecast, claim, pod);
			put_claim(forecast, again);
			stint_mirror_put(forecast->mirror, &again->meta);
		}
	}
}

/* Of the claims that were made for it, new ones. */
static void claim_again(struct forecast *forecast, struct stint_pod *again)
{
	struct stint_pod_claim *claims = stint_arena_alloc(forecast->arena, (again->claims_count + 1) * sizeof *claims);
	for (uint32_t i = 0; i < again->claims_count; i++) {
		claims[i] = again->claims[i];
		const struct stint_resource_claim *claim = claim_of(forecast, again, &claims[i]);
		if (!claim || !claims[i].from_template)
			continue;
		struct stint_resource_claim *other = emptied(forecast, claim);
		stint_autofree char *name = stint_format("%s-again-%zu", claim->meta.name, forecast->replaced);
		stint_autofree char *uid = stint_format("again:%zu:%s", forecast->replaced, claim->meta.uid);
		other->meta.name = claims[i].claim = stint_arena_strndup(forecast->arena, name, strlen(name));
		other->meta.uid = stint_arena_strndup(forecast->arena, uid, strlen(uid));
		put_claim(forecast, other);
		stint_mirror_put(forecast->mirror, &other->meta);
	}
	again->claims = claims;
}

/* A pod of the same kind, as its controller would make one now. */
static struct stint_object *replacement(struct forecast *forecast, const struct stint_pod *pod)
{
	struct stint_pod *again = stint_arena_alloc(forecast->arena, sizeof *again);
	stint_autofree char *uid = stint_format("again:%zu:%s", forecast->replaced++, pod->meta.uid);
	*again = *pod;
	again->meta.refs = 1; /* the arena's: it outlives mirror and engine */
	again->meta.uid = stint_arena_strndup(forecast->arena, uid, strlen(uid));
	again->meta.created_ms = forecast->question->now_ms;
	again->meta.deleted_ms = -1;
	again->node = again->nominated_node = NULL;
	again->phase = STINT_PHASE_PENDING;
	again->started_ms = -1;
	again->scheduled = STINT_UNKNOWN;
	claim_again(forecast, again);
	return &again->meta;
}

static bool comes_back(const struct forecast *forecast, const struct stint_pod *pod)
{
	if (!pod->meta.owner.kind || pod->meta.deleted_ms >= 0)
		return false;
	const struct stint_owner *owner = stint_catalog_owner(stint_mirror_catalog(forecast->mirror), pod->meta.owner.uid);
	return !owner || owner->meta.deleted_ms < 0;
}

/* It is gone; what was on its way out already was replaced when that began, if ever. */
static void leave(struct forecast *forecast, struct stint_mirror_pod *pod)
{
	struct stint_object *object = stint_object_ref(&pod->pod->meta);
	struct stint_object *again = comes_back(forecast, pod->pod) ? replacement(forecast, pod->pod) : NULL;
	if (!again && pod->group && pod->pod->meta.deleted_ms < 0)
		workload_of(forecast, pod->group)->gone++;
	stint_mirror_remove(forecast->mirror, object);
	give_back(forecast, stint_pod_of(object));
	if (again)
		stint_mirror_put(forecast->mirror, again);
	stint_object_unref(object);
}

/* True: something went. */
static bool let_go(struct forecast *forecast)
{
	struct {
		struct stint_mirror_pod **items;
		size_t count, capacity;
	} leaving = {0};
	struct stint_mirror_pod *pod = NULL;
	for (size_t at = 0; stint_mirror_next_pod(forecast->mirror, &at, &pod);) {
		struct stint_pod_view view;
		const bool known = pod->handle != STINT_NO_HANDLE && stint_engine_pod_view(forecast->engine, pod->handle, &view);
		if (!pod->eviction && (!known || view.status != STINT_POD_RELEASING))
			continue;
		stint_grow(&leaving.items, &leaving.capacity, leaving.count + 1, sizeof(struct stint_mirror_pod *));
		leaving.items[leaving.count++] = pod;
	}
	for (size_t i = 0; i < leaving.count; i++)
		leave(forecast, leaving.items[i]);
	free(leaving.items);
	return leaving.count > 0;
}

/* The array is the engine's until the next change, so what it says is noted before anything is done. */
static bool carry_out(struct forecast *forecast, const struct stint_cycle *cycle, bool later)
{
	const size_t before = forecast->steps_count;
	stint_autofree uint32_t *bound = stint_alloc((cycle->count + 1) * sizeof *bound);
	size_t count = 0; /* as from a decision until the watch tells it: `bind` and `eviction` of its pod say what is under way */
	for (size_t i = 0; i < cycle->count; i++) {
		const struct stint_decision *decision = &cycle->decisions[i];
		struct stint_mirror_pod *pod = stint_mirror_pod_by_handle(forecast->mirror, decision->pod);
		if (decision->kind == STINT_DECIDE_BIND) {
			bound[count++] = decision->pod;
			pod->bind = forecast;
		}
		if (decision->kind == STINT_DECIDE_EVICT)
			pod->eviction = forecast;
		if (decision->kind == STINT_DECIDE_BIND || decision->kind == STINT_DECIDE_EVICT)
			note_step(forecast, decision, later);
	}
	for (size_t i = 0; i < count; i++)
		stint_engine_pod_confirm(forecast->engine, bound[i]);
	return forecast->steps_count > before;
}

static void count_pods(struct forecast *forecast)
{
	struct stint_mirror_pod *pod = NULL;
	for (size_t at = 0; stint_mirror_next_pod(forecast->mirror, &at, &pod);) {
		if (!pod->group || stint_pod_ended(pod->pod))
			continue;
		struct forecast_workload *workload = workload_of(forecast, pod->group);
		if (pod->pod->node || pod->bind)
			workload->placed++;
		else if (pod->pod->meta.deleted_ms < 0)
			workload->waiting++;
	}
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------------------ */

struct forecast *forecast_run(const struct stint_snapshot *snapshot, const struct stint_forecast_question *question, bool coming)
{
	struct forecast *forecast = stint_alloc(sizeof *forecast);
	*forecast = (struct forecast){.question = question,
		.arena = stint_arena_new(0),
		.engine = stint_engine_new(),
		.workloads = stint_map_new(NULL),
		.claims = stint_map_new(NULL)};
	forecast->mirror = stint_mirror_new(forecast->engine, question->scheduler_names,
		&(struct stint_mirror_hooks){.changed = nothing_to_wake, .owner_missing = on_owner_missing, .user = forecast});
	stint_mirror_see(forecast->mirror, STINT_KIND_CONFIG_MAP, false); /* a snapshot has none */
	stint_mirror_see(forecast->mirror, STINT_KIND_VOLUME_CLAIM, !snapshot->hides_volumes);
	put_all(forecast, &snapshot->all);
	if (coming)
		put_all(forecast, &snapshot->coming);
	stint_mirror_settle(forecast->mirror, question->now_ms); /* finds out which owners are missing */
	stint_mirror_settle(forecast->mirror, question->now_ms);
	if (question->usage)
		stint_usage_apply(question->usage, forecast->engine);
	if (coming)
		note_coming(forecast, &snapshot->coming);
	for (int64_t number = 0; number < MOST_CYCLES && !forecast->settled; number++) {
		const int64_t now_ms = question->now_ms + number;
		stint_mirror_settle(forecast->mirror, now_ms);
		note_workloads(forecast);
		const struct stint_cycle cycle = stint_engine_cycle(forecast->engine, question->policy, now_ms);
		const bool decided = carry_out(forecast, &cycle, number > 0), went = let_go(forecast);
		forecast->settled = !decided && !went;
	}
	stint_mirror_settle(forecast->mirror, question->now_ms + MOST_CYCLES);
	count_pods(forecast);
	return forecast;
}

void forecast_free(struct forecast *forecast)
{
	if (!forecast)
		return;
	stint_mirror_free(forecast->mirror);
	stint_engine_free(forecast->engine);
	stint_map_free(forecast->workloads);
	stint_map_free(forecast->claims);
	free(forecast->coming);
	free(forecast->steps);
	stint_arena_free(forecast->arena);
	free(forecast);
}

/* What the scheduler said of the pod when it had failed to carry a decision out: it tries that again after a pause, whose end nobody tells. */
static bool has_failed(const struct stint_pod *pod)
{
	static const char *const words[] = {"BindRefused", "DeviceHolderFailed", "VolumeNotGiven"};
	for (size_t i = 0; i < STINT_COUNT(words) && !pod->node && !stint_pod_ended(pod); i++) {
		if (pod->scheduled == STINT_FALSE && pod->scheduled_reason && strcmp(pod->scheduled_reason, words[i]) == 0)
			return true;
	}
	return false;
}

static void note_failed(const struct stint_snapshot *snapshot, struct stint_json *told)
{
	for (size_t i = 0; i < snapshot->pods.count; i++) {
		if (has_failed(stint_pod_of(snapshot->pods.items[i]))) {
			stint_json_append(stint_json_ensure_array(told, "not_considered"), stint_json_new_string("failed binds"));
			return;
		}
	}
}

struct stint_json *stint_forecast(const struct stint_snapshot *snapshot, const struct stint_forecast_question *question)
{
	struct forecast *before = forecast_run(snapshot, question, false), *after = forecast_run(snapshot, question, true);
	struct stint_json *told = forecast_tell(before, after);
	note_failed(snapshot, told);
	forecast_free(before);
	forecast_free(after);
	return told;
}
