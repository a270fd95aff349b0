/*
 * Columns of pods, nodes and the other kinds of the core group.
 */
#include "table.h"

#include <string.h>

/* ---- pods --------------------------------------------------------------------------------------------------------------------------- */

static struct stint_json *pod_ready(const struct stint_json *pod)
{
	int ready = 0;

	stint_json_each(status, stint_json_at(pod, "status", "containerStatuses"))
		ready += stint_json_bool_or(stint_json_get(status, "ready"), false) && stint_json_at(status, "state", "running");
	return table_text("%d/%zu", ready, stint_json_count(stint_json_at(pod, "spec", "containers")));
}

static char *ended_as(const struct stint_json *terminated)
{
	const char *reason = stint_json_string_or(stint_json_get(terminated, "reason"), "");
	int64_t signal = stint_json_int_or(stint_json_get(terminated, "signal"), 0);

	if (*reason)
		return stint_strdup(reason);
	if (signal)
		return stint_format("Signal:%lld", (long long)signal);
	return stint_format("ExitCode:%lld", (long long)stint_json_int_or(stint_json_get(terminated, "exitCode"), 0));
}

/* "Init:0/2" and the like while init containers run; NULL when they are done. */
static char *initialising(const struct stint_json *pod)
{
	size_t at = 0, total = stint_json_count(stint_json_at(pod, "spec", "initContainers"));

	stint_json_each(status, stint_json_at(pod, "status", "initContainerStatuses")) {
		const struct stint_json *terminated = stint_json_at(status, "state", "terminated");
		const char *waiting = stint_json_string_or(stint_json_at(status, "state", "waiting", "reason"), "");

		at++;
		if (terminated && stint_json_int_or(stint_json_get(terminated, "exitCode"), 0) == 0)
			continue;
		if (terminated) {
			stint_autofree char *how = ended_as(terminated);

			return stint_format("Init:%s", how);
		}
		if (*waiting && strcmp(waiting, "PodInitializing") != 0)
			return stint_format("Init:%s", waiting);
		return stint_format("Init:%zu/%zu", at - 1, total);
	}
	return NULL;
}

/* The last container that has something to say decides. */
static void ask_containers(const struct stint_json *pod, char **reason, bool *running)
{
	size_t count = stint_json_count(stint_json_at(pod, "status", "containerStatuses"));

	while (count-- > 0) {
		const struct stint_json *status = stint_json_item(stint_json_at(pod, "status", "containerStatuses"), count);
		const struct stint_json *terminated = stint_json_at(status, "state", "terminated");
		const char *waiting = stint_json_string_or(stint_json_at(status, "state", "waiting", "reason"), "");
		char *said = NULL;

		if (*waiting)
			said = stint_strdup(waiting);
		else if (terminated)
			said = ended_as(terminated);
		else if (stint_json_at(status, "state", "running") && stint_json_bool_or(stint_json_get(status, "ready"), false))
			*running = true;
		if (said) {
			stint_free_pointer(reason);
			*reason = said;
		}
	}
}

static struct stint_json *pod_status(const struct stint_json *pod)
{
	const char *phase = table_string(pod, "status", "phase", "Pending");
	stint_autofree char *reason = stint_strdup(table_string(pod, "status", "reason", phase));
	stint_autofree char *init = initialising(pod);
	bool running = false, over = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;

	if (strcmp(stint_json_string_or(stint_json_get(table_condition(pod, "PodScheduled"), "reason"), ""), "SchedulingGated") == 0)
		return stint_json_new_string("SchedulingGated");
	if (!init)
		ask_containers(pod, &reason, &running);
	if (stint_json_at(pod, "metadata", "deletionTimestamp") && !over)
		return stint_json_new_string(
			strcmp(table_string(pod, "status", "reason", ""), "NodeLost") == 0 ? "Unknown" : "Terminating");
	if (init)
		return stint_json_new_string(init);
	if (strcmp(reason, "Completed") == 0 && running)
		return stint_json_new_string(table_is_true(pod, "Ready") ? "Running" : "NotReady");
	return stint_json_new_string(reason);
}

