/*
 * evict_call: the condition, the eviction, and the read that settles a conflict. See evict_call.h. Holds no state beyond a request.
 *
 * Condition and eviction name the pod's uid, so that they never meet a later pod of the same name. Requests are never repeated by the client:
 * whether to repeat is the outbox's decision.
 */
#include <scheduler/evict_call.h>

#include <scheduler/conditions.h>

#include <stdlib.h>
#include <string.h>

enum { TOO_MANY_REQUESTS = 429 };

struct stint_eviction *stint_eviction_new(void *owner, const char *space, const char *pod, const char *uid, const char *reason,
	const char *sentence, int64_t at_ms, bool direct)
{
	struct stint_eviction *eviction = stint_alloc(sizeof(*eviction));
	*eviction = (struct stint_eviction){.errand = {.owner = owner, .two_writes = true},
		.space = stint_strdup(space),
		.pod = stint_strdup(pod),
		.uid = stint_strdup(uid),
		.reason = stint_strdup(reason),
		.sentence = stint_strdup(sentence),
		.gpus = -1,
		.ran_ms = -1,
		.at_ms = at_ms,
		.direct = direct};
	return eviction;
}

void stint_eviction_free(struct stint_eviction *eviction)
{
	if (!eviction)
		return;
	free(eviction->space);
	free(eviction->pod);
	free(eviction->uid);
	free(eviction->reason);
	free(eviction->sentence);
	free(eviction);
}

const char *stint_eviction_outcome_name(enum stint_errand_outcome outcome)
{
	static const char *const names[STINT_ERRAND_OUTCOMES] = {"evicted", "conflict", "gone", "failed", "retried", "blocked", "marked"};
	return names[outcome];
}

/* ---- what is said ------------------------------------------------------------------------------------------------------------------ */

char *stint_eviction_condition(const struct stint_eviction *eviction)
{
	return stint_pod_condition_patch(eviction->uid,
		&(struct stint_pod_condition){.type = STINT_EVICTED_CONDITION,
			.status = "True",
			.reason = eviction->reason,
			.message = eviction->sentence,
			.at_ms = eviction->at_ms});
}

static void set_precondition(struct stint_json *options, const char *uid)
{
	stint_json_set_string(stint_json_ensure_object(options, "preconditions"), "uid", uid);
}

char *stint_eviction_body(const struct stint_eviction *eviction)
{
	stint_auto_json *body = stint_json_new_object();
	if (eviction->direct) {
		stint_json_set_string(body, "apiVersion", "v1");
		stint_json_set_string(body, "kind", "DeleteOptions");
		set_precondition(body, eviction->uid);
		return stint_json_print(body);
	}
	stint_json_set_string(body, "apiVersion", "policy/v1");
	stint_json_set_string(body, "kind", "Eviction");
	struct stint_json *metadata = stint_json_ensure_object(body, "metadata");
	stint_json_set_string(metadata, "name", eviction->pod);
	stint_json_set_string(metadata, "namespace", eviction->space);
	set_precondition(stint_json_ensure_object(body, "deleteOptions"), eviction->uid);
	return stint_json_print(body);
}

/* ---- what is answered ---------------------------------------------------------------------------------------------------------------- */

enum stint_errand_outcome stint_eviction_outcome_of_write(const struct stint_eviction *eviction, int http_status)
{
	if (http_status == TOO_MANY_REQUESTS && !eviction->direct)
		return eviction->errand.attempts >= STINT_EVICT_ATTEMPTS ? STINT_ERRAND_REFUSED : STINT_ERRAND_NOT_YET;
	return stint_errand_outcome_of_status(http_status);
}

enum stint_errand_outcome stint_eviction_outcome_of_pod(
	const struct stint_eviction *eviction, int http_status, const char *body, size_t length)
{
	if (http_status == 404)
		return STINT_ERRAND_GONE;
	stint_auto_json *pod = http_status == 200 ? stint_json_parse(body, length, 0, NULL) : NULL;
	if (!pod)
		return STINT_ERRAND_UNCERTAIN;
	if (strcmp(stint_json_string_or(stint_json_at(pod, "metadata", "uid"), ""), eviction->uid) != 0)
		return STINT_ERRAND_GONE;
	return stint_json_string_at(pod, "metadata", "deletionTimestamp") ? STINT_ERRAND_DONE : STINT_ERRAND_CONFLICT;
}

