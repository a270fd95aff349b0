/* The decoder of pods, and what is derived from one. */
#include "core/model/private.h"

/* A pod under decoding keeps its spec private; `finish` shares it. */
static void pod_init(struct stint_object *object)
{
	struct stint_pod *pod = stint_pod_of(object);
	pod->spec = spec_new();
	pod->started_ms = pod->ended_ms = pod->scheduled_ms = pod->evicted_ms = pod->disruption_ms = -1;
}

static enum stint_phase phase_of(struct stint_slice text)
{
	static const struct {
		const char *name;
		enum stint_phase phase;
	} phases[] = {
		{"Pending", STINT_PHASE_PENDING},
		{"Running", STINT_PHASE_RUNNING},
		{"Succeeded", STINT_PHASE_SUCCEEDED},
		{"Failed", STINT_PHASE_FAILED},
	};
	for (size_t i = 0; i < STINT_COUNT(phases); i++) {
		if (stint_slice_is(text, phases[i].name))
			return phases[i].phase;
	}
	return STINT_PHASE_UNKNOWN;
}

/* ---- conditions -------------------------------------------------------------------------------------------------------------- */

struct condition {
	enum { CONDITION_OTHER, CONDITION_SCHEDULED, CONDITION_READY, CONDITION_DISRUPTION, CONDITION_EVICTED } type;
	enum stint_truth status;
	const char *reason, *message;
	int64_t time_ms;
};

static bool read_condition(struct decoder *d, struct condition *out)
{
	struct stint_slice key, type;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "type")) {
			if (read_value(d, &type))
				out->type = KEY_IS(type, "PodScheduled")	? CONDITION_SCHEDULED
					: KEY_IS(type, "Ready")			? CONDITION_READY
					: KEY_IS(type, "DisruptionTarget")	? CONDITION_DISRUPTION
					: KEY_IS(type, STINT_EVICTED_CONDITION) ? CONDITION_EVICTED
										: CONDITION_OTHER;
		} else if (KEY_IS(key, "status")) {
			read_status(d, &out->status);
		} else if (KEY_IS(key, "reason")) {
			read_name(d, &out->reason);
		} else if (KEY_IS(key, "message")) {
			read_name(d, &out->message);
		} else if (KEY_IS(key, "lastTransitionTime")) {
			read_time(d, &out->time_ms);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	return !d->c->error;
}

static void take_condition(struct stint_model *model, struct stint_pod *pod, struct condition *condition)
{
	if (condition->type == CONDITION_SCHEDULED) {
		stint_text_drop(model, pod->scheduled_reason);
		stint_text_drop(model, pod->scheduled_message);
		pod->scheduled = condition->status;
		pod->scheduled_reason = stint_steal(&condition->reason);
		pod->scheduled_message = stint_steal(&condition->message);
		pod->scheduled_ms = condition->time_ms;
	} else if (condition->type == CONDITION_READY) {
		pod->ready = condition->status;
	} else if (condition->type == CONDITION_DISRUPTION) {
		pod->disruption_target = condition->status;
		pod->disruption_ms = condition->time_ms;
	} else if (condition->type == CONDITION_EVICTED && condition->status == STINT_TRUE) {
		stint_text_drop(model, pod->evicted_reason);
		stint_text_drop(model, pod->evicted_message);
		pod->evicted_reason = stint_steal(&condition->reason);
		pod->evicted_message = stint_steal(&condition->message);
		pod->evicted_ms = condition->time_ms;
	}
}

static bool read_conditions(struct decoder *d, struct stint_pod *pod)
{
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		struct condition condition = {.time_ms = -1};
		if (read_condition(d, &condition))
			take_condition(d->model, pod, &condition);
		stint_text_drop(d->model, condition.reason);
		stint_text_drop(d->model, condition.message);
	}
	return !d->c->error;
}

/* ---- container statuses ------------------------------------------------------------------------------------------------------ */

struct terminated {
	const char *reason;
	int32_t exit_code;
	int64_t ended_ms;
};

static bool read_waiting(struct decoder *d, struct stint_pod *pod)
{
	struct stint_slice key;
	const char *reason = NULL;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "reason"))
			read_name(d, &reason);
		else
			stint_cursor_skip(d->c);
	}
	/* While init containers run the others say PodInitializing, which hides the cause. */
	if (reason && (!pod->waiting_reason || !strcmp(pod->waiting_reason, "PodInitializing"))) {
		stint_text_drop(d->model, pod->waiting_reason);
		pod->waiting_reason = stint_steal(&reason);
	}
	stint_text_drop(d->model, reason);
	return !d->c->error;
}

static bool read_terminated(struct decoder *d, struct stint_pod *pod, bool regular)
{
	struct stint_slice key;
	struct terminated end = {.ended_ms = -1};
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "reason"))
			read_name(d, &end.reason);
		else if (KEY_IS(key, "exitCode"))
			read_int32(d, &end.exit_code);
		else if (KEY_IS(key, "finishedAt"))
			read_time(d, &end.ended_ms);
		else
			stint_cursor_skip(d->c);
	}
	/* One that failed says more than one that ended well; an init container has to end. */
	if (inside && (end.exit_code || (regular && !pod->exited))) {
		stint_text_drop(d->model, pod->terminated_reason);
		pod->terminated_reason = stint_steal(&end.reason);
		pod->exit_code = end.exit_code;
		pod->exited = true;
	}
	if (end.ended_ms > pod->ended_ms)
		pod->ended_ms = end.ended_ms;
	stint_text_drop(d->model, end.reason);
	return !d->c->error;
}

