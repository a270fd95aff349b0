/*
 * Defaults of the other kinds that depend on other fields.
 */
#include "core/sandbox/schema/hooks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_text(const struct stint_json *object, const char *key, const char *text)
{
	return strcmp(stint_json_string_or(stint_json_get(object, key), ""), text) == 0;
}

static bool absent(const struct stint_json *object, const char *key)
{
	return stint_json_type(stint_json_get(object, key)) == STINT_JSON_NULL;
}

static void int_default(struct stint_json *object, const char *key, int64_t value)
{
	if (absent(object, key))
		stint_json_set_int(object, key, value);
}

static void string_default(struct stint_json *object, const char *key, const char *value)
{
	if (schema_is_zero(stint_json_get(object, key)))
		stint_json_set_string(object, key, value);
}

void schema_default_namespace(struct stint_json *object)
{
	const char *name = stint_json_string_at(object, "metadata", "name");
	if (!name)
		return;
	struct stint_json *labels = stint_json_ensure_object(stint_json_ensure_object(object, "metadata"), "labels");
	stint_json_set_string(labels, "kubernetes.io/metadata.name", name);
}

void schema_default_secret(struct stint_json *object)
{
	struct stint_json *text = stint_json_get(object, "stringData");
	if (stint_json_first(text)) {
		struct stint_json *data = stint_json_ensure_object(object, "data");
		stint_json_each(entry, text) {
			const char *plain = stint_json_string_or(entry, "");
			stint_autofree char *encoded = stint_base64_encode(plain, strlen(plain));
			stint_json_set_string(data, stint_json_key(entry), encoded);
		}
	}
	stint_json_remove(object, "stringData");
}

void schema_default_service_spec(struct stint_json *spec)
{
	const char *type = stint_json_string_or(stint_json_get(spec, "type"), "ClusterIP");
	bool external = strcmp(type, "ExternalName") == 0;
	bool balanced = strcmp(type, "LoadBalancer") == 0;
	if (is_text(spec, "sessionAffinity", "ClientIP")) {
		struct stint_json *client = stint_json_ensure_object(stint_json_ensure_object(spec, "sessionAffinityConfig"), "clientIP");
		int_default(client, "timeoutSeconds", 10800);
	}
	if (balanced || strcmp(type, "NodePort") == 0)
		string_default(spec, "externalTrafficPolicy", "Cluster");
	if (!external)
		string_default(spec, "internalTrafficPolicy", "Cluster");
	if (balanced && absent(spec, "allocateLoadBalancerNodePorts"))
		stint_json_set_bool(spec, "allocateLoadBalancerNodePorts", true);
}

void schema_default_service_port(struct stint_json *port)
{
	const struct stint_json *target = stint_json_get(port, "targetPort"), *number = stint_json_get(port, "port");
	if (number && schema_is_zero(target))
		stint_json_set(port, "targetPort", stint_json_dup(number));
}

static void copy_missing(struct stint_json *to, const struct stint_json *from)
{
	stint_json_each(entry, from)
		if (!stint_json_get(to, stint_json_key(entry)))
			stint_json_set(to, stint_json_key(entry), stint_json_dup(entry));
}

/* A container's default limit is its maximum; its default request the default limit, then the minimum. */
void schema_default_limit_range_item(struct stint_json *item)
{
	if (!is_text(item, "type", "Container"))
		return;
	struct stint_json *limits = stint_json_ensure_object(item, "default");
	copy_missing(limits, stint_json_get(item, "max"));
	struct stint_json *requests = stint_json_ensure_object(item, "defaultRequest");
	copy_missing(requests, limits);
	copy_missing(requests, stint_json_get(item, "min"));
}

static struct stint_json *rolling_update(struct stint_json *strategy)
{
	return is_text(strategy, "type", "RollingUpdate") ? stint_json_ensure_object(strategy, "rollingUpdate") : NULL;
}

void schema_default_deployment_strategy(struct stint_json *strategy)
{
	struct stint_json *rolling = rolling_update(strategy);
	if (rolling && absent(rolling, "maxUnavailable"))
		stint_json_set_string(rolling, "maxUnavailable", "25%");
	if (rolling && absent(rolling, "maxSurge"))
		stint_json_set_string(rolling, "maxSurge", "25%");
}

void schema_default_stateful_set_strategy(struct stint_json *strategy)
{
	struct stint_json *rolling = rolling_update(strategy);
	if (rolling)
		int_default(rolling, "partition", 0);
}

/* The templates of claims are whole objects and say so. */
void schema_default_stateful_set(struct stint_json *object)
{
	stint_json_each(claim, stint_json_at(object, "spec", "volumeClaimTemplates")) {
		stint_json_set_string(claim, "apiVersion", "v1");
		stint_json_set_string(claim, "kind", "PersistentVolumeClaim");
	}
}

void schema_default_daemon_set_strategy(struct stint_json *strategy)
{
	struct stint_json *rolling = rolling_update(strategy);
	if (!rolling)
		return;
	int_default(rolling, "maxUnavailable", 1);
	int_default(rolling, "maxSurge", 0);
}

