/*
 * hub: see hub.h. Follows the whole store with one subscription and wakes whom an event concerns.
 */
#include "core/sandbox/controllers/hub.h"

#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/tell.h"
#include "core/sandbox/controllers/template.h"

enum {
	TIDY_MS = 10000,
	GATHER_MS = 200, /* a burst of pods or nodes becomes one sync of what has to look at all of them */
	JOB_BATCH_MS = 20, /* and one sync of a Job, which looks at all of its pods */
};

static const struct controller *const controllers[] = {&job_controller, &replica_controller, &deployment_controller, &stateful_controller,
	&daemon_controller, &namespace_controller, &node_controller, &budget_controller, &endpoint_controller, &volume_claim_controller,
	&volume_controller, &storage_class_controller, &pod_claim_controller, &resource_claim_controller};

/* ---- the queue ------------------------------------------------------------------------------------------------------------- */

struct work {
	struct hub *hub;
	const struct controller *controller;
	char *space, *name;
	struct stint_timer *timer;
	int64_t due_ms; /* monotonic */
};

static char *work_key(const struct controller *controller, const char *space, const char *name)
{
	return stint_format("%s/%s/%s", controller->name, space, name);
}

static void work_free(void *value)
{
	struct work *work = value;
	stint_timer_free(work->timer);
	free(work->space);
	free(work->name);
	free(work);
}

static void on_due(void *user)
{
	struct work *work = user;
	struct hub *hub = work->hub;
	stint_autofree char *key = work_key(work->controller, work->space, work->name);
	stint_map_take(hub->work, key); /* so that the sync may wake itself */
	work->controller->sync(hub, work->space, work->name);
	work_free(work);
}

void hub_wake(struct hub *hub, const struct controller *controller, const char *space, const char *name, int64_t delay_ms)
{
	if (controller->by_space)
		name = "";
	stint_autofree char *key = work_key(controller, space, name);
	struct work *work = stint_map_get(hub->work, key);
	int64_t due_ms = stint_monotonic_ms() + delay_ms;
	if (!work) {
		work = stint_alloc(sizeof(*work));
		*work = (struct work){.hub = hub,
			.controller = controller,
			.space = stint_strdup(space),
			.name = stint_strdup(name),
			.due_ms = INT64_MAX};
		work->timer = stint_timer_new(hub->api->loop, on_due, work);
		stint_map_set(hub->work, key, work);
	}
	if (due_ms >= work->due_ms)
		return;
	work->due_ms = due_ms;
	stint_timer_set(work->timer, delay_ms);
}

static const struct stint_kind *kind_of(const struct hub *hub, const struct controller *controller)
{
	return stint_api_kind(hub->api, controller->api_version, controller->kind);
}

/* All objects that the controller looks after in the namespace (NULL: everywhere). */
static void wake_all(struct hub *hub, const struct controller *controller, const char *space, int64_t delay_ms)
{
	const struct stint_kind *kind = kind_of(hub, controller);
	if (stint_store_count(hub->api->store, kind) == 0)
		return;
	stint_auto_store_list list = {0};
	stint_store_list(hub->api->store, kind, space, &list);
	for (size_t i = 0; i < list.count; i++)
		hub_wake(hub, controller, list.items[i]->space, list.items[i]->name, delay_ms);
}

/* ---- what controllers do --------------------------------------------------------------------------------------------------- */

struct stint_json *hub_read(const struct hub *hub, const struct controller *controller, const char *space, const char *name)
{
	const struct stint_stored *stored = stint_store_get(hub->api->store, kind_of(hub, controller), space, name);
	return stored ? stint_stored_parse(stored) : NULL;
}

void hub_tell(struct hub *hub, const struct controller *controller, const struct stint_json *about, const char *type, const char *reason,
	const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *message = stint_vformat(format, args);
	va_end(args);
	event_tell(hub->api, controller->name, about, type, reason, message);
}

static const char *text_at(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_at(object, "metadata", key), "");
}

static const char *reason_of(const struct stint_json *refusal)
{
	return stint_json_string_or(stint_json_get(refusal, "message"), "no reason given");
}

