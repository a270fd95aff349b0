/*
 * session: joins mirror, engine, placer and tellers of reasons. See session.h.
 *
 * State: the parts, made in the order in which they lean on each other and freed in reverse, and two timers: `soon` coalesces the changes of
 * a few milliseconds into one cycle, `later` wakes for what changes with time alone.
 */
#include <scheduler/session.h>

#include <scheduler/announcer.h>
#include <scheduler/conditions.h>
#include <scheduler/evictor.h>
#include <scheduler/feed.h>
#include <scheduler/placer.h>
#include <scheduler/recording.h>
#include <scheduler/session_metrics.h>
#include <scheduler/usage_keeper.h>

#include <stdlib.h>

enum { COALESCE_MS = 3, AGE_MS = 10 * 1000, BINDS_IN_FLIGHT = 32, EVICTIONS_IN_FLIGHT = 64 };

struct stint_session {
	struct stint_session_options options;
	struct stint_policy policy;
	struct stint_model *model;
	struct stint_engine *engine;
	struct stint_mirror *mirror;
	struct stint_holders *holders;
	struct stint_placer *placer;
	struct stint_evictor *evictor;
	struct stint_conditions *conditions;
	struct stint_announcer *announcer;
	struct stint_feed *feed;
	struct stint_usage_keeper *usage; /* NULL: past use does not count */
	struct stint_recording *recording; /* NULL: none is made */
	struct stint_timer *soon, *later;
	int64_t wake_ms; /* wall clock: the earliest end of a back-off, a delay or what else a cycle waits for; 0: none */
	bool draining;
	void (*drained)(void *user);
	void *drained_user;
};

/* ---- the cycle ----------------------------------------------------------------------------------------------------------------------------- */

static void wake_soon(void *user)
{
	struct stint_session *session = user;
	if (!stint_timer_active(session->soon))
		stint_timer_set(session->soon, COALESCE_MS);
}

static void set_later(struct stint_session *session)
{
	const int64_t now_ms = stint_now_ms();
	int64_t delay_ms = AGE_MS;
	if (session->wake_ms > 0 && session->wake_ms - now_ms < delay_ms)
		delay_ms = session->wake_ms > now_ms ? session->wake_ms - now_ms : 0;
	stint_timer_set(session->later, delay_ms);
}

static void on_later(void *user)
{
	struct stint_session *session = user;
	const int64_t now_ms = stint_now_ms();
	/* What ended need not be a back-off: nobody but the next cycle knows of a delay, a hold or an estimate. */
	if (session->wake_ms > 0 && session->wake_ms <= now_ms) {
		session->wake_ms = 0;
		wake_soon(session);
	}
	stint_mirror_age(session->mirror, now_ms);
	set_later(session);
}

static void note_cycle(struct stint_session *session, const struct stint_cycle *cycle, int64_t took_us)
{
	struct stint_metrics *metrics = session->options.metrics;
	stint_metrics_add(metrics, STINT_METRIC_CYCLES, 1);
	stint_metrics_set(metrics, STINT_METRIC_CYCLE_MS, (double)took_us / 1000);
	stint_metrics_observe(metrics, STINT_METRIC_CYCLE_SECONDS, (double)took_us / 1e6);
	stint_metrics_add(metrics, STINT_METRIC_GROUPS_TRIED, (double)cycle->tried);
	for (size_t i = 0; i < cycle->count; i++) {
		const struct stint_decision *decision = &cycle->decisions[i];
		const char *action = stint_action_name(decision->action);
		if (decision->kind == STINT_DECIDE_BIND && (i == 0 || decision->group != cycle->decisions[i - 1].group))
			stint_metrics_add(metrics, STINT_METRIC_GROUPS_SCHEDULED, 1, action);
		if (decision->kind == STINT_DECIDE_EVICT) {
			stint_metrics_add(metrics, STINT_METRIC_VICTIMS, 1, action);
			stint_metrics_add(metrics, STINT_METRIC_LOST_GPU_SECONDS, decision->lost_gpu_seconds, action);
		}
	}
}

