/*
 * pool_label: see pool_label.h.
 *
 * State: a queue of labels that wait for their turn and the few whose write is under way. A label whose turn comes when the Lease may have
 * gone is dropped, and so are those of the time after a refusal.
 */
#include <scheduler/pool_label.h>

#include <stint/model.h>

#include <stdlib.h>
#include <string.h>

enum {
	TIMEOUT_MS = 4000, /* contracts: as for binds */
	IN_FLIGHT_MAX = 16,
	WAITING_MAX = 4096,
	AFTER_REFUSAL_MS = 60 * 1000,
};

struct pool_label {
	struct stint_pool_labels *labels;
	char *space, *pod, *uid;
	struct stint_kube_call *call; /* NULL: waits */
	struct pool_label *next;
};

struct stint_pool_labels {
	struct stint_pool_labels_options options;
	struct pool_label *waiting, **waiting_end;
	struct pool_label *sent;
	size_t waiting_count, sent_count;
	int64_t not_before_ms; /* monotonic */
	bool refusal_told;
};

static void free_all(struct pool_label *label)
{
	for (struct pool_label *next; label; label = next) {
		next = label->next;
		stint_kube_call_cancel(label->call);
		free(label->space);
		free(label->pod);
		free(label->uid);
		free(label);
	}
}

struct stint_pool_labels *stint_pool_labels_new(const struct stint_pool_labels_options *options)
{
	struct stint_pool_labels *labels = stint_alloc(sizeof(*labels));
	labels->options = *options;
	labels->waiting_end = &labels->waiting;
	return labels;
}

void stint_pool_labels_free(struct stint_pool_labels *labels)
{
	if (!labels)
		return;
	free_all(labels->waiting);
	free_all(labels->sent);
	free(labels);
}

static bool may_write(const struct stint_pool_labels *labels)
{
	const int64_t now_ms = stint_monotonic_ms();
	return now_ms >= labels->not_before_ms && now_ms < labels->options.write_until_ms(labels->options.user);
}

static void note_refusal(struct stint_pool_labels *labels, const struct pool_label *label, const struct stint_error *err)
{
	labels->not_before_ms = stint_monotonic_ms() + AFTER_REFUSAL_MS;
	if (labels->refusal_told)
		return;
	labels->refusal_told = true;
	stint_log(labels->options.logger, STINT_LOG_WARN,
		"pod %s/%s was bound, but could not be given label " STINT_LABEL_NODE_POOL
		"=%s: %s; bind role stint-scheduler-node-pool of "
		"deploy/rbac.yaml (this is told once)",
		label->space, label->pod, labels->options.pool, err->message);
}

static void send_next(struct stint_pool_labels *labels);

static void on_done(void *user, struct stint_kube_response *response)
{
	struct pool_label *label = user;
	struct stint_pool_labels *labels = label->labels;
	label->call = NULL;
	struct pool_label **at = &labels->sent;
	while (*at != label)
		at = &(*at)->next;
	*at = label->next;
	label->next = NULL;
	labels->sent_count--;
	if (response->error && response->error->code == STINT_FORBIDDEN)
		note_refusal(labels, label, response->error);
	free_all(label);
	send_next(labels);
}

static void send(struct stint_pool_labels *labels, struct pool_label *label)
{
	stint_auto_json *patch = stint_json_new_object();
	struct stint_json *metadata = stint_json_ensure_object(patch, "metadata");
	stint_json_set_string(metadata, "uid", label->uid);
	stint_json_set_string(stint_json_ensure_object(metadata, "labels"), STINT_LABEL_NODE_POOL, labels->options.pool);
	stint_autofree char *body = stint_json_print(patch);
	label->next = labels->sent;
	labels->sent = label;
	labels->sent_count++;
	label->call = stint_kube_call_start(labels->options.kube,
		&(struct stint_kube_request){.method = "PATCH",
			.resource = &stint_kube_pods,
			.namespace_ = label->space,
			.name = label->pod,
			.content_type = stint_kube_patch_content_type(STINT_KUBE_PATCH_MERGE),
			.body = body,
			.body_length = strlen(body),
			.timeout_ms = TIMEOUT_MS,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = on_done,
			.user = label});
}

static void send_next(struct stint_pool_labels *labels)
{
	while (labels->waiting && labels->sent_count < IN_FLIGHT_MAX) {
		struct pool_label *label = labels->waiting;
		labels->waiting = label->next;
		labels->waiting_count--;
		if (!labels->waiting)
			labels->waiting_end = &labels->waiting;
		label->next = NULL;
		if (may_write(labels))
			send(labels, label);
		else
			free_all(label);
	}
}

void stint_pool_labels_write(struct stint_pool_labels *labels, const char *space, const char *pod, const char *uid)
{
	if (!may_write(labels) || labels->waiting_count == WAITING_MAX)
		return;
	struct pool_label *label = stint_alloc(sizeof(*label));
	*label = (struct pool_label){.labels = labels, .space = stint_strdup(space), .pod = stint_strdup(pod), .uid = stint_strdup(uid)};
	*labels->waiting_end = label;
	labels->waiting_end = &label->next;
	labels->waiting_count++;
	send_next(labels);
}
