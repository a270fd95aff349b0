/*
 * evictor: from an eviction decided to one that happened. See evictor.h.
 *
 * State: the outbox of evictions with its sender, a timer for its repeats and its pace, and the groups that are spared with the time when
 * that ends.
 */
#include <scheduler/evictor.h>
#include <stint/workload.h>

#include <stdlib.h>
#include <string.h>

enum { SPARE_MS = 5 * 60 * 1000 };

struct spared {
	char *key; /* of the group */
	int64_t until_ms; /* monotonic */
	struct spared *next;
};

struct stint_evictor {
	struct stint_evictor_options options;
	struct stint_outbox *outbox;
	struct stint_eviction_sender sender;
	struct stint_timer *timer, *spare_timer;
	struct spared *spared, **spared_end; /* the earliest end first */
	bool closed;
};

/* ---- the words ------------------------------------------------------------------------------------------------------------------------ */

const char *stint_eviction_reason(enum stint_action action, const char *moved_to)
{
	if (moved_to)
		return "Moved";
	switch (action) {
	case STINT_ACTION_RECLAIM: return "Reclaimed";
	case STINT_ACTION_PREEMPT: return "Preempted";
	case STINT_ACTION_CONSOLIDATION: return "Moved";
	case STINT_ACTION_STALE: return "GangIncomplete";
	case STINT_ACTION_ALLOCATE:
	case STINT_ACTIONS: break;
	}
	return "Evicted";
}

char *stint_eviction_sentence(
	const struct stint_engine *engine, const struct stint_mirror *mirror, const struct stint_decision *decision, const char *moved_to)
{
	if (decision->action == STINT_ACTION_STALE)
		return stint_strdup("fewer of its pods run than have to run together, for longer than its grace period");
	struct stint_group_view served = {0};
	const struct stint_mirror_group *group = stint_mirror_group_by_handle(mirror, decision->serves);
	const struct stint_mirror_pod *victim = stint_mirror_pod_by_handle(mirror, decision->pod);
	stint_engine_group_view(engine, decision->serves, &served);
	const bool one_project = group && victim && strcmp(group->space, victim->pod->meta.space) == 0;
	stint_autofree char *whom = one_project ? stint_format("workload %s", group->workload_name)
						: stint_format("queue \"%s\"", served.queue_name ? served.queue_name : "?");
	if (moved_to)
		return stint_format("room is made for %s; a place on node %s is kept for it", whom, moved_to);
	if (decision->action == STINT_ACTION_RECLAIM)
		return stint_format("%s has not had its share, and this is beyond the share of its own queue", whom);
	return stint_format("%s has a higher priority", whom);
}

char *stint_eviction_loss(double gpus, int64_t ran_ms)
{
	char number[STINT_QUANTITY_SIZE], time[STINT_TIME_SIZE];
	if (gpus <= 0 || ran_ms < 0)
		return stint_strdup("");
	return stint_format(
		"; lost: %s GPU%s after %s", stint_gpus_format(gpus, number), gpus == 1 ? "" : "s", stint_duration_format(ran_ms, time));
}

/* ---- groups that are spared ------------------------------------------------------------------------------------------------------------ */

static void spare_group(struct stint_evictor *evictor, const struct stint_mirror_pod *pod)
{
	if (!pod->group)
		return;
	stint_engine_group_spare(evictor->options.engine, pod->group->handle, true);
	struct spared *spared = stint_alloc(sizeof(*spared));
	*spared = (struct spared){.key = stint_strdup(pod->group->key), .until_ms = stint_monotonic_ms() + SPARE_MS};
	*evictor->spared_end = spared;
	evictor->spared_end = &spared->next;
	if (!stint_timer_active(evictor->spare_timer))
		stint_timer_set(evictor->spare_timer, SPARE_MS);
}

static void forget_first(struct stint_evictor *evictor)
{
	struct spared *first = evictor->spared;
	evictor->spared = first->next;
	if (!evictor->spared)
		evictor->spared_end = &evictor->spared;
	free(first->key);
	free(first);
}

static void on_spare_timer(void *user)
{
	struct stint_evictor *evictor = user;
	const int64_t now_ms = stint_monotonic_ms();
	while (evictor->spared && evictor->spared->until_ms <= now_ms) {
		const uint32_t group = stint_engine_group_find(evictor->options.engine, evictor->spared->key);
		if (group != STINT_NO_HANDLE)
			stint_engine_group_spare(evictor->options.engine, group, false);
		forget_first(evictor);
	}
	if (evictor->spared)
		stint_timer_set(evictor->spare_timer, evictor->spared->until_ms - now_ms);
	evictor->options.again(evictor->options.user);
}