static struct stint_json *pod_restarts(const struct stint_json *pod)
{
	const char *last = NULL;
	int64_t restarts = 0;

	stint_json_each(status, stint_json_at(pod, "status", "containerStatuses")) {
		const char *ended = stint_json_string_at(status, "lastState", "terminated", "finishedAt");

		restarts += stint_json_int_or(stint_json_get(status, "restartCount"), 0);
		if (ended && (!last || strcmp(ended, last) > 0))
			last = ended;
	}
	if (restarts > 0 && last) {
		stint_auto_json *ago = table_since(last);

		return table_text("%lld (%s ago)", (long long)restarts, stint_json_string(ago));
	}
	return table_text("%lld", (long long)restarts);
}

static struct stint_json *pod_ip(const struct stint_json *pod)
{
	const char *first = stint_json_string_at(stint_json_first(stint_json_at(pod, "status", "podIPs")), "ip");

	return stint_json_new_string(first ? first : table_string(pod, "status", "podIP", "<none>"));
}

static struct stint_json *pod_gates(const struct stint_json *pod)
{
	size_t gates = 0, open = 0;

	stint_json_each(gate, stint_json_at(pod, "spec", "readinessGates")) {
		gates++;
		open += table_is_true(pod, stint_json_string_or(stint_json_get(gate, "conditionType"), ""));
	}
	return gates ? table_text("%zu/%zu", open, gates) : stint_json_new_string("<none>");
}

static const struct table_column pod_columns[] = {
	{"Ready", "string", 0, NULL, pod_ready, NULL},
	{"Status", "string", 0, NULL, pod_status, NULL},
	{"Restarts", "string", 0, NULL, pod_restarts, NULL},
	TABLE_AGE,
	{"IP", "string", 1, NULL, pod_ip, NULL},
	{"Node", "string", 1, "spec.nodeName", NULL, NULL},
	{"Nominated Node", "string", 1, "status.nominatedNodeName", NULL, NULL},
	{"Readiness Gates", "string", 1, NULL, pod_gates, NULL},
	TABLE_END,
};

/* ---- nodes -------------------------------------------------------------------------------------------------------------------------- */

static struct stint_json *node_status(const struct stint_json *node)
{
	const struct stint_json *ready = table_condition(node, "Ready");
	const char *cordoned = stint_json_bool_or(stint_json_at(node, "spec", "unschedulable"), false) ? ",SchedulingDisabled" : "";
	const char *word = !ready ? "Unknown" : table_is_true(node, "Ready") ? "Ready" : "NotReady";

	return table_text("%s%s", word, cordoned);
}

static struct stint_json *node_roles(const struct stint_json *node)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	stint_auto_buf roles = {0};

	stint_json_each(label, stint_json_at(node, "metadata", "labels")) {
		const char *key = stint_json_key(label), *role = NULL;

		if (stint_starts_with(key, prefix))
			role = key + strlen(prefix);
		else if (strcmp(key, "kubernetes.io/role") == 0)
			role = stint_json_string(label);
		if (role && *role)
			stint_buf_printf(&roles, "%s%s", roles.length ? "," : "", role);
	}
	return stint_json_new_string(roles.data ? roles.data : "<none>");
}

static struct stint_json *node_address(const struct stint_json *node, const char *type)
{
	stint_json_each(address, stint_json_at(node, "status", "addresses")) {
		if (strcmp(stint_json_string_or(stint_json_get(address, "type"), ""), type) == 0)
			return stint_json_new_string(stint_json_string_or(stint_json_get(address, "address"), "<none>"));
	}
	return stint_json_new_string("<none>");
}

static struct stint_json *node_internal(const struct stint_json *node)
{
	return node_address(node, "InternalIP");
}

static struct stint_json *node_external(const struct stint_json *node)
{
	return node_address(node, "ExternalIP");
}

