/*
 * cluster_read: lists what the scheduler reads. Nothing is written to the cluster.
 *
 * The lists come one after the other, so that a pod may have gone between two of them; nothing worse than a pod too few comes of it.
 */
#include "cli/cluster_read.h"

#include <stint/kube.h>

#include <string.h>

static const struct source {
	const struct stint_kube_resource *resource;
	enum stint_kind kind;
	const char *field_selector;
	bool may_lack; /* a cluster without that kind is fine */
	bool may_hide; /* so is a role that was made before it came */
	bool defined; /* a custom resource of others: asked for where the cluster says that it has it */
} sources[] = {
	{&stint_kube_nodes, STINT_KIND_NODE, NULL, false, false, false},
	{&stint_kube_queues, STINT_KIND_QUEUE, NULL, false, false, false},
	{&stint_kube_podgroups, STINT_KIND_POD_GROUP, NULL, true, false, false},
	{&stint_kube_topologies, STINT_KIND_TOPOLOGY, NULL, true, false, false},
	{&stint_kube_priorityclasses, STINT_KIND_PRIORITY_CLASS, NULL, false, false, false},
	{&stint_kube_namespaces, STINT_KIND_NAMESPACE, NULL, false, false, false},
	{&stint_kube_jobs, STINT_KIND_OWNER, NULL, false, false, false},
	{&stint_kube_replicasets, STINT_KIND_OWNER, NULL, false, false, false},
	{&stint_kube_deployments, STINT_KIND_OWNER, NULL, false, false, false},
	{&stint_kube_statefulsets, STINT_KIND_OWNER, NULL, false, false, false},
	{&stint_kube_pytorchjobs, STINT_KIND_OWNER, NULL, true, true, true},
	{&stint_kube_tfjobs, STINT_KIND_OWNER, NULL, true, true, true},
	{&stint_kube_xgboostjobs, STINT_KIND_OWNER, NULL, true, true, true},
	{&stint_kube_jaxjobs, STINT_KIND_OWNER, NULL, true, true, true},
	{&stint_kube_mpijobs, STINT_KIND_OWNER, NULL, true, true, true},
	{&stint_kube_mpijobs_v2beta1, STINT_KIND_OWNER, NULL, true, true, true},
	{&stint_kube_leaderworkersets, STINT_KIND_OWNER, NULL, true, true, true},
	{&stint_kube_deviceclasses, STINT_KIND_DEVICE_CLASS, NULL, true, true, false},
	{&stint_kube_resourceslices, STINT_KIND_RESOURCE_SLICE, NULL, true, true, false},
	{&stint_kube_resourceclaims, STINT_KIND_RESOURCE_CLAIM, NULL, true, true, false},
	{&stint_kube_noderesourcetopologies, STINT_KIND_NODE_ZONES, NULL, true, true, false},
	/* Not config maps: whether one exists is not worth the content of all of them. */
	{&stint_kube_persistentvolumeclaims, STINT_KIND_VOLUME_CLAIM, NULL, true, true, false},
	{&stint_kube_persistentvolumes, STINT_KIND_VOLUME, NULL, true, true, false},
	{&stint_kube_storageclasses, STINT_KIND_STORAGE_CLASS, NULL, true, true, false},
	{&stint_kube_pods, STINT_KIND_POD, "status.phase!=Failed", false, false, false},
};

struct reading {
	const struct source *source;
	const struct cli_cluster *into;
	struct stint_error **err;
};

static bool take(void *user, const char *item, size_t length)
{
	const struct reading *reading = user;
	const struct stint_kube_resource *resource = reading->source->resource;
	stint_autofree char *version = stint_kube_resource_api_version(resource);
	const struct stint_decode_as as = {.kind = reading->source->kind, .api_version = version, .kind_name = resource->kind};
	struct stint_object *object = stint_object_decode(reading->into->model, &as, item, length, reading->err);
	if (!object)
		return false;
	stint_snapshot_put(reading->into->snapshot, object);
	stint_object_unref(object);
	return true;
}

static bool read_source(struct cli_context *ctx, struct stint_kube *kube, struct reading *reading, const char *purpose)
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
	if (source->may_hide && err->code == STINT_FORBIDDEN) {
		const bool of_volumes = source->kind == STINT_KIND_VOLUME_CLAIM || source->kind == STINT_KIND_VOLUME ||
			source->kind == STINT_KIND_STORAGE_CLASS;
		if (of_volumes)
			stint_snapshot_hide_volumes(reading->into->snapshot);
		cli_note(ctx, "you may not list %s: %s", source->resource->plural,
			of_volumes ? "what volumes ask for is not looked at" : "it is taken that there are none");
		return true;
	}
	if (err->code == STINT_FORBIDDEN)
		return stint_fail(&ctx->err, STINT_FORBIDDEN,
			"you may not list %s in the whole cluster, and %s: ask the administrator for a ClusterRole that lets you",
			source->resource->plural, purpose);
	return stint_error_move(&ctx->err, &err);
}

/* The API groups of the cluster, which everybody may read; NULL: they cannot be told. */
static struct stint_json *read_groups(struct stint_kube *kube)
{
	struct stint_kube_response response = {0};
	const struct stint_kube_request request = {.path = "/apis"};
	const bool told = stint_kube_call_wait(kube, &request, &response, NULL) && response.body.data;
	struct stint_json *groups = told ? stint_json_parse(response.body.data, response.body.length, 0, NULL) : NULL;
	stint_kube_response_free(&response);
	return groups;
}

static bool cluster_has(struct stint_kube *kube, const struct stint_json *groups, const struct stint_kube_resource *resource)
{
	stint_autofree char *version = stint_kube_resource_api_version(resource);
	stint_json_each(group, stint_json_get(groups, "groups")) {
		if (strcmp(stint_json_string_or(stint_json_get(group, "name"), ""), resource->group) == 0)
			return stint_kube_discover(kube, version, resource->kind, NULL);
	}
	return false;
}

bool cli_cluster_read(struct cli_context *ctx, struct stint_kube *kube, const char *purpose, struct cli_cluster *out)
{
	struct reading reading = {.into = out};
	*out = (struct cli_cluster){.model = stint_model_new(), .snapshot = stint_snapshot_new()};
	stint_auto_json *groups = read_groups(kube);
	for (size_t i = 0; i < STINT_COUNT(sources); i++) {
		if (sources[i].defined && !cluster_has(kube, groups, sources[i].resource))
			continue;
		reading.source = &sources[i];
		if (!read_source(ctx, kube, &reading, purpose))
			return false;
	}
	return true;
}

void cli_cluster_clear(struct cli_cluster *cluster)
{
	stint_snapshot_free(cluster->snapshot);
	stint_model_free(cluster->model);
	*cluster = (struct cli_cluster){0};
}
