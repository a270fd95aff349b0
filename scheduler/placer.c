/*
 * placer: from decision to certain outcome. See placer.h.
 *
 * State: the outbox, its sender, and the decisions that wait for volumes or device holders. One timer serves the outbox's repeats. Invariant:
 * a decision that is not in the outbox is in `waiting`, or its resource claims are being written.
 */
#include <scheduler/placer.h>

#include <scheduler/claim_call.h>
#include <scheduler/pool_label.h>
#include <scheduler/volume_binder.h>

#include <stdlib.h>
#include <string.h>

struct placing {
	struct stint_placer *placer;
	struct stint_mirror_pod *pod;
	struct stint_claim_writes *claims; /* NULL: the pod has none */
	char *uuids; /* of a share on a virtual node */
	bool needs_volumes; /* its volume claims come first, then its resource claims, then holders */
	bool needs_holder;
	bool writes_claims; /* some may be written already: let it end */
	char *node;
	uint64_t devices;
	struct stint_bind *bind; /* NULL: it is not in the outbox */
	struct placing *next; /* among those that wait */
};

struct stint_placer {
	struct stint_placer_options options;
	struct stint_outbox *outbox;
	struct stint_bind_sender sender;
	struct stint_volume_binder *volumes;
	struct stint_pool_labels *labels; /* NULL: bound pods get none */
	struct stint_timer *timer;
	struct placing *waiting, **waiting_end;
	bool closed;
};

static void free_placing(struct placing *placing)
{
	stint_claim_writes_free(placing->claims);
	if (placing->needs_volumes)
		stint_volume_binder_drop(placing->placer->volumes, placing->pod->pod->meta.uid);
	free(placing->node);
	free(placing->uuids);
	free(placing);
}

/* ---- the outbox's hooks ---------------------------------------------------------------------------------------------------------------- */

static void pump(struct stint_placer *placer)
{
	if (placer->closed)
		return;
	const int64_t now_ms = stint_monotonic_ms();
	const int64_t next_ms = stint_outbox_run(placer->outbox, now_ms, placer->options.write_until_ms(placer->options.user));
	if (next_ms >= 0)
		stint_timer_set(placer->timer, next_ms - now_ms);
	stint_metrics_set(placer->options.metrics, STINT_METRIC_BINDS_IN_FLIGHT, (double)stint_outbox_in_flight(placer->outbox));
}

static void on_timer(void *user)
{
	stint_placer_run(user);
}

static void send_bind(void *user, struct stint_errand *errand)
{
	struct stint_placer *placer = user;
	struct stint_bind *bind = (struct stint_bind *)errand;
	const struct placing *placing = errand->owner;
	if (errand->state == STINT_ERRAND_SENT && errand->attempts == 1 && placing)
		stint_metrics_observe(placer->options.metrics, STINT_METRIC_TASK_SCHEDULING_MS,
			(double)(stint_now_ms() - placing->pod->pod->meta.created_ms));
	stint_bind_call_start(&placer->sender, bind);
}

static void cancel_bind(void *user, struct stint_errand *errand)
{
	(void)user;
	stint_bind_call_cancel((struct stint_bind *)errand);
}

static void discard_bind(struct stint_errand *errand)
{
	stint_bind_free((struct stint_bind *)errand);
}

static void answered(void *user, struct stint_bind *bind, enum stint_errand_outcome outcome, const char *message, int64_t retry_after_ms)
{
	struct stint_placer *placer = user;
	const int64_t now_ms = stint_monotonic_ms();
	if (bind->errand.state == STINT_ERRAND_SENT) {
		stint_metrics_add(placer->options.metrics, STINT_METRIC_BINDS, 1, stint_bind_outcome_name(outcome));
		stint_metrics_observe(placer->options.metrics, STINT_METRIC_TASK_BIND_MS, (double)(now_ms - bind->errand.sent_ms));
	}
	if (outcome == STINT_ERRAND_UNCERTAIN)
		stint_log(placer->options.logger, STINT_LOG_WARN, "bind of pod %s/%s to node %s has no certain answer and is repeated: %s",
			bind->space, bind->pod, bind->node, message ? message : "no answer");
	if (outcome == STINT_ERRAND_DONE && placer->labels)
		stint_pool_labels_write(placer->labels, bind->space, bind->pod, bind->uid);
	stint_outbox_answer(placer->outbox, &bind->errand, outcome, message, now_ms, retry_after_ms);
	pump(placer);
	if (stint_placer_pending(placer) == 0)
		placer->options.idle(placer->options.user);
}