/* ---- the requests -------------------------------------------------------------------------------------------------------------------- */

struct request {
	const struct stint_eviction_sender *sender;
	struct stint_eviction *eviction;
	struct stint_kube_call *call;
};

static void on_told(void *user, struct stint_kube_response *response)
{
	struct request *request = user;
	struct stint_eviction *eviction = request->eviction;
	const int status = response->error ? response->error->status : response->status;
	enum stint_errand_outcome outcome = stint_errand_outcome_of_status(status);
	if (outcome == STINT_ERRAND_DONE || outcome == STINT_ERRAND_REFUSED) {
		/* Who may evict and not write the condition still evicts: the event tells the cause as well. */
		eviction->told = true;
		outcome = STINT_ERRAND_HALF_DONE;
	}
	eviction->errand.call = NULL;
	request->sender->answered(request->sender->user, eviction, outcome, response->error ? response->error->message : NULL,
		response->error ? response->error->retry_after_ms : -1);
	free(request);
}

static void on_done(void *user, struct stint_kube_response *response)
{
	stint_autofree struct request *request = user;
	struct stint_eviction *eviction = request->eviction;
	const int status = response->error ? response->error->status : response->status;
	const enum stint_errand_outcome outcome = eviction->errand.state == STINT_ERRAND_CHECKING
		? stint_eviction_outcome_of_pod(eviction, response->status, response->body.data, response->body.length)
		: stint_eviction_outcome_of_write(eviction, status);
	eviction->errand.call = NULL;
	request->sender->answered(request->sender->user, eviction, outcome, response->error ? response->error->message : NULL,
		response->error ? response->error->retry_after_ms : -1);
}

static void send_eviction(struct request *request)
{
	const struct stint_eviction *eviction = request->eviction;
	stint_autofree char *body = stint_eviction_body(eviction);
	request->call = stint_kube_call_start(request->sender->kube,
		&(struct stint_kube_request){.method = eviction->direct ? "DELETE" : "POST",
			.resource = &stint_kube_pods,
			.namespace_ = eviction->space,
			.name = eviction->pod,
			.subresource = eviction->direct ? NULL : "eviction",
			.body = body,
			.body_length = strlen(body),
			.timeout_ms = STINT_EVICT_TIMEOUT_MS,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = on_done,
			.user = request});
}

static void send_condition(struct request *request)
{
	const struct stint_eviction *eviction = request->eviction;
	stint_autofree char *body = stint_eviction_condition(eviction);
	request->call = stint_kube_call_start(request->sender->kube,
		&(struct stint_kube_request){.method = "PATCH",
			.resource = &stint_kube_pods,
			.namespace_ = eviction->space,
			.name = eviction->pod,
			.subresource = "status",
			.body = body,
			.body_length = strlen(body),
			.content_type = stint_kube_patch_content_type(STINT_KUBE_PATCH_STRATEGIC),
			.timeout_ms = STINT_EVICT_TIMEOUT_MS,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = on_told,
			.user = request});
}

void stint_eviction_call_start(const struct stint_eviction_sender *sender, struct stint_eviction *eviction)
{
	struct request *request = stint_alloc(sizeof(*request));
	*request = (struct request){.sender = sender, .eviction = eviction};
	eviction->errand.call = request;
	if (eviction->errand.state == STINT_ERRAND_CHECKING)
		request->call = stint_kube_call_start(sender->kube,
			&(struct stint_kube_request){.resource = &stint_kube_pods,
				.namespace_ = eviction->space,
				.name = eviction->pod,
				.timeout_ms = STINT_EVICT_TIMEOUT_MS,
				.retry = STINT_KUBE_RETRY_NEVER,
				.on_done = on_done,
				.user = request});
	else if (eviction->told)
		send_eviction(request);
	else
		send_condition(request);
}

void stint_eviction_call_cancel(struct stint_eviction *eviction)
{
	struct request *request = eviction->errand.call;
	if (!request)
		return;
	stint_kube_call_cancel(request->call);
	free(request);
	eviction->errand.call = NULL;
}
