/*
 * Columns of the groups beside the core and the workloads, the scheduler's own kinds among them.
 */
#include "table.h"

#include <string.h>

static struct stint_json *budget_min(const struct stint_json *budget)
{
	const struct stint_json *value = stint_json_at(budget, "spec", "minAvailable");

	if (!value)
		return stint_json_new_string("N/A");
	return stint_json_string(value) ? stint_json_dup(value) : table_text("%lld", (long long)stint_json_int_or(value, 0));
}

static struct stint_json *budget_max(const struct stint_json *budget)
{
	const struct stint_json *value = stint_json_at(budget, "spec", "maxUnavailable");

	if (!value)
		return stint_json_new_string("N/A");
	return stint_json_string(value) ? stint_json_dup(value) : table_text("%lld", (long long)stint_json_int_or(value, 0));
}

static struct stint_json *binding_role(const struct stint_json *binding)
{
	return table_text("%s/%s", table_string(binding, "roleRef", "kind", ""), table_string(binding, "roleRef", "name", ""));
}

static struct stint_json *subjects(const struct stint_json *binding, const char *kind)
{
	stint_auto_buf text = {0};

	stint_json_each(subject, stint_json_get(binding, "subjects")) {
		const char *space = stint_json_string_or(stint_json_get(subject, "namespace"), "");

		if (strcmp(stint_json_string_or(stint_json_get(subject, "kind"), ""), kind) != 0)
			continue;
		stint_buf_printf(&text, "%s%s%s%s", text.length ? ", " : "", space, *space ? "/" : "",
			stint_json_string_or(stint_json_get(subject, "name"), ""));
	}
	return stint_json_new_string(text.data ? text.data : "");
}

static struct stint_json *subject_users(const struct stint_json *binding)
{
	return subjects(binding, "User");
}

static struct stint_json *subject_groups(const struct stint_json *binding)
{
	return subjects(binding, "Group");
}

static struct stint_json *subject_accounts(const struct stint_json *binding)
{
	return subjects(binding, "ServiceAccount");
}

static struct stint_json *expansion(const struct stint_json *class)
{
	return stint_json_new_bool(stint_json_bool_or(stint_json_get(class, "allowVolumeExpansion"), false));
}

static struct stint_json *driver_count(const struct stint_json *node)
{
	return stint_json_new_int((int64_t)stint_json_count(stint_json_at(node, "spec", "drivers")));
}

static struct stint_json *scaler_reference(const struct stint_json *scaler)
{
	const struct stint_json *target = stint_json_at(scaler, "spec", "scaleTargetRef");

	return table_text("%s/%s", stint_json_string_or(stint_json_get(target, "kind"), ""),
		stint_json_string_or(stint_json_get(target, "name"), ""));
}

static struct stint_json *ingress_hosts(const struct stint_json *ingress)
{
	stint_auto_buf text = {0};

	stint_json_each(rule, stint_json_at(ingress, "spec", "rules"))
		stint_buf_printf(&text, "%s%s", text.length ? "," : "", stint_json_string_or(stint_json_get(rule, "host"), "*"));
	return stint_json_new_string(text.data ? text.data : "*");
}

static struct stint_json *ingress_ports(const struct stint_json *ingress)
{
	return stint_json_new_string(stint_json_first(stint_json_at(ingress, "spec", "tls")) ? "80, 443" : "80");
}

static struct stint_json *slice_endpoints(const struct stint_json *slice)
{
	stint_auto_buf text = {0};

	stint_json_each(endpoint, stint_json_get(slice, "endpoints")) {
		stint_json_each(address, stint_json_get(endpoint, "addresses"))
			stint_buf_printf(&text, "%s%s", text.length ? "," : "", stint_json_string_or(address, ""));
	}
	return stint_json_new_string(text.data ? text.data : "<unset>");
}

static struct stint_json *slice_ports(const struct stint_json *slice)
{
	stint_auto_buf text = {0};

	stint_json_each(port, stint_json_get(slice, "ports"))
		stint_buf_printf(&text, "%s%lld", text.length ? "," : "", (long long)stint_json_int_or(stint_json_get(port, "port"), 0));
	return stint_json_new_string(text.data ? text.data : "<unset>");
}

static struct stint_json *policy_selector(const struct stint_json *policy)
{
	const struct stint_json *selector = stint_json_at(policy, "spec", "podSelector");
	stint_autofree char *text = stint_json_first(selector) ? stint_selector_text(selector) : NULL;

	return stint_json_new_string(text ? text : "<none>");
}

