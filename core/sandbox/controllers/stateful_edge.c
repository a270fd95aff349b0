/*
 * stateful_edge: keeps the ControllerRevisions of a StatefulSet and carries out what stateful.c decides.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/stateful.h"
#include "core/sandbox/controllers/template.h"

static const char manager[] = "kube-controller-manager";

static const char *meta(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_at(object, "metadata", key), "");
}

static const struct stint_kind *revision_kind(const struct hub *hub)
{
	return stint_api_kind(hub->api, "apps/v1", "ControllerRevision");
}

static const struct stint_json *template_of(const struct stint_json *revision)
{
	return stint_json_at(revision, "data", "spec", "template");
}

/* ---- revisions ------------------------------------------------------------------------------------------------------------- */

static bool is_owned(const struct stint_json *object, const char *uid)
{
	stint_json_each(owner, stint_json_at(object, "metadata", "ownerReferences")) {
		if (strcmp(stint_json_string_or(stint_json_get(owner, "uid"), ""), uid) == 0)
			return true;
	}
	return false;
}

static struct stint_json *read_revisions(struct hub *hub, const struct stint_json *set)
{
	struct stint_json *revisions = stint_json_new_array();
	stint_auto_store_list list = {0};
	stint_store_list(hub->api->store, revision_kind(hub), meta(set, "namespace"), &list);
	for (size_t i = 0; i < list.count; i++) {
		struct stint_json *revision = stint_stored_parse(list.items[i]);
		if (is_owned(revision, meta(set, "uid")))
			stint_json_append(revisions, revision);
		else
			stint_json_free(revision);
	}
	return revisions;
}

/* The template as a revision keeps it: a patch that replaces. */
static struct stint_json *snapshot(const struct stint_json *set)
{
	const struct stint_json *pod_template = stint_json_at(set, "spec", "template");
	struct stint_json *copy = pod_template ? stint_json_dup(pod_template) : stint_json_new_object();
	stint_json_set_string(copy, "$patch", "replace");
	return copy;
}

static struct stint_json *new_revision(const struct stint_json *set, int64_t number)
{
	stint_auto_json *pod_template = snapshot(set);
	char hash[TEMPLATE_HASH_SIZE];
	template_hash(pod_template, stint_json_int_or(stint_json_at(set, "status", "collisionCount"), 0), hash);
	struct stint_json *revision = stint_json_new_object();
	stint_json_set_string(revision, "apiVersion", "apps/v1");
	stint_json_set_string(revision, "kind", "ControllerRevision");
	struct stint_json *metadata = stint_json_ensure_object(revision, "metadata");
	stint_autofree char *name = stint_format("%s-%s", meta(set, "name"), hash);
	stint_json_set_string(metadata, "name", name);
	stint_json_set_string(metadata, "namespace", meta(set, "namespace"));
	const struct stint_json *labels = stint_json_at(set, "spec", "template", "metadata", "labels");
	stint_json_set(metadata, "labels", labels ? stint_json_dup(labels) : stint_json_new_object());
	stint_json_set_string(stint_json_get(metadata, "labels"), "controller.kubernetes.io/hash", hash);
	template_own(revision, set);
	stint_json_set(
		stint_json_ensure_object(stint_json_ensure_object(revision, "data"), "spec"), "template", stint_steal(&pod_template));
	stint_json_set_int(revision, "revision", number);
	return revision;
}

static bool set_number(void *user, struct stint_json *revision)
{
	stint_json_set_int(revision, "revision", *(const int64_t *)user);
	return true;
}

/* The revision of the set's template, made or renumbered on need; borrowed from revisions. NULL: it was refused. */
static struct stint_json *update_revision(struct hub *hub, const struct stint_json *set, struct stint_json *revisions)
{
	int64_t highest = 0, own = 0;
	struct stint_json *found = NULL;
	stint_auto_json *wanted = snapshot(set);
	stint_json_each(revision, revisions) {
		int64_t number = stint_json_int_or(stint_json_get(revision, "revision"), 0);
		if (number > highest)
			highest = number;
		if (!found && stint_json_equal(template_of(revision), wanted)) {
			found = revision;
			own = number;
		}
	}
	struct stint_api_call call = {.kind = revision_kind(hub), .space = meta(set, "namespace"), .manager = manager};
	if (found) {
		int64_t next = highest + 1;
		call.name = meta(found, "name");
		if (own < highest) /* a roll-back makes it the newest again */
			stint_api_change(hub->api, &call, set_number, &next, NULL, NULL);
		return found;
	}
	struct stint_json *made = NULL;
	if (!stint_api_create(hub->api, &call, new_revision(set, highest + 1), &made, NULL))
		return NULL;
	return stint_json_append(revisions, made);
}

static struct stint_json *find_revision(const struct stint_json *revisions, const char *name)
{
	stint_json_each(revision, revisions) {
		if (name && strcmp(meta(revision, "name"), name) == 0)
			return revision;
	}
	return NULL;
}

static bool pods_use(const struct pod_list *pods, const char *revision)
{
	for (size_t i = 0; i < pods->count; i++) {
		if (pods->items[i]->revision && strcmp(pods->items[i]->revision, revision) == 0)
			return true;
	}
	return false;
}

