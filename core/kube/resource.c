/*
 * resource: the kinds that stint knows by heart, and the paths of the Kubernetes API. Pure; the table is constant.
 */
#include <stint/kube.h>

#include <string.h>

#define RESOURCE(name, group_, version_, plural_, kind_, namespaced_) \
	const struct stint_kube_resource stint_kube_##name = {        \
		.group = group_, .version = version_, .plural = plural_, .kind = kind_, .namespaced = namespaced_};

#define RESOURCES(X)                                                                                                            \
	X(pods, "", "v1", "pods", "Pod", true)                                                                                  \
	X(nodes, "", "v1", "nodes", "Node", false)                                                                              \
	X(namespaces, "", "v1", "namespaces", "Namespace", false)                                                               \
	X(services, "", "v1", "services", "Service", true)                                                                      \
	X(configmaps, "", "v1", "configmaps", "ConfigMap", true)                                                                \
	X(secrets, "", "v1", "secrets", "Secret", true)                                                                         \
	X(serviceaccounts, "", "v1", "serviceaccounts", "ServiceAccount", true)                                                 \
	X(persistentvolumeclaims, "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true)                            \
	X(persistentvolumes, "", "v1", "persistentvolumes", "PersistentVolume", false)                                          \
	X(storageclasses, "storage.k8s.io", "v1", "storageclasses", "StorageClass", false)                                      \
	X(core_events, "", "v1", "events", "Event", true)                                                                       \
	X(events, "events.k8s.io", "v1", "events", "Event", true)                                                               \
	X(jobs, "batch", "v1", "jobs", "Job", true)                                                                             \
	X(cronjobs, "batch", "v1", "cronjobs", "CronJob", true)                                                                 \
	X(deployments, "apps", "v1", "deployments", "Deployment", true)                                                         \
	X(replicasets, "apps", "v1", "replicasets", "ReplicaSet", true)                                                         \
	X(statefulsets, "apps", "v1", "statefulsets", "StatefulSet", true)                                                      \
	X(daemonsets, "apps", "v1", "daemonsets", "DaemonSet", true)                                                            \
	X(leases, "coordination.k8s.io", "v1", "leases", "Lease", true)                                                         \
	X(priorityclasses, "scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", false)                                \
	X(queues, "scheduling.run.ai", "v2", "queues", "Queue", false)                                                          \
	X(podgroups, "scheduling.run.ai", "v2alpha2", "podgroups", "PodGroup", true)                                            \
	X(topologies, "kai.scheduler", "v1alpha1", "topologies", "Topology", false)                                             \
	X(clusterroles, "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false)                                \
	X(clusterrolebindings, "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", false)           \
	X(roles, "rbac.authorization.k8s.io", "v1", "roles", "Role", true)                                                      \
	X(rolebindings, "rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", true)                                 \
	X(poddisruptionbudgets, "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true)                            \
	X(tokenreviews, "authentication.k8s.io", "v1", "tokenreviews", "TokenReview", false)                                    \
	X(selfsubjectreviews, "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", false)                  \
	X(subjectaccessreviews, "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", false)             \
	X(selfsubjectaccessreviews, "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", false) \
	X(resourceclaims, "resource.k8s.io", "v1", "resourceclaims", "ResourceClaim", true)                                     \
	X(resourceclaimtemplates, "resource.k8s.io", "v1", "resourceclaimtemplates", "ResourceClaimTemplate", true)             \
	X(resourceslices, "resource.k8s.io", "v1", "resourceslices", "ResourceSlice", false)                                    \
	X(deviceclasses, "resource.k8s.io", "v1", "deviceclasses", "DeviceClass", false)                                        \
	X(noderesourcetopologies, "topology.node.k8s.io", "v1alpha2", "noderesourcetopologies", "NodeResourceTopology", false)  \
	X(runtimeclasses, "node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", false)                                         \
	X(customresourcedefinitions, "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false)

RESOURCES(RESOURCE)
RESOURCE(pytorchjobs, "kubeflow.org", "v1", "pytorchjobs", "PyTorchJob", true)
RESOURCE(tfjobs, "kubeflow.org", "v1", "tfjobs", "TFJob", true)
RESOURCE(xgboostjobs, "kubeflow.org", "v1", "xgboostjobs", "XGBoostJob", true)
RESOURCE(jaxjobs, "kubeflow.org", "v1", "jaxjobs", "JAXJob", true)
RESOURCE(mpijobs, "kubeflow.org", "v1", "mpijobs", "MPIJob", true)
RESOURCE(mpijobs_v2beta1, "kubeflow.org", "v2beta1", "mpijobs", "MPIJob", true)
RESOURCE(leaderworkersets, "leaderworkerset.x-k8s.io", "v1", "leaderworkersets", "LeaderWorkerSet", true)

#define ADDRESS(name, group_, version_, plural_, kind_, namespaced_) &stint_kube_##name,
static const struct stint_kube_resource *const all_resources[] = {RESOURCES(ADDRESS)};

const struct stint_kube_resource *stint_kube_resource_find(const char *api_version, const char *kind)
{
	const char *slash = strchr(api_version, '/');
	size_t group_length = slash ? (size_t)(slash - api_version) : 0;
	const char *version = slash ? slash + 1 : api_version;
	for (size_t i = 0; i < STINT_COUNT(all_resources); i++) {
		const struct stint_kube_resource *resource = all_resources[i];
		if (strlen(resource->group) == group_length && memcmp(resource->group, api_version, group_length) == 0 &&
			strcmp(resource->version, version) == 0 && strcmp(resource->kind, kind) == 0) {
			return resource;
		}
	}
	return NULL;
}

char *stint_kube_resource_api_version(const struct stint_kube_resource *resource)
{
	return resource->group[0] ? stint_format("%s/%s", resource->group, resource->version) : stint_strdup(resource->version);
}

void stint_kube_escape(struct stint_buf *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || strchr("-._~", *at);
		if (plain) {
			stint_buf_putc(out, (char)*at);
		} else {
			const char escaped[3] = {'%', hex[*at >> 4], hex[*at & 15]};
			stint_buf_add(out, escaped, sizeof(escaped));
		}
	}
}

/*
 * A piece of a path. "." and ".." would be folded away by URL rules, in the client or at a proxy, even when escaped: no object has such a
 * name, so the server gets to see an escaped form that it refuses.
 */
static void add_piece(struct stint_buf *out, const char *piece)
{
	stint_buf_putc(out, '/');
	if (strcmp(piece, ".") == 0 || strcmp(piece, "..") == 0) {
		stint_buf_puts(out, piece[1] ? "%252E%252E" : "%252E");
		return;
	}
	stint_kube_escape(out, piece);
}

void stint_kube_path(struct stint_buf *out, const struct stint_kube_resource *resource, const char *namespace_, const char *name,
	const char *subresource)
{
	stint_buf_puts(out, resource->group[0] ? "/apis" : "/api");
	if (resource->group[0]) {
		add_piece(out, resource->group);
	}
	add_piece(out, resource->version);
	if (resource->namespaced && namespace_) {
		stint_buf_puts(out, "/namespaces");
		add_piece(out, namespace_);
	}
	add_piece(out, resource->plural);
	if (name) {
		add_piece(out, name);
	}
	/* A subresource may have a tail of its own ("proxy/v1/why/a/b"): its separators stay. */
	const char *at = subresource;
	while (at && *at) {
		size_t length = strcspn(at, "/");
		stint_autofree char *piece = stint_strndup(at, length);
		add_piece(out, piece);
		at += length + (at[length] == '/');
	}
}
