/*
 * The kinds that are served, one row each, and the look-up by kind and by resource. Also builds a schema out of the tables.
 */
#include "core/sandbox/schema/types.h"

#include <stdlib.h>
#include <string.h>

enum { CLUSTER = 0, NAMESPACED = 1, CREATE_ONLY = 2, CUSTOM = 4 };

struct kind_row {
	const char *type;
	const char *api_version;
	const char *plural; /* NULL: never a resource of its own */
	const char *short_names, *categories;
	unsigned flags, subresources;
};

#define CORE "io.k8s.api.core.v1."
#define APPS "io.k8s.api.apps.v1."
#define BATCH "io.k8s.api.batch.v1."
#define STORAGE "io.k8s.api.storage.v1."
#define RBAC "io.k8s.api.rbac.v1."
#define RESOURCE "io.k8s.api.resource.v1."
#define NETWORKING "io.k8s.api.networking.v1."
#define AUTHENTICATION "io.k8s.api.authentication.v1."
#define AUTHORIZATION "io.k8s.api.authorization.v1."
#define META "io.k8s.apimachinery.pkg.apis.meta.v1."

enum {
	POD_SUBRESOURCES = STINT_SUB_STATUS | STINT_SUB_BINDING | STINT_SUB_EVICTION | STINT_SUB_LOG | STINT_SUB_EXEC |
		STINT_SUB_EPHEMERAL | STINT_SUB_RESIZE | STINT_SUB_PROXY,
	SCALED = STINT_SUB_STATUS | STINT_SUB_SCALE,
};