void hub_write_status(struct hub *hub, const struct controller *controller, const struct stint_json *object, struct stint_json *status)
{
	struct stint_api_call call = {.kind = kind_of(hub, controller),
		.space = text_at(object, "namespace"),
		.name = text_at(object, "name"),
		.manager = "kube-controller-manager"};
	stint_auto_json *refusal = NULL;
	if (!stint_api_set_status(hub->api, &call, text_at(object, "uid"), status, &refusal))
		stint_log(hub->api->logger, STINT_LOG_WARN, "%s: the status of %s/%s was refused: %s", controller->name, call.space,
			call.name, reason_of(refusal));
}

bool hub_create_pod(struct hub *hub, const struct controller *controller, const struct stint_json *owner, struct stint_json *pod)
{
	stint_auto_json *made = NULL, *refusal = NULL;
	struct stint_api_call call = {.kind = hub->pod_kind, .space = text_at(owner, "namespace"), .manager = "kube-controller-manager"};
	if (!stint_api_create(hub->api, &call, pod, &made, &refusal)) {
		hub_tell(hub, controller, owner, "Warning", "FailedCreate", "Error creating: %s", reason_of(refusal));
		return false;
	}
	pod_book_learn(hub->pods, made);
	hub_tell(hub, controller, owner, "Normal", "SuccessfulCreate", "Created pod: %s", text_at(made, "name"));
	return true;
}

bool hub_delete_pod(struct hub *hub, const struct controller *controller, const struct stint_json *owner, const struct pod_facts *pod)
{
	stint_auto_json *left = NULL, *refusal = NULL;
	stint_autofree char *name = stint_strdup(pod->name), *uid = stint_strdup(pod->uid), *space = stint_strdup(pod->space);
	struct stint_api_call call = {.kind = hub->pod_kind, .space = space, .name = name, .manager = "kube-controller-manager"};
	struct stint_delete_options options = {.grace_s = -1, .uid = uid, .propagation = "Background"};
	if (!stint_api_delete(hub->api, &call, &options, &left, &refusal)) {
		if (stint_json_int_or(stint_json_get(refusal, "code"), 0) != 404)
			hub_tell(hub, controller, owner, "Warning", "FailedDelete", "Error deleting: %s", reason_of(refusal));
		return false;
	}
	if (strcmp(stint_json_string_or(stint_json_get(left, "kind"), ""), "Pod") == 0)
		pod_book_learn(hub->pods, left);
	hub_tell(hub, controller, owner, "Normal", "SuccessfulDelete", "Deleted pod: %s", name);
	return true;
}

/* One change of a pod's metadata, remembered at once. */
static bool change_pod(struct hub *hub, const struct pod_facts *pod, bool (*change)(void *, struct stint_json *), void *user)
{
	stint_auto_json *now = NULL;
	struct stint_api_call call = {.kind = hub->pod_kind, .space = pod->space, .name = pod->name, .manager = "kube-controller-manager"};
	const struct stint_stored *stored = stint_store_get(hub->api->store, hub->pod_kind, pod->space, pod->name);
	if (!stored || strcmp(stored->uid, pod->uid) != 0 || !stint_api_change(hub->api, &call, change, user, &now, NULL))
		return false;
	if (now && strcmp(stint_json_string_or(stint_json_get(now, "kind"), ""), "Pod") == 0)
		pod_book_learn(hub->pods, now);
	return true;
}

bool hub_take_finalizer_off(void *finalizer, struct stint_json *object)
{
	struct stint_json *metadata = stint_json_get(object, "metadata"), *finalizers = stint_json_get(metadata, "finalizers");
	stint_json_each(each, finalizers) {
		if (strcmp(stint_json_string_or(each, ""), (const char *)finalizer) != 0)
			continue;
		stint_json_unlink(finalizers, each);
		if (stint_json_count(finalizers) == 0)
			stint_json_remove(metadata, "finalizers");
		return true;
	}
	return false;
}

void hub_release_pod(struct hub *hub, const struct pod_facts *pod)
{
	static char job_tracking[] = "batch.kubernetes.io/job-tracking";
	change_pod(hub, pod, hub_take_finalizer_off, job_tracking);
}

struct adoption {
	const struct stint_json *owner;
};

static bool adopt(void *user, struct stint_json *pod)
{
	const struct adoption *adoption = user;
	template_own(pod, adoption->owner);
	return true;
}

static bool disown(void *user, struct stint_json *pod)
{
	const struct adoption *adoption = user;
	return template_disown(pod, text_at(adoption->owner, "uid"));
}

