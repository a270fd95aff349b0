/*
 * What an update may not change, kind by kind. Rules that only compare stand in a table; the others are functions.
 */
#include "core/sandbox/schema/check.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

/* ---- pods ------------------------------------------------------------------------------------------------------------------------ */

static void remove_all(struct stint_json *object, const char *const *keys)
{
	for (; *keys; keys++)
		stint_json_remove(object, *keys);
}

static void remove_images(struct stint_json *spec, const char *list)
{
	stint_json_each(container, stint_json_get(spec, list))
		stint_json_remove(container, "image");
}

static bool contains(const struct stint_json *list, const struct stint_json *wanted)
{
	stint_json_each(item, list)
		if (stint_json_equal(item, wanted))
			return true;
	return false;
}

static bool same_but_seconds(const struct stint_json *list, const struct stint_json *wanted)
{
	stint_json_each(item, list) {
		stint_auto_json *a = stint_json_dup(item), *b = stint_json_dup(wanted);
		stint_json_remove(a, "tolerationSeconds");
		stint_json_remove(b, "tolerationSeconds");
		if (stint_json_equal(a, b))
			return true;
	}
	return false;
}

static void check_pod_lists(struct check *check, const struct stint_json *now, const struct stint_json *old)
{
	stint_json_each(toleration, stint_json_get(old, "tolerations")) {
		if (!same_but_seconds(stint_json_get(now, "tolerations"), toleration)) {
			schema_check_forbidden(
				check, "tolerations", "existing toleration can not be modified except its tolerationSeconds");
			break;
		}
	}
	size_t index = 0;
	stint_json_each(gate, stint_json_get(now, "schedulingGates")) {
		stint_autofree char *place = stint_format("schedulingGates[%zu].name", index++);
		if (!contains(stint_json_get(old, "schedulingGates"), gate))
			schema_check_forbidden(
				check, place, "only deletion is allowed, but found new scheduling gate '%s'", text_of(gate, "name"));
	}
	const struct stint_json *deadline = stint_json_get(now, "activeDeadlineSeconds");
	const struct stint_json *before = stint_json_get(old, "activeDeadlineSeconds");
	if (before && !deadline)
		schema_check_cause(check, "FieldValueInvalid", "activeDeadlineSeconds",
			"Invalid value: null: must not update from a positive integer to nil value");
	else if (before && stint_json_int_or(deadline, 0) > stint_json_int_or(before, 0))
		schema_check_bad(check, "activeDeadlineSeconds", deadline, "must be less than or equal to previous value");
}

/* A gated pod's node selector and affinity may still be narrowed. */
static void drop_gated(struct check *check, struct stint_json *now, struct stint_json *old)
{
	if (!stint_json_first(stint_json_get(old, "schedulingGates")))
		return;
	const struct stint_json *selector = stint_json_get(now, "nodeSelector");
	stint_json_each(entry, stint_json_get(old, "nodeSelector")) {
		if (!stint_json_equal(entry, stint_json_get(selector, stint_json_key(entry)))) {
			schema_check_bad(check, "nodeSelector", selector,
				"only additions to spec.nodeSelector are allowed (no mutations or deletions)");
			break;
		}
	}
	struct stint_json *trees[] = {now, old};
	for (size_t i = 0; i < STINT_COUNT(trees); i++) {
		struct stint_json *affinity = stint_json_get(trees[i], "affinity");
		stint_json_remove(trees[i], "nodeSelector");
		stint_json_remove(affinity, "nodeAffinity");
		if (affinity && !stint_json_first(affinity))
			stint_json_remove(trees[i], "affinity");
	}
}

