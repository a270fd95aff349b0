/*
 * feed: reflectors into the mirror. See feed.h.
 *
 * State: one source for each watched resource, and owners that are sought. Runs on the loop. Invariant: `synced` is told once, when each source
 * has told a whole list (or, for kinds that a cluster may lack, when the server said that there is no such kind).
 */
#include <scheduler/feed.h>

#include <stdlib.h>
#include <string.h>

enum { SEEK_AFTER_MS = 1000, SEEK_TICK_MS = 500, SOUGHT_MAX = 10000, CALL_TIMEOUT_MS = 4000 };

/* What is done with the objects of a source. */
enum source_part {
	PLAIN,
	MAY_LACK, /* a cluster without that kind is fine */
	HOLDERS, /* pods that hold devices */
	DEFINITIONS, /* of custom resources: their names alone, which say what DEFINED may be asked for */
	DEFINED, /* owners of pods that are custom resources: nobody asks for them before there is a definition */
};

static const struct source_row {
	const struct stint_kube_resource *resource;
	enum stint_kind kind;
	enum source_part part;
	const char *namespace_;
	const char *field_selector;
} rows[] = {
	{&stint_kube_queues, STINT_KIND_QUEUE, PLAIN, NULL, NULL},
	{&stint_kube_podgroups, STINT_KIND_POD_GROUP, MAY_LACK, NULL, NULL},
	{&stint_kube_topologies, STINT_KIND_TOPOLOGY, MAY_LACK, NULL, NULL},
	{&stint_kube_priorityclasses, STINT_KIND_PRIORITY_CLASS, PLAIN, NULL, NULL},
	{&stint_kube_namespaces, STINT_KIND_NAMESPACE, PLAIN, NULL, NULL},
	{&stint_kube_nodes, STINT_KIND_NODE, PLAIN, NULL, NULL},
	{&stint_kube_jobs, STINT_KIND_OWNER, PLAIN, NULL, NULL},
	{&stint_kube_replicasets, STINT_KIND_OWNER, PLAIN, NULL, NULL},
	{&stint_kube_deployments, STINT_KIND_OWNER, PLAIN, NULL, NULL},
	{&stint_kube_statefulsets, STINT_KIND_OWNER, PLAIN, NULL, NULL},
	{&stint_kube_customresourcedefinitions, STINT_KIND_OWNER, DEFINITIONS, NULL, NULL},
	{&stint_kube_pytorchjobs, STINT_KIND_OWNER, DEFINED, NULL, NULL},
	{&stint_kube_tfjobs, STINT_KIND_OWNER, DEFINED, NULL, NULL},
	{&stint_kube_xgboostjobs, STINT_KIND_OWNER, DEFINED, NULL, NULL},
	{&stint_kube_jaxjobs, STINT_KIND_OWNER, DEFINED, NULL, NULL},
	{&stint_kube_mpijobs, STINT_KIND_OWNER, DEFINED, NULL, NULL},
	{&stint_kube_mpijobs_v2beta1, STINT_KIND_OWNER, DEFINED, NULL, NULL},
	{&stint_kube_leaderworkersets, STINT_KIND_OWNER, DEFINED, NULL, NULL},
	{&stint_kube_deviceclasses, STINT_KIND_DEVICE_CLASS, MAY_LACK, NULL, NULL},
	{&stint_kube_resourceslices, STINT_KIND_RESOURCE_SLICE, MAY_LACK, NULL, NULL},
	{&stint_kube_resourceclaims, STINT_KIND_RESOURCE_CLAIM, MAY_LACK, NULL, NULL},
	{&stint_kube_persistentvolumeclaims, STINT_KIND_VOLUME_CLAIM, MAY_LACK, NULL, NULL},
	{&stint_kube_persistentvolumes, STINT_KIND_VOLUME, MAY_LACK, NULL, NULL},
	{&stint_kube_storageclasses, STINT_KIND_STORAGE_CLASS, MAY_LACK, NULL, NULL},
	{&stint_kube_noderesourcetopologies, STINT_KIND_NODE_ZONES, MAY_LACK, NULL, NULL},
	/* Only that they exist; what is in them stays where it is. */
	{&stint_kube_configmaps, STINT_KIND_CONFIG_MAP, MAY_LACK, NULL, NULL},
	/* Failed pods use nothing and say nothing that grouping needs; clusters keep thousands of them. */
	{&stint_kube_pods, STINT_KIND_POD, PLAIN, NULL, "status.phase!=Failed"},
	/* Of holders also how they failed. */
	{&stint_kube_pods, STINT_KIND_POD, HOLDERS, STINT_RESERVATION_NAMESPACE, NULL},
};
enum { SOURCES = STINT_COUNT(rows) };

