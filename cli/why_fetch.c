/*
 * why_fetch: asks the scheduler, or reads what it left behind. See why_fetch.h.
 *
 *   --scheduler-url or own setting -> the endpoint in the scheduler's Lease -> the API server's proxy to its Service -> condition and
 * events
 *
 * The scheduler is spoken to with the caller's own credentials, by a client of its own whose CA is the one that the Lease names. An answer
 * that settles the question ends the search; a scheduler that cannot be reached does not. Its own refusals are told from those of the API
 * server by their reasons (scheduler/why_http.h).
 */
#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>
#include <stint/reasons.h>
#include <stint/workload.h>

#include "cli/events.h"
#include "cli/live.h"
#include "cli/pool.h"
#include "cli/scheduler_client.h"
#include "cli/scheduler_lease.h"
#include "cli/why_fetch.h"

static const char time_was_up[] = "it ran for as long as its --time (activeDeadlineSeconds) allows, and was ended";

enum { ASK_MS = 3000, PROXY_TRIES = 4, EVENTS_MAX = 5, RECORD_MAX = 1024 * 1024 };

struct search {
	struct cli_context *ctx;
	struct stint_kube *kube;
	const char *project, *name;
	char *path;
	struct stint_json *lease;
	char *trouble; /* no scheduler works, in words; NULL: one does, or that is not known */
	struct stint_buf given_up; /* why earlier ways did not work */
	bool unknown; /* the scheduler knows no such workload */
	bool other; /* its pods are for another scheduler */
};

/*
 * ---- asking the scheduler --------------------------------------------------------------------------------------------------------------
 */

enum answer { ANSWERED, SETTLED /* ctx->err says how */, GO_ON };

static enum answer ask(struct search *search, struct stint_kube *kube, const char *path, const char *source, struct stint_json **record,
	struct stint_error **problem)
{
	const struct stint_kube_request request = {.path = path,
		.timeout_ms = ASK_MS,
		.max_body_bytes = RECORD_MAX,
		.retry = STINT_KUBE_RETRY_NEVER,
		.token_header = "X-Stint-Token"};
	struct stint_kube_response response = {0};
	enum answer answer = GO_ON;
	if (stint_kube_call_wait(kube, &request, &response, problem)) {
		*record = stint_json_parse(response.body.data ? response.body.data : "", response.body.length, 0, problem);
		const char *kind = stint_json_string_at(*record, "kind");
		if (kind && strcmp(kind, "Why") == 0) {
			stint_json_set_string(*record, "source", source);
			answer = ANSWERED;
		} else if (*record) {
			stint_json_clear(record);
			stint_fail(problem, STINT_FAILED, "what answers there is no stint-scheduler");
		}
	} else if (*problem && strcmp((*problem)->reason, "WorkloadNotFound") == 0) {
		search->unknown = true;
	} else if (*problem && (strcmp((*problem)->reason, "WorkloadForbidden") == 0 || (*problem)->code == STINT_INTERRUPTED)) {
		stint_error_move(&search->ctx->err, problem);
		answer = SETTLED;
	}
	stint_kube_response_free(&response);
	return answer;
}

static void give_up(struct search *search, const char *way, struct stint_error **problem)
{
	stint_buf_printf(
		&search->given_up, "%s%s: %s", search->given_up.length ? "; " : "", way, *problem ? (*problem)->message : "no answer");
	stint_error_clear(problem);
}

static const char *lease_annotation(const struct search *search, const char *key)
{
	return stint_json_string_at(search->lease, "metadata", "annotations", key);
}

