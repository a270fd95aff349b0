/*
 * What a write means before it is validated: which part it may touch, when the generation grows, what is generated.
 */
#include "core/sandbox/schema/types.h"

#include <stdlib.h>
#include <string.h>

/* Beyond spec changes, what else an update of a kind with a generation grows it for. */
enum growth { GROWS_NEVER, STAYS_AT_ONE, GROWS_BY_SPEC, GROWS_BY_SPEC_AND_ANNOTATIONS, GROWS_BY_ALL };

struct strategy {
	const char *type;
	enum growth growth;
	bool status_on_create; /* a new object may bring its status */
	const char *immutable_meta; /* of a status write: metadata field taken from the old object */
	void (*create)(struct stint_json *object);
	void (*update)(const struct stint_json *old, struct stint_json *object);
};

static const char *text_at(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

/* ---- pods ------------------------------------------------------------------------------------------------------------------------ */

/* Requests and limits of cpu and memory decide how soon the kubelet evicts. */
static const char *quality_of_service(const struct stint_json *spec)
{
	static const char *const lists[] = {"containers", "initContainers"}, *const names[] = {"cpu", "memory"};
	bool guaranteed = true, any = false;
	for (size_t i = 0; i < STINT_COUNT(lists); i++) {
		stint_json_each(container, stint_json_get(spec, lists[i])) {
			for (size_t j = 0; j < STINT_COUNT(names); j++) {
				const char *limit = stint_json_string_or(stint_json_at(container, "resources", "limits", names[j]), "0");
				const char *request =
					stint_json_string_or(stint_json_at(container, "resources", "requests", names[j]), limit);
				bool limited = schema_quantity_sign(limit) > 0;
				any |= limited || schema_quantity_sign(request) > 0;
				guaranteed &= limited && schema_quantity_compare(limit, request) == 0;
			}
		}
	}
	return guaranteed ? "Guaranteed" : any ? "Burstable" : "BestEffort";
}

static void create_pod(struct stint_json *pod)
{
	struct stint_json *spec = stint_json_get(pod, "spec"), *status = stint_json_ensure_object(pod, "status");
	/* Below zero was once taken to mean at once. */
	if (stint_json_int_or(stint_json_get(spec, "terminationGracePeriodSeconds"), 0) < 0)
		stint_json_set_int(spec, "terminationGracePeriodSeconds", 1);
	stint_json_set_string(status, "phase", "Pending");
	stint_json_set_string(status, "qosClass", quality_of_service(spec));
	if (!stint_json_first(stint_json_get(spec, "schedulingGates")))
		return;
	struct stint_json *condition = stint_json_append(stint_json_ensure_array(status, "conditions"), stint_json_new_object());
	stint_json_set_string(condition, "type", "PodScheduled");
	stint_json_set_string(condition, "status", "False");
	stint_json_set_string(condition, "reason", "SchedulingGated");
	stint_json_set_string(condition, "message", "Scheduling is blocked due to non-empty scheduling gates");
	const struct stint_json *made = stint_json_at(pod, "metadata", "creationTimestamp");
	if (made)
		stint_json_set(condition, "lastTransitionTime", stint_json_dup(made));
}

/* ---- Jobs ------------------------------------------------------------------------------------------------------------------------ */

/* A Job selects its pods by its own uid, unless its author took that over. */
static void create_job(struct stint_json *job)
{
	static const char *const name_labels[] = {"batch.kubernetes.io/job-name", "job-name"};
	static const char *const uid_labels[] = {"batch.kubernetes.io/controller-uid", "controller-uid"};
	struct stint_json *spec = stint_json_ensure_object(job, "spec");
	if (stint_json_bool_or(stint_json_get(spec, "manualSelector"), false))
		return;
	const char *name = stint_json_string_or(stint_json_at(job, "metadata", "name"), "");
	const char *uid = stint_json_string_or(stint_json_at(job, "metadata", "uid"), "");
	struct stint_json *template = stint_json_ensure_object(spec, "template");
	struct stint_json *labels = stint_json_ensure_object(stint_json_ensure_object(template, "metadata"), "labels");
	stint_auto_json *before = stint_json_dup(labels);
	/* A label that says something else is left for validation to refuse. */
	for (size_t i = 0; i < STINT_COUNT(name_labels); i++)
		if (!*text_at(labels, name_labels[i]))
			stint_json_set_string(labels, name_labels[i], name);
	for (size_t i = 0; i < STINT_COUNT(uid_labels); i++)
		if (!*text_at(labels, uid_labels[i]))
			stint_json_set_string(labels, uid_labels[i], uid);
	struct stint_json *selector = stint_json_ensure_object(spec, "selector");
	struct stint_json *selected = stint_json_ensure_object(selector, "matchLabels");
	if (!stint_json_get(selected, uid_labels[0]) && !stint_json_get(selected, uid_labels[1]))
		stint_json_set_string(selected, uid_labels[0], uid);
	/* A Job that has no labels of its own has those of its template, the generated ones among them. */
	struct stint_json *metadata = stint_json_ensure_object(job, "metadata");
	const struct stint_json *own = stint_json_get(metadata, "labels");
	if (!stint_json_first(own) || stint_json_equal(own, before))
		stint_json_set(metadata, "labels", stint_json_dup(labels));
}

/* ---- others ---------------------------------------------------------------------------------------------------------------------- */

static void create_namespace(struct stint_json *object)
{
	struct stint_json *finalizers = stint_json_ensure_array(stint_json_ensure_object(object, "spec"), "finalizers");
	stint_json_each(finalizer, finalizers)
		if (strcmp(stint_json_string_or(finalizer, ""), "kubernetes") == 0)
			return;
	stint_json_append(finalizers, stint_json_new_string("kubernetes"));
}

static void create_service(struct stint_json *object)
{
	struct stint_json *spec = stint_json_get(object, "spec");
	if (!spec || strcmp(text_at(spec, "type"), "ExternalName") == 0)
		return;
	if (!stint_json_first(stint_json_get(spec, "ipFamilies")))
		stint_json_append(stint_json_ensure_array(spec, "ipFamilies"), stint_json_new_string("IPv4"));
	if (!*text_at(spec, "ipFamilyPolicy"))
		stint_json_set_string(spec, "ipFamilyPolicy", "SingleStack");
}

static void keep(const struct stint_json *old, struct stint_json *object, const char *key)
{
	const struct stint_json *before = stint_json_get(old, key);
	if (before && schema_is_zero(stint_json_get(object, key)))
		stint_json_set(object, key, stint_json_dup(before));
}

/* What was assigned to a service stays when a client leaves it out. */
static void update_service(const struct stint_json *old, struct stint_json *object)
{
	static const char *const assigned[] = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"};
	const struct stint_json *before = stint_json_get(old, "spec");
	struct stint_json *spec = stint_json_get(object, "spec");
	if (!spec || strcmp(text_at(spec, "type"), "ExternalName") == 0 || strcmp(text_at(before, "type"), "ExternalName") == 0)
		return;
	for (size_t i = 0; i < STINT_COUNT(assigned); i++)
		keep(before, spec, assigned[i]);
	const char *type = text_at(spec, "type");
	if (strcmp(type, "NodePort") != 0 && strcmp(type, "LoadBalancer") != 0)
		return;
	stint_json_each(port, stint_json_get(spec, "ports"))
		stint_json_each(other, stint_json_get(before, "ports"))
			if (stint_json_equal(stint_json_get(port, "port"), stint_json_get(other, "port")) &&
				strcmp(text_at(port, "protocol"), text_at(other, "protocol")) == 0)
				keep(other, port, "nodePort");
}

/* ---- the table ------------------------------------------------------------------------------------------------------------------- */

#define CORE "io.k8s.api.core.v1."
#define APPS "io.k8s.api.apps.v1."
#define NETWORKING "io.k8s.api.networking.v1."
#define RESOURCE "io.k8s.api.resource.v1."

static const struct strategy strategies[] = {
	{CORE "Pod", GROWS_BY_SPEC, false, "ownerReferences", create_pod, NULL},
	{CORE "Node", GROWS_NEVER, true, NULL, NULL, NULL},
	{CORE "Namespace", GROWS_NEVER, false, NULL, create_namespace, NULL},
	{CORE "Service", GROWS_NEVER, false, NULL, create_service, update_service},
	{CORE "ReplicationController", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{CORE "PodTemplate", GROWS_BY_ALL, false, NULL, NULL, NULL},
	{APPS "Deployment", GROWS_BY_SPEC_AND_ANNOTATIONS, false, "labels", NULL, NULL},
	{APPS "ReplicaSet", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{APPS "StatefulSet", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{APPS "DaemonSet", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{"io.k8s.api.batch.v1.Job", GROWS_BY_SPEC, false, NULL, create_job, NULL},
	{"io.k8s.api.batch.v1.CronJob", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{"io.k8s.api.policy.v1.PodDisruptionBudget", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{"io.k8s.api.scheduling.v1.PriorityClass", STAYS_AT_ONE, false, NULL, NULL, NULL},
	{NETWORKING "Ingress", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{NETWORKING "IngressClass", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{NETWORKING "NetworkPolicy", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{"io.k8s.api.discovery.v1.EndpointSlice", GROWS_BY_ALL, false, NULL, NULL, NULL},
	{RESOURCE "DeviceClass", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{RESOURCE "ResourceSlice", GROWS_BY_SPEC, false, NULL, NULL, NULL},
	{"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition", GROWS_BY_SPEC, false, NULL, NULL, NULL},
};

static const struct strategy *strategy_of(const struct stint_kind *kind)
{
	static const struct strategy plain = {"", GROWS_NEVER, false, NULL, NULL, NULL};
	static const struct strategy custom = {"", GROWS_BY_ALL, false, NULL, NULL, NULL};
	for (size_t i = 0; i < STINT_COUNT(strategies); i++)
		if (strcmp(strategies[i].type, kind->schema_name) == 0)
			return &strategies[i];
	return kind->custom ? &custom : &plain;
}

static bool has_status(const struct stint_kind *kind)
{
	return kind->subresources & STINT_SUB_STATUS;
}

void stint_schema_prepare_create(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object)
{
	static const char *const system[] = {"selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"};
	const struct strategy *strategy = strategy_of(kind);
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	for (size_t i = 0; i < STINT_COUNT(system); i++)
		stint_json_remove(metadata, system[i]);
	if (strategy->growth != GROWS_NEVER)
		stint_json_set_int(metadata, "generation", 1);
	if (has_status(kind) && !strategy->status_on_create)
		stint_json_remove(object, "status");
	if (strategy->create)
		strategy->create(object);
	if (!kind->custom)
		stint_schema_default(schema, kind, object); /* what was made here gets its zero values, too */
}

/* ---- updates --------------------------------------------------------------------------------------------------------------------- */

static bool is_type_or_meta(const char *key)
{
	return strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0 || strcmp(key, "metadata") == 0;
}

static void copy_member(struct stint_json *to, const struct stint_json *from, const char *key)
{
	const struct stint_json *value = stint_json_get(from, key), *there = stint_json_get(to, key);
	if (!value)
		stint_json_remove(to, key);
	else if (!there || !stint_json_equal(there, value)) /* mostly nothing has changed, and a copy costs ten times the look */
		stint_json_set(to, key, stint_json_dup(value));
}

/* Everything but the status and the metadata comes from the old object; a custom kind's metadata, too. */
static void keep_all_but_status(
	const struct stint_kind *kind, const struct strategy *strategy, const struct stint_json *old, struct stint_json *object)
{
	for (struct stint_json *member = stint_json_first(object), *next; member; member = next) {
		next = stint_json_next(member);
		const char *key = stint_json_key(member);
		if (!is_type_or_meta(key) && strcmp(key, "status") != 0 && !stint_json_get(old, key))
			stint_json_unlink(object, member);
	}
	stint_json_each(member, old)
		if (!is_type_or_meta(stint_json_key(member)) && strcmp(stint_json_key(member), "status") != 0)
			copy_member(object, old, stint_json_key(member));
	if (kind->custom) {
		struct stint_json *written = stint_json_get(object, "metadata");
		struct stint_json *version = stint_json_take(written, "resourceVersion"),
				  *managed = stint_json_take(written, "managedFields");
		struct stint_json *uid = stint_json_take(written, "uid");
		copy_member(object, old, "metadata");
		struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
		if (version)
			stint_json_set(metadata, "resourceVersion", version);
		if (uid)
			stint_json_set(metadata, "uid", uid);
		if (managed)
			stint_json_set(metadata, "managedFields", managed);
	}
	if (strategy->immutable_meta)
		copy_member(stint_json_ensure_object(object, "metadata"), stint_json_get(old, "metadata"), strategy->immutable_meta);
}

/* The old object, but for one list in its spec. */
static void keep_all_but_list(const struct stint_json *old, struct stint_json *object, const char *list)
{
	struct stint_json *taken = stint_json_take(stint_json_get(object, "spec"), list);
	copy_member(object, old, "spec");
	copy_member(object, old, "status");
	struct stint_json *spec = stint_json_ensure_object(object, "spec");
	if (taken)
		stint_json_set(spec, list, taken);
	else
		stint_json_remove(spec, list);
}

/* The old pod, but for the resources of its containers. */
static void keep_all_but_resources(const struct stint_json *old, struct stint_json *object)
{
	static const char *const lists[] = {"containers", "initContainers"};
	stint_auto_json *wanted = stint_json_dup(stint_json_get(object, "spec"));
	copy_member(object, old, "spec");
	copy_member(object, old, "status");
	for (size_t i = 0; i < STINT_COUNT(lists); i++)
		stint_json_each(container, stint_json_at(object, "spec", lists[i]))
			stint_json_each(other, stint_json_get(wanted, lists[i]))
				if (strcmp(text_at(container, "name"), text_at(other, "name")) == 0) {
					copy_member(container, other, "resources");
					copy_member(container, other, "resizePolicy");
				}
}

static void keep_system_metadata(const struct stint_json *old, struct stint_json *object)
{
	const struct stint_json *before = stint_json_get(old, "metadata");
	struct stint_json *now = stint_json_ensure_object(object, "metadata");
	copy_member(now, before, "generation");
	copy_member(now, before, "creationTimestamp");
	keep(before, now, "uid");
	stint_json_remove(now, "selfLink");
	/* An update can neither take back a deletion nor change its time. */
	if (stint_json_get(before, "deletionTimestamp"))
		copy_member(now, before, "deletionTimestamp");
	if (!stint_json_get(now, "deletionGracePeriodSeconds"))
		copy_member(now, before, "deletionGracePeriodSeconds");
}

static bool changed_beyond_meta(const struct stint_kind *kind, const struct stint_json *old, const struct stint_json *object)
{
	const struct stint_json *sides[] = {old, object};
	for (size_t i = 0; i < STINT_COUNT(sides); i++) {
		stint_json_each(member, sides[i]) {
			const char *key = stint_json_key(member);
			if (is_type_or_meta(key) || (strcmp(key, "status") == 0 && has_status(kind)))
				continue;
			if (!stint_json_equal(member, stint_json_get(sides[1 - i], key)))
				return true;
		}
	}
	return false;
}

static bool grows(
	const struct stint_kind *kind, const struct strategy *strategy, const struct stint_json *old, const struct stint_json *object)
{
	switch (strategy->growth) {
	case GROWS_NEVER:
	case STAYS_AT_ONE: return false;
	case GROWS_BY_ALL: return changed_beyond_meta(kind, old, object);
	case GROWS_BY_SPEC_AND_ANNOTATIONS:
		if (!stint_json_equal(stint_json_at(old, "metadata", "annotations"), stint_json_at(object, "metadata", "annotations")))
			return true;
		break;
	default: break;
	}
	return !stint_json_equal(stint_json_get(old, "spec"), stint_json_get(object, "spec"));
}

void stint_schema_prepare_update(const struct stint_schema *schema, const struct stint_kind *kind, const char *subresource,
	const struct stint_json *old, struct stint_json *object)
{
	(void)schema;
	const struct strategy *strategy = strategy_of(kind);
	const char *part = subresource ? subresource : "";
	if (strcmp(part, "status") == 0)
		keep_all_but_status(kind, strategy, old, object);
	else if (strcmp(part, "finalize") == 0)
		keep_all_but_list(old, object, "finalizers");
	else if (strcmp(part, "ephemeralcontainers") == 0)
		keep_all_but_list(old, object, "ephemeralContainers");
	else if (strcmp(part, "resize") == 0)
		keep_all_but_resources(old, object);
	else if (has_status(kind))
		copy_member(object, old, "status");
	if (!*part && strcmp(kind->schema_name, "io.k8s.api.core.v1.Namespace") == 0)
		copy_member(object, old, "spec"); /* its finalizers change through "finalize" alone */
	if (!*part && strategy->update)
		strategy->update(old, object);
	keep_system_metadata(old, object);
	int64_t generation = stint_json_int_or(stint_json_at(old, "metadata", "generation"), 0);
	if (strategy->growth != GROWS_NEVER && strcmp(part, "status") != 0 && grows(kind, strategy, old, object))
		stint_json_set_int(stint_json_get(object, "metadata"), "generation", generation + 1);
	/* On its way out, the generation of an object marked for deletion does not matter to its controllers: a real server grows it once,
	 * with the deletion itself, which is the store's. */
}

static size_t count_but(const struct stint_json *object, const char *left_out)
{
	return stint_json_count(object) - (stint_json_get(object, left_out) != NULL);
}

/* Equal but for the member left_out; of the member `nested`, same decides. Without copies: it is asked for each write. */
static bool same_but(const struct stint_json *a, const struct stint_json *b, const char *left_out, const char *nested,
	bool (*same)(const struct stint_json *a, const struct stint_json *b))
{
	if (count_but(a, left_out) != count_but(b, left_out))
		return false;
	stint_json_each(member, a) {
		const char *key = stint_json_key(member);
		const struct stint_json *other = stint_json_get(b, key);
		if (strcmp(key, left_out) == 0)
			continue;
		if (!other || !(same && strcmp(key, nested) == 0 ? same(member, other) : stint_json_equal(member, other)))
			return false;
	}
	return true;
}

static bool same_record(const struct stint_json *a, const struct stint_json *b)
{
	const struct stint_json *other = stint_json_first(b);
	stint_json_each(entry, a) {
		if (!other || !same_but(entry, other, "time", NULL, NULL))
			return false;
		other = stint_json_next(other);
	}
	return !other;
}

static bool same_metadata(const struct stint_json *a, const struct stint_json *b)
{
	return same_but(a, b, "resourceVersion", "managedFields", same_record);
}

bool stint_schema_same(const struct stint_json *a, const struct stint_json *b)
{
	return same_but(a, b, "", "metadata", same_metadata);
}