static const struct table_column budget_columns[] = {
	{"Min Available", "string", 0, NULL, budget_min, NULL},
	{"Max Unavailable", "string", 0, NULL, budget_max, NULL},
	{"Allowed Disruptions", "integer", 0, "status.disruptionsAllowed", NULL, NULL},
	TABLE_AGE,
	TABLE_END,
};
static const struct table_column lease_columns[] = {{"Holder", "string", 0, "spec.holderIdentity", NULL, ""}, TABLE_AGE, TABLE_END};
static const struct table_column priority_columns[] = {
	{"Value", "integer", 0, "value", NULL, NULL},
	{"Global-Default", "boolean", 0, "globalDefault", NULL, NULL},
	TABLE_AGE,
	{"PreemptionPolicy", "string", 0, "preemptionPolicy", NULL, ""},
	TABLE_END,
};
static const struct table_column created_columns[] = {{"Created At", "date", 0, "metadata.creationTimestamp", NULL, NULL}, TABLE_END};
static const struct table_column role_binding_columns[] = {
	{"Role", "string", 0, NULL, binding_role, NULL},
	TABLE_AGE,
	{"Users", "string", 1, NULL, subject_users, NULL},
	{"Groups", "string", 1, NULL, subject_groups, NULL},
	{"ServiceAccounts", "string", 1, NULL, subject_accounts, NULL},
	TABLE_END,
};
static const struct table_column storage_columns[] = {
	{"Provisioner", "string", 0, "provisioner", NULL, ""},
	{"ReclaimPolicy", "string", 0, "reclaimPolicy", NULL, ""},
	{"VolumeBindingMode", "string", 0, "volumeBindingMode", NULL, ""},
	{"AllowVolumeExpansion", "string", 0, NULL, expansion, NULL},
	TABLE_AGE,
	TABLE_END,
};
static const struct table_column csi_node_columns[] = {{"Drivers", "integer", 0, NULL, driver_count, NULL}, TABLE_AGE, TABLE_END};
static const struct table_column csi_driver_columns[] = {
	{"AttachRequired", "boolean", 0, "spec.attachRequired", NULL, NULL},
	{"PodInfoOnMount", "boolean", 0, "spec.podInfoOnMount", NULL, NULL},
	{"StorageCapacity", "boolean", 0, "spec.storageCapacity", NULL, NULL},
	TABLE_AGE,
	TABLE_END,
};
static const struct table_column csi_capacity_columns[] = {
	{"StorageClassName", "string", 0, "storageClassName", NULL, ""}, {"Capacity", "string", 0, "capacity", NULL, "<unset>"}, TABLE_END};
static const struct table_column scaler_columns[] = {
	{"Reference", "string", 0, NULL, scaler_reference, NULL},
	{"MinPods", "string", 0, "spec.minReplicas", NULL, "<unset>"},
	{"MaxPods", "integer", 0, "spec.maxReplicas", NULL, NULL},
	{"Replicas", "integer", 0, "status.currentReplicas", NULL, NULL},
	TABLE_AGE,
	TABLE_END,
};
static const struct table_column ingress_columns[] = {
	{"Class", "string", 0, "spec.ingressClassName", NULL, NULL},
	{"Hosts", "string", 0, NULL, ingress_hosts, NULL},
	{"Ports", "string", 0, NULL, ingress_ports, NULL},
	TABLE_AGE,
	TABLE_END,
};
static const struct table_column slice_columns[] = {
	{"AddressType", "string", 0, "addressType", NULL, ""},
	{"Ports", "string", 0, NULL, slice_ports, NULL},
	{"Endpoints", "string", 0, NULL, slice_endpoints, NULL},
	TABLE_AGE,
	TABLE_END,
};
static const struct table_column policy_columns[] = {{"Pod-Selector", "string", 0, NULL, policy_selector, NULL}, TABLE_AGE, TABLE_END};
static const struct table_column runtime_columns[] = {{"Handler", "string", 0, "handler", NULL, ""}, TABLE_AGE, TABLE_END};
static const struct table_column queue_columns[] = {
	{"Priority", "integer", 0, "spec.priority", NULL, ""},
	{"Parent", "string", 0, "spec.parentQueue", NULL, ""},
	{"DisplayName", "string", 0, "spec.displayName", NULL, ""},
	TABLE_END,
};
static const struct table_column pod_group_columns[] = {
	{"Queue", "string", 0, "spec.queue", NULL, ""}, {"MinMember", "integer", 0, "spec.minMember", NULL, ""}, TABLE_AGE, TABLE_END};

const struct table_kind table_others[] = {
	{"policy", "PodDisruptionBudget", budget_columns, false},
	{"coordination.k8s.io", "Lease", lease_columns, false},
	{"scheduling.k8s.io", "PriorityClass", priority_columns, false},
	{"rbac.authorization.k8s.io", "Role", created_columns, false},
	{"rbac.authorization.k8s.io", "ClusterRole", created_columns, false},
	{"rbac.authorization.k8s.io", "RoleBinding", role_binding_columns, false},
	{"rbac.authorization.k8s.io", "ClusterRoleBinding", role_binding_columns, false},
	{"storage.k8s.io", "StorageClass", storage_columns, false},
	{"storage.k8s.io", "CSINode", csi_node_columns, false},
	{"storage.k8s.io", "CSIDriver", csi_driver_columns, false},
	{"storage.k8s.io", "CSIStorageCapacity", csi_capacity_columns, false},
	{"autoscaling", "HorizontalPodAutoscaler", scaler_columns, false},
	{"networking.k8s.io", "Ingress", ingress_columns, false},
	{"networking.k8s.io", "NetworkPolicy", policy_columns, false},
	{"discovery.k8s.io", "EndpointSlice", slice_columns, false},
	{"node.k8s.io", "RuntimeClass", runtime_columns, false},
	{"apiextensions.k8s.io", "CustomResourceDefinition", created_columns, false},
	{"scheduling.run.ai", "Queue", queue_columns, false},
	{"scheduling.run.ai", "PodGroup", pod_group_columns, false},
	{NULL, NULL, NULL, false},
};
