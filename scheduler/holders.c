/*
 * holders: makes, reads and releases device holders: their states and what moves them on. See holders.h.
 *
 * State: one record for each node and slot that has, had or needs a holder, by the holder pod's name; it stays, to remember failures. Runs on
 * the loop's thread; one timer serves all time-outs, retries and back-offs. Invariant: at most one request of a holder is under way.
 */
#include <stdlib.h>
#include <string.h>

#include <scheduler/holder.h>

enum {
	TICK_MS = 500,
	START_TIMEOUT_MS = 40 * 1000,
	FIRST_BACKOFF_MS = 10 * 1000,
	LAST_BACKOFF_MS = 300 * 1000,
};

static void tick(void *user);

const char *stint_holder_state_name(enum stint_holder_state state)
{
	static const char *const names[STINT_HOLDER_STATES] = {"none", "starting", "ready", "failed", "leaving"};
	return names[state];
}

static void free_holder(void *value)
{
	struct holder *holder = value;
	stint_kube_call_cancel(holder->call);
	if (holder->pod)
		stint_object_unref(&holder->pod->meta);
	if (holder->blocker)
		stint_object_unref(&holder->blocker->meta);
	free(holder->node);
	free(holder->runtime_class);
	free(holder->uuid);
	free(holder->problem);
	free(holder);
}

struct stint_holders *stint_holders_new(const struct stint_holders_options *options)
{
	struct stint_holders *holders = stint_alloc(sizeof(*holders));
	holders->options = *options;
	holders->by_name = stint_map_new(free_holder);
	holders->timer = stint_timer_new(stint_kube_loop(options->kube), tick, holders);
	return holders;
}

void stint_holders_free(struct stint_holders *holders)
{
	if (!holders)
		return;
	stint_timer_free(holders->timer);
	stint_map_free(holders->by_name);
	free(holders);
}

static struct holder *find_or_make(struct stint_holders *holders, const char *node, int slot)
{
	char name[STINT_HOLDER_NAME_SIZE];
	struct holder *holder = stint_map_get(holders->by_name, stint_holder_name(node, slot, name));
	if (holder)
		return holder;
	holder = stint_alloc(sizeof(*holder));
	*holder = (struct holder){.all = holders, .node = stint_strdup(node), .slot = slot, .started_ms = stint_monotonic_ms()};
	memcpy(holder->name, name, sizeof(name));
	stint_map_set(holders->by_name, name, holder);
	return holder;
}

/* ---- states ------------------------------------------------------------------------------------------------------------------------- */

static void told(struct stint_holders *holders)
{
	holders->options.changed(holders->options.user);
}

void holders_want_tick(struct stint_holders *holders)
{
	if (!stint_timer_active(holders->timer))
		stint_timer_set(holders->timer, TICK_MS);
}

void holder_fail(struct holder *holder, const char *cause, const char *message)
{
	free(holder->problem);
	holder->problem = stint_format(
		"device slot %d of node \"%s\" cannot be held for shares (%s): %s", holder->slot, holder->node, cause, message);
	stint_log(holder->all->options.logger, STINT_LOG_WARN, "%s", holder->problem);
	int64_t backoff_ms = FIRST_BACKOFF_MS;
	for (unsigned i = 0; i < holder->failures && backoff_ms < LAST_BACKOFF_MS; i++)
		backoff_ms *= 2;
	holder->failures++;
	holder->retry_ms = stint_monotonic_ms() + (backoff_ms < LAST_BACKOFF_MS ? backoff_ms : LAST_BACKOFF_MS);
	holder->state = STINT_HOLDER_FAILED;
	holder_tell_engine(holder);
	holders_want_tick(holder->all);
	told(holder->all);
}

static void set_leaving(struct holder *holder)
{
	holder->state = STINT_HOLDER_LEAVING;
	holder->retry_ms = 0;
	holder_tell_engine(holder);
	holders_want_tick(holder->all);
}