/*
 * A member of a gang below its minimum whose first bind was refused. Those that are bound stay bound, for nothing here takes a pod from its
 * node; they hold devices until the gang is whole. So it is tried again in the next cycle, where groups below their minimum come first and
 * its place is still free. A second refusal in a row is held back as any other, and then its place may go to somebody else.
 */
static bool completes_gang(const struct stint_placer *placer, const struct stint_mirror_pod *pod)
{
	struct stint_group_view group;
	return pod->failures == 0 && pod->group && stint_engine_group_view(placer->options.engine, pod->group->handle, &group) &&
		group.min_member > 1 && group.active < group.min_member;
}

/* The decision is void: the engine has the pod back, and does not get to place it again at once when that would end the same way. */
static void undo(struct stint_placer *placer, struct stint_mirror_pod *pod, bool hold_back)
{
	stint_mirror_bind_ended(placer->options.mirror, pod);
	if (pod->handle != STINT_NO_HANDLE)
		stint_engine_pod_undo(placer->options.engine, pod->handle);
	if (placer->options.unplaced)
		placer->options.unplaced(placer->options.user, pod);
	int64_t until_ms = 0;
	if (hold_back && completes_gang(placer, pod))
		pod->failures++;
	else if (hold_back)
		until_ms = stint_mirror_hold_back(placer->options.mirror, pod, stint_now_ms());
	if (pod->group)
		stint_mirror_mark_group(placer->options.mirror, pod->group);
	placer->options.again(placer->options.user, until_ms);
}

static void bind_done(void *user, struct stint_errand *errand, enum stint_errand_outcome outcome, const char *message)
{
	struct stint_placer *placer = user;
	const struct stint_bind *bind = (const struct stint_bind *)errand;
	struct placing *placing = errand->owner;
	struct stint_mirror_pod *pod = placing->pod;
	if (outcome == STINT_ERRAND_DONE) {
		stint_mirror_bind_ended(placer->options.mirror, pod);
		pod->failures = 0;
		stint_mirror_pod_note(pod, NULL, NULL);
		if (pod->handle != STINT_NO_HANDLE)
			stint_engine_pod_confirm(placer->options.engine, pod->handle);
		placer->options.placed(placer->options.user, pod, bind->node);
	} else {
		stint_log(placer->options.logger, outcome == STINT_ERRAND_REFUSED ? STINT_LOG_WARN : STINT_LOG_INFO,
			"pod %s/%s was not bound to node %s (%s): %s", bind->space, bind->pod, bind->node, stint_bind_outcome_name(outcome),
			message ? message : "the pod tells otherwise");
		if (outcome == STINT_ERRAND_REFUSED)
			stint_mirror_pod_note(pod, "BindRefused",
				stint_format("the API server refused to bind it to node \"%s\": %s", bind->node,
					message ? message : "no reason given"));
		if (placing->claims)
			stint_claim_writes_undo(placing->claims);
		undo(placer, pod, true);
	}
	free_placing(placing);
}

/* ---- decisions ----------------------------------------------------------------------------------------------------------------------------- */

static char *devices_text(uint64_t devices)
{
	stint_auto_buf text = {0};
	for (int slot = 0; slot < STINT_MAX_DEVICES; slot++) {
		if (devices >> slot & 1)
			stint_buf_printf(&text, "%s%d", text.length ? "," : "", slot);
	}
	return text.length ? stint_buf_steal(&text) : NULL;
}