static const struct table_column node_columns[] = {
	{"Status", "string", 0, NULL, node_status, NULL},
	{"Roles", "string", 0, NULL, node_roles, NULL},
	TABLE_AGE,
	{"Version", "string", 0, "status.nodeInfo.kubeletVersion", NULL, ""},
	{"Internal-IP", "string", 1, NULL, node_internal, NULL},
	{"External-IP", "string", 1, NULL, node_external, NULL},
	{"OS-Image", "string", 1, "status.nodeInfo.osImage", NULL, "<unknown>"},
	{"Kernel-Version", "string", 1, "status.nodeInfo.kernelVersion", NULL, "<unknown>"},
	{"Container-Runtime", "string", 1, "status.nodeInfo.containerRuntimeVersion", NULL, "<unknown>"},
	TABLE_END,
};

/* ---- the rest of the group ------------------------------------------------------------------------------------------------------------- */

static struct stint_json *data_count(const struct stint_json *object)
{
	return stint_json_new_int(
		(int64_t)(stint_json_count(stint_json_get(object, "data")) + stint_json_count(stint_json_get(object, "binaryData"))));
}

static struct stint_json *secrets_count(const struct stint_json *account)
{
	return stint_json_new_int((int64_t)stint_json_count(stint_json_get(account, "secrets")));
}

static struct stint_json *service_external(const struct stint_json *service)
{
	const char *type = table_string(service, "spec", "type", "ClusterIP");

	if (strcmp(type, "ExternalName") == 0)
		return stint_json_new_string(table_string(service, "spec", "externalName", "<none>"));
	return stint_json_new_string(strcmp(type, "LoadBalancer") == 0 ? "<pending>" : "<none>");
}

static struct stint_json *service_ports(const struct stint_json *service)
{
	stint_auto_buf ports = {0};

	stint_json_each(port, stint_json_at(service, "spec", "ports")) {
		int64_t node = stint_json_int_or(stint_json_get(port, "nodePort"), 0);

		stint_buf_printf(&ports, "%s%lld", ports.length ? "," : "", (long long)stint_json_int_or(stint_json_get(port, "port"), 0));
		if (node)
			stint_buf_printf(&ports, ":%lld", (long long)node);
		stint_buf_printf(&ports, "/%s", stint_json_string_or(stint_json_get(port, "protocol"), "TCP"));
	}
	return stint_json_new_string(ports.data ? ports.data : "<none>");
}

static struct stint_json *event_last_seen(const struct stint_json *event)
{
	const char *time = stint_json_string_at(event, "lastTimestamp");

	if (!time)
		time = stint_json_string_at(event, "deprecatedLastTimestamp");
	if (!time)
		time = stint_json_string_at(event, "series", "lastObservedTime");
	if (!time)
		time = stint_json_string_at(event, "eventTime");
	return table_since(time);
}

static struct stint_json *event_first_seen(const struct stint_json *event)
{
	const char *time = stint_json_string_at(event, "firstTimestamp");

	if (!time)
		time = stint_json_string_at(event, "deprecatedFirstTimestamp");
	return table_since(time ? time : stint_json_string_at(event, "eventTime"));
}

static const struct stint_json *event_about(const struct stint_json *event)
{
	const struct stint_json *about = stint_json_get(event, "involvedObject");

	return about ? about : stint_json_get(event, "regarding");
}

static struct stint_json *event_object(const struct stint_json *event)
{
	const struct stint_json *about = event_about(event);
	const char *kind = stint_json_string_or(stint_json_get(about, "kind"), ""),
		   *name = stint_json_string_or(stint_json_get(about, "name"), "");
	stint_autofree char *lower = stint_strdup(kind);

	for (char *c = lower; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	return *name ? table_text("%s/%s", lower, name) : stint_json_new_string(lower);
}

static struct stint_json *event_subobject(const struct stint_json *event)
{
	return stint_json_new_string(stint_json_string_or(stint_json_get(event_about(event), "fieldPath"), ""));
}

static struct stint_json *event_source(const struct stint_json *event)
{
	const char *component = table_string(event, "source", "component", NULL), *host = table_string(event, "source", "host", NULL);