bool hub_adopt_pod(struct hub *hub, const struct stint_json *owner, const struct pod_facts *pod)
{
	struct adoption adoption = {owner};
	return change_pod(hub, pod, adopt, &adoption);
}

bool hub_disown_pod(struct hub *hub, const struct stint_json *owner, const struct pod_facts *pod)
{
	struct adoption adoption = {owner};
	return change_pod(hub, pod, disown, &adoption);
}

void hub_claim_pods(struct hub *hub, const struct stint_json *owner, struct pod_list *out)
{
	const struct stint_json *selector = stint_json_at(owner, "spec", "selector");
	bool deleting = stint_json_at(owner, "metadata", "deletionTimestamp") != NULL;
	struct pod_list owned = {0}, orphans = {0};
	pod_book_owned(hub->pods, text_at(owner, "uid"), &owned);
	for (size_t i = 0; i < owned.count; i++) {
		struct pod_facts *pod = owned.items[i];
		if (deleting || label_selector_matches_pod(selector, pod) || !hub_disown_pod(hub, owner, pod))
			pod_list_add(out, pod);
	}
	if (!deleting)
		pod_book_orphans(hub->pods, text_at(owner, "namespace"), selector, &orphans);
	for (size_t i = 0; i < orphans.count; i++) {
		struct pod_facts *pod = orphans.items[i];
		if (pod_is_active(pod) && label_selector_matches_pod(selector, pod) && hub_adopt_pod(hub, owner, pod))
			pod_list_add(out, pod);
	}
	pod_list_free(&owned);
	pod_list_free(&orphans);
}

/* ---- events ---------------------------------------------------------------------------------------------------------------- */

static const struct controller *controller_of_kind(const char *kind)
{
	for (size_t i = 0; i < STINT_COUNT(controllers); i++) {
		if (kind && strcmp(controllers[i]->kind, kind) == 0)
			return controllers[i];
	}
	return NULL;
}

static void wake_owner(struct hub *hub, const struct pod_facts *pod)
{
	const struct controller *controller = controller_of_kind(pod->owner_kind);
	int64_t delay_ms = controller == &daemon_controller ? GATHER_MS : controller == &job_controller ? JOB_BATCH_MS : 0;
	if (controller && pod->owner_name)
		hub_wake(hub, controller, pod->space, pod->owner_name, delay_ms);
}

static bool labels_are_as_before(const struct stint_store_event *event)
{
	return event->before && event->now && stint_slice_equal(event->before->labels, event->now->labels);
}

static void pod_event(struct hub *hub, const struct stint_store_event *event)
{
	const struct stint_stored *stored = event->now ? event->now : event->before;
	struct pod_facts *known = pod_book_get(hub->pods, stored->uid);
	if (known)
		wake_owner(hub, known); /* the one before, should it change */
	bool was_orphan = known && !known->owner_uid;
	if (!event->now) {
		if (known)
			claims_pod_event(hub, NULL, known);
		pod_book_forget(hub->pods, stored->uid);
	} else {
		known = pod_book_learn(hub->pods, stint_event_now(event));
		wake_owner(hub, known);
		job_pod_event(hub, known);
		claims_pod_event(hub, stint_event_now(event), known);
		if (!known->owner_uid && !(was_orphan && labels_are_as_before(event))) {
			wake_all(hub, &replica_controller, known->space, GATHER_MS);
			wake_all(hub, &stateful_controller, known->space, GATHER_MS);
		}
	}
	if (stint_store_count(hub->api->store, hub->budget_kind) > 0)
		hub_wake(hub, &budget_controller, stored->space, "", 0);
	if (stint_store_count(hub->api->store, hub->service_kind) > 0)
		hub_wake(hub, &endpoint_controller, stored->space, "", GATHER_MS);
}

/* A DaemonSet asks for a node's labels and taints: heartbeats and reports of use do not concern it. */
static void node_event(struct hub *hub, const struct stint_store_event *event)
{
	if (stint_store_count(hub->api->store, kind_of(hub, &daemon_controller)) == 0)
		return;
	if (labels_are_as_before(event) &&
		stint_json_equal(stint_json_get(stint_event_before(event), "spec"), stint_json_get(stint_event_now(event), "spec")))
		return;
	wake_all(hub, &daemon_controller, NULL, GATHER_MS);
}