/* The UUIDs that a virtual node tells of its devices; NULL unless it tells all of them. */
static char *virtual_uuids(const struct stint_node *node, uint64_t devices)
{
	stint_autofree struct stint_gpu_use *use = NULL;
	const size_t count = stint_node_gpu_use(node, &use);
	stint_auto_buf text = {0};
	for (int slot = 0; slot < STINT_MAX_DEVICES; slot++) {
		if (!(devices >> slot & 1))
			continue;
		const char *uuid = NULL;
		for (size_t i = 0; i < count; i++) {
			if (use[i].slot == slot && use[i].uuid[0])
				uuid = use[i].uuid;
		}
		if (!uuid)
			return NULL;
		stint_buf_printf(&text, "%s%s", text.length ? "," : "", uuid);
	}
	return text.length ? stint_buf_steal(&text) : NULL;
}

static void hand_over(struct stint_placer *placer, struct placing *placing, const char *uuids)
{
	const struct stint_object *meta = &placing->pod->pod->meta;
	stint_autofree char *devices = devices_text(placing->devices);
	placing->bind = stint_bind_new(placing, meta->space, meta->name, meta->uid, placing->node, devices, uuids);
	placing->bind->zones = stint_zones_annotation(placer->options.engine, placing->pod->handle);
	stint_outbox_add(placer->outbox, &placing->bind->errand);
}

/* Whether the holders of all its devices are there. READY: *uuids is set, for free(). FAILED: *problem says why. */
static enum stint_holder_state ask_holders(struct stint_placer *placer, const struct placing *placing, char **uuids, const char **problem)
{
	stint_auto_buf text = {0};
	enum stint_holder_state state = STINT_HOLDER_READY;
	for (int slot = 0; slot < STINT_MAX_DEVICES; slot++) {
		if (!(placing->devices >> slot & 1))
			continue;
		const char *uuid = NULL;
		const enum stint_holder_state one = stint_holders_want(
			placer->options.holders, placing->node, slot, placing->pod->pod->spec->runtime_class, &uuid, problem);
		if (one == STINT_HOLDER_FAILED)
			return one;
		if (one != STINT_HOLDER_READY)
			state = one;
		else
			stint_buf_printf(&text, "%s%s", text.length ? "," : "", uuid);
	}
	if (state == STINT_HOLDER_READY)
		*uuids = stint_buf_steal(&text);
	return state;
}

static void wait_on(struct stint_placer *placer, struct placing *placing)
{
	placing->next = NULL;
	*placer->waiting_end = placing;
	placer->waiting_end = &placing->next;
}

/* True: it is over or in the outbox; false: it has to wait on. */
static bool try_holders(struct stint_placer *placer, struct placing *placing)
{
	stint_autofree char *uuids = NULL;
	const char *problem = NULL;
	switch (ask_holders(placer, placing, &uuids, &problem)) {
	case STINT_HOLDER_READY: hand_over(placer, placing, uuids); return true;
	case STINT_HOLDER_FAILED: {
		struct stint_mirror_pod *pod = placing->pod;
		stint_mirror_pod_note(pod, "DeviceHolderFailed", stint_strdup(problem));
		if (placing->claims)
			stint_claim_writes_undo(placing->claims);
		free_placing(placing);
		undo(placer, pod, false); /* the slot is blocked, so the engine looks elsewhere */
		return true;
	}
	case STINT_HOLDER_NONE:
	case STINT_HOLDER_STARTING:
	case STINT_HOLDER_LEAVING:
	case STINT_HOLDER_STATES: break;
	}
	return false;
}

/* What is left to be done before the bind. */
static void go_on(struct stint_placer *placer, struct placing *placing)
{
	if (!placing->needs_holder)
		hand_over(placer, placing, placing->uuids);
	else if (!try_holders(placer, placing))
		wait_on(placer, placing);
}

static void claims_written(void *user, const char *message)
{
	struct placing *placing = user;
	struct stint_placer *placer = placing->placer;
	struct stint_mirror_pod *pod = placing->pod;
	placing->writes_claims = false;
	if (!message) {
		go_on(placer, placing);
		pump(placer);
		return;
	}
	stint_log(placer->options.logger, STINT_LOG_WARN,
		"pod %s/%s was not bound to node %s: its resource claims could not be written: %s", pod->pod->meta.space,
		pod->pod->meta.name, placing->node, message);
	stint_claim_writes_undo(placing->claims);
	free_placing(placing);
	undo(placer, pod, true);
}

