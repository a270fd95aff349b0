/*
 * bind_call: Binding writes and the reads that settle a conflict. See bind_call.h. Holds no state beyond a request.
 *
 * The Binding carries the pod's uid, so that it can never bind a later pod of the same name, and the devices as annotations, which the API
 * server copies to the pod in the same write. Requests are never repeated by the client: whether to repeat is the outbox's decision.
 */
#include <scheduler/bind_call.h>

#include <stdlib.h>
#include <string.h>

struct stint_bind *stint_bind_new(
	void *owner, const char *space, const char *pod, const char *uid, const char *node, const char *devices, const char *uuids)
{
	struct stint_bind *bind = stint_alloc(sizeof(*bind));
	*bind = (struct stint_bind){.errand = {.owner = owner},
		.space = stint_strdup(space),
		.pod = stint_strdup(pod),
		.uid = stint_strdup(uid),
		.node = stint_strdup(node),
		.devices = stint_strdup(devices),
		.uuids = stint_strdup(uuids)};
	return bind;
}

void stint_bind_free(struct stint_bind *bind)
{
	if (!bind)
		return;
	free(bind->space);
	free(bind->pod);
	free(bind->uid);
	free(bind->node);
	free(bind->devices);
	free(bind->uuids);
	free(bind->zones);
	free(bind);
}

const char *stint_bind_outcome_name(enum stint_errand_outcome outcome)
{
	static const char *const names[STINT_ERRAND_OUTCOMES] = {"bound", "conflict", "gone", "failed", "retried", "put off", "half done"};
	return names[outcome];
}

char *stint_bind_body(const struct stint_bind *bind)
{
	stint_auto_json *body = stint_json_new_object();
	stint_json_set_string(body, "apiVersion", "v1");
	stint_json_set_string(body, "kind", "Binding");
	struct stint_json *metadata = stint_json_ensure_object(body, "metadata");
	stint_json_set_string(metadata, "name", bind->pod);
	stint_json_set_string(metadata, "namespace", bind->space);
	stint_json_set_string(metadata, "uid", bind->uid);
	if (bind->devices)
		stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), "stint.dev/gpu-devices", bind->devices);
	if (bind->uuids)
		stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), "stint.dev/gpu-uuids", bind->uuids);
	if (bind->zones)
		stint_json_set_string(
			stint_json_ensure_object(metadata, "annotations"), "kai.scheduler/numa-placement-predicted", bind->zones);
	struct stint_json *target = stint_json_ensure_object(body, "target");
	stint_json_set_string(target, "apiVersion", "v1");
	stint_json_set_string(target, "kind", "Node");
	stint_json_set_string(target, "name", bind->node);
	return stint_json_print(body);
}

enum stint_errand_outcome stint_bind_outcome_of_pod(const struct stint_bind *bind, int http_status, const char *body, size_t length)
{
	if (http_status == 404)
		return STINT_ERRAND_GONE;
	stint_auto_json *pod = http_status == 200 ? stint_json_parse(body, length, 0, NULL) : NULL;
	if (!pod)
		return STINT_ERRAND_UNCERTAIN;
	if (strcmp(stint_json_string_or(stint_json_at(pod, "metadata", "uid"), ""), bind->uid) != 0)
		return STINT_ERRAND_GONE;
	const char *node = stint_json_string_at(pod, "spec", "nodeName");
	return node && strcmp(node, bind->node) == 0 ? STINT_ERRAND_DONE : STINT_ERRAND_CONFLICT;
}

struct request {
	const struct stint_bind_sender *sender;
	struct stint_bind *bind;
	struct stint_kube_call *call;
};

static void answer(struct request *request, enum stint_errand_outcome outcome, const struct stint_error *error)
{
	const struct stint_bind_sender *sender = request->sender;
	struct stint_bind *bind = request->bind;
	free(request);
	sender->answered(sender->user, bind, outcome, error ? error->message : NULL, error ? error->retry_after_ms : -1);
}

static void on_done(void *user, struct stint_kube_response *response)
{
	struct request *request = user;
	const struct stint_bind *bind = request->bind;
	const enum stint_errand_outcome outcome = bind->errand.state == STINT_ERRAND_CHECKING
		? stint_bind_outcome_of_pod(bind, response->status, response->body.data, response->body.length)
		: stint_errand_outcome_of_status(response->error ? response->error->status : response->status);
	answer(request, outcome, response->error);
}

void stint_bind_call_start(const struct stint_bind_sender *sender, struct stint_bind *bind)
{
	struct request *request = stint_alloc(sizeof(*request));
	*request = (struct request){.sender = sender, .bind = bind};
	bind->errand.call = request;
	struct stint_kube_request call = {.resource = &stint_kube_pods,
		.namespace_ = bind->space,
		.name = bind->pod,
		.timeout_ms = STINT_BIND_TIMEOUT_MS,
		.retry = STINT_KUBE_RETRY_NEVER,
		.on_done = on_done,
		.user = request};
	if (bind->errand.state == STINT_ERRAND_CHECKING) {
		request->call = stint_kube_call_start(sender->kube, &call);
		return;
	}
	stint_autofree char *body = stint_bind_body(bind);
	call.method = "POST";
	call.subresource = "binding";
	call.body = body;
	call.body_length = strlen(body);
	request->call = stint_kube_call_start(sender->kube, &call);
}

void stint_bind_call_cancel(struct stint_bind *bind)
{
	struct request *request = bind->errand.call;
	if (!request)
		return;
	stint_kube_call_cancel(request->call);
	free(request);
	bind->errand.call = NULL;
}