static enum answer ask_directly(struct search *search, const char *way, const char *url, struct stint_json **record)
{
	stint_auto_error *problem = NULL;
	const struct stint_kube_options options = {.logger = cli_logger(search->ctx), .trace = cli_trace(search->ctx)};
	struct cli_scheduler_client *client = cli_scheduler_client_new(search->kube, url, search->lease, &options, &problem);
	enum answer answer = GO_ON;
	if (client) {
		stint_autofree char *source = stint_format("stint-scheduler at %s (%s)", cli_scheduler_client_server(client), way);
		answer = ask(search, cli_scheduler_client_kube(client), search->path, source, record, &problem);
	}
	cli_scheduler_client_free(client);
	if (answer == GO_ON && !search->unknown)
		give_up(search, way, &problem);
	return answer;
}

static enum answer ask_by_proxy(struct search *search, struct stint_json **record)
{
	static const char way[] = "the API server's proxy";
	stint_autofree char *path = cli_why_proxy_path(search->lease, search->path);
	stint_auto_error *problem = NULL;
	enum answer answer = GO_ON;
	/* The Service leads to stand-bys too, and those say 503: the next attempt may meet the one that leads. */
	for (int i = 0; i < PROXY_TRIES && answer == GO_ON && !search->unknown; i++) {
		stint_error_clear(&problem);
		answer = ask(search, search->kube, path, "stint-scheduler by the API server's proxy", record, &problem);
		if (!problem || problem->status != 503)
			break;
	}
	if (answer == GO_ON && !search->unknown)
		give_up(search, way, &problem);
	return answer;
}

/*
 * Where no scheduler of all node pools works, each pool may have its own: that of the workload's pool is the one to ask. One that has no
 * Lease changes nothing.
 */
static void find_scheduler_of_pool(struct search *search)
{
	struct stint_model *model = stint_model_new();
	const struct stint_workload *workload = NULL;
	struct stint_workload_set *set = stint_workload_read(search->kube, model, search->project, search->name, &workload, NULL);
	stint_autofree char *pool = set ? cli_pool_that_serves(search->kube, workload) : NULL;
	struct stint_json *lease = pool ? cli_scheduler_lease(search->kube, pool, NULL) : NULL;
	stint_workload_set_free(set);
	stint_model_free(model);
	if (!lease)
		return;
	stint_json_free(search->lease);
	free(search->trouble);
	search->lease = lease;
	search->trouble = cli_scheduler_trouble(lease, stint_now_ms());
}

/* One that may not be read may well be there. */
static void tell_no_lease(struct search *search, const struct stint_error *unread)
{
	if (unread && unread->code == STINT_FORBIDDEN)
		stint_buf_printf(&search->given_up, "you may not read its Lease %s in %s or %s, which tells where it is",
			STINT_SCHEDULER_NAME, cli_lease_spaces[0], cli_lease_spaces[1]);
	else if (unread)
		stint_buf_printf(&search->given_up, "its Lease, which tells where it is, cannot be read: %s", unread->message);
	else
		stint_buf_puts(&search->given_up, "no Lease tells where the scheduler is");
}

static enum answer ask_scheduler(struct search *search, struct stint_json **record)
{
	stint_auto_error *unread = NULL;
	search->lease = cli_scheduler_lease(search->kube, NULL, &unread);
	search->trouble = !unread ? cli_scheduler_trouble(search->lease, stint_now_ms()) : NULL;
	if (!search->lease || search->trouble)
		find_scheduler_of_pool(search);
	if (!cli_scheduler_knows_caller(search->kube)) {
		stint_buf_printf(&search->given_up, "it would take you for yourself, and not for \"%s\"",
			stint_kube_config_of(search->kube)->impersonate_user);
		return GO_ON;
	}
	const char *url = cli_text(search->ctx, "scheduler-url");
	if (!url)
		url = cli_setting(search->ctx, "scheduler-url");
	const char *endpoint = lease_annotation(search, "stint.dev/endpoint");
	enum answer answer = GO_ON;
	if (url)
		answer = ask_directly(search, "by --scheduler-url or own setting", url, record);
	if (answer == GO_ON && !search->unknown && endpoint)
		answer = ask_directly(search, "by its Lease", endpoint, record);
	if (answer == GO_ON && !search->unknown && search->lease)
		answer = ask_by_proxy(search, record);
	if (answer == GO_ON && !search->unknown && !url && !search->lease)
		tell_no_lease(search, unread);
	return answer;
}

