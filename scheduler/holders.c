/*
 * holders: makes, reads and releases device holders. See holders.h.
 *
 * State: one record for each node and slot that has, had or needs a holder, by the holder pod's name; it stays, to remember failures. Runs on
 * the loop's thread; one timer serves all time-outs, retries and back-offs. Invariant: at most one request of a holder is under way.
 */
#include <scheduler/holders.h>

#include <stdlib.h>
#include <string.h>

enum {
	TICK_MS = 500,
	START_TIMEOUT_MS = 40 * 1000,
	FIRST_BACKOFF_MS = 10 * 1000,
	LAST_BACKOFF_MS = 300 * 1000,
	CALL_TIMEOUT_MS = 4000,
	LOG_BYTES = 16 * 1024,
};

struct holder {
	struct stint_holders *all;
	char *node;
	int slot;
	char name[STINT_HOLDER_NAME_SIZE];
	char *runtime_class;
	enum stint_holder_state state;
	struct stint_pod *pod; /* as the watch told it last; NULL: it does not exist, as far as we know */
	struct stint_pod *blocker; /* stands in the engine for a holder that could not even be made */
	char *uuid; /* READY; kept when the holder is lost, to see whether its successor has the same device */
	char *problem; /* FAILED */
	unsigned failures;
	int64_t started_ms, retry_ms; /* monotonic */
	bool writing; /* a create or delete is under way */
	struct stint_kube_call *call; /* that, or a read of its log */
	bool mismatch;
};

struct stint_holders {
	struct stint_holders_options options;
	struct stint_map *by_name;
	struct stint_timer *timer;
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

static bool may_write(const struct stint_holders *holders)
{
	return stint_monotonic_ms() < holders->options.write_until_ms(holders->options.user);
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

/* ---- what the engine sees ---------------------------------------------------------------------------------------------------------- */

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

static void tell_engine(struct holder *holder)
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

static bool has_share(const struct holder *holder)
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

/* ---- states ------------------------------------------------------------------------------------------------------------------------- */

static void told(struct stint_holders *holders)
{
	holders->options.changed(holders->options.user);
}

static void want_tick(struct stint_holders *holders)
{
	if (!stint_timer_active(holders->timer))
		stint_timer_set(holders->timer, TICK_MS);
}

static void fail_holder(struct holder *holder, const char *cause, const char *message)
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
	tell_engine(holder);
	want_tick(holder->all);
	told(holder->all);
}

static void set_leaving(struct holder *holder)
{
	holder->state = STINT_HOLDER_LEAVING;
	holder->retry_ms = 0;
	tell_engine(holder);
	want_tick(holder->all);
}

/* The UUID that the shares of this slot were given, to be compared with what a new holder reports; NULL: no share tells. */
static char *uuid_of_shares(const struct holder *holder)
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

static void take_report(struct holder *holder, const struct stint_holder_report *report)
{
	if (report->cause[0]) {
		fail_holder(holder, report->cause, report->message);
		return;
	}
	stint_autofree char *before = uuid_of_shares(holder);
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
	tell_engine(holder);
	told(holder->all);
}

/* ---- requests ------------------------------------------------------------------------------------------------------------------------- */

static void create(struct holder *holder);

static void on_namespace(void *user, struct stint_kube_response *response)
{
	struct holder *holder = user;
	holder->call = NULL;
	holder->writing = false;
	if (response->error && response->error->code != STINT_CONFLICT)
		fail_holder(holder, "NamespaceMissing", response->error->message);
	else
		create(holder);
}

static void create_namespace(struct holder *holder)
{
	static const char body[] =
		"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" STINT_RESERVATION_NAMESPACE "\"}}";
	holder->writing = true;
	holder->call = stint_kube_call_start(holder->all->options.kube,
		&(struct stint_kube_request){.method = "POST",
			.resource = &stint_kube_namespaces,
			.body = body,
			.body_length = sizeof(body) - 1,
			.timeout_ms = CALL_TIMEOUT_MS,
			.on_done = on_namespace,
			.user = holder});
}

static void on_created(void *user, struct stint_kube_response *response)
{
	struct holder *holder = user;
	holder->call = NULL;
	holder->writing = false;
	const struct stint_error *err = response->error;
	if (!err || err->code == STINT_CONFLICT) /* it is there already: the watch tells */
		return;
	if (err->code == STINT_NOT_FOUND)
		create_namespace(holder);
	else if (err->code == STINT_FORBIDDEN || err->code == STINT_USAGE)
		fail_holder(holder, "CreateRefused", err->message);
	else
		want_tick(holder->all); /* uncertain: tick tries again, and meets the first try if that came through */
}

static void create(struct holder *holder)
{
	/* A deletion of its predecessor may be under way still: its answer comes back here. */
	if (holder->writing || !may_write(holder->all)) {
		want_tick(holder->all);
		return;
	}
	stint_auto_json *pod = stint_holder_manifest(holder->node, holder->slot, holder->all->options.image, holder->runtime_class);
	stint_autofree char *body = stint_json_print(pod);
	holder->writing = true;
	holder->call = stint_kube_call_start(holder->all->options.kube,
		&(struct stint_kube_request){.method = "POST",
			.resource = &stint_kube_pods,
			.namespace_ = STINT_RESERVATION_NAMESPACE,
			.body = body,
			.body_length = strlen(body),
			.timeout_ms = CALL_TIMEOUT_MS,
			.on_done = on_created,
			.user = holder});
}

static void on_deleted(void *user, struct stint_kube_response *response)
{
	struct holder *holder = user;
	holder->call = NULL;
	holder->writing = false;
	if (holder->state == STINT_HOLDER_STARTING && !holder->pod)
		create(holder); /* the watch was faster, and the slot is wanted again */
	else if (response->error && response->error->code != STINT_NOT_FOUND)
		want_tick(holder->all);
}

static void delete_pod(struct holder *holder)
{
	if (!holder->pod || holder->writing || !may_write(holder->all)) {
		want_tick(holder->all);
		return;
	}
	stint_kube_call_cancel(holder->call);
	stint_autofree char *body = stint_format(
		"{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":\"%s\"}}", holder->pod->meta.uid);
	holder->writing = true;
	holder->call = stint_kube_call_start(holder->all->options.kube,
		&(struct stint_kube_request){.method = "DELETE",
			.resource = &stint_kube_pods,
			.namespace_ = STINT_RESERVATION_NAMESPACE,
			.name = holder->name,
			.body = body,
			.body_length = strlen(body),
			.timeout_ms = CALL_TIMEOUT_MS,
			.on_done = on_deleted,
			.user = holder});
}

static void on_log(void *user, struct stint_kube_response *response)
{
	struct holder *holder = user;
	holder->call = NULL;
	if (holder->state == STINT_HOLDER_LEAVING) /* what it holds is given back: nothing may be bound by this any more */
		return;
	struct stint_holder_report report;
	const bool ended = holder->pod && stint_pod_ended(holder->pod);
	if (!response->error && stint_holder_report_read(response->body.data, response->body.length, &report)) {
		take_report(holder, &report);
	} else if (ended) {
		const struct stint_pod *pod = holder->pod;
		const char *word = pod->terminated_reason ? pod->terminated_reason : pod->reason ? pod->reason : "no reason given";
		stint_autofree char *message = stint_format("its holder ended (%s, exit code %d) and its log says nothing%s%s", word,
			pod->exited ? pod->exit_code : -1, pod->message ? ": " : "", pod->message ? pod->message : "");
		fail_holder(holder, "HolderEnded", message);
	} else {
		want_tick(holder->all); /* nothing printed yet */
	}
}

static void read_log(struct holder *holder)
{
	if (holder->call)
		return;
	const struct stint_kube_log_options options = {.container = "hold", .tail_lines = -1, .limit_bytes = LOG_BYTES};
	holder->call =
		stint_kube_log_start(holder->all->options.kube, STINT_RESERVATION_NAMESPACE, holder->name, &options, NULL, on_log, holder);
}

/* ---- what happens ------------------------------------------------------------------------------------------------------------------------ */

static void start(struct holder *holder)
{
	holder->state = STINT_HOLDER_STARTING;
	holder->started_ms = stint_monotonic_ms();
	holder->mismatch = false;
	tell_engine(holder);
	create(holder);
	want_tick(holder->all);
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
		tell_engine(holder);
		return;
	}
	if (stint_pod_ended(pod)) {
		holder->state = STINT_HOLDER_STARTING;
		if (pod->reason && pod->exited == false)
			fail_holder(holder, pod->reason, pod->message ? pod->message : "the kubelet refused it");
		else
			read_log(holder);
		return;
	}
	tell_engine(holder);
	if (holder->state == STINT_HOLDER_STARTING && pod->phase == STINT_PHASE_RUNNING)
		read_log(holder);
	else if (holder->state == STINT_HOLDER_STARTING)
		want_tick(holder->all);
}