struct source {
	struct stint_feed *feed;
	const struct source_row *row;
	struct stint_reflector *reflector;
	bool lacking; /* the server has no such kind */
	bool told; /* DEFINED: it was said that pods are grouped by them */
};

struct sought {
	struct stint_feed *feed;
	char *uid, *space, *name;
	const struct stint_kube_resource *resource;
	int64_t since_ms;
	struct stint_kube_call *call;
};

struct stint_feed {
	struct stint_feed_options options;
	struct source sources[SOURCES];
	bool synced;
	struct stint_map *sought; /* by uid */
	struct stint_timer *seek;
};

/* ---- lists and watches ------------------------------------------------------------------------------------------------------------------ */

static bool is_synced(const struct source *source)
{
	if (source->row->part == DEFINED && !source->reflector)
		return true; /* the definitions, which come first, have not named it */
	return source->lacking || (source->reflector && stint_reflector_synced(source->reflector));
}

static void check_synced(struct stint_feed *feed)
{
	if (feed->synced)
		return;
	for (size_t i = 0; i < SOURCES; i++) {
		if (!is_synced(&feed->sources[i]))
			return;
	}
	feed->synced = true;
	feed->options.synced(feed->options.user);
}

static void start(struct source *source);

/* "pytorchjobs.kubeflow.org" */
static bool defines(const struct stint_object *definition, const struct stint_kube_resource *resource)
{
	stint_autofree char *name = stint_format("%s.%s", resource->plural, resource->group);
	return strcmp(definition->name, name) == 0;
}

static void see_owners(const struct source *source, bool seen)
{
	const struct stint_kube_resource *resource = source->row->resource;
	stint_autofree char *version = stint_kube_resource_api_version(resource);
	stint_mirror_see_owners(source->feed->options.mirror, version, resource->kind, seen);
}

/*
 * Pods wait for their jobs from the definition on, not only from the first list: one by one they would be no gang. A server that does not have
 * the kind yet says so, which takes that back. A source that finds nothing any more tries ever more seldom: a definition that is made again, or
 * comes to be served, is news to it. One that has something goes on.
 */
static void on_definition(struct stint_feed *feed, const struct stint_object *definition)
{
	for (size_t i = 0; i < SOURCES; i++) {
		struct source *source = &feed->sources[i];
		if (source->row->part != DEFINED || !defines(definition, source->row->resource) || (source->reflector && !source->lacking))
			continue;
		see_owners(source, true);
		if (source->reflector)
			stint_reflector_relist(source->reflector);
		else
			start(source);
	}
}

static void on_change(void *user, enum stint_change change, struct stint_object *object, struct stint_object *before)
{
	(void)before;
	const struct source *source = user;
	struct stint_feed *feed = source->feed;
	if (source->row->part == DEFINITIONS && change != STINT_DELETED)
		on_definition(feed, object);
	if (source->row->part == DEFINITIONS)
		return;
	if (source->row->part == HOLDERS)
		stint_holders_put(feed->options.holders, stint_pod_of(object), change == STINT_DELETED);
	else if (change == STINT_DELETED)
		stint_mirror_remove(feed->options.mirror, object);
	else
		stint_mirror_put(feed->options.mirror, object);
}