/*
 * ---- what it left behind
 * ------------------------------------------------------------------------------------------------------------------
 */

/* The latest events about a pod, oldest first. What cannot be read is left out. */
static void add_events(struct search *search, struct stint_json *record, const struct stint_pod *pod)
{
	stint_autofree char *selector = stint_format("involvedObject.name=%s,involvedObject.uid=%s", pod->meta.name, pod->meta.uid);
	const struct stint_kube_list_options options = {.field_selector = selector};
	stint_auto_json *list = stint_kube_list(search->kube, &stint_kube_core_events, search->project, &options, NULL);
	const struct stint_json *items = stint_json_get(list, "items");
	const size_t count = stint_json_count(items);
	size_t at = 0;
	stint_json_each(event, items) {
		if (at++ + EVENTS_MAX < count)
			continue;
		struct stint_json *item = stint_json_append(stint_json_ensure_array(record, "events"), stint_json_new_object());
		stint_json_set_string(item, "reason", stint_json_string_or(stint_json_get(event, "reason"), ""));
		stint_json_set_string(item, "message", stint_json_string_or(stint_json_get(event, "message"), ""));
		stint_json_set_string(item, "time", stint_json_string(stint_json_get(event, "lastTimestamp")));
	}
}

/* The scheduler that the workload's pods are for, when it is none that stint serves; NULL: it is, or that is not known. */
static const char *other_scheduler(const struct search *search, const struct stint_workload *workload, struct stint_buf *served)
{
	const struct stint_pod_spec *spec = workload->pods_count ? workload->pods[0]->spec : NULL;
	if (!spec && workload->owner)
		spec = workload->owner->pod_spec;
	char **names = cli_scheduler_names_of(search->ctx, lease_annotation(search, "stint.dev/scheduler-names"));
	bool ours = !spec || !spec->scheduler_name;
	for (size_t at = 0; names[at]; at++) {
		ours = ours || strcmp(names[at], spec->scheduler_name) == 0;
		stint_buf_printf(served, "%s%s", at ? ", " : "", names[at]);
	}
	stint_strings_free(names);
	return ours ? NULL : spec->scheduler_name;
}

static void add_other_scheduler(struct search *search, struct stint_json *record, const struct stint_workload *workload)
{
	stint_auto_buf served = {0};
	const char *other = other_scheduler(search, workload, &served);
	if (!other || workload->phase != STINT_WORKLOAD_PENDING)
		return;
	const struct stint_reason_facts facts = {.name = other, .detail = served.data};
	stint_autofree char *sentence = stint_reason_sentence("OtherScheduler", &facts);
	stint_json_set_string(record, "reason", "OtherScheduler");
	stint_json_set_string(record, "message", sentence);
	search->other = true;
}

static bool is_over(enum stint_workload_phase phase)
{
	return phase == STINT_WORKLOAD_SUCCEEDED || phase == STINT_WORKLOAD_FAILED || phase == STINT_WORKLOAD_SUSPENDED;
}

/* It waits for nothing any more; the words are those of the scheduler, which tells of what has failed no more than this. */
static void add_end(struct stint_json *record, const struct stint_workload *workload)
{
	const bool failed = workload->phase == STINT_WORKLOAD_FAILED, suspended = workload->phase == STINT_WORKLOAD_SUSPENDED;
	if (!failed || !workload->reason)
		stint_json_set_string(record, "reason", suspended ? "Suspended" : "Ended");
	if (failed && workload->reason && strcmp(workload->reason, "DeadlineExceeded") == 0)
		stint_json_set_string(record, "message", time_was_up);
	else if (!failed || !workload->message)
		stint_json_set_string(record, "message",
			suspended	 ? "it is suspended: resume it"
				: failed ? "it has failed"
					 : "it has ended");
}