/* ---- the outbox's hooks ------------------------------------------------------------------------------------------------------------------ */

static void pump(struct stint_evictor *evictor)
{
	if (evictor->closed)
		return;
	const int64_t now_ms = stint_monotonic_ms();
	const int64_t next_ms = stint_outbox_run(evictor->outbox, now_ms, evictor->options.write_until_ms(evictor->options.user));
	if (next_ms >= 0)
		stint_timer_set(evictor->timer, next_ms - now_ms);
}

static void on_timer(void *user)
{
	pump(user);
}

static void send_eviction(void *user, struct stint_errand *errand)
{
	struct stint_evictor *evictor = user;
	stint_eviction_call_start(&evictor->sender, (struct stint_eviction *)errand);
}

static void cancel_eviction(void *user, struct stint_errand *errand)
{
	(void)user;
	stint_eviction_call_cancel((struct stint_eviction *)errand);
}

static void discard_eviction(struct stint_errand *errand)
{
	stint_eviction_free((struct stint_eviction *)errand);
}

static void answered(
	void *user, struct stint_eviction *eviction, enum stint_errand_outcome outcome, const char *message, int64_t retry_after_ms)
{
	struct stint_evictor *evictor = user;
	if (outcome != STINT_ERRAND_HALF_DONE)
		stint_metrics_add(evictor->options.metrics, STINT_METRIC_EVICTIONS, 1, stint_eviction_outcome_name(outcome));
	const bool blocked = outcome == STINT_ERRAND_NOT_YET;
	if (outcome == STINT_ERRAND_UNCERTAIN || (blocked && eviction->errand.attempts == 1))
		stint_log(evictor->options.logger, blocked ? STINT_LOG_INFO : STINT_LOG_WARN, "eviction of pod %s/%s %s: %s",
			eviction->space, eviction->pod,
			blocked ? "has to wait for its disruption budget" : "has no certain answer and is repeated",
			message ? message : "no answer");
	stint_outbox_answer(evictor->outbox, &eviction->errand, outcome, message, stint_monotonic_ms(), retry_after_ms);
	pump(evictor);
	if (stint_outbox_in_flight(evictor->outbox) == 0)
		evictor->options.idle(evictor->options.user);
}

static void eviction_done(void *user, struct stint_errand *errand, enum stint_errand_outcome outcome, const char *message)
{
	struct stint_evictor *evictor = user;
	const struct stint_eviction *eviction = (const struct stint_eviction *)errand;
	struct stint_mirror_pod *pod = errand->owner;
	pod->eviction = NULL;
	if (outcome == STINT_ERRAND_DONE) {
		evictor->options.evicted(evictor->options.user, pod, eviction);
		return;
	}
	if (outcome == STINT_ERRAND_GONE)
		return; /* its news are on the way */
	stint_log(evictor->options.logger, STINT_LOG_WARN, "pod %s/%s stays, its eviction was refused (%s): %s", eviction->space,
		eviction->pod, stint_eviction_outcome_name(outcome), message ? message : "no reason given");
	if (pod->handle != STINT_NO_HANDLE)
		stint_engine_pod_stay(evictor->options.engine, pod->handle);
	spare_group(evictor, pod);
	evictor->options.again(evictor->options.user);
}

/* ---- decisions --------------------------------------------------------------------------------------------------------------------------- */

/* The node that this commit keeps for a pod that it evicts. */
static const char *moved_to(const struct stint_evictor *evictor, const struct stint_decision *decisions, size_t count, size_t at)
{
	struct stint_node_view node;
	for (size_t i = at + 1; i < count && decisions[i].action == decisions[at].action; i++) {
		if (decisions[i].pod != decisions[at].pod)
			continue;
		return decisions[i].kind == STINT_DECIDE_RESERVE &&
				stint_engine_node_view(evictor->options.engine, decisions[i].node, &node)
			? node.name
			: NULL;
	}
	return NULL;
}

