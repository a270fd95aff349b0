/*
 * daemon: DaemonSets: one pod for each node that matches the template's node selector and whose taints it tolerates. The pod asks for
 * its node by affinity, as in a real cluster, and the scheduler binds it. An update replaces all old pods that maxUnavailable allows.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/deployment.h"
#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/template.h"

static const char *meta(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_at(object, "metadata", key), "");
}

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

/* ---- which nodes ----------------------------------------------------------------------------------------------------------- */

static bool tolerates(const struct stint_json *tolerations, const struct stint_json *taint)
{
	stint_json_each(toleration, tolerations) {
		const char *key = text_of(toleration, "key"), *effect = text_of(toleration, "effect");
		bool exists = strcmp(text_of(toleration, "operator"), "Exists") == 0;
		if (*effect && strcmp(effect, text_of(taint, "effect")) != 0)
			continue;
		if ((*key == '\0' && exists) ||
			(strcmp(key, text_of(taint, "key")) == 0 &&
				(exists || strcmp(text_of(toleration, "value"), text_of(taint, "value")) == 0)))
			return true;
	}
	/* What every daemon tolerates. */
	static const char *const always[] = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
		"node.kubernetes.io/disk-pressure", "node.kubernetes.io/memory-pressure", "node.kubernetes.io/pid-pressure",
		"node.kubernetes.io/unschedulable"};
	for (size_t i = 0; i < STINT_COUNT(always); i++) {
		if (strcmp(text_of(taint, "key"), always[i]) == 0)
			return true;
	}
	return false;
}

static bool node_is_wanted(const struct stint_json *set, const struct stint_json *node)
{
	const struct stint_json *spec = stint_json_at(set, "spec", "template", "spec");
	stint_json_each(label, stint_json_get(spec, "nodeSelector")) {
		const char *value = stint_json_string_at(node, "metadata", "labels", stint_json_key(label));
		if (!value || strcmp(value, stint_json_string_or(label, "")) != 0)
			return false;
	}
	stint_json_each(taint, stint_json_at(node, "spec", "taints")) {
		if (strcmp(text_of(taint, "effect"), "PreferNoSchedule") != 0 && !tolerates(stint_json_get(spec, "tolerations"), taint))
			return false;
	}
	return true;
}

static struct stint_json *new_pod(const struct stint_json *set, const char *node, const char *revision)
{
	struct stint_json *pod = template_pod(set, stint_json_at(set, "spec", "template"));
	struct stint_json *metadata = stint_json_get(pod, "metadata"), *spec = stint_json_get(pod, "spec");
	struct stint_json *labels = stint_json_ensure_object(metadata, "labels");
	stint_autofree char *generation =
		stint_format("%lld", (long long)stint_json_int_or(stint_json_at(set, "metadata", "generation"), 1));
	stint_json_set_string(labels, "controller-revision-hash", revision);
	stint_json_set_string(labels, "pod-template-generation", generation);
	struct stint_json *required =
		stint_json_ensure_object(stint_json_ensure_object(stint_json_ensure_object(spec, "affinity"), "nodeAffinity"),
			"requiredDuringSchedulingIgnoredDuringExecution");
	struct stint_json *terms = stint_json_set(required, "nodeSelectorTerms", stint_json_new_array());
	struct stint_json *fields = stint_json_ensure_array(stint_json_append(terms, stint_json_new_object()), "matchFields");
	struct stint_json *field = stint_json_append(fields, stint_json_new_object());
	stint_json_set_string(field, "key", "metadata.name");
	stint_json_set_string(field, "operator", "In");
	stint_json_append(stint_json_ensure_array(field, "values"), stint_json_new_string(node));
	struct stint_json *tolerations = stint_json_ensure_array(spec, "tolerations");
	static const char *const keys[] = {"not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"};
	for (size_t i = 0; i < STINT_COUNT(keys); i++) {
		struct stint_json *toleration = stint_json_append(tolerations, stint_json_new_object());
		stint_autofree char *key = stint_format("node.kubernetes.io/%s", keys[i]);
		stint_json_set_string(toleration, "key", key);
		stint_json_set_string(toleration, "operator", "Exists");
		stint_json_set_string(toleration, "effect", i < 2 ? "NoExecute" : "NoSchedule");
	}
	return pod;
}

/* The node that a pod of ours is for, bound or not. The book does not know affinities: the object is asked. */
static char *node_of(struct hub *hub, const struct pod_facts *pod)
{
	if (pod->node)
		return stint_strdup(pod->node);
	const struct stint_stored *stored = stint_store_get(hub->api->store, hub->pod_kind, pod->space, pod->name);
	stint_auto_json *object = stored ? stint_stored_parse(stored) : NULL;
	const struct stint_json *terms = stint_json_at(
		object, "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms");
	const struct stint_json *field = stint_json_first(stint_json_get(stint_json_first(terms), "matchFields"));
	return stint_strdup(stint_json_string(stint_json_first(stint_json_get(field, "values"))));
}