void holder_take_report(struct holder *holder, const struct stint_holder_report *report)
{
	if (report->cause[0]) {
		holder_fail(holder, report->cause, report->message);
		return;
	}
	stint_autofree char *before = holder_uuid_of_shares(holder);
	holder->mismatch = before && strcmp(before, report->uuid) != 0;
	free(holder->uuid);
	holder->uuid = stint_strdup(report->uuid);
	holder->state = STINT_HOLDER_READY;
	holder->failures = 0;
	if (holder->mismatch && holder->pod && holder->all->options.recorder) {
		const struct stint_kube_about about = {
			"v1", "Pod", holder->pod->meta.space, holder->pod->meta.name, holder->pod->meta.uid, NULL, NULL};
		stint_record(holder->all->options.recorder, &about, "Warning", "DeviceChanged", NULL,
			"slot %d of node %s holds device %s now, but its shares run on %s: they go on, and no new share is placed there "
			"until they have gone",
			holder->slot, holder->node, report->uuid, before);
	}
	holder_tell_engine(holder);
	told(holder->all);
}

/* ---- what happens ------------------------------------------------------------------------------------------------------------------------ */

static void start(struct holder *holder)
{
	holder->state = STINT_HOLDER_STARTING;
	holder->started_ms = stint_monotonic_ms();
	holder->mismatch = false;
	holder_tell_engine(holder);
	holder_create(holder);
	holders_want_tick(holder->all);
}

enum stint_holder_state stint_holders_want(
	struct stint_holders *holders, const char *node, int slot, const char *runtime_class, const char **uuid, const char **problem)
{
	struct holder *holder = find_or_make(holders, node, slot);
	if (holder->state == STINT_HOLDER_NONE) {
		free(holder->runtime_class);
		holder->runtime_class = stint_strdup(runtime_class);
		start(holder);
	}
	if (holder->mismatch) {
		*problem = "its holder has another device now than its shares";
		return STINT_HOLDER_FAILED;
	}
	*uuid = holder->uuid;
	*problem = holder->problem;
	return holder->state;
}

static void look_at(struct holder *holder)
{
	const struct stint_pod *pod = holder->pod;
	if (pod->meta.deleted_ms >= 0) {
		if (holder->state != STINT_HOLDER_LEAVING)
			set_leaving(holder);
		return;
	}
	if (holder->state == STINT_HOLDER_LEAVING || holder->state == STINT_HOLDER_FAILED) {
		holder_tell_engine(holder);
		return;
	}
	if (stint_pod_ended(pod)) {
		holder->state = STINT_HOLDER_STARTING;
		if (pod->reason && pod->exited == false)
			holder_fail(holder, pod->reason, pod->message ? pod->message : "the kubelet refused it");
		else
			holder_read_log(holder);
		return;
	}
	holder_tell_engine(holder);
	if (holder->state == STINT_HOLDER_STARTING && pod->phase == STINT_PHASE_RUNNING)
		holder_read_log(holder);
	else if (holder->state == STINT_HOLDER_STARTING)
		holders_want_tick(holder->all);
}

static void forget(struct holder *holder)
{
	struct stint_holders *holders = holder->all;
	const bool again = holder_has_share(holder);
	if (holder->pod) {
		stint_engine_pod_remove(holders->options.engine, holder->pod->meta.uid);
		stint_object_unref(&holder->pod->meta);
		holder->pod = NULL;
	}
	/* A read of the log of one that has gone must not speak for its successor. */
	if (!holder->writing)
		stint_kube_call_cancel(stint_steal(&holder->call));
	if (holder->state != STINT_HOLDER_FAILED || holder->retry_ms <= stint_monotonic_ms())
		holder->state = STINT_HOLDER_NONE; /* else its back-off goes on */
	if (holder->state == STINT_HOLDER_NONE && again)
		start(holder);
	else
		holder_tell_engine(holder);
	told(holders);
}