/* Memory of a device counts by the device that it is of. */
static double gpus_of(const struct stint_evictor *evictor, const struct stint_pod *pod)
{
	struct stint_node_view view = {0};
	double gpus;
	const uint32_t node = pod->node ? stint_engine_node_find(evictor->options.engine, pod->node) : STINT_NO_HANDLE;
	if (node != STINT_NO_HANDLE)
		stint_engine_node_view(evictor->options.engine, node, &view);
	return stint_pod_gpus(pod, view.node, &gpus) ? gpus : -1;
}

static void take_one(struct stint_evictor *evictor, const struct stint_decision *decision, const char *place)
{
	struct stint_mirror_pod *pod = stint_mirror_pod_by_handle(evictor->options.mirror, decision->pod);
	if (!pod || pod->eviction || (pod->bind && evictor->options.void_bind && evictor->options.void_bind(evictor->options.user, pod)))
		return;
	const struct stint_object *meta = &pod->pod->meta;
	const int64_t now_ms = stint_now_ms();
	const double gpus = gpus_of(evictor, pod->pod);
	const int64_t ran_ms = pod->pod->started_ms >= 0 && pod->pod->started_ms <= now_ms ? now_ms - pod->pod->started_ms : -1;
	stint_autofree char *why = stint_eviction_sentence(evictor->options.engine, evictor->options.mirror, decision, place);
	stint_autofree char *loss = stint_eviction_loss(gpus, ran_ms), *sentence = stint_format("%s%s", why, loss);
	struct stint_eviction *eviction = stint_eviction_new(pod, meta->space, meta->name, meta->uid,
		stint_eviction_reason(decision->action, place), sentence, now_ms, evictor->options.direct);
	eviction->gpus = gpus;
	eviction->ran_ms = ran_ms;
	pod->eviction = eviction;
	stint_outbox_add(evictor->outbox, &eviction->errand);
	stint_log(evictor->options.logger, STINT_LOG_INFO, "pod %s/%s is evicted (%s): %s", meta->space, meta->name, eviction->reason,
		sentence);
}

void stint_evictor_take(struct stint_evictor *evictor, const struct stint_decision *decisions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (decisions[i].kind == STINT_DECIDE_EVICT)
			take_one(evictor, &decisions[i], moved_to(evictor, decisions, count, i));
	}
	pump(evictor);
}

void stint_evictor_pod_gone(struct stint_evictor *evictor, struct stint_mirror_pod *pod)
{
	struct stint_eviction *eviction = pod->eviction;
	if (!eviction)
		return;
	pod->eviction = NULL;
	/* Its end may be seen before the answer is. */
	if (!evictor->closed && eviction->told && eviction->errand.state == STINT_ERRAND_SENT)
		evictor->options.evicted(evictor->options.user, pod, eviction);
	stint_outbox_drop(evictor->outbox, &eviction->errand);
}

void stint_evictor_close(struct stint_evictor *evictor)
{
	evictor->closed = true;
	struct stint_mirror_pod *pod = NULL;
	for (size_t at = 0; stint_mirror_next_pod(evictor->options.mirror, &at, &pod);)
		stint_evictor_pod_gone(evictor, pod);
}

size_t stint_evictor_in_flight(const struct stint_evictor *evictor)
{
	return stint_outbox_in_flight(evictor->outbox);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------------ */

struct stint_evictor *stint_evictor_new(const struct stint_evictor_options *options)
{
	struct stint_evictor *evictor = stint_alloc(sizeof(*evictor));
	evictor->options = *options;
	evictor->spared_end = &evictor->spared;
	evictor->sender = (struct stint_eviction_sender){options->kube, answered, evictor};
	evictor->outbox = stint_outbox_new(options->in_flight_max, options->per_second,
		&(struct stint_outbox_hooks){.send = send_eviction,
			.cancel = cancel_eviction,
			.done = eviction_done,
			.discard = discard_eviction,
			.user = evictor});
	struct stint_loop *loop = stint_kube_loop(options->kube);
	evictor->timer = stint_timer_new(loop, on_timer, evictor);
	evictor->spare_timer = stint_timer_new(loop, on_spare_timer, evictor);
	return evictor;
}

void stint_evictor_free(struct stint_evictor *evictor)
{
	if (!evictor)
		return;
	while (evictor->spared)
		forget_first(evictor);
	stint_timer_free(evictor->timer);
	stint_timer_free(evictor->spare_timer);
	stint_outbox_free(evictor->outbox);
	free(evictor);
}