/* ---- one sync -------------------------------------------------------------------------------------------------------------- */

struct tally {
	int64_t desired, current, misplaced, ready, available, updated;
};

static void write_status(struct hub *hub, const struct stint_json *set, const struct tally *tally)
{
	const struct stint_json *old = stint_json_get(set, "status");
	stint_auto_json *status = old ? stint_json_dup(old) : stint_json_new_object();
	stint_json_set_int(status, "currentNumberScheduled", tally->current);
	stint_json_set_int(status, "numberMisscheduled", tally->misplaced);
	stint_json_set_int(status, "desiredNumberScheduled", tally->desired);
	stint_json_set_int(status, "numberReady", tally->ready);
	stint_json_set_int(status, "observedGeneration", stint_json_int_or(stint_json_at(set, "metadata", "generation"), 0));
	const int64_t optional[] = {tally->updated, tally->available, tally->desired - tally->available};
	static const char *const keys[] = {"updatedNumberScheduled", "numberAvailable", "numberUnavailable"};
	for (size_t i = 0; i < STINT_COUNT(keys); i++) {
		if (optional[i] > 0)
			stint_json_set_int(status, keys[i], optional[i]);
		else
			stint_json_remove(status, keys[i]);
	}
	if (!stint_json_equal(status, old))
		hub_write_status(hub, &daemon_controller, set, stint_steal(&status));
}

/* Old pods go as far as maxUnavailable lets them. */
static void roll(
	struct hub *hub, const struct stint_json *set, const struct pod_list *pods, const char *revision, const struct tally *tally)
{
	const struct stint_json *strategy = stint_json_at(set, "spec", "updateStrategy");
	if (strcmp(text_of(strategy, "type"), "OnDelete") == 0)
		return;
	int64_t allowed = int_or_percent(stint_json_at(strategy, "rollingUpdate", "maxUnavailable"), tally->desired, true, 1);
	int64_t room = (allowed > 0 ? allowed : 1) - (tally->desired - tally->available);
	for (size_t i = 0; i < pods->count; i++) {
		const struct pod_facts *pod = pods->items[i];
		if (!pod_is_active(pod) || (pod->revision && strcmp(pod->revision, revision) == 0))
			continue;
		if (pod->ready && room-- <= 0)
			continue;
		hub_delete_pod(hub, &daemon_controller, set, pod);
	}
}

static void place(struct hub *hub, const struct stint_json *set, struct pod_list *pods, struct stint_map *by_node, const char *revision,
	struct tally *tally)
{
	stint_auto_store_list nodes = {0};
	stint_store_list(hub->api->store, hub->node_kind, NULL, &nodes);
	int64_t now_ms = stint_now_ms(), min_ready_ms = 1000 * stint_json_int_or(stint_json_at(set, "spec", "minReadySeconds"), 0);
	for (size_t i = 0; i < nodes.count; i++) {
		stint_auto_json *node = stint_stored_parse(nodes.items[i]);
		const struct pod_facts *pod = stint_map_get(by_node, nodes.items[i]->name);
		if (!node_is_wanted(set, node)) {
			tally->misplaced += pod != NULL;
			if (pod && pod_is_active(pod))
				hub_delete_pod(hub, &daemon_controller, set, pod);
			continue;
		}
		tally->desired++;
		if (!pod) {
			hub_create_pod(hub, &daemon_controller, set, new_pod(set, nodes.items[i]->name, revision));
			continue;
		}
		if (pod_is_finished(pod) && !pod->deleting)
			hub_delete_pod(hub, &daemon_controller, set, pod);
		tally->current++;
		tally->ready += pod->ready;
		tally->available += pod_is_available(pod, min_ready_ms, now_ms, NULL);
		tally->updated += pod->revision && strcmp(pod->revision, revision) == 0;
	}
	roll(hub, set, pods, revision, tally);
}

static void sync(struct hub *hub, const char *space, const char *name)
{
	stint_auto_json *set = hub_read(hub, &daemon_controller, space, name);
	if (!set || stint_json_at(set, "metadata", "deletionTimestamp"))
		return;
	char revision[TEMPLATE_HASH_SIZE];
	template_hash(stint_json_at(set, "spec", "template"), 0, revision);
	struct pod_list pods = {0};
	struct tally tally = {0};
	struct stint_map *by_node = stint_map_new(NULL);
	pod_book_owned(hub->pods, meta(set, "uid"), &pods);
	for (size_t i = 0; i < pods.count; i++) {
		stint_autofree char *node = node_of(hub, pods.items[i]);
		if (node && !stint_map_has(by_node, node))
			stint_map_set(by_node, node, pods.items[i]);
	}
	place(hub, set, &pods, by_node, revision, &tally);
	write_status(hub, set, &tally);
	stint_map_free(by_node);
	pod_list_free(&pods);
}

const struct controller daemon_controller = {.name = "daemonset-controller", .api_version = "apps/v1", .kind = "DaemonSet", .sync = sync};