	if (!component)
		component = stint_json_string_or(stint_json_get(event, "reportingComponent"),
			stint_json_string_or(stint_json_get(event, "reportingController"), ""));
	return host ? table_text("%s, %s", component, host) : stint_json_new_string(component);
}

static struct stint_json *event_message(const struct stint_json *event)
{
	const char *message = stint_json_string_at(event, "message");

	return stint_json_new_string(message ? message : stint_json_string_or(stint_json_get(event, "note"), ""));
}

static struct stint_json *event_count(const struct stint_json *event)
{
	int64_t series = table_number(event, "series", "count", 0), count = stint_json_int_or(stint_json_get(event, "count"), 0);

	if (!count)
		count = stint_json_int_or(stint_json_get(event, "deprecatedCount"), 1);
	return stint_json_new_int(series ? series : count);
}

static struct stint_json *access_modes(const struct stint_json *volume)
{
	static const char *const names[][2] = {
		{"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
	const struct stint_json *modes = stint_json_at(volume, "status", "accessModes");
	stint_auto_buf text = {0};

	if (!modes)
		modes = stint_json_at(volume, "spec", "accessModes");
	stint_json_each(mode, modes) {
		for (size_t i = 0; i < STINT_COUNT(names); i++) {
			if (strcmp(names[i][0], stint_json_string_or(mode, "")) == 0)
				stint_buf_printf(&text, "%s%s", text.length ? "," : "", names[i][1]);
		}
	}
	return stint_json_new_string(text.data ? text.data : "");
}

static struct stint_json *volume_claim(const struct stint_json *volume)
{
	const struct stint_json *claim = stint_json_at(volume, "spec", "claimRef");

	if (!claim)
		return stint_json_new_string("");
	return table_text("%s/%s", stint_json_string_or(stint_json_get(claim, "namespace"), ""),
		stint_json_string_or(stint_json_get(claim, "name"), ""));
}

static struct stint_json *endpoint_list(const struct stint_json *endpoints)
{
	stint_auto_buf text = {0};

	stint_json_each(subset, stint_json_get(endpoints, "subsets")) {
		stint_json_each(address, stint_json_get(subset, "addresses")) {
			stint_json_each(port, stint_json_get(subset, "ports"))
				stint_buf_printf(&text, "%s%s:%lld", text.length ? "," : "",
					stint_json_string_or(stint_json_get(address, "ip"), ""),
					(long long)stint_json_int_or(stint_json_get(port, "port"), 0));
		}
	}
	return stint_json_new_string(text.data ? text.data : "<none>");
}

/* "requests.cpu: 1/4, pods: 3/10"; only one of the two columns takes a resource. */
static struct stint_json *quota_use(const struct stint_json *quota, bool limits)
{
	stint_auto_buf text = {0};

	stint_json_each(hard, stint_json_at(quota, "status", "hard")) {
		const char *key = stint_json_key(hard);

		if (stint_starts_with(key, "limits.") != limits)
			continue;
		stint_buf_printf(&text, "%s%s: %s/%s", text.length ? ", " : "", key,
			stint_json_string_or(stint_json_at(quota, "status", "used", key), "0"), stint_json_string_or(hard, ""));
	}
	return stint_json_new_string(text.data ? text.data : "");
}

static struct stint_json *quota_requests(const struct stint_json *quota)
{
	return quota_use(quota, false);
}

static struct stint_json *quota_limits(const struct stint_json *quota)
{
	return quota_use(quota, true);
}

static const struct table_column namespace_columns[] = {{"Status", "string", 0, "status.phase", NULL, NULL}, TABLE_AGE, TABLE_END};
static const struct table_column config_columns[] = {{"Data", "string", 0, NULL, data_count, NULL}, TABLE_AGE, TABLE_END};
static const struct table_column secret_columns[] = {
	{"Type", "string", 0, "type", NULL, NULL}, {"Data", "string", 0, NULL, data_count, NULL}, TABLE_AGE, TABLE_END};
static const struct table_column account_columns[] = {{"Secrets", "string", 0, NULL, secrets_count, NULL}, TABLE_AGE, TABLE_END};
static const struct table_column service_columns[] = {
	{"Type", "string", 0, "spec.type", NULL, NULL},
	{"Cluster-IP", "string", 0, "spec.clusterIP", NULL, NULL},
	{"External-IP", "string", 0, NULL, service_external, NULL},
	{"Port(s)", "string", 0, NULL, service_ports, NULL},
	TABLE_AGE,
	{"Selector", "string", 1, NULL, table_selector, NULL},
	TABLE_END,
};
static const struct table_column event_columns[] = {
	{"Last Seen", "string", 0, NULL, event_last_seen, NULL},
	{"Type", "string", 0, "type", NULL, ""},
	{"Reason", "string", 0, "reason", NULL, ""},
	{"Object", "string", 0, NULL, event_object, NULL},
	{"Subobject", "string", 1, NULL, event_subobject, NULL},
	{"Source", "string", 1, NULL, event_source, NULL},
	{"Message", "string", 0, NULL, event_message, NULL},
	{"First Seen", "string", 1, NULL, event_first_seen, NULL},
	{"Count", "string", 1, NULL, event_count, NULL},
	{"Name", "string", 1, "metadata.name", NULL, ""},
	TABLE_END,
};
static const struct table_column volume_columns[] = {
	{"Capacity", "string", 0, "spec.capacity.storage", NULL, ""},
	{"Access Modes", "string", 0, NULL, access_modes, NULL},
	{"Reclaim Policy", "string", 0, "spec.persistentVolumeReclaimPolicy", NULL, ""},
	{"Status", "string", 0, "status.phase", NULL, ""},
	{"Claim", "string", 0, NULL, volume_claim, NULL},
	{"StorageClass", "string", 0, "spec.storageClassName", NULL, ""},
	{"VolumeAttributesClass", "string", 0, "spec.volumeAttributesClassName", NULL, "<unset>"},
	{"Reason", "string", 0, "status.reason", NULL, ""},
	TABLE_AGE,
	{"VolumeMode", "string", 1, "spec.volumeMode", NULL, "<unset>"},
	TABLE_END,
};
static const struct table_column claim_columns[] = {
	{"Status", "string", 0, "status.phase", NULL, ""},
	{"Volume", "string", 0, "spec.volumeName", NULL, ""},
	{"Capacity", "string", 0, "status.capacity.storage", NULL, ""},
	{"Access Modes", "string", 0, NULL, access_modes, NULL},
	{"StorageClass", "string", 0, "spec.storageClassName", NULL, ""},
	{"VolumeAttributesClass", "string", 0, "spec.volumeAttributesClassName", NULL, "<unset>"},
	TABLE_AGE,
	{"VolumeMode", "string", 1, "spec.volumeMode", NULL, "<unset>"},
	TABLE_END,
};
static const struct table_column endpoints_columns[] = {{"Endpoints", "string", 0, NULL, endpoint_list, NULL}, TABLE_AGE, TABLE_END};
static const struct table_column quota_columns[] = {
	{"Request", "string", 0, NULL, quota_requests, NULL}, {"Limit", "string", 0, NULL, quota_limits, NULL}, TABLE_AGE, TABLE_END};
static const struct table_column created_columns[] = {{"Created At", "date", 0, "metadata.creationTimestamp", NULL, NULL}, TABLE_END};

const struct table_kind table_core[] = {
	{"", "Pod", pod_columns, false},
	{"", "Node", node_columns, false},
	{"", "Namespace", namespace_columns, false},
	{"", "ConfigMap", config_columns, false},
	{"", "Secret", secret_columns, false},
	{"", "ServiceAccount", account_columns, false},
	{"", "Service", service_columns, false},
	{"", "Event", event_columns, true},
	{"events.k8s.io", "Event", event_columns, true},
	{"", "PersistentVolume", volume_columns, false},
	{"", "PersistentVolumeClaim", claim_columns, false},
	{"", "Endpoints", endpoints_columns, false},
	{"", "ResourceQuota", quota_columns, false},
	{"", "LimitRange", created_columns, false},
	{NULL, NULL, NULL, false},
};