static const struct kind_row rows[] = {
	{CORE "Binding", "v1", "bindings", NULL, NULL, NAMESPACED | CREATE_ONLY, 0},
	{CORE "ConfigMap", "v1", "configmaps", "cm", NULL, NAMESPACED, 0},
	{CORE "Endpoints", "v1", "endpoints", "ep", NULL, NAMESPACED, 0},
	{CORE "Event", "v1", "events", "ev", NULL, NAMESPACED, 0},
	{CORE "LimitRange", "v1", "limitranges", "limits", NULL, NAMESPACED, 0},
	{CORE "Namespace", "v1", "namespaces", "ns", NULL, CLUSTER, STINT_SUB_STATUS | STINT_SUB_FINALIZE},
	{CORE "Node", "v1", "nodes", "no", NULL, CLUSTER, STINT_SUB_STATUS | STINT_SUB_PROXY},
	{CORE "PersistentVolumeClaim", "v1", "persistentvolumeclaims", "pvc", NULL, NAMESPACED, STINT_SUB_STATUS},
	{CORE "PersistentVolume", "v1", "persistentvolumes", "pv", NULL, CLUSTER, STINT_SUB_STATUS},
	{CORE "Pod", "v1", "pods", "po", "all", NAMESPACED, POD_SUBRESOURCES},
	{CORE "PodTemplate", "v1", "podtemplates", NULL, NULL, NAMESPACED, 0},
	{CORE "ReplicationController", "v1", "replicationcontrollers", "rc", "all", NAMESPACED, SCALED},
	{CORE "ResourceQuota", "v1", "resourcequotas", "quota", NULL, NAMESPACED, STINT_SUB_STATUS},
	{CORE "Secret", "v1", "secrets", NULL, NULL, NAMESPACED, 0},
	{CORE "ServiceAccount", "v1", "serviceaccounts", "sa", NULL, NAMESPACED, STINT_SUB_TOKEN},
	{CORE "Service", "v1", "services", "svc", "all", NAMESPACED, STINT_SUB_STATUS | STINT_SUB_PROXY},
	{APPS "ControllerRevision", "apps/v1", "controllerrevisions", NULL, NULL, NAMESPACED, 0},
	{APPS "DaemonSet", "apps/v1", "daemonsets", "ds", "all", NAMESPACED, STINT_SUB_STATUS},
	{APPS "Deployment", "apps/v1", "deployments", "deploy", "all", NAMESPACED, SCALED},
	{APPS "ReplicaSet", "apps/v1", "replicasets", "rs", "all", NAMESPACED, SCALED},
	{APPS "StatefulSet", "apps/v1", "statefulsets", "sts", "all", NAMESPACED, SCALED},
	{BATCH "CronJob", "batch/v1", "cronjobs", "cj", "all", NAMESPACED, STINT_SUB_STATUS},
	{BATCH "Job", "batch/v1", "jobs", NULL, "all", NAMESPACED, STINT_SUB_STATUS},
	{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers", "hpa", "all", NAMESPACED,
		STINT_SUB_STATUS},
	{"io.k8s.api.policy.v1.PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", "pdb", NULL, NAMESPACED, STINT_SUB_STATUS},
	{"io.k8s.api.scheduling.v1.PriorityClass", "scheduling.k8s.io/v1", "priorityclasses", "pc", NULL, CLUSTER, 0},
	{"io.k8s.api.coordination.v1.Lease", "coordination.k8s.io/v1", "leases", NULL, NULL, NAMESPACED, 0},
	{"io.k8s.api.events.v1.Event", "events.k8s.io/v1", "events", "ev", NULL, NAMESPACED, 0},
	{RBAC "ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", NULL, NULL, CLUSTER, 0},
	{RBAC "ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", NULL, NULL, CLUSTER, 0},
	{RBAC "RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings", NULL, NULL, NAMESPACED, 0},
	{RBAC "Role", "rbac.authorization.k8s.io/v1", "roles", NULL, NULL, NAMESPACED, 0},
	{STORAGE "CSIDriver", "storage.k8s.io/v1", "csidrivers", NULL, NULL, CLUSTER, 0},
	{STORAGE "CSINode", "storage.k8s.io/v1", "csinodes", NULL, NULL, CLUSTER, 0},
	{STORAGE "CSIStorageCapacity", "storage.k8s.io/v1", "csistoragecapacities", NULL, NULL, NAMESPACED, 0},
	{STORAGE "StorageClass", "storage.k8s.io/v1", "storageclasses", "sc", NULL, CLUSTER, 0},
	{STORAGE "VolumeAttachment", "storage.k8s.io/v1", "volumeattachments", NULL, NULL, CLUSTER, STINT_SUB_STATUS},
	{STORAGE "VolumeAttributesClass", "storage.k8s.io/v1", "volumeattributesclasses", "vac", NULL, CLUSTER, 0},
	{"io.k8s.api.node.v1.RuntimeClass", "node.k8s.io/v1", "runtimeclasses", NULL, NULL, CLUSTER, 0},
	{"io.k8s.api.discovery.v1.EndpointSlice", "discovery.k8s.io/v1", "endpointslices", NULL, NULL, NAMESPACED, 0},
	{NETWORKING "IngressClass", "networking.k8s.io/v1", "ingressclasses", NULL, NULL, CLUSTER, 0},
	{NETWORKING "Ingress", "networking.k8s.io/v1", "ingresses", "ing", NULL, NAMESPACED, STINT_SUB_STATUS},
	{NETWORKING "NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", "netpol", NULL, NAMESPACED, 0},
	{RESOURCE "DeviceClass", "resource.k8s.io/v1", "deviceclasses", NULL, NULL, CLUSTER, 0},
	{RESOURCE "ResourceClaim", "resource.k8s.io/v1", "resourceclaims", NULL, NULL, NAMESPACED, STINT_SUB_STATUS},
	{RESOURCE "ResourceClaimTemplate", "resource.k8s.io/v1", "resourceclaimtemplates", NULL, NULL, NAMESPACED, 0},
	{RESOURCE "ResourceSlice", "resource.k8s.io/v1", "resourceslices", NULL, NULL, CLUSTER, 0},
	{AUTHENTICATION "SelfSubjectReview", "authentication.k8s.io/v1", "selfsubjectreviews", NULL, NULL, CLUSTER | CREATE_ONLY, 0},
	{AUTHENTICATION "TokenReview", "authentication.k8s.io/v1", "tokenreviews", NULL, NULL, CLUSTER | CREATE_ONLY, 0},
	{AUTHORIZATION "LocalSubjectAccessReview", "authorization.k8s.io/v1", "localsubjectaccessreviews", NULL, NULL,
		NAMESPACED | CREATE_ONLY, 0},
	{AUTHORIZATION "SelfSubjectAccessReview", "authorization.k8s.io/v1", "selfsubjectaccessreviews", NULL, NULL, CLUSTER | CREATE_ONLY,
		0},
	{AUTHORIZATION "SelfSubjectRulesReview", "authorization.k8s.io/v1", "selfsubjectrulesreviews", NULL, NULL, CLUSTER | CREATE_ONLY,
		0},
	{AUTHORIZATION "SubjectAccessReview", "authorization.k8s.io/v1", "subjectaccessreviews", NULL, NULL, CLUSTER | CREATE_ONLY, 0},
	{"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition", "apiextensions.k8s.io/v1",
		"customresourcedefinitions", "crd,crds", "api-extensions", CLUSTER, STINT_SUB_STATUS},
	{"run.ai.scheduling.v2.Queue", "scheduling.run.ai/v2", "queues", NULL, NULL, CLUSTER | CUSTOM, STINT_SUB_STATUS},
	{"run.ai.scheduling.v2alpha2.PodGroup", "scheduling.run.ai/v2alpha2", "podgroups", "pg", NULL, NAMESPACED | CUSTOM,
		STINT_SUB_STATUS},
	{"scheduler.kai.v1alpha1.Topology", "kai.scheduler/v1alpha1", "topologies", NULL, NULL, CLUSTER | CUSTOM, 0},
	{"io.k8s.api.policy.v1.Eviction", "policy/v1", NULL, NULL, NULL, NAMESPACED | CREATE_ONLY, 0},
	{"io.k8s.api.autoscaling.v1.Scale", "autoscaling/v1", NULL, NULL, NULL, NAMESPACED, 0},
	{AUTHENTICATION "TokenRequest", "authentication.k8s.io/v1", NULL, NULL, NULL, NAMESPACED | CREATE_ONLY, 0},
	{META "DeleteOptions", "v1", NULL, NULL, NULL, CLUSTER, 0},
	{META "Status", "v1", NULL, NULL, NULL, CLUSTER, 0},
};