static bool may_lack(const struct source *source)
{
	return source->row->part == MAY_LACK || source->row->part == DEFINITIONS || source->row->part == DEFINED;
}

/* What cannot be seen of volumes, config maps and custom resources holds nobody up. */
static void tell_sight(struct source *source)
{
	const enum stint_kind kind = source->row->kind;
	if (kind == STINT_KIND_VOLUME_CLAIM || kind == STINT_KIND_VOLUME || kind == STINT_KIND_STORAGE_CLASS ||
		kind == STINT_KIND_CONFIG_MAP)
		stint_mirror_see(source->feed->options.mirror, kind, !source->lacking);
	if (source->row->part != DEFINED)
		return;
	see_owners(source, !source->lacking);
	if (source->told == !source->lacking)
		return;
	source->told = !source->lacking;
	stint_autofree char *version = stint_kube_resource_api_version(source->row->resource);
	stint_log(source->feed->options.logger, STINT_LOG_INFO, "%s of %s: %s", source->row->resource->plural, version,
		source->lacking ? "there are none any more" : "their pods are grouped as these say");
}

static void on_synced(void *user, bool again)
{
	(void)again;
	struct source *source = user;
	source->lacking = false;
	tell_sight(source);
	stint_metrics_add(source->feed->options.metrics, STINT_METRIC_RELISTS, 1, source->row->resource->plural);
	check_synced(source->feed);
}

static void on_trouble(void *user, const struct stint_error *err, int64_t retry_ms)
{
	struct source *source = user;
	if (may_lack(source) && (err->code == STINT_NOT_FOUND || err->code == STINT_FORBIDDEN)) {
		/* A role of an earlier version: all else goes on, and what tell_sight speaks of counts as there. */
		if (err->code == STINT_FORBIDDEN && !source->lacking)
			stint_log(source->feed->options.logger, STINT_LOG_WARN,
				"%s: %s; going on without them: apply deploy/rbac.yaml again", source->row->resource->plural, err->message);
		source->lacking = true;
		tell_sight(source);
		check_synced(source->feed);
		return;
	}
	/* A quiet watch that is opened anew is everyday life. */
	stint_log(source->feed->options.logger, err->code == STINT_TIMEOUT ? STINT_LOG_DEBUG : STINT_LOG_WARN,
		"%s: %s; trying again in %lld ms", source->row->resource->plural, err->message, (long long)retry_ms);
}

/* ---- owners that no watch has brought ------------------------------------------------------------------------------------------------------ */

static void free_sought(void *value)
{
	struct sought *sought = value;
	stint_kube_call_cancel(sought->call);
	free(sought->uid);
	free(sought->space);
	free(sought->name);
	free(sought);
}

static void on_owner(void *user, struct stint_kube_response *response)
{
	struct sought *sought = user;
	struct stint_feed *feed = sought->feed;
	sought->call = NULL;
	stint_auto_json *json = response->error ? NULL : stint_json_parse(response->body.data, response->body.length, 0, NULL);
	const char *uid = stint_json_string_at(json, "metadata", "uid");
	const bool absent = (response->error && response->error->code == STINT_NOT_FOUND) || (uid && strcmp(uid, sought->uid) != 0);
	if (absent)
		stint_mirror_owner_absent(feed->options.mirror, sought->uid);
	if (absent || uid) /* it is there, so the watch brings it; should it not, the pod asks again when it is looked at next */
		stint_map_remove(feed->sought, sought->uid);
}