/* A cycle changes the state by its time alone: minimum run times end, gangs become stale. */
static void wake_at(struct stint_session *session, int64_t at_ms)
{
	if (session->wake_ms == 0 || at_ms < session->wake_ms) {
		session->wake_ms = at_ms;
		set_later(session);
	}
}

static void run_cycle(void *user)
{
	struct stint_session *session = user;
	if (!stint_feed_synced(session->feed) || session->draining || (session->usage && !stint_usage_keeper_ready(session->usage)))
		return;
	const int64_t now_ms = stint_now_ms();
	stint_mirror_settle(session->mirror, now_ms);
	stint_holders_sweep(session->holders);
	stint_placer_run(session->placer);

	const int64_t started_us = stint_monotonic_us();
	const struct stint_cycle cycle = stint_engine_cycle(session->engine, &session->policy, now_ms);
	note_cycle(session, &cycle, stint_monotonic_us() - started_us);
	for (size_t i = 0; i < cycle.judged_count; i++) {
		struct stint_mirror_group *group = stint_mirror_group_by_handle(session->mirror, cycle.judged[i]);
		if (group)
			stint_mirror_mark_group(session->mirror, group);
	}
	if (cycle.next_ms > now_ms)
		wake_at(session, cycle.next_ms);
	/* Evictions first: taking binds may undo one at once, which ends the engine's array. */
	stint_evictor_take(session->evictor, cycle.decisions, cycle.count);
	stint_placer_take(session->placer, cycle.decisions, cycle.count);
	stint_conditions_run(session->conditions);
}

/* ---- hooks of the parts ------------------------------------------------------------------------------------------------------------------------ */

static int64_t write_until(void *user)
{
	const struct stint_session *session = user;
	return session->options.write_until_ms(session->options.user);
}

/* Places come first: what only tells something waits until no bind does, and until no eviction is being written. */
static bool may_tell(void *user)
{
	struct stint_session *session = user;
	return stint_placer_pending(session->placer) == 0 && stint_evictor_in_flight(session->evictor) == 0 && !session->draining &&
		stint_monotonic_ms() < write_until(session);
}

static void on_placed(void *user, struct stint_mirror_pod *pod, const char *node)
{
	struct stint_session *session = user;
	stint_announcer_scheduled(session->announcer, pod->pod, node);
}

/* There is nothing to evict any more. */
static void on_unplaced(void *user, struct stint_mirror_pod *pod)
{
	struct stint_session *session = user;
	stint_evictor_pod_gone(session->evictor, pod);
}

static bool on_void_bind(void *user, const struct stint_mirror_pod *pod)
{
	(void)user;
	return stint_placer_gives_up(pod); /* which it does when it takes the same decisions */
}

static void on_evicted(void *user, struct stint_mirror_pod *pod, const struct stint_eviction *eviction)
{
	struct stint_session *session = user;
	stint_announcer_evicted(session->announcer, pod->pod, eviction);
}

static void on_again(void *user, int64_t until_ms)
{
	struct stint_session *session = user;
	if (until_ms == 0)
		wake_soon(session);
	else
		wake_at(session, until_ms);
}

static size_t in_flight(const struct stint_session *session)
{
	return stint_placer_in_flight(session->placer) + stint_evictor_in_flight(session->evictor);
}

static void on_idle(void *user)
{
	struct stint_session *session = user;
	if (session->draining && session->drained && !in_flight(session)) {
		void (*drained)(void *) = session->drained;
		session->drained = NULL;
		drained(session->drained_user); /* may free the session */
		return;
	}
	stint_conditions_run(session->conditions);
}

static void on_pod_gone(void *user, struct stint_mirror_pod *pod)
{
	struct stint_session *session = user;
	if (session->placer)
		stint_placer_pod_gone(session->placer, pod);
	if (session->evictor)
		stint_evictor_pod_gone(session->evictor, pod);
}

static void on_owner_missing(void *user, const struct stint_owner_reference *reference, const char *space)
{
	struct stint_session *session = user;
	if (session->feed)
		stint_feed_seek_owner(session->feed, reference, space);
}