struct stint_kind *schema_kind_add(struct stint_schema *schema, const struct stint_kind *row)
{
	struct stint_kind *kind = stint_arena_alloc(schema->arena, sizeof(*kind));
	*kind = *row;
	stint_grow(&schema->kinds, &schema->kind_capacity, schema->kind_count + 1, sizeof(struct stint_kind *));
	schema->kinds[schema->kind_count++] = kind;
	stint_autofree char *by_kind = stint_format("%s/%s", kind->api_version, kind->kind);
	stint_map_set(schema->by_kind, by_kind, kind);
	if (kind->plural) {
		stint_autofree char *by_resource = stint_format("%s/%s/%s", kind->group, kind->version, kind->plural);
		stint_map_set(schema->by_resource, by_resource, kind);
	}
	return kind;
}

static char *lower(struct stint_schema *schema, const char *text)
{
	char *copy = schema_strdup(schema, text);
	for (char *at = copy; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return copy;
}

static void add_row(struct stint_schema *schema, const struct kind_row *row)
{
	const struct stint_type *type = schema_type_named(schema, row->type);
	const char *slash = strchr(row->api_version, '/');
	stint_autofree char *list_kind = stint_format("%sList", type->label);
	struct stint_kind kind = {
		.group = slash ? stint_arena_strndup(schema->arena, row->api_version, (size_t)(slash - row->api_version)) : "",
		.version = slash ? slash + 1 : row->api_version,
		.api_version = row->api_version,
		.kind = type->label,
		.list_kind = schema_strdup(schema, list_kind),
		.plural = row->plural,
		.singular = lower(schema, type->label),
		.short_names = schema_words(schema, row->short_names),
		.categories = schema_words(schema, row->categories),
		.schema_name = type->name,
		.type = type,
		.subresources = row->subresources,
		.namespaced = row->flags & NAMESPACED,
		.virtual_create = row->flags & CREATE_ONLY,
		.custom = row->flags & CUSTOM,
	};
	schema_kind_add(schema, &kind);
}

struct stint_schema *stint_schema_new(void)
{
	static const char *const *const tables[] = {stint_table_meta, stint_table_core_container, stint_table_core_volume,
		stint_table_core_pod, stint_table_core_node, stint_table_apps, stint_table_batch, stint_table_storage, stint_table_policy,
		stint_table_access, stint_table_resource, stint_table_custom, stint_table_kai};
	struct stint_schema *schema = stint_alloc(sizeof(*schema));
	schema->arena = stint_arena_new(0);
	schema->types = stint_map_new(NULL);
	schema->by_kind = stint_map_new(NULL);
	schema->by_resource = stint_map_new(NULL);
	schema->kept = stint_json_new_array();
	stint_auto_buf all = {0};
	for (size_t i = 0; i < STINT_COUNT(tables); i++) {
		schema_parse_table(schema, tables[i]);
		for (const char *const *line = tables[i]; *line; line++)
			stint_buf_puts(&all, *line);
	}
	stint_sha256_hex(all.data, all.length, schema->fingerprint);
	for (size_t i = 0; i < STINT_COUNT(rows); i++)
		add_row(schema, &rows[i]);
	return schema;
}

void stint_schema_free(struct stint_schema *schema)
{
	if (!schema)
		return;
	for (size_t i = 0; i < schema->regex_count; i++) {
		regfree(schema->regexes[i]);
		free(schema->regexes[i]);
	}
	free(schema->regexes);
	free(schema->kinds);
	stint_map_free(schema->by_kind);
	stint_map_free(schema->by_resource);
	stint_map_free(schema->types);
	stint_json_free(schema->kept);
	stint_arena_free(schema->arena);
	free(schema);
}

const struct stint_kind *stint_schema_kind(const struct stint_schema *schema, const char *api_version, const char *kind)
{
	if (!api_version || !kind)
		return NULL;
	stint_autofree char *key = stint_format("%s/%s", api_version, kind);
	return stint_map_get(schema->by_kind, key);
}

const struct stint_kind *stint_schema_resource(
	const struct stint_schema *schema, const char *group, const char *version, const char *plural)
{
	stint_autofree char *key = stint_format("%s/%s/%s", group, version, plural);
	return stint_map_get(schema->by_resource, key);
}

const struct stint_kind *const *stint_schema_kinds(const struct stint_schema *schema, size_t *count)
{
	*count = schema->kind_count;
	return (const struct stint_kind *const *)schema->kinds;
}