/* Unused revisions beyond revisionHistoryLimit, oldest first. */
static void forget_revisions(struct hub *hub, const struct stint_json *set, const struct stint_json *revisions, const struct pod_list *pods,
	const struct stint_json *current, const struct stint_json *update)
{
	int64_t limit = stint_json_int_or(stint_json_at(set, "spec", "revisionHistoryLimit"), 10);
	int64_t unused = 0;
	const struct stint_json *oldest = NULL;
	stint_json_each(revision, revisions) {
		if (revision == current || revision == update || pods_use(pods, meta(revision, "name")))
			continue;
		unused++;
		if (!oldest ||
			stint_json_int_or(stint_json_get(revision, "revision"), 0) <
				stint_json_int_or(stint_json_get(oldest, "revision"), 0))
			oldest = revision;
	}
	if (unused <= limit || !oldest)
		return;
	struct stint_api_call call = {
		.kind = revision_kind(hub), .space = meta(set, "namespace"), .name = meta(oldest, "name"), .manager = manager};
	stint_api_delete(hub->api, &call, NULL, NULL, NULL);
}

/* ---- claims and pods ------------------------------------------------------------------------------------------------------- */

static void create_claims(struct hub *hub, const struct stint_json *set, const char *pod_name)
{
	const struct stint_kind *kind = stint_api_kind(hub->api, "v1", "PersistentVolumeClaim");
	stint_json_each(claim, stint_json_at(set, "spec", "volumeClaimTemplates")) {
		stint_autofree char *name = stint_format("%s-%s", meta(claim, "name"), pod_name);
		if (stint_store_get(hub->api->store, kind, meta(set, "namespace"), name))
			continue;
		struct stint_json *object = stint_json_dup(claim);
		stint_json_set_string(object, "apiVersion", "v1");
		stint_json_set_string(object, "kind", "PersistentVolumeClaim");
		stint_json_remove(object, "status");
		struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
		stint_json_set_string(metadata, "name", name);
		stint_json_set_string(metadata, "namespace", meta(set, "namespace"));
		struct stint_json *labels = stint_json_ensure_object(metadata, "labels");
		stint_json_each(label, stint_json_at(set, "spec", "selector", "matchLabels"))
			stint_json_set_string(labels, stint_json_key(label), stint_json_string_or(label, ""));
		struct stint_api_call call = {.kind = kind, .space = meta(set, "namespace"), .manager = manager};
		stint_api_create(hub->api, &call, object, NULL, NULL);
	}
}

/* Its own pods, and orphans that match by label and by name. */
static void claim_pods(struct hub *hub, const struct stint_json *set, struct pod_list *pods)
{
	struct pod_list orphans = {0};
	pod_book_owned(hub->pods, meta(set, "uid"), pods);
	if (!stint_json_at(set, "metadata", "deletionTimestamp"))
		pod_book_orphans(hub->pods, meta(set, "namespace"), stint_json_at(set, "spec", "selector"), &orphans);
	for (size_t i = 0; i < orphans.count; i++) {
		struct pod_facts *pod = orphans.items[i];
		if (stateful_ordinal(meta(set, "name"), pod->name) >= 0 && !pod->deleting &&
			label_selector_matches_pod(stint_json_at(set, "spec", "selector"), pod) && hub_adopt_pod(hub, set, pod))
			pod_list_add(pods, pod);
	}
	pod_list_free(&orphans);
}

static bool carry_out(struct hub *hub, const struct stint_json *set, struct stateful_plan *plan, const struct stint_json *current,
	const struct stint_json *update)
{
	bool complete = true;
	for (size_t i = 0; i < plan->removals.count; i++)
		hub_delete_pod(hub, &stateful_controller, set, plan->removals.items[i]);
	for (size_t i = 0; i < plan->create_count; i++) {
		const struct stint_json *revision = plan->creates[i].current ? current : update;
		stint_auto_json *pod_template = stint_json_dup(template_of(revision));
		stint_json_remove(pod_template, "$patch");
		struct stint_json *pod = stateful_make_pod(set, pod_template, plan->creates[i].ordinal, meta(revision, "name"));
		create_claims(hub, set, meta(pod, "name"));
		complete = hub_create_pod(hub, &stateful_controller, set, pod) && complete;
	}
	return complete;
}

static void sync(struct hub *hub, const char *space, const char *name)
{
	enum { RETRY_MS = 5000 };
	stint_auto_json *set = hub_read(hub, &stateful_controller, space, name);
	if (!set)
		return;
	struct pod_list pods = {0};
	struct stateful_plan plan;
	claim_pods(hub, set, &pods);
	stint_auto_json *revisions = read_revisions(hub, set);
	const struct stint_json *update = update_revision(hub, set, revisions);
	const struct stint_json *current = find_revision(revisions, stint_json_string(stint_json_at(set, "status", "currentRevision")));
	if (!current)
		current = update;
	if (update) {
		stateful_sync(set, &pods, meta(current, "name"), meta(update, "name"), stint_now_ms(), &plan);
		if (!carry_out(hub, set, &plan, current, update))
			plan.again_ms = RETRY_MS;
		if (plan.status)
			hub_write_status(hub, &stateful_controller, set, stint_steal(&plan.status));
		forget_revisions(hub, set, revisions, &pods, current, update);
		if (plan.again_ms >= 0)
			hub_wake(hub, &stateful_controller, space, name, plan.again_ms);
		stateful_plan_free(&plan);
	}
	pod_list_free(&pods);
}

const struct controller stateful_controller = {
	.name = "statefulset-controller", .api_version = "apps/v1", .kind = "StatefulSet", .sync = sync};