/* Shares that were placed by somebody before us must have holders; most have, and this finds them. */
static void on_synced(void *user)
{
	struct stint_session *session = user;
	stint_mirror_settle(session->mirror, stint_now_ms());
	struct stint_mirror_pod *pod = NULL;
	for (size_t at = 0; stint_mirror_next_pod(session->mirror, &at, &pod);) {
		struct stint_node_view node;
		const enum stint_gpu_kind kind = pod->pod->spec->gpu.kind;
		if (!pod->ours || !pod->pod->node || stint_pod_ended(pod->pod) || (kind != STINT_GPU_FRACTION && kind != STINT_GPU_MEMORY))
			continue;
		const uint32_t handle = stint_engine_node_find(session->engine, pod->pod->node);
		if (handle != STINT_NO_HANDLE && stint_engine_node_view(session->engine, handle, &node) && node.node &&
			!node.node->is_virtual)
			stint_holders_adopt_share(session->holders, pod->pod);
	}
	if (session->usage)
		stint_usage_keeper_apply(session->usage);
	stint_recording_known(session->recording);
	stint_log(session->options.logger, STINT_LOG_INFO, "the cluster is known; scheduling begins");
	wake_soon(session);
}

/* ---- life -------------------------------------------------------------------------------------------------------------------------------------- */

static struct stint_recording *make_recording(struct stint_session *session)
{
	const struct stint_session_options *options = &session->options;
	if (!options->settings->journal)
		return NULL;
	return stint_recording_begin(&(struct stint_recording_options){.engine = session->engine,
		.path = options->settings->journal,
		.most_bytes = options->settings->journal_mib * 1024 * 1024,
		.logger = options->logger,
		.full = options->journal_full,
		.user = options->user});
}

static struct stint_mirror *make_mirror(struct stint_session *session)
{
	const struct stint_scheduler_options *settings = session->options.settings;
	struct stint_mirror *mirror = stint_mirror_new(session->engine, settings->scheduler_names,
		&(struct stint_mirror_hooks){
			.changed = wake_soon, .owner_missing = on_owner_missing, .pod_gone = on_pod_gone, .user = session});
	stint_mirror_restrict(mirror, settings->node_pool);
	return mirror;
}

static struct stint_holders *make_holders(struct stint_session *session)
{
	const struct stint_session_options *options = &session->options;
	return stint_holders_new(&(struct stint_holders_options){.kube = options->kube,
		.engine = session->engine,
		.model = session->model,
		.recorder = options->recorder,
		.logger = options->logger,
		.image = options->settings->agent_image,
		.write_until_ms = write_until,
		.changed = wake_soon,
		.user = session});
}

static struct stint_placer *make_placer(struct stint_session *session)
{
	const struct stint_session_options *options = &session->options;
	return stint_placer_new(&(struct stint_placer_options){.kube = options->kube,
		.engine = session->engine,
		.mirror = session->mirror,
		.metrics = options->metrics,
		.holders = session->holders,
		.logger = options->logger,
		.in_flight_max = BINDS_IN_FLIGHT,
		.pool = options->settings->node_pool,
		.write_until_ms = write_until,
		.placed = on_placed,
		.changed = wake_soon,
		.again = on_again,
		.unplaced = on_unplaced,
		.idle = on_idle,
		.user = session});
}

static struct stint_evictor *make_evictor(struct stint_session *session)
{
	const struct stint_session_options *options = &session->options;
	return stint_evictor_new(&(struct stint_evictor_options){.kube = options->kube,
		.engine = session->engine,
		.mirror = session->mirror,
		.metrics = options->metrics,
		.logger = options->logger,
		.in_flight_max = EVICTIONS_IN_FLIGHT,
		.per_second = (unsigned)options->settings->eviction_rate,
		.direct = options->settings->evictions == STINT_EVICTIONS_DIRECT,
		.write_until_ms = write_until,
		.void_bind = on_void_bind,
		.evicted = on_evicted,
		.again = wake_soon,
		.idle = on_idle,
		.user = session});
}