static void write_claims(struct stint_placer *placer, struct placing *placing)
{
	if (placing->pod->pod->claims_count && stint_monotonic_ms() < placer->options.write_until_ms(placer->options.user))
		placing->claims = stint_claim_writes_start(
			placer->options.kube, placer->options.engine, placing->pod->handle, placing->node, claims_written, placing);
	placing->writes_claims = placing->claims != NULL;
	if (!placing->claims)
		go_on(placer, placing);
}

/* As try_holders. */
static bool try_volumes(struct stint_placer *placer, struct placing *placing)
{
	struct stint_mirror_pod *pod = placing->pod;
	struct stint_node_view node = {0};
	char *problem = NULL;
	enum stint_volume_state state = STINT_VOLUMES_TAKEN;
	if (stint_engine_node_view(placer->options.engine, stint_engine_node_find(placer->options.engine, placing->node), &node) &&
		node.node)
		state = stint_volume_binder_want(placer->volumes, pod->pod, node.node, &problem);
	if (state == STINT_VOLUMES_WAITING)
		return false;
	if (state == STINT_VOLUMES_READY) {
		stint_volume_binder_drop(placer->volumes, pod->pod->meta.uid);
		placing->needs_volumes = false;
		write_claims(placer, placing);
		return true;
	}
	if (problem) {
		stint_log(placer->options.logger, STINT_LOG_WARN, "pod %s/%s was not bound to node %s: %s", pod->pod->meta.space,
			pod->pod->meta.name, placing->node, problem);
		stint_mirror_pod_note(pod, "VolumeNotGiven", problem);
	}
	free_placing(placing);
	undo(placer, pod, state == STINT_VOLUMES_FAILED);
	return true;
}

static void take_one(struct stint_placer *placer, const struct stint_decision *decision)
{
	struct stint_mirror_pod *pod = stint_mirror_pod_by_handle(placer->options.mirror, decision->pod);
	struct stint_node_view node;
	if (!pod || pod->bind || !stint_engine_node_view(placer->options.engine, decision->node, &node) || !node.node)
		return;
	const bool share = decision->gpu == STINT_GPU_FRACTION || decision->gpu == STINT_GPU_MEMORY;
	const bool needs_holder = share && !node.node->is_virtual;
	if (needs_holder && !pod->pod->spec->gpu_wired) {
		stint_mirror_refuse_wiring(placer->options.mirror, pod);
		undo(placer, pod, false);
		return;
	}
	struct placing *placing = stint_alloc(sizeof(*placing));
	*placing = (struct placing){
		.placer = placer,
		.pod = pod,
		.node = stint_strdup(node.name),
		.devices = decision->devices,
		.needs_volumes = pod->pod->spec->volumes_count > 0,
		.needs_holder = needs_holder,
		.uuids = share && !needs_holder ? virtual_uuids(node.node, decision->devices) : NULL,
	};
	pod->bind = placing;
	if (!placing->needs_volumes)
		write_claims(placer, placing);
	else if (!try_volumes(placer, placing))
		wait_on(placer, placing);
}

bool stint_placer_gives_up(const struct stint_mirror_pod *pod)
{
	const struct placing *placing = pod->bind;
	return placing && !placing->writes_claims && (!placing->bind || placing->bind->errand.state == STINT_ERRAND_QUEUED);
}

/* Its place goes to somebody else before it was told of it. */
static void give_up(struct stint_placer *placer, const struct stint_decision *decision)
{
	struct stint_mirror_pod *pod = stint_mirror_pod_by_handle(placer->options.mirror, decision->pod);
	if (!pod || !stint_placer_gives_up(pod))
		return;
	struct placing *placing = pod->bind;
	stint_log(placer->options.logger, STINT_LOG_INFO, "pod %s/%s is not bound to node %s: its place goes to others",
		pod->pod->meta.space, pod->pod->meta.name, placing->node);
	if (placing->claims)
		stint_claim_writes_undo(placing->claims);
	stint_placer_pod_gone(placer, pod);
	undo(placer, pod, false);
}