static bool read_state(struct decoder *d, struct stint_pod *pod, bool regular)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "waiting"))
			read_waiting(d, pod);
		else if (KEY_IS(key, "terminated"))
			read_terminated(d, pod, regular);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_container_status(struct decoder *d, struct stint_pod *pod, bool regular)
{
	struct stint_slice key;
	int32_t restarts = 0;
	bool ready = false;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "ready"))
			read_bool(d, &ready);
		else if (KEY_IS(key, "restartCount"))
			read_int32(d, &restarts);
		else if (KEY_IS(key, "state"))
			read_state(d, pod, regular);
		else
			stint_cursor_skip(d->c);
	}
	pod->restarts = (int32_t)(restarts > INT32_MAX - pod->restarts ? INT32_MAX : pod->restarts + restarts);
	if (regular && ready && pod->containers_ready < UINT16_MAX)
		pod->containers_ready++;
	return !d->c->error;
}

static bool read_container_statuses(struct decoder *d, struct stint_pod *pod, bool regular)
{
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c) && read_container_status(d, pod, regular))
		;
	return !d->c->error;
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------- */

static bool read_pod_status(struct decoder *d, struct stint_pod *pod)
{
	struct stint_slice key, text;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "phase")) {
			if (read_value(d, &text))
				pod->phase = phase_of(text);
		} else if (KEY_IS(key, "conditions")) {
			read_conditions(d, pod);
		} else if (KEY_IS(key, "containerStatuses")) {
			read_container_statuses(d, pod, true);
		} else if (KEY_IS(key, "initContainerStatuses")) {
			read_container_statuses(d, pod, false);
		} else if (KEY_IS(key, "resourceClaimStatuses")) {
			read_pod_claims(d, pod, true);
		} else if (KEY_IS(key, "qosClass")) {
			if (read_value(d, &text))
				pod->guaranteed = KEY_IS(text, "Guaranteed");
		} else if (KEY_IS(key, "startTime")) {
			read_time(d, &pod->started_ms);
		} else if (KEY_IS(key, "podIP")) {
			read_name(d, &pod->pod_ip);
		} else if (KEY_IS(key, "nominatedNodeName")) {
			read_name(d, &pod->nominated_node);
		} else if (KEY_IS(key, "reason")) {
			read_name(d, &pod->reason);
		} else if (KEY_IS(key, "message")) {
			read_name(d, &pod->message);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	return !d->c->error;
}

static bool pod_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_pod *pod = stint_pod_of(object);
	const struct spec_extras extras = {.node = &pod->node, .gates = &pod->gates, .gates_count = &pod->gates_count, .pod = pod};
	if (KEY_IS(key, "spec"))
		return read_pod_spec(d, pod->spec, &extras);
	if (KEY_IS(key, "status"))
		return read_pod_status(d, pod);
	return stint_cursor_skip(d->c);
}

static bool pod_finish(struct decoder *d, struct stint_object *object)
{
	struct stint_pod *pod = stint_pod_of(object);
	spec_set_gpu(d->model, pod->spec, &object->annotations);
	pod->spec = spec_share(d->model, pod->spec);
	pod->containers_total = (uint16_t)(pod->spec->containers_count > UINT16_MAX ? UINT16_MAX : pod->spec->containers_count);
	if (pod->phase != STINT_PHASE_SUCCEEDED && pod->phase != STINT_PHASE_FAILED)
		pod->ended_ms = -1;
	return true;
}

static void pod_drop(struct stint_object *object)
{
	struct stint_pod *pod = stint_pod_of(object);
	struct stint_model *model = object->model;
	spec_unref(model, pod->spec);
	stint_text_drop(model, pod->node);
	stint_text_drop(model, pod->nominated_node);
	stint_text_drop(model, pod->pod_ip);
	stint_text_drop(model, pod->reason);
	stint_text_drop(model, pod->message);
	names_drop(model, pod->gates, pod->gates_count);
	pod_claims_drop(model, pod);
	stint_text_drop(model, pod->waiting_reason);
	stint_text_drop(model, pod->terminated_reason);
	stint_text_drop(model, pod->scheduled_reason);
	stint_text_drop(model, pod->scheduled_message);
	stint_text_drop(model, pod->evicted_reason);
	stint_text_drop(model, pod->evicted_message);
}

static size_t pod_bytes(const struct stint_object *object)
{
	const struct stint_pod *pod = (const struct stint_pod *)object;
	return pod->gates_count * sizeof(const char *) + pod->claims_count * sizeof(struct stint_pod_claim);
}

const struct kind_decoder decode_pod_kind = {
	.name = "pod",
	.size = sizeof(struct stint_pod),
	.annotations = PAIRS_KEPT,
	.init = pod_init,
	.read_member = pod_read_member,
	.finish = pod_finish,
	.drop = pod_drop,
	.bytes = pod_bytes,
};

bool stint_pod_ended(const struct stint_pod *pod)
{
	return pod->phase == STINT_PHASE_SUCCEEDED || pod->phase == STINT_PHASE_FAILED;
}

int stint_pod_gpu_devices(const struct stint_pod *pod, uint16_t *slots, int room)
{
	const char *text = stint_object_annotation(&pod->meta, "stint.dev/gpu-devices");
	int count = 0;
	if (!text || !*text)
		return -1;
	for (const char *at = text;; at++) {
		const size_t length = strcspn(at, ",");
		char number[8];
		int64_t slot;
		if (length >= sizeof(number))
			return -1;
		memcpy(number, at, length);
		number[length] = '\0';
		if (!stint_parse_int(number, 0, UINT16_MAX, &slot))
			return -1;
		if (count < room)
			slots[count] = (uint16_t)slot;
		count++;
		at += length;
		if (!*at)
			return count;
	}
}