struct creation {
	struct stint_model *model;
	const struct stint_workload *workload;
	struct stint_object *last; /* the latest of its events FailedCreate; NULL: none */
};

static bool take_failed_creation(void *user, const char *data, size_t length)
{
	static const struct stint_decode_as as = {.kind = STINT_KIND_EVENT};
	struct creation *creation = user;
	struct stint_object *object = stint_object_decode(creation->model, &as, data, length, NULL);
	const struct stint_event *event = object ? stint_event_of(object) : NULL;
	if (event && event->message && event->reason && strcmp(event->reason, "FailedCreate") == 0 &&
		cli_event_is_about(event, creation->workload, creation->workload->name) &&
		(!creation->last || event->last_ms >= stint_event_of(creation->last)->last_ms)) {
		stint_object_unref(creation->last);
		creation->last = stint_object_ref(object);
	}
	stint_object_unref(object);
	return true;
}

/* Pods that its controller could not make have no condition: the controller's own event tells why. What cannot be read is left out. */
static void add_failed_creation(
	struct search *search, struct stint_model *model, struct stint_json *record, const struct stint_workload *workload)
{
	const struct stint_kube_list_options options = {.field_selector = "reason=FailedCreate"};
	struct creation creation = {.model = model, .workload = workload};
	const int64_t there = (int64_t)workload->pods_count - workload->pods_succeeded - workload->pods_failed;
	if (there >= workload->pods_wanted || (workload->reason && strcmp(workload->reason, "NoPods") != 0))
		return;
	stint_kube_list_each(search->kube, &stint_kube_core_events, search->project, &options, take_failed_creation, &creation, NULL);
	if (creation.last) {
		const struct stint_event *event = stint_event_of(creation.last);
		char ago[STINT_TIME_SIZE];
		const int64_t now_ms = stint_now_ms();
		stint_duration_format(now_ms > event->last_ms ? now_ms - event->last_ms : 0, ago);
		stint_autofree char *message = stint_format("%s %s could not make its pods (FailedCreate, %s ago): %s",
			event->about_kind ? event->about_kind : workload->kind, event->about_name ? event->about_name : workload->name, ago,
			event->message);
		stint_json_set_string(record, "reason", "NoPods");
		stint_json_set_string(record, "message", message);
	}
	stint_object_unref(creation.last);
}

static struct stint_json *read_conditions(struct search *search)
{
	struct stint_model *model = stint_model_new();
	const struct stint_workload *workload = NULL;
	struct stint_workload_set *set =
		stint_workload_read(search->kube, model, search->project, search->name, &workload, &search->ctx->err);
	stint_auto_json *record = NULL;
	if (set) {
		record = stint_json_new_object();
		const bool waits = workload->phase == STINT_WORKLOAD_PENDING, over = is_over(workload->phase);
		stint_json_set_string(record, "apiVersion", "stint.dev/v1");
		stint_json_set_string(record, "kind", "Why");
		stint_json_set_string(record, "project", search->project);
		stint_json_set_string(record, "workload", workload->name);
		stint_json_set_string(record, "workload_kind", workload->kind);
		stint_json_set_string(record, "phase",
			over					? "NoPods"
				: waits && workload->pods_count ? "Waiting"
				: workload->pods_waiting	? "Waiting"
				: waits				? "NoPods"
								: "Placed");
		struct stint_json *pods = stint_json_ensure_object(record, "pods");
		stint_json_set_int(pods, "total", workload->pods_total);
		stint_json_set_int(pods, "waiting", workload->pods_waiting);
		if (workload->reason)
			stint_json_set_string(record, "reason", workload->reason);
		if (workload->message)
			stint_json_set_string(record, "message", workload->message);
		stint_json_set_bool(record, "never", workload->never);
		if (over)
			add_end(record, workload);
		else
			add_failed_creation(search, model, record, workload);
		add_other_scheduler(search, record, workload);
		for (size_t i = 0; i < workload->pods_count; i++) {
			if (workload->pods[i]->node || stint_pod_ended(workload->pods[i]))
				continue;
			add_events(search, record, workload->pods[i]);
			break;
		}
		stint_json_set_string(record, "source", "condition and events of its pods");
	}
	stint_workload_set_free(set);
	stint_model_free(model);
	return stint_steal(&record);
}