void stint_placer_take(struct stint_placer *placer, const struct stint_decision *decisions, size_t count)
{
	/* The array is the engine's and ends with its next change, which undoing one decision already is. */
	stint_autofree struct stint_decision *copies = stint_alloc((count + 1) * sizeof(*copies));
	if (count)
		memcpy(copies, decisions, count * sizeof(*copies));
	for (size_t i = 0; i < count; i++) {
		if (copies[i].kind == STINT_DECIDE_BIND)
			take_one(placer, &copies[i]);
		else if (copies[i].kind == STINT_DECIDE_EVICT)
			give_up(placer, &copies[i]);
	}
	pump(placer);
}

void stint_placer_run(struct stint_placer *placer)
{
	struct placing *placing = placer->waiting;
	placer->waiting = NULL;
	placer->waiting_end = &placer->waiting;
	for (struct placing *next; placing; placing = next) {
		next = placing->next;
		if (!(placing->needs_volumes ? try_volumes(placer, placing) : try_holders(placer, placing)))
			wait_on(placer, placing);
	}
	pump(placer);
}

void stint_placer_pod_gone(struct stint_placer *placer, struct stint_mirror_pod *pod)
{
	struct placing *placing = pod->bind;
	if (!placing)
		return;
	pod->bind = NULL;
	if (placing->bind) {
		stint_outbox_drop(placer->outbox, &placing->bind->errand);
		free_placing(placing);
		return;
	}
	for (struct placing **at = &placer->waiting; *at; at = &(*at)->next) {
		if (*at != placing)
			continue;
		*at = placing->next;
		if (placer->waiting_end == &placing->next)
			placer->waiting_end = at;
		break;
	}
	free_placing(placing);
}

void stint_placer_close(struct stint_placer *placer)
{
	placer->closed = true;
	struct stint_mirror_pod *pod = NULL;
	for (size_t at = 0; stint_mirror_next_pod(placer->options.mirror, &at, &pod);)
		stint_placer_pod_gone(placer, pod);
}

struct stint_placer *stint_placer_new(const struct stint_placer_options *options)
{
	struct stint_placer *placer = stint_alloc(sizeof(*placer));
	placer->options = *options;
	placer->waiting_end = &placer->waiting;
	placer->sender = (struct stint_bind_sender){options->kube, answered, placer};
	placer->outbox = stint_outbox_new(options->in_flight_max, 0,
		&(struct stint_outbox_hooks){
			.send = send_bind, .cancel = cancel_bind, .done = bind_done, .discard = discard_bind, .user = placer});
	placer->volumes = stint_volume_binder_new(&(struct stint_volume_binder_options){.kube = options->kube,
		.mirror = options->mirror,
		.logger = options->logger,
		.write_until_ms = options->write_until_ms,
		.changed = options->changed,
		.user = options->user});
	if (options->pool)
		placer->labels = stint_pool_labels_new(&(struct stint_pool_labels_options){.kube = options->kube,
			.logger = options->logger,
			.pool = options->pool,
			.write_until_ms = options->write_until_ms,
			.user = options->user});
	placer->timer = stint_timer_new(stint_kube_loop(options->kube), on_timer, placer);
	return placer;
}

void stint_placer_free(struct stint_placer *placer)
{
	if (!placer)
		return;
	struct stint_mirror_pod *pod = NULL;
	for (size_t at = 0; stint_mirror_next_pod(placer->options.mirror, &at, &pod);) {
		if (pod->bind)
			free_placing(pod->bind);
		pod->bind = NULL;
	}
	stint_volume_binder_free(placer->volumes);
	stint_pool_labels_free(placer->labels);
	stint_timer_free(placer->timer);
	stint_outbox_free(placer->outbox);
	free(placer);
}

size_t stint_placer_pending(const struct stint_placer *placer)
{
	return stint_outbox_pending(placer->outbox);
}

size_t stint_placer_in_flight(const struct stint_placer *placer)
{
	return stint_outbox_in_flight(placer->outbox);
}
