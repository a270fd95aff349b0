/*
 * surroundings: what a submission must know before it creates anything, asked for in one round: whether the name is free, which scheduler
 * serves, and whether what it would name (namespace, queue, classes) is there. Kubernetes tells of a missing priority class only in a Job's
 * events.
 */
#include <stdlib.h>
#include <string.h>

#include "batch.h"

#include <stint/workload.h>

enum { JOB, DEPLOYMENT, STATEFULSET, POD, POD_GROUP, SPACE, QUEUE, LEASE, LOCAL_LEASE, PRIORITY, RUNTIME, QUESTIONS };

static enum stint_truth truth_of(const struct batch_item *item)
{
	if (!item->error)
		return STINT_TRUE;
	return item->error->code == STINT_NOT_FOUND ? STINT_FALSE : STINT_UNKNOWN;
}

/* NULL: not known. */
static char **names_of(const struct batch_item *lease)
{
	if (lease->error)
		return NULL;
	stint_auto_json *object = stint_json_parse(lease->body.data ? lease->body.data : "", lease->body.length, 0, NULL);
	char **names =
		stint_split(stint_json_string_or(stint_json_at(object, "metadata", "annotations", "stint.dev/scheduler-names"), ""), ", ");
	if (names[0])
		return names;
	stint_strings_free(names);
	return NULL;
}

static char *default_pools_of(const struct batch_item *queue)
{
	stint_auto_json *object =
		queue->error || !queue->body.data ? NULL : stint_json_parse(queue->body.data, queue->body.length, 0, NULL);
	return stint_strdup(stint_json_string_at(object, "metadata", "annotations", STINT_ANNOTATION_DEFAULT_POOLS));
}

/* An answer that is neither yes nor no nor "you may not know": the cluster cannot be worked with. */
static bool check_answers(struct batch_item *items, size_t count, struct stint_error **err)
{
	for (size_t at = 0; at < count; at++) {
		const struct stint_error *error = items[at].error;
		if (error && error->code != STINT_NOT_FOUND && error->code != STINT_FORBIDDEN)
			return stint_error_move(err, &items[at].error);
		/* Not known who asks: every other answer would be the same. */
		if (error && error->status == 401)
			return stint_error_move(err, &items[at].error);
	}
	return true;
}

bool stint_surroundings_read(struct stint_kube *kube, const char *project, const char *name, const char *priority_class,
	const char *runtime_class, struct stint_surroundings *out, struct stint_error **err)
{
	struct batch_item items[QUESTIONS] = {
		[JOB] = {.resource = &stint_kube_jobs, .namespace_ = project, .name = name},
		[DEPLOYMENT] = {.resource = &stint_kube_deployments, .namespace_ = project, .name = name},
		[STATEFULSET] = {.resource = &stint_kube_statefulsets, .namespace_ = project, .name = name},
		[POD] = {.resource = &stint_kube_pods, .namespace_ = project, .name = name},
		[POD_GROUP] = {.resource = &stint_kube_podgroups, .namespace_ = project, .name = name},
		[SPACE] = {.resource = &stint_kube_namespaces, .name = project},
		[QUEUE] = {.resource = &stint_kube_queues, .name = project},
		[LEASE] = {.resource = &stint_kube_leases, .namespace_ = "stint-system", .name = STINT_SCHEDULER_NAME},
		[LOCAL_LEASE] = {.resource = &stint_kube_leases, .namespace_ = "kube-system", .name = STINT_SCHEDULER_NAME},
	};
	size_t count = PRIORITY;
	const size_t priority_at = priority_class && *priority_class ? count++ : QUESTIONS;
	const size_t runtime_at = runtime_class && *runtime_class ? count++ : QUESTIONS;
	if (priority_at < QUESTIONS)
		items[priority_at] = (struct batch_item){.resource = &stint_kube_priorityclasses, .name = priority_class};
	if (runtime_at < QUESTIONS)
		items[runtime_at] = (struct batch_item){.resource = &stint_kube_runtimeclasses, .name = runtime_class};
	*out = (struct stint_surroundings){0};
	const size_t first = name && *name ? JOB : SPACE; /* a name that the server will make up is free */
	const bool fine = batch_run(kube, items + first, count - first, err) && check_answers(items + first, count - first, err);
	for (size_t at = first; fine && !out->taken_by && at <= POD_GROUP; at++)
		if (!items[at].error)
			out->taken_by = stint_strdup(items[at].resource->kind);
	if (fine) {
		out->has_namespace = truth_of(&items[SPACE]);
		out->has_queue = truth_of(&items[QUEUE]);
		out->default_pools = default_pools_of(&items[QUEUE]);
		out->has_priority_class = priority_at < QUESTIONS ? truth_of(&items[priority_at]) : STINT_UNKNOWN;
		out->has_runtime_class = runtime_at < QUESTIONS ? truth_of(&items[runtime_at]) : STINT_UNKNOWN;
		out->scheduler_names = names_of(&items[LEASE]);
		if (!out->scheduler_names)
			out->scheduler_names = names_of(&items[LOCAL_LEASE]);
	}
	batch_free(items, count);
	return fine;
}

void stint_surroundings_free(struct stint_surroundings *surroundings)
{
	free(surroundings->taken_by);
	free(surroundings->default_pools);
	stint_strings_free(surroundings->scheduler_names);
	*surroundings = (struct stint_surroundings){0};
}