static struct stint_conditions *make_conditions(struct stint_session *session)
{
	const struct stint_session_options *options = &session->options;
	return stint_conditions_new(&(struct stint_conditions_options){.kube = options->kube,
		.engine = session->engine,
		.mirror = session->mirror,
		.recorder = options->recorder,
		.logger = options->logger,
		.may_write = may_tell,
		.user = session});
}

static struct stint_usage_keeper *make_usage_keeper(struct stint_session *session)
{
	const struct stint_session_options *options = &session->options;
	if (options->settings->usage_half_life_ms <= 0)
		return NULL;
	return stint_usage_keeper_new(&(struct stint_usage_keeper_options){.kube = options->kube,
		.engine = session->engine,
		.logger = options->logger,
		.namespace_ = options->namespace_,
		.pool = options->settings->node_pool,
		.half_life_ms = options->settings->usage_half_life_ms,
		.may_write = may_tell,
		.changed = wake_soon,
		.user = session});
}

static struct stint_feed *make_feed(struct stint_session *session)
{
	const struct stint_session_options *options = &session->options;
	return stint_feed_new(&(struct stint_feed_options){.kube = options->kube,
		.model = session->model,
		.mirror = session->mirror,
		.holders = session->holders,
		.metrics = options->metrics,
		.logger = options->logger,
		.synced = on_synced,
		.user = session});
}

struct stint_session *stint_session_new(const struct stint_session_options *options)
{
	struct stint_session *session = stint_alloc(sizeof(*session));
	struct stint_loop *loop = stint_kube_loop(options->kube);
	session->options = *options;
	stint_scheduler_options_policy(options->settings, &session->policy);
	session->model = stint_model_new();
	session->engine = stint_engine_new();
	session->recording = make_recording(session);
	session->soon = stint_timer_new(loop, run_cycle, session);
	session->later = stint_timer_new(loop, on_later, session);
	session->mirror = make_mirror(session);
	session->holders = make_holders(session);
	session->placer = make_placer(session);
	session->evictor = make_evictor(session);
	session->conditions = make_conditions(session);
	session->announcer = stint_announcer_new(loop, options->recorder, may_tell, session);
	session->usage = make_usage_keeper(session);
	session->feed = make_feed(session);
	set_later(session);
	return session;
}

void stint_session_free(struct stint_session *session)
{
	if (!session)
		return;
	stint_feed_free(session->feed);
	stint_usage_keeper_free(session->usage);
	stint_announcer_free(session->announcer);
	stint_conditions_free(session->conditions);
	stint_evictor_free(session->evictor);
	stint_placer_free(session->placer);
	stint_holders_free(session->holders);
	stint_mirror_free(session->mirror);
	stint_recording_end(session->recording);
	stint_engine_free(session->engine);
	stint_model_free(session->model);
	stint_timer_free(session->soon);
	stint_timer_free(session->later);
	free(session);
}

void stint_session_drain(struct stint_session *session, void (*drained)(void *user), void *user)
{
	session->draining = true;
	if (in_flight(session) == 0) {
		drained(user);
		return;
	}
	session->drained = drained;
	session->drained_user = user;
	stint_placer_close(session->placer);
	stint_evictor_close(session->evictor);
}

char *stint_session_missing(const struct stint_session *session)
{
	return stint_feed_missing(session->feed);
}

void stint_session_measure(struct stint_session *session)
{
	stint_measure_engine(session->options.metrics, session->engine);
	stint_measure_mirror(session->options.metrics, session->mirror, session->engine);
	size_t holders[STINT_HOLDER_STATES];
	stint_holders_count(session->holders, holders);
	for (int state = STINT_HOLDER_STARTING; state < STINT_HOLDER_STATES; state++)
		stint_metrics_set(session->options.metrics, STINT_METRIC_HOLDERS, (double)holders[state],
			stint_holder_state_name((enum stint_holder_state)state));
}

struct stint_engine *stint_session_engine(struct stint_session *session)
{
	return session->engine;
}

struct stint_mirror *stint_session_mirror(struct stint_session *session)
{
	return session->mirror;
}