static void update_pod(struct check *check)
{
	static const char *const free_fields[] = {"tolerations", "activeDeadlineSeconds", "schedulingGates", NULL};
	static const char *const lists[] = {"containers", "initContainers"};
	const struct stint_json *now = stint_json_get(check->object, "spec"), *old = stint_json_get(check->old, "spec");
	size_t mark = schema_path_field(&check->path, "spec");
	bool counted = true;
	for (size_t i = 0; i < STINT_COUNT(lists); i++) {
		if (stint_json_count(stint_json_get(now, lists[i])) == stint_json_count(stint_json_get(old, lists[i])))
			continue;
		schema_check_forbidden(check, lists[i], "pod updates may not add or remove containers");
		counted = false;
	}
	if (counted && !stint_json_equal(now, old)) {
		check_pod_lists(check, now, old);
		stint_auto_json *a = stint_json_dup(now), *b = stint_json_dup(old);
		int64_t grace = stint_json_int_or(stint_json_get(b, "terminationGracePeriodSeconds"), 0);
		if (grace < 0 && stint_json_int_or(stint_json_get(a, "terminationGracePeriodSeconds"), 0) == 1)
			stint_json_set_int(a, "terminationGracePeriodSeconds", grace);
		drop_gated(check, a, b);
		struct stint_json *trees[] = {a, b};
		for (size_t i = 0; i < STINT_COUNT(trees); i++) {
			remove_all(trees[i], free_fields);
			remove_images(trees[i], "containers");
			remove_images(trees[i], "initContainers");
		}
		if (!stint_json_equal(a, b))
			schema_check_forbidden(check, NULL,
				"pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
				"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
				"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
	}
	schema_path_pop(&check->path, mark);
}

/* ---- workloads ------------------------------------------------------------------------------------------------------------------- */

/* Equal but for the members named. */
static bool equal_but(const struct stint_json *a, const struct stint_json *b, const char *const *keys)
{
	if (stint_json_equal(a, b))
		return true;
	stint_auto_json *left = stint_json_dup(a), *right = stint_json_dup(b);
	remove_all(left, keys);
	remove_all(right, keys);
	return stint_json_equal(left, right);
}

static void update_stateful_set(struct check *check)
{
	static const char *const free_fields[] = {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
		"persistentVolumeClaimRetentionPolicy", "minReadySeconds", NULL};
	if (!equal_but(stint_json_get(check->object, "spec"), stint_json_get(check->old, "spec"), free_fields))
		schema_check_forbidden(check, "spec",
			"updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
			"'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

/* Where the pods of a suspended Job that never ran will go may still be said. */
static void drop_placement(struct stint_json *template)
{
	static const char *const placement[] = {"nodeSelector", "tolerations", "schedulingGates", NULL};
	static const char *const labels[] = {"labels", "annotations", NULL};
	struct stint_json *spec = stint_json_get(template, "spec");
	remove_all(spec, placement);
	remove_all(stint_json_get(template, "metadata"), labels);
	struct stint_json *affinity = stint_json_get(spec, "affinity");
	stint_json_remove(affinity, "nodeAffinity");
	if (affinity && !stint_json_first(affinity))
		stint_json_remove(spec, "affinity");
}

static void update_job(struct check *check)
{
	static const char *const immutable[] = {
		"selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"};
	const struct stint_json *now = stint_json_get(check->object, "spec"), *old = stint_json_get(check->old, "spec");
	const struct stint_json *completions = stint_json_get(now, "completions");
	size_t mark = schema_path_field(&check->path, "spec");
	for (size_t i = 0; i < STINT_COUNT(immutable); i++)
		schema_check_immutable(check, immutable[i], stint_json_get(now, immutable[i]), stint_json_get(old, immutable[i]));
	bool changed = !stint_json_equal(completions, stint_json_get(old, "completions"));
	if (strcmp(text_of(now, "completionMode"), "Indexed") != 0)
		schema_check_immutable(check, "completions", completions, stint_json_get(old, "completions"));
	else if (changed && completions && !stint_json_equal(completions, stint_json_get(now, "parallelism")))
		schema_check_bad(check, "completions", completions, "can only be modified in tandem with spec.parallelism");
	bool suspended = stint_json_bool_or(stint_json_get(old, "suspend"), false);
	bool started = stint_json_string(stint_json_at(check->old, "status", "startTime"));
	stint_auto_json *template = stint_json_dup(stint_json_get(now, "template"));
	stint_auto_json *before = stint_json_dup(stint_json_get(old, "template"));
	if (suspended && !started) {
		drop_placement(template);
		drop_placement(before);
	}
	if (!stint_json_equal(template, before))
		schema_check_bad(check, "template", stint_json_get(now, "template"), "field is immutable");
	schema_path_pop(&check->path, mark);
}

/* ---- configuration, volumes, services -------------------------------------------------------------------------------------------- */

static void update_sealed(struct check *check)
{
	static const char *const fields[] = {"data", "binaryData"};
	if (!stint_json_bool_or(stint_json_get(check->old, "immutable"), false))
		return;
	if (!stint_json_bool_or(stint_json_get(check->object, "immutable"), false))
		schema_check_forbidden(check, "immutable", "field is immutable when `immutable` is set");
	for (size_t i = 0; i < STINT_COUNT(fields); i++) {
		const struct stint_json *now = stint_json_get(check->object, fields[i]), *old = stint_json_get(check->old, fields[i]);
		if (!stint_json_equal(now, old) && !(schema_is_zero(now) && schema_is_zero(old)))
			schema_check_forbidden(check, fields[i], "field is immutable when `immutable` is set");
	}
}

static void update_claim(struct check *check)
{
	const struct stint_json *old = stint_json_get(check->old, "spec");
	stint_auto_json *now = stint_json_dup(stint_json_get(check->object, "spec"));
	stint_auto_json *before = stint_json_dup(old);
	if (!*text_of(old, "volumeName"))
		stint_json_remove(now, "volumeName");
	bool bound = strcmp(stint_json_string_or(stint_json_at(check->old, "status", "phase"), ""), "Bound") == 0;
	const char *size = stint_json_string_or(stint_json_at(now, "resources", "requests", "storage"), "0");
	if (schema_quantity_compare(size, stint_json_string_or(stint_json_at(old, "resources", "requests", "storage"), "0")) < 0)
		schema_check_forbidden(check, "spec.resources.requests.storage", "field can not be less than status.capacity");
	struct stint_json *trees[] = {now, before};
	for (size_t i = 0; i < STINT_COUNT(trees) && bound; i++) {
		stint_json_remove(stint_json_at(trees[i], "resources", "requests"), "storage");
		stint_json_remove(trees[i], "volumeAttributesClassName");
	}
	if (!stint_json_equal(now, before))
		schema_check_forbidden(check, "spec",
			"spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
}

static void update_service(struct check *check)
{
	const struct stint_json *now = stint_json_get(check->object, "spec"), *old = stint_json_get(check->old, "spec");
	bool external = strcmp(text_of(now, "type"), "ExternalName") == 0 || strcmp(text_of(old, "type"), "ExternalName") == 0;
	const char *address = text_of(old, "clusterIP");
	if (external || !*address || strcmp(address, text_of(now, "clusterIP")) == 0)
		return;
	stint_auto_json *wanted = stint_json_new_array();
	stint_json_append(wanted, stint_json_new_string(text_of(now, "clusterIP")));
	schema_check_bad(check, "spec.clusterIPs[0]", wanted, "may not change once set");
}

static void update_node(struct check *check)
{
	const struct stint_json *now = stint_json_get(check->object, "spec"), *old = stint_json_get(check->old, "spec");
	if (*text_of(old, "providerID") && strcmp(text_of(old, "providerID"), text_of(now, "providerID")) != 0)
		schema_check_forbidden(check, "spec.providerID", "node updates may not change providerID except from \"\" to valid");
	if (stint_json_first(stint_json_get(old, "podCIDRs")) &&
		!stint_json_equal(stint_json_get(now, "podCIDRs"), stint_json_get(old, "podCIDRs")))
		schema_check_forbidden(check, "spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid");
}

static void update_priority_class(struct check *check)
{
	if (!stint_json_equal(stint_json_get(check->object, "value"), stint_json_get(check->old, "value")))
		schema_check_forbidden(check, "value", "may not be changed in an update.");
}

static void update_storage_class(struct check *check)
{
	static const char *const fields[] = {"parameters", "provisioner", "reclaimPolicy"};
	for (size_t i = 0; i < STINT_COUNT(fields); i++) {
		const struct stint_json *now = stint_json_get(check->object, fields[i]), *old = stint_json_get(check->old, fields[i]);
		if (!stint_json_equal(now, old) && !(schema_is_zero(now) && schema_is_zero(old)))
			schema_check_forbidden(check, fields[i], "updates to %s are forbidden.", fields[i]);
	}
}

static void update_role_binding(struct check *check)
{
	const struct stint_json *now = stint_json_get(check->object, "roleRef");
	if (!stint_json_equal(now, stint_json_get(check->old, "roleRef")))
		schema_check_bad(check, "roleRef", now, "cannot change roleRef");
}

static void update_event(struct check *check)
{
	static const char *const free_fields[] = {"metadata", "series", NULL};
	if (*check->kind->group && !equal_but(check->object, check->old, free_fields))
		schema_check_immutable(check, "note", stint_json_get(check->object, "note"), stint_json_get(check->old, "note"));
}

static void update_definition(struct check *check)
{
	static const char *const fields[] = {"group", "scope"};
	const struct stint_json *now = stint_json_get(check->object, "spec"), *old = stint_json_get(check->old, "spec");
	size_t mark = schema_path_field(&check->path, "spec");
	for (size_t i = 0; i < STINT_COUNT(fields); i++)
		schema_check_immutable(check, fields[i], stint_json_get(now, fields[i]), stint_json_get(old, fields[i]));
	schema_check_immutable(check, "names.kind", stint_json_at(now, "names", "kind"), stint_json_at(old, "names", "kind"));
	schema_check_immutable(check, "names.plural", stint_json_at(now, "names", "plural"), stint_json_at(old, "names", "plural"));
	schema_path_pop(&check->path, mark);
}

/* ---- the table ----------------------------------------------------------------------------------------------------------------------- */

struct update_rule {
	const char *type;
	const char *immutable[2]; /* keys from the object down; one field */
	void (*check)(struct check *check);
};

#define CORE "io.k8s.api.core.v1."
#define APPS "io.k8s.api.apps.v1."
#define RESOURCE "io.k8s.api.resource.v1."

static const struct update_rule rules[] = {
	{CORE "Pod", {NULL}, update_pod},
	{CORE "ConfigMap", {NULL}, update_sealed},
	{CORE "Secret", {"type"}, update_sealed},
	{CORE "Node", {NULL}, update_node},
	{CORE "Service", {NULL}, update_service},
	{CORE "PersistentVolumeClaim", {NULL}, update_claim},
	{APPS "Deployment", {"spec", "selector"}, NULL},
	{APPS "ReplicaSet", {"spec", "selector"}, NULL},
	{APPS "DaemonSet", {"spec", "selector"}, NULL},
	{APPS "StatefulSet", {NULL}, update_stateful_set},
	{APPS "ControllerRevision", {"data"}, NULL},
	{"io.k8s.api.batch.v1.Job", {NULL}, update_job},
	{"io.k8s.api.scheduling.v1.PriorityClass", {"preemptionPolicy"}, update_priority_class},
	{"io.k8s.api.storage.v1.StorageClass", {"volumeBindingMode"}, update_storage_class},
	{"io.k8s.api.storage.v1.CSIDriver", {"spec", "attachRequired"}, NULL},
	{"io.k8s.api.storage.v1.VolumeAttachment", {"spec"}, NULL},
	{"io.k8s.api.storage.v1.CSIStorageCapacity", {"storageClassName"}, NULL},
	{"io.k8s.api.node.v1.RuntimeClass", {"handler"}, NULL},
	{"io.k8s.api.discovery.v1.EndpointSlice", {"addressType"}, NULL},
	{"io.k8s.api.rbac.v1.RoleBinding", {NULL}, update_role_binding},
	{"io.k8s.api.rbac.v1.ClusterRoleBinding", {NULL}, update_role_binding},
	{"io.k8s.api.events.v1.Event", {NULL}, update_event},
	{RESOURCE "ResourceClaim", {"spec"}, NULL},
	{RESOURCE "ResourceClaimTemplate", {"spec"}, NULL},
	{RESOURCE "ResourceSlice", {"spec", "driver"}, NULL},
	{"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition", {NULL}, update_definition},
};

void schema_check_kind_update(struct check *check)
{
	for (size_t i = 0; i < STINT_COUNT(rules); i++) {
		const struct update_rule *rule = &rules[i];
		if (strcmp(rule->type, check->kind->schema_name) != 0)
			continue;
		if (rule->immutable[0]) {
			const char *const keys[] = {rule->immutable[0], rule->immutable[1], NULL};
			stint_autofree char *field = stint_format("%s%s%s", keys[0], keys[1] ? "." : "", keys[1] ? keys[1] : "");
			schema_check_immutable(check, field, stint_json_at_keys(check->object, keys), stint_json_at_keys(check->old, keys));
		}
		if (rule->check)
			rule->check(check);
	}
}
