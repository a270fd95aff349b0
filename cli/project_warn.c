/*
 * project_warn: what is odd about a share that has just been written. It was said so and may be meant, for nodes that are still to come, so
 * it is done and noted. What cannot be seen, or was not said this time, is not warned of.
 */
#include <string.h>

#include <stint/kube.h>
#include <stint/workload.h>

#include "cli/output/output.h"
#include "cli/pool.h"
#include "cli/project.h"

static const double HAIR = 0.0005; /* less than a thousandth of a device is rounding */

/* What was said of it; -1: nothing, or without end. */
static double said(const char *text)
{
	double number;
	return text && stint_parse_double(text, 0, 1e9, &number) ? number : -1;
}

static bool count_devices(void *user, const char *item, size_t length)
{
	static const struct stint_decode_as as = {.kind = STINT_KIND_NODE};
	struct stint_model *model = stint_model_new();
	struct stint_object *object = stint_object_decode(model, &as, item, length, NULL);
	if (object)
		*(double *)user += stint_node_of(object)->gpu_count;
	stint_object_unref(object);
	stint_model_free(model);
	return true;
}

/* Clusters without plain GPUs (none yet, or MIG alone) say nothing of what a quota is worth. */
static void warn_more_than_all(struct cli_context *ctx, struct stint_kube *kube, const struct stint_share *share)
{
	const double quota = said(share->gpus);
	double devices = 0;
	if (quota <= 0 || !stint_kube_list_each(kube, &stint_kube_nodes, NULL, NULL, count_devices, &devices, NULL))
		return;
	stint_autofree char *wanted = cli_show_gpus(quota), *there = cli_show_gpus(devices);
	if (devices > 0 && quota > devices)
		cli_note(ctx, "\"%s\" has %s GPUs of quota, and all nodes together have %s now", share->name, wanted, there);
}

static const struct stint_json *queue_named(const struct stint_json *queues, const char *name)
{
	stint_json_each(queue, queues) {
		if (name && strcmp(stint_json_string_or(stint_json_at(queue, "metadata", "name"), ""), name) == 0)
			return queue;
	}
	return NULL;
}

/* A department whose quota is no sum of its projects': they cannot all have theirs at a time. */
static void warn_shared_out(struct cli_context *ctx, struct stint_kube *kube, const struct stint_share *share, bool is_department)
{
	if (!share->gpus && !share->department)
		return;
	stint_auto_json *list = stint_kube_list(kube, &stint_kube_queues, NULL, NULL, NULL);
	const struct stint_json *queues = stint_json_get(list, "items"), *own = queue_named(queues, share->name);
	const char *name = is_department ? share->name : stint_json_string_at(own, "spec", "parentQueue");
	const struct stint_json *department = queue_named(queues, name);
	double quota = -1;
	stint_json_double(stint_json_at(department, "spec", "resources", "gpu", "quota"), &quota);
	const double sum = department ? stint_department_quota(queues, name) : 0;
	stint_autofree char *all = cli_show_gpus(sum), *has = cli_show_gpus(quota);
	if (quota >= 0 && sum > quota + HAIR)
		cli_note(ctx, "the projects of department \"%s\" have %s GPUs of quota in all, more than its %s", name, all, has);
}

static void warn_held(struct cli_context *ctx, struct stint_kube *kube, const struct stint_share *share)
{
	const double limit = said(share->gpu_limit);
	const struct stint_read_options options = {.project = share->name, .nodes = true};
	if (limit < 0)
		return;
	struct stint_model *model = stint_model_new();
	struct stint_workload_set *set = stint_workloads_read(kube, model, &options, NULL);
	size_t count = 0;
	double held = 0;
	const struct stint_workload *const *items = set ? stint_workload_set_list(set, &count) : NULL;
	for (size_t at = 0; at < count; at++)
		held += items[at]->gpus_allocated;
	stint_autofree char *has = cli_show_gpus(held), *may = cli_show_gpus(limit);
	if (held > limit + HAIR)
		cli_note(ctx, "\"%s\" holds %s GPUs, more than its limit of %s: what runs goes on, and nothing more starts above it",
			share->name, has, may);
	stint_workload_set_free(set);
	stint_model_free(model);
}

void cli_share_warn(struct cli_context *ctx, struct stint_kube *kube, const struct stint_share *share, bool is_department)
{
	/* 0 and -1 are not the same to those beside it. */
	if (share->gpus && strcmp(share->gpus, "-1") == 0)
		cli_note(ctx, "\"%s\" has an unlimited quota: nobody can reclaim what it uses", share->name);
	warn_more_than_all(ctx, kube, share);
	warn_shared_out(ctx, kube, share, is_department);
	if (!is_department)
		warn_held(ctx, kube, share);
	if (share->default_pools)
		cli_note_pools(ctx, kube, share->name, share->default_pools);
}
