/*
 * A small cluster for tests of the scheduler: a model, an engine and a mirror, filled by a few words.
 */
#ifndef STINT_TEST_CLUSTER_H
#define STINT_TEST_CLUSTER_H

#include <stint/mirror.h>

#include "../test.h"

struct cluster {
	struct stint_model *model;
	struct stint_engine *engine;
	struct stint_mirror *mirror;
	int changes, missing_owners, gone;
};

static void cluster_changed(void *user)
{
	((struct cluster *)user)->changes++;
}

static void cluster_owner_missing(void *user, const struct stint_owner_reference *reference, const char *space)
{
	(void)reference;
	(void)space;
	((struct cluster *)user)->missing_owners++;
}

static void cluster_pod_gone(void *user, struct stint_mirror_pod *pod)
{
	(void)pod;
	((struct cluster *)user)->gone++;
}

static char *const cluster_names[] = {(char[]){"stint-scheduler"}, NULL};

static int cluster_setup(void **state)
{
	struct cluster *c = calloc(1, sizeof(*c));
	c->model = stint_model_new();
	c->engine = stint_engine_new();
	c->mirror = stint_mirror_new(c->engine, cluster_names,
		&(struct stint_mirror_hooks){
			.changed = cluster_changed, .owner_missing = cluster_owner_missing, .pod_gone = cluster_pod_gone, .user = c});
	*state = c;
	return 0;
}

static int cluster_teardown(void **state)
{
	struct cluster *c = *state;
	stint_mirror_free(c->mirror);
	stint_engine_free(c->engine);
	stint_model_free(c->model);
	free(c);
	return 0;
}

static struct stint_object *cluster_decode(
	struct cluster *c, enum stint_kind kind, const char *api_version, const char *kind_name, const char *json)
{
	const struct stint_decode_as as = {kind, api_version, kind_name};
	struct stint_error *err = NULL;
	struct stint_object *object = stint_object_decode(c->model, &as, json, strlen(json), &err);
	if (!object)
		fail_msg("%s: %s", json, err->message);
	return object;
}

static void cluster_put(struct cluster *c, enum stint_kind kind, const char *api_version, const char *kind_name, const char *json)
{
	struct stint_object *object = cluster_decode(c, kind, api_version, kind_name, json);
	stint_mirror_put(c->mirror, object);
	stint_object_unref(object);
}

static inline void cluster_remove(struct cluster *c, enum stint_kind kind, const char *json)
{
	struct stint_object *object = cluster_decode(c, kind, NULL, NULL, json);
	stint_mirror_remove(c->mirror, object);
	stint_object_unref(object);
}

static inline void cluster_node(struct cluster *c, const char *name, int gpus, bool is_virtual)
{
	stint_autofree char *json =
		stint_format("{\"metadata\":{\"name\":\"%s\",\"uid\":\"n-%s\",\"labels\":{\"nvidia.com/gpu.memory\":\"81920\","
			     "\"nvidia.com/gpu.count\":\"%d\",\"stint.dev/virtual\":\"%s\"}},\"status\":{\"allocatable\":"
			     "{\"cpu\":\"64\",\"memory\":\"512Gi\",\"pods\":\"110\",\"nvidia.com/gpu\":\"%d\"},"
			     "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
			name, name, gpus, is_virtual ? "true" : "false", gpus);
	cluster_put(c, STINT_KIND_NODE, NULL, NULL, json);
}

static inline void cluster_queue(struct cluster *c, const char *name, double quota, double limit)
{
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"name\":\"%s\",\"uid\":\"q-%s\"},\"spec\":{\"resources\":{"
		"\"gpu\":{\"quota\":%g,\"limit\":%g,\"overQuotaWeight\":1},\"cpu\":{\"quota\":-1,\"limit\":-1,\"overQuotaWeight\":1},"
		"\"memory\":{\"quota\":-1,\"limit\":-1,\"overQuotaWeight\":1}}}}",
		name, name, quota, limit);
	cluster_put(c, STINT_KIND_QUEUE, NULL, NULL, json);
}

static inline char *cluster_pod_json(const char *name, const char *metadata, const char *spec, const char *status)
{
	return stint_format("{\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\",\"uid\":\"p-%s\",\"creationTimestamp\":\"2026-01-"
			    "01T00:00:00Z\"%s%s},"
			    "\"spec\":{\"schedulerName\":\"stint-scheduler\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"%s}]%s%s},"
			    "\"status\":{\"phase\":\"Pending\"%s%s}}",
		name, name, metadata[0] ? "," : "", metadata,
		strstr(spec, "GPU") ? ",\"resources\":{\"limits\":{\"nvidia.com/gpu\":\"1\"},\"requests\":{\"nvidia.com/gpu\":\"1\"}}" : "",
		spec[0] && !strstr(spec, "GPU") ? "," : "", strstr(spec, "GPU") ? "" : spec, status[0] ? "," : "", status);
}

/* metadata, spec and status: what stands inside of these objects besides the usual; spec "GPU" makes it ask for one whole device. */
static inline void cluster_pod(struct cluster *c, const char *name, const char *metadata, const char *spec, const char *status)
{
	stint_autofree char *json = cluster_pod_json(name, metadata, spec, status);
	cluster_put(c, STINT_KIND_POD, NULL, NULL, json);
}

static inline struct stint_mirror_pod *cluster_find(struct cluster *c, const char *name)
{
	stint_autofree char *uid = stint_format("p-%s", name);
	return stint_mirror_pod_by_uid(c->mirror, uid);
}

/* Settles and decides; how many binds were decided. */
static inline size_t cluster_cycle(struct cluster *c)
{
	stint_mirror_settle(c->mirror, 1000);
	const struct stint_policy policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	const struct stint_cycle cycle = stint_engine_cycle(c->engine, &policy, 1000);
	size_t binds = 0;
	for (size_t i = 0; i < cycle.count; i++)
		binds += cycle.decisions[i].kind == STINT_DECIDE_BIND;
	return binds;
}

#define CLUSTER_OWNED(kind, name, uid)                                                                                 \
	"\"ownerReferences\":[{\"apiVersion\":\"batch/v1\",\"kind\":\"" kind "\",\"name\":\"" name "\",\"uid\":\"" uid \
	"\",\"controller\":true}]"

#endif