static void forget(struct holder *holder)
{
	struct stint_holders *holders = holder->all;
	const bool again = has_share(holder);
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
		tell_engine(holder);
	told(holders);
}

void stint_holders_put(struct stint_holders *holders, struct stint_pod *pod, bool gone)
{
	int64_t slot = 0;
	if (!pod->node || !stint_parse_int(stint_object_annotation(&pod->meta, STINT_ANNOTATION_SLOT), 0, STINT_MAX_DEVICES - 1, &slot))
		return;
	struct holder *holder = find_or_make(holders, pod->node, (int)slot);
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
		if (holder->mismatch && !has_share(holder)) {
			holder->mismatch = false;
			tell_engine(holder);
		}
		if ((holder->state == STINT_HOLDER_READY || holder->state == STINT_HOLDER_STARTING) && !holder->writing &&
			!has_share(holder)) {
			if (holder->pod) {
				set_leaving(holder);
				delete_pod(holder);
			} else {
				holder->state = STINT_HOLDER_NONE; /* if a write came through unseen, the watch brings the pod back here */
				tell_engine(holder);
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
			fail_holder(holder, "StartTimeout", message);
		} else if (!holder->pod && !holder->call) {
			create(holder);
		} else if (holder->pod && (holder->pod->phase == STINT_PHASE_RUNNING || stint_pod_ended(holder->pod))) {
			read_log(holder);
		}
		break;
	case STINT_HOLDER_LEAVING:
		*again = true;
		if (holder->pod && holder->pod->meta.deleted_ms < 0)
			delete_pod(holder);
		break;
	case STINT_HOLDER_FAILED:
		*again = true;
		if (now_ms < holder->retry_ms)
			break;
		if (holder->pod && holder->pod->meta.deleted_ms < 0)
			delete_pod(holder); /* and the news of its end frees the slot */
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
		want_tick(holders);
}

void stint_holders_count(const struct stint_holders *holders, size_t counts[static STINT_HOLDER_STATES])
{
	memset(counts, 0, sizeof(*counts) * STINT_HOLDER_STATES);
	void *value = NULL;
	for (size_t at = 0; stint_map_next(holders->by_name, &at, NULL, &value);)
		counts[((const struct holder *)value)->state]++;
}
