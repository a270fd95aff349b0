/*
 * holder_calls: what is asked of the API server for one holder: its pod made and deleted, its log read. See holder.h.
 */
#include <stdlib.h>
#include <string.h>

#include <scheduler/holder.h>

enum { CALL_TIMEOUT_MS = 4000, LOG_BYTES = 16 * 1024 };

static bool may_write(const struct stint_holders *holders)
{
	return stint_monotonic_ms() < holders->options.write_until_ms(holders->options.user);
}

static void on_namespace(void *user, struct stint_kube_response *response)
{
	struct holder *holder = user;
	holder->call = NULL;
	holder->writing = false;
	if (response->error && response->error->code != STINT_CONFLICT)
		holder_fail(holder, "NamespaceMissing", response->error->message);
	else
		holder_create(holder);
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
		holder_fail(holder, "CreateRefused", err->message);
	else
		holders_want_tick(holder->all); /* uncertain: tick tries again, and meets the first try if that came through */
}

void holder_create(struct holder *holder)
{
	/* A deletion of its predecessor may be under way still: its answer comes back here. */
	if (holder->writing || !may_write(holder->all)) {
		holders_want_tick(holder->all);
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
		holder_create(holder); /* the watch was faster, and the slot is wanted again */
	else if (response->error && response->error->code != STINT_NOT_FOUND)
		holders_want_tick(holder->all);
}

void holder_delete(struct holder *holder)
{
	if (!holder->pod || holder->writing || !may_write(holder->all)) {
		holders_want_tick(holder->all);
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
		holder_take_report(holder, &report);
	} else if (ended) {
		const struct stint_pod *pod = holder->pod;
		const char *word = pod->terminated_reason ? pod->terminated_reason : pod->reason ? pod->reason : "no reason given";
		stint_autofree char *message = stint_format("its holder ended (%s, exit code %d) and its log says nothing%s%s", word,
			pod->exited ? pod->exit_code : -1, pod->message ? ": " : "", pod->message ? pod->message : "");
		holder_fail(holder, "HolderEnded", message);
	} else {
		holders_want_tick(holder->all); /* nothing printed yet */
	}
}

void holder_read_log(struct holder *holder)
{
	if (holder->call)
		return;
	const struct stint_kube_log_options options = {.container = "hold", .tail_lines = -1, .limit_bytes = LOG_BYTES};
	holder->call =
		stint_kube_log_start(holder->all->options.kube, STINT_RESERVATION_NAMESPACE, holder->name, &options, NULL, on_log, holder);
}
