/*
 * pods: what exec, attach, logs and port-forward have in common: which pod is meant. Owns what was read, in its own small model.
 */
#include "cli/pods.h"

#include <string.h>

#include <stint/kube.h>

enum { NAMED = 8 }; /* pods that an error names */

static bool read_single(struct cli_pods *pods, struct stint_kube *kube, struct stint_error **err)
{
	static const struct stint_decode_as as_pod = {STINT_KIND_POD, NULL, NULL};
	stint_auto_json *json = stint_kube_get(kube, &stint_kube_pods, pods->project, pods->name, err);
	pods->single = json ? stint_object_from_json(pods->model, &as_pod, json, err) : NULL;
	if (!pods->single)
		return false;
	pods->one = stint_pod_of(pods->single);
	pods->items = &pods->one;
	pods->count = 1;
	return true;
}

bool cli_pods_read(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *name, struct cli_pods *pods)
{
	*pods = (struct cli_pods){.project = project, .name = name, .model = stint_model_new()};
	pods->set = stint_workload_read(kube, pods->model, project, name, &pods->workload, &ctx->err);
	if (pods->set) {
		pods->items = pods->workload->pods;
		pods->count = pods->workload->pods_count;
		return true;
	}
	/* kubectl shows pods by their own names, and people paste them. When that fails too, the first sentence is the better one. */
	if (ctx->err->code == STINT_NOT_FOUND && read_single(pods, kube, NULL)) {
		stint_error_clear(&ctx->err);
		return true;
	}
	cli_pods_free(pods);
	return false;
}

void cli_pods_free(struct cli_pods *pods)
{
	stint_object_unref(pods->single);
	stint_workload_set_free(pods->set);
	stint_model_free(pods->model);
	*pods = (struct cli_pods){.project = pods->project, .name = pods->name};
}

const struct stint_pod *cli_pods_named(const struct cli_pods *pods, const char *wanted, struct stint_error **err)
{
	stint_auto_buf names = {0};
	for (size_t at = 0; at < pods->count; at++) {
		if (strcmp(pods->items[at]->meta.name, wanted) == 0)
			return pods->items[at];
		if (at < NAMED || pods->count == NAMED + 1)
			stint_buf_printf(&names, "%s%s", at ? ", " : "", pods->items[at]->meta.name);
	}
	stint_fail(err, STINT_NOT_FOUND, "\"%s\" has no pod \"%s\"; it has %s%s", pods->name, wanted, names.length ? names.data : "none",
		pods->count > NAMED + 1 ? ", and more" : "");
	return NULL;
}

static bool is_running(const struct stint_pod *pod)
{
	return pod->phase == STINT_PHASE_RUNNING && pod->meta.deleted_ms < 0;
}

const struct stint_pod *cli_pods_running(const struct cli_pods *pods, const char *wanted, struct stint_error **err)
{
	const struct stint_pod *pod = wanted ? cli_pods_named(pods, wanted, err) : NULL;
	if (wanted && !pod)
		return NULL;
	for (size_t at = 0; !pod && at < pods->count; at++)
		if (is_running(pods->items[at]))
			pod = pods->items[at];
	if (pod && is_running(pod))
		return pod;
	const struct stint_pod *first = pod ? pod : pods->count ? pods->items[0] : NULL;
	if (pod)
		stint_fail(err, STINT_FAILED, "pod \"%s\" does not run: it is %s", pod->meta.name, stint_pod_state(pod));
	else if (first)
		stint_fail(err, STINT_FAILED, "no pod of \"%s\" runs: \"%s\" is %s; \"stint why %s -p %s\" tells more", pods->name,
			first->meta.name, stint_pod_state(first), pods->name, pods->project);
	else
		stint_fail(err, STINT_FAILED, "\"%s\" has no pods%s%s", pods->name, pods->workload ? ": it is " : "",
			pods->workload ? stint_workload_phase_name(pods->workload->phase) : "");
	return NULL;
}

/* ---- containers ----------------------------------------------------------------------------------------------------------------------- */

static const struct stint_json *named(const struct stint_json *list, const char *name)
{
	stint_json_each(item, list) {
		if (!name || strcmp(stint_json_string_or(stint_json_get(item, "name"), ""), name) == 0)
			return item;
	}
	return NULL;
}

const struct stint_json *cli_pods_container(struct cli_context *ctx, const struct stint_json *pod, const char *name)
{
	static const char *const kinds[] = {"containers", "initContainers", "ephemeralContainers"};
	stint_auto_buf names = {0};
	for (size_t at = 0; at < STINT_COUNT(kinds); at++) {
		const struct stint_json *list = stint_json_at(pod, "spec", kinds[at]), *found = named(list, name);
		if (found)
			return found;
		stint_json_each(item, list)
			stint_buf_printf(&names, "%s%s", names.length ? ", " : "", stint_json_string_or(stint_json_get(item, "name"), ""));
	}
	stint_fail(&ctx->err, STINT_NOT_FOUND, "pod \"%s\" has no container \"%s\"; it has %s",
		stint_json_string_or(stint_json_at(pod, "metadata", "name"), ""), name ? name : "", names.length ? names.data : "none");
	return NULL;
}

void cli_pods_look_for(
	struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *pod_name, const char *container, bool previous)
{
	stint_auto_error *refusal = ctx->err && ctx->err->code == STINT_USAGE ? stint_steal(&ctx->err) : NULL;
	stint_auto_json *pod = refusal ? stint_kube_get(kube, &stint_kube_pods, project, pod_name, NULL) : NULL;
	const struct stint_json *found = pod ? cli_pods_container(ctx, pod, container) : NULL;
	const struct stint_json *status = found ? named(stint_json_at(pod, "status", "containerStatuses"), container) : NULL;
	if (status && previous && !stint_json_at(status, "lastState", "terminated"))
		stint_fail(&ctx->err, STINT_NOT_FOUND, "container \"%s\" of pod \"%s\" has not been restarted: there is no former one",
			stint_json_string_or(stint_json_get(found, "name"), ""), pod_name);
	if (refusal && !ctx->err)
		stint_error_move(&ctx->err, &refusal);
}

int cli_pods_enter(
	struct cli_context *ctx, int (*enter)(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *pod))
{
	struct stint_kube *kube = cli_connect(ctx);
	const char *project = kube ? cli_project(ctx) : NULL;
	struct cli_pods pods;
	if (!project || !cli_pods_read(ctx, kube, project, cli_positional(ctx, 0), &pods))
		return cli_failed(ctx);
	const struct stint_pod *pod = cli_pods_running(&pods, cli_text(ctx, "pod"), &ctx->err);
	const int exit_code = pod ? enter(ctx, kube, project, pod->meta.name) : cli_failed(ctx);
	cli_pods_free(&pods);
	return exit_code;
}