/* ReplicaSets concern the Deployment that owns them. */
static void wake_deployment(struct hub *hub, const struct stint_json *replica_set)
{
	stint_json_each(owner, stint_json_at(replica_set, "metadata", "ownerReferences")) {
		if (stint_json_bool_or(stint_json_get(owner, "controller"), false) &&
			strcmp(stint_json_string_or(stint_json_get(owner, "kind"), ""), "Deployment") == 0)
			hub_wake(hub, &deployment_controller, stint_json_string_or(stint_json_at(replica_set, "metadata", "namespace"), ""),
				stint_json_string_or(stint_json_get(owner, "name"), ""), 0);
	}
}

static void on_event(void *user, const struct stint_store_event *event)
{
	struct hub *hub = user;
	const struct stint_stored *stored = event->now ? event->now : event->before;
	garbage_event(hub->garbage, event);
	namespace_event(hub, event);
	if (stored->kind == hub->pod_kind) {
		pod_event(hub, event);
		return;
	}
	const struct controller *controller = controller_of_kind(stored->kind->kind);
	if (controller && stored->kind == kind_of(hub, controller))
		hub_wake(hub, controller, stored->space, stored->name, 0);
	if (controller == &replica_controller)
		wake_deployment(hub, event->now ? stint_event_now(event) : stint_event_before(event));
	if (controller == &job_controller && !event->now)
		job_gone(hub, stored->uid);
	if (stored->kind == hub->node_kind)
		node_event(hub, event);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static void on_tidying(void *user)
{
	struct hub *hub = user;
	stint_timer_set(hub->tidying, TIDY_MS);
	tidy(hub);
}

static void learn_all(struct hub *hub)
{
	size_t count = 0;
	const struct stint_kind *const *kinds = stint_schema_kinds(hub->api->schema, &count);
	for (size_t i = 0; i < count; i++) {
		const struct stint_kind *kind = kinds[i];
		if (!kind->plural || kind->virtual_create || kind->removed || stint_store_home(hub->api->store, kind) != kind)
			continue;
		stint_auto_store_list list = {0};
		stint_store_list(hub->api->store, kind, NULL, &list);
		for (size_t j = 0; j < list.count; j++) {
			stint_auto_json *object = stint_stored_parse(list.items[j]);
			garbage_learn(hub->garbage, list.items[j], object);
			if (kind == hub->pod_kind)
				pod_book_learn(hub->pods, object);
		}
	}
}

struct hub *controllers_new(struct stint_api *api, const char *root_ca_pem)
{
	struct hub *hub = stint_alloc(sizeof(*hub));
	hub->api = api;
	hub->root_ca_pem = stint_strdup(root_ca_pem);
	hub->pods = pod_book_new();
	hub->work = stint_map_new(work_free);
	hub->job_memories = stint_map_new(free);
	hub->missing_nodes = stint_map_new(free);
	hub->pod_kind = stint_api_kind(api, "v1", "Pod");
	hub->namespace_kind = stint_api_kind(api, "v1", "Namespace");
	hub->node_kind = stint_api_kind(api, "v1", "Node");
	hub->service_kind = stint_api_kind(api, "v1", "Service");
	hub->account_kind = stint_api_kind(api, "v1", "ServiceAccount");
	hub->config_kind = stint_api_kind(api, "v1", "ConfigMap");
	hub->budget_kind = stint_api_kind(api, "policy/v1", "PodDisruptionBudget");
	hub->slice_kind = stint_api_kind(api, "discovery.k8s.io/v1", "EndpointSlice");
	hub->garbage = garbage_new(hub);
	hub->events = stint_store_subscribe(api->store, NULL, on_event, hub);
	learn_all(hub);
	for (size_t i = 0; i < STINT_COUNT(controllers); i++)
		wake_all(hub, controllers[i], NULL, 0);
	hub->tidying = stint_timer_new(api->loop, on_tidying, hub);
	stint_timer_set(hub->tidying, TIDY_MS);
	return hub;
}

void controllers_free(struct hub *hub)
{
	if (!hub)
		return;
	stint_store_unsubscribe(hub->events);
	stint_timer_free(hub->tidying);
	garbage_free(hub->garbage);
	stint_map_free(hub->work);
	stint_map_free(hub->job_memories);
	stint_map_free(hub->missing_nodes);
	pod_book_free(hub->pods);
	free(hub->root_ca_pem);
	free(hub);
}
