/*
 * simulate_cluster: lists what the scheduler reads, and prints the scenario that it makes. Nothing is written to the cluster.
 *
 * The lists come one after the other, so that a pod may have gone between two of them; nothing worse than a pod too few comes of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>
#include <stint/simulate.h>

#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/simulate_cluster.h"

static const struct source {
	const struct stint_kube_resource *resource;
	enum stint_kind kind;
	const char *field_selector;
	bool may_lack; /* a cluster without that kind is fine */
} sources[] = {
	{&stint_kube_nodes, STINT_KIND_NODE, NULL, false},
	{&stint_kube_queues, STINT_KIND_QUEUE, NULL, false},
	{&stint_kube_podgroups, STINT_KIND_POD_GROUP, NULL, true},
	{&stint_kube_topologies, STINT_KIND_TOPOLOGY, NULL, true},
	{&stint_kube_priorityclasses, STINT_KIND_PRIORITY_CLASS, NULL, false},
	{&stint_kube_namespaces, STINT_KIND_NAMESPACE, NULL, false},
	{&stint_kube_jobs, STINT_KIND_OWNER, NULL, false},
	{&stint_kube_replicasets, STINT_KIND_OWNER, NULL, false},
	{&stint_kube_deployments, STINT_KIND_OWNER, NULL, false},
	{&stint_kube_statefulsets, STINT_KIND_OWNER, NULL, false},
	{&stint_kube_pods, STINT_KIND_POD, "status.phase!=Failed", false},
};

struct reading {
	const struct source *source;
	struct stint_model *model;
	struct stint_snapshot *snapshot;
	struct stint_error **err;
};

static bool take(void *user, const char *item, size_t length)
{
	const struct reading *reading = user;
	const struct stint_kube_resource *resource = reading->source->resource;
	stint_autofree char *version = stint_kube_resource_api_version(resource);
	const struct stint_decode_as as = {.kind = reading->source->kind, .api_version = version, .kind_name = resource->kind};
	struct stint_object *object = stint_object_decode(reading->model, &as, item, length, reading->err);
	if (!object)
		return false;
	stint_snapshot_put(reading->snapshot, object);
	stint_object_unref(object);
	return true;
}

static bool read_source(struct cli_context *ctx, struct stint_kube *kube, struct reading *reading)
{
	const struct source *source = reading->source;
	const struct stint_kube_list_options options = {.field_selector = source->field_selector};
	stint_auto_error *bad = NULL, *err = NULL;
	reading->err = &bad;
	if (stint_kube_list_each(kube, source->resource, NULL, &options, take, reading, &err))
		return true;
	if (bad)
		return stint_error_move(&ctx->err, &bad);
	if (source->may_lack && err->code == STINT_NOT_FOUND)
		return true;
	if (err->code == STINT_FORBIDDEN)
		return stint_fail(&ctx->err, STINT_FORBIDDEN,
			"you may not list %s in the whole cluster, and a snapshot is made of all of them: ask the administrator for a "
			"ClusterRole that lets you",
			source->resource->plural);
	return stint_error_move(&ctx->err, &err);
}

static int print_scenario(struct cli_context *ctx, const struct stint_json *scenario)
{
	int exit_code = STINT_OK;
	if (cli_print_object(ctx, scenario, NULL, &exit_code))
		return exit_code;
	stint_autofree char *text = stint_json_print_pretty(scenario);
	fprintf(ctx->out, "%s\n", text);
	return STINT_OK;
}

int cli_simulate_cluster(struct cli_context *ctx)
{
	struct stint_kube *kube = cli_connect(ctx);
	if (!kube)
		return cli_failed(ctx);
	struct reading reading = {.model = stint_model_new(), .snapshot = stint_snapshot_new()};
	bool ok = true;
	for (size_t i = 0; ok && i < STINT_COUNT(sources); i++) {
		reading.source = &sources[i];
		ok = read_source(ctx, kube, &reading);
	}
	int exit_code = STINT_FAILED;
	if (ok) {
		stint_autofree char *left_out = NULL;
		stint_auto_json *scenario =
			stint_snapshot_scenario(reading.snapshot, stint_now_ms(), cli_switch(ctx, "anonymous"), &left_out);
		if (left_out)
			cli_note(ctx, "the snapshot leaves out what scenarios have no place for: %s", left_out);
		exit_code = print_scenario(ctx, scenario);
	}
	stint_snapshot_free(reading.snapshot);
	stint_model_free(reading.model);
	return ok ? exit_code : cli_failed(ctx);
}