/*
 * What the pods that are left tell better than the scheduler, which looks away from those that have failed: with backoffLimitPerIndex why a
 * Job has none (the scheduler may have started since), and that their time was up, which counts as a failure for the Job.
 */
static void add_lost_pods(struct search *search, struct stint_json *record)
{
	const char *reason = stint_json_string_or(stint_json_get(record, "reason"), "");
	const bool ended = strcmp(reason, "Ended") == 0;
	if (!ended && strcmp(reason, "NoPods") != 0)
		return;
	stint_auto_json *told = read_conditions(search);
	stint_error_clear(&search->ctx->err); /* it may have gone meanwhile */
	if (ended && strcmp(stint_json_string_or(stint_json_get(told, "reason"), ""), "DeadlineExceeded") != 0)
		return;
	static const char *const keys[] = {"reason", "message"};
	for (size_t i = 0; i < STINT_COUNT(keys); i++) {
		const char *text = stint_json_string(stint_json_get(told, keys[i]));
		if (text)
			stint_json_set_string(record, keys[i], text);
	}
	if (ended)
		stint_json_set_string(record, "message", time_was_up);
}

/* Nobody looks at it: that is the reason, where no condition has another one. */
static void tell_trouble(struct search *search, struct stint_json *record)
{
	cli_note(search->ctx, "%s: this is what the pods' conditions say", search->trouble);
	if (stint_json_get(record, "reason") || strcmp(stint_json_string_or(stint_json_get(record, "phase"), ""), "Waiting") != 0)
		return;
	stint_json_set_string(record, "reason", "NoScheduler");
	stint_json_set_string(record, "message", search->trouble);
}

/* Whoever holds the Lease may have died just now: another one may not come before it has run out. */
static void tell_silence(struct search *search, struct stint_json *record)
{
	if (!search->lease || stint_json_get(record, "reason") ||
		strcmp(stint_json_string_or(stint_json_get(record, "phase"), ""), "Waiting") != 0)
		return;
	stint_json_set_string(record, "reason", "NotJudgedYet");
	stint_json_set_string(record, "message",
		"the scheduler that holds the Lease has not looked at it and does not answer: if it has died, the next one takes over when "
		"the Lease has run out, which takes seconds");
}

struct stint_json *cli_why_fetch(struct cli_context *ctx, const char *project, const char *name)
{
	struct search search = {.ctx = ctx, .project = project, .name = name, .kube = cli_connect(ctx)};
	if (!search.kube)
		return NULL;
	stint_autofree char *path = cli_why_path(project, name);
	search.path = path;
	struct stint_json *record = NULL;
	const enum answer answer = ask_scheduler(&search, &record);
	if (answer == ANSWERED)
		add_lost_pods(&search, record);
	if (answer == GO_ON) {
		record = read_conditions(&search);
		if (record && search.unknown && search.other)
			stint_json_set_string(record, "source", "the pods themselves");
		else if (record && search.unknown)
			cli_note(ctx, "the scheduler does not know \"%s\": it may be of another scheduler, or only just made", name);
		else if (record && search.trouble)
			tell_trouble(&search, record);
		else if (record) {
			cli_note(ctx, "the scheduler could not be asked (%s); this is what the pods' conditions say", search.given_up.data);
			tell_silence(&search, record);
		}
	}
	stint_json_free(search.lease);
	free(search.trouble);
	stint_buf_free(&search.given_up);
	return record;
}