void stint_holders_put(struct stint_holders *holders, struct stint_pod *pod, bool gone)
{
	int slot;
	if (!stint_pod_is_holder(pod, &slot) || !pod->node || slot < 0)
		return;
	struct holder *holder = find_or_make(holders, pod->node, slot);
	if (strcmp(holder->name, pod->meta.name) != 0) /* somebody's copy: it holds nothing that we gave out */
		return;
	if (gone) {
		if (holder->pod && holder->pod->meta.uid == pod->meta.uid)
			forget(holder);
		return;
	}
	const bool another = holder->pod && holder->pod->meta.uid != pod->meta.uid;
	if (another)
		stint_engine_pod_remove(holders->options.engine, holder->pod->meta.uid);
	if (another || holder->state == STINT_HOLDER_NONE) {
		holder->state = STINT_HOLDER_STARTING;
		holder->started_ms = stint_monotonic_ms();
	}
	stint_object_ref(&pod->meta);
	if (holder->pod)
		stint_object_unref(&holder->pod->meta);
	holder->pod = pod;
	look_at(holder);
}

void stint_holders_adopt_share(struct stint_holders *holders, const struct stint_pod *pod)
{
	uint16_t slots[STINT_MAX_DEVICES];
	const int count = stint_pod_gpu_devices(pod, slots, STINT_MAX_DEVICES);
	for (int i = 0; i < count && i < STINT_MAX_DEVICES; i++) {
		struct holder *holder = slots[i] < STINT_MAX_DEVICES ? find_or_make(holders, pod->node, slots[i]) : NULL;
		if (!holder || holder->state != STINT_HOLDER_NONE)
			continue;
		free(holder->runtime_class);
		holder->runtime_class = stint_strdup(pod->spec->runtime_class);
		start(holder);
	}
}

void stint_holders_sweep(struct stint_holders *holders)
{
	void *value = NULL;
	for (size_t at = 0; stint_map_next(holders->by_name, &at, NULL, &value);) {
		struct holder *holder = value;
		if (holder->mismatch && !holder_has_share(holder)) {
			holder->mismatch = false;
			holder_tell_engine(holder);
		}
		if ((holder->state == STINT_HOLDER_READY || holder->state == STINT_HOLDER_STARTING) && !holder->writing &&
			!holder_has_share(holder)) {
			if (holder->pod) {
				set_leaving(holder);
				holder_delete(holder);
			} else {
				holder->state = STINT_HOLDER_NONE; /* if a write came through unseen, the watch brings the pod back here */
				holder_tell_engine(holder);
			}
		}
	}
}

static void tick_holder(struct holder *holder, int64_t now_ms, bool *again)
{
	switch (holder->state) {
	case STINT_HOLDER_NONE:
	case STINT_HOLDER_READY:
	case STINT_HOLDER_STATES: break;
	case STINT_HOLDER_STARTING:
		*again = true;
		if (now_ms - holder->started_ms > START_TIMEOUT_MS) {
			const char *waits = holder->pod && holder->pod->waiting_reason ? holder->pod->waiting_reason : "no sign of life";
			stint_autofree char *message =
				stint_format("its holder did not report within %d s: %s", START_TIMEOUT_MS / 1000, waits);
			holder_fail(holder, "StartTimeout", message);
		} else if (!holder->pod && !holder->call) {
			holder_create(holder);
		} else if (holder->pod && (holder->pod->phase == STINT_PHASE_RUNNING || stint_pod_ended(holder->pod))) {
			holder_read_log(holder);
		}
		break;
	case STINT_HOLDER_LEAVING:
		*again = true;
		if (holder->pod && holder->pod->meta.deleted_ms < 0)
			holder_delete(holder);
		break;
	case STINT_HOLDER_FAILED:
		*again = true;
		if (now_ms < holder->retry_ms)
			break;
		if (holder->pod && holder->pod->meta.deleted_ms < 0)
			holder_delete(holder); /* and the news of its end frees the slot */
		else if (!holder->pod)
			forget(holder);
		break;
	}
}

static void tick(void *user)
{
	struct stint_holders *holders = user;
	const int64_t now_ms = stint_monotonic_ms();
	bool again = false;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(holders->by_name, &at, NULL, &value);)
		tick_holder(value, now_ms, &again);
	if (again)
		holders_want_tick(holders);
}

void stint_holders_count(const struct stint_holders *holders, size_t counts[static STINT_HOLDER_STATES])
{
	memset(counts, 0, sizeof(*counts) * STINT_HOLDER_STATES);
	void *value = NULL;
	for (size_t at = 0; stint_map_next(holders->by_name, &at, NULL, &value);)
		counts[((const struct holder *)value)->state]++;
}