void schema_default_replication_controller(struct stint_json *object)
{
	const struct stint_json *labels = stint_json_at(object, "spec", "template", "metadata", "labels");
	if (!stint_json_first(labels))
		return;
	struct stint_json *spec = stint_json_get(object, "spec"), *metadata = stint_json_ensure_object(object, "metadata");
	if (!stint_json_first(stint_json_get(spec, "selector")))
		stint_json_set(spec, "selector", stint_json_dup(labels));
	if (!stint_json_first(stint_json_get(metadata, "labels")))
		stint_json_set(metadata, "labels", stint_json_dup(labels));
}

void schema_default_job(struct stint_json *job)
{
	struct stint_json *spec = stint_json_ensure_object(job, "spec");
	if (absent(spec, "parallelism"))
		int_default(spec, "completions", 1);
	int_default(spec, "parallelism", 1);
	int_default(spec, "backoffLimit", absent(spec, "backoffLimitPerIndex") ? 6 : INT32_MAX);
	string_default(spec, "completionMode", "NonIndexed");
	if (absent(spec, "suspend"))
		stint_json_set_bool(spec, "suspend", false);
	if (absent(spec, "manualSelector"))
		stint_json_set_bool(spec, "manualSelector", false);
	string_default(spec, "podReplacementPolicy", absent(spec, "podFailurePolicy") ? "TerminatingOrFailed" : "Failed");
	const struct stint_json *labels = stint_json_at(spec, "template", "metadata", "labels");
	struct stint_json *metadata = stint_json_ensure_object(job, "metadata");
	if (stint_json_first(labels) && !stint_json_first(stint_json_get(metadata, "labels")))
		stint_json_set(metadata, "labels", stint_json_dup(labels));
}

static void scaling_policy(struct stint_json *rules, const char *type, int64_t value, int64_t seconds)
{
	struct stint_json *policy = stint_json_append(stint_json_ensure_array(rules, "policies"), stint_json_new_object());
	stint_json_set_string(policy, "type", type);
	stint_json_set_int(policy, "value", value);
	stint_json_set_int(policy, "periodSeconds", seconds);
}

void schema_default_autoscaler(struct stint_json *spec)
{
	if (!stint_json_first(stint_json_get(spec, "metrics"))) {
		struct stint_json *metric = stint_json_append(stint_json_ensure_array(spec, "metrics"), stint_json_new_object());
		stint_json_set_string(metric, "type", "Resource");
		struct stint_json *resource = stint_json_ensure_object(metric, "resource");
		stint_json_set_string(resource, "name", "cpu");
		struct stint_json *target = stint_json_ensure_object(resource, "target");
		stint_json_set_string(target, "type", "Utilization");
		stint_json_set_int(target, "averageUtilization", 80);
	}
	struct stint_json *behavior = stint_json_get(spec, "behavior");
	if (!behavior)
		return;
	struct stint_json *up = stint_json_ensure_object(behavior, "scaleUp"), *down = stint_json_ensure_object(behavior, "scaleDown");
	string_default(up, "selectPolicy", "Max");
	string_default(down, "selectPolicy", "Max");
	int_default(up, "stabilizationWindowSeconds", 0);
	if (!stint_json_first(stint_json_get(up, "policies"))) {
		scaling_policy(up, "Pods", 4, 15);
		scaling_policy(up, "Percent", 100, 15);
	}
	if (!stint_json_first(stint_json_get(down, "policies")))
		scaling_policy(down, "Percent", 100, 15);
}

void schema_default_network_policy(struct stint_json *spec)
{
	if (stint_json_first(stint_json_get(spec, "policyTypes")))
		return;
	struct stint_json *types = stint_json_ensure_array(spec, "policyTypes");
	stint_json_append(types, stint_json_new_string("Ingress"));
	if (stint_json_first(stint_json_get(spec, "egress")))
		stint_json_append(types, stint_json_new_string("Egress"));
}

void schema_default_role_subject(struct stint_json *subject)
{
	if (is_text(subject, "kind", "User") || is_text(subject, "kind", "Group"))
		string_default(subject, "apiGroup", "rbac.authorization.k8s.io");
}

void schema_default_device_request(struct stint_json *request)
{
	if (is_text(request, "allocationMode", "ExactCount") && schema_is_zero(stint_json_get(request, "count")))
		stint_json_set_int(request, "count", 1);
}

void schema_default_definition(struct stint_json *spec)
{
	struct stint_json *names = stint_json_ensure_object(spec, "names");
	stint_autofree char *kind = stint_strdup(stint_json_string_or(stint_json_get(names, "kind"), ""));
	if (*kind) {
		stint_autofree char *list = stint_format("%sList", kind);
		string_default(names, "listKind", list);
		for (char *at = kind; *at; at++)
			*at = (char)tolower((unsigned char)*at);
		string_default(names, "singular", kind);
	}
	if (absent(spec, "conversion"))
		stint_json_set_string(stint_json_ensure_object(spec, "conversion"), "strategy", "None");
}