static void on_seek(void *user)
{
	struct stint_feed *feed = user;
	const int64_t now_ms = stint_monotonic_ms();
	void *value = NULL;
	for (size_t at = 0; stint_map_next(feed->sought, &at, NULL, &value);) {
		struct sought *sought = value;
		if (stint_catalog_owner(stint_mirror_catalog(feed->options.mirror), sought->uid)) {
			stint_map_remove(feed->sought, sought->uid);
			continue;
		}
		if (sought->call || now_ms - sought->since_ms < SEEK_AFTER_MS)
			continue;
		sought->call = stint_kube_call_start(feed->options.kube,
			&(struct stint_kube_request){.resource = sought->resource,
				.namespace_ = sought->space,
				.name = sought->name,
				.timeout_ms = CALL_TIMEOUT_MS,
				.on_done = on_owner,
				.user = sought});
	}
	if (stint_map_count(feed->sought))
		stint_timer_set(feed->seek, SEEK_TICK_MS);
}

static const struct stint_kube_resource *resource_of(const struct stint_owner_reference *reference)
{
	for (size_t i = 0; i < SOURCES; i++) {
		stint_autofree char *version = stint_kube_resource_api_version(rows[i].resource);
		if (rows[i].kind == STINT_KIND_OWNER && strcmp(rows[i].resource->kind, reference->kind) == 0 &&
			strcmp(version, reference->api_version) == 0)
			return rows[i].resource;
	}
	return NULL;
}

void stint_feed_seek_owner(struct stint_feed *feed, const struct stint_owner_reference *reference, const char *space)
{
	if (!reference || !reference->uid || stint_map_has(feed->sought, reference->uid) || stint_map_count(feed->sought) >= SOUGHT_MAX)
		return;
	const struct stint_kube_resource *resource = resource_of(reference);
	if (!resource)
		return;
	struct sought *sought = stint_alloc(sizeof(*sought));
	*sought = (struct sought){.feed = feed,
		.uid = stint_strdup(reference->uid),
		.space = stint_strdup(space),
		.name = stint_strdup(reference->name),
		.resource = resource,
		.since_ms = stint_monotonic_ms()};
	stint_map_set(feed->sought, sought->uid, sought);
	if (!stint_timer_active(feed->seek))
		stint_timer_set(feed->seek, SEEK_TICK_MS);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------------ */

static void start(struct source *source)
{
	const struct source_row *row = source->row;
	source->reflector = stint_reflector_start(source->feed->options.kube,
		&(struct stint_reflector_options){.resource = row->resource,
			.kind = row->kind,
			.model = source->feed->options.model,
			.namespace_ = row->namespace_,
			.field_selector = row->field_selector,
			.metadata_only = row->kind == STINT_KIND_CONFIG_MAP || row->part == DEFINITIONS,
			.on_change = on_change,
			.on_synced = on_synced,
			.on_trouble = on_trouble,
			.user = source});
}

struct stint_feed *stint_feed_new(const struct stint_feed_options *options)
{
	struct stint_feed *feed = stint_alloc(sizeof(*feed));
	feed->options = *options;
	feed->sought = stint_map_new(free_sought);
	feed->seek = stint_timer_new(stint_kube_loop(options->kube), on_seek, feed);
	for (size_t i = 0; i < SOURCES; i++)
		feed->sources[i] = (struct source){.feed = feed, .row = &rows[i]};
	for (size_t i = 0; i < SOURCES; i++) {
		if (rows[i].part != DEFINED)
			start(&feed->sources[i]);
	}
	return feed;
}

void stint_feed_free(struct stint_feed *feed)
{
	if (!feed)
		return;
	for (size_t i = 0; i < SOURCES; i++)
		stint_reflector_free(feed->sources[i].reflector);
	stint_timer_free(feed->seek);
	stint_map_free(feed->sought);
	free(feed);
}

bool stint_feed_synced(const struct stint_feed *feed)
{
	return feed->synced;
}

char *stint_feed_missing(const struct stint_feed *feed)
{
	stint_auto_buf text = {0};
	for (size_t i = 0; i < SOURCES; i++) {
		if (!is_synced(&feed->sources[i]))
			stint_buf_printf(&text, "%s%s", text.length ? ", " : "", rows[i].resource->plural);
	}
	return text.length ? stint_buf_steal(&text) : NULL;
}
