/*
 * Rules of the kinds that are neither pods nor make them: configuration, services, events, nodes, priorities, budgets, roles.
 */
#include "core/sandbox/schema/check.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DATA_BYTES = 1024 * 1024, HIGHEST_USER_PRIORITY = 1000000000 };

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

static bool is_text(const struct stint_json *object, const char *key, const char *text)
{
	return strcmp(text_of(object, key), text) == 0;
}

static size_t check_keys(struct check *check, const char *field, const struct stint_json *data)
{
	size_t bytes = 0;
	stint_json_each(entry, data) {
		stint_autofree char *place = stint_format("%s[%s]", field, stint_json_key(entry));
		schema_check_name(check, place, stint_json_key(entry), NAME_CONFIG_KEY);
		bytes += strlen(stint_json_string_or(entry, ""));
	}
	return bytes;
}

void schema_check_config_map(struct check *check, const struct stint_json *object)
{
	const struct stint_json *data = stint_json_get(object, "data"), *binary = stint_json_get(object, "binaryData");
	size_t bytes = check_keys(check, "data", data) + check_keys(check, "binaryData", binary) / 4 * 3;
	stint_json_each(entry, data) {
		stint_autofree char *place = stint_format("data[%s]", stint_json_key(entry));
		if (stint_json_get(binary, stint_json_key(entry)))
			schema_check_bad_text(check, place, stint_json_key(entry), "duplicate of key present in binaryData");
	}
	if (bytes > MAX_DATA_BYTES)
		schema_check_too_long(check, "", MAX_DATA_BYTES);
}

void schema_check_secret(struct check *check, const struct stint_json *object)
{
	static const struct {
		const char *type, *keys[2];
	} needs[] = {
		{"kubernetes.io/dockercfg", {".dockercfg"}},
		{"kubernetes.io/dockerconfigjson", {".dockerconfigjson"}},
		{"kubernetes.io/ssh-auth", {"ssh-privatekey"}},
		{"kubernetes.io/tls", {"tls.crt", "tls.key"}},
	};
	const struct stint_json *data = stint_json_get(object, "data");
	if (check_keys(check, "data", data) / 4 * 3 > MAX_DATA_BYTES)
		schema_check_too_long(check, "data", MAX_DATA_BYTES);
	for (size_t i = 0; i < STINT_COUNT(needs); i++) {
		for (size_t j = 0; j < STINT_COUNT(needs[i].keys) && is_text(object, "type", needs[i].type); j++) {
			if (!needs[i].keys[j] || stint_json_get(data, needs[i].keys[j]))
				continue;
			stint_autofree char *place = stint_format("data[%s]", needs[i].keys[j]);
			schema_check_missing(check, place, NULL);
		}
	}
	if (is_text(object, "type", "kubernetes.io/basic-auth") && !stint_json_get(data, "username") && !stint_json_get(data, "password")) {
		schema_check_missing(check, "data[username]", NULL);
		schema_check_missing(check, "data[password]", NULL);
	}
	const struct stint_json *account = stint_json_at(object, "metadata", "annotations", "kubernetes.io/service-account.name");
	if (is_text(object, "type", "kubernetes.io/service-account-token") && schema_is_zero(account))
		schema_check_missing(check, "metadata.annotations[kubernetes.io/service-account.name]", NULL);
}

/* ---- services ---------------------------------------------------------------------------------------------------------------- */

static void check_service_ports(struct check *check, const struct stint_json *ports)
{
	bool several = stint_json_count(ports) > 1;
	size_t index = 0;
	stint_json_each(port, ports) {
		stint_autofree char *place = stint_format("ports[%zu]", index++);
		size_t mark = schema_path_field(&check->path, place);
		const char *name = text_of(port, "name");
		int64_t number = stint_json_int_or(stint_json_get(port, "port"), 0);
		if (several && !*name)
			schema_check_missing(check, "name", NULL);
		else if (*name)
			schema_check_name(check, "name", name, NAME_LABEL);
		if (number < 1 || number > 65535)
			schema_check_bad(check, "port", stint_json_get(port, "port"), "must be between 1 and 65535, inclusive");
		stint_json_each(earlier, ports) {
			if (earlier == port)
				break;
			if (*name && is_text(earlier, "name", name))
				schema_check_duplicate(check, "name", name);
			if (stint_json_int_or(stint_json_get(earlier, "port"), 0) == number &&
				is_text(earlier, "protocol", text_of(port, "protocol")))
				schema_check_cause(check, "FieldValueDuplicate", NULL,
					"Duplicate value: {\"protocol\":\"%s\",\"port\":%lld}", text_of(port, "protocol"),
					(long long)number);
		}
		const struct stint_json *target = stint_json_get(port, "targetPort");
		int64_t target_number = stint_json_int_or(target, 1);
		if (stint_json_string(target))
			schema_check_name(check, "targetPort", stint_json_string(target), NAME_PORT);
		else if (target_number < 1 || target_number > 65535)
			schema_check_bad(check, "targetPort", target, "must be between 1 and 65535, inclusive");
		schema_path_pop(&check->path, mark);
	}
}

void schema_check_service(struct check *check, const struct stint_json *object)
{
	const struct stint_json *spec = stint_json_get(object, "spec"), *ports = stint_json_get(spec, "ports");
	bool external = is_text(spec, "type", "ExternalName"), headless = is_text(spec, "clusterIP", "None");
	size_t mark = schema_path_field(&check->path, "spec");
	if (!stint_json_first(ports) && !external && !headless)
		schema_check_missing(check, "ports", NULL);
	check_service_ports(check, ports);
	schema_check_labels(check, "selector", stint_json_get(spec, "selector"));
	if (external && !*text_of(spec, "externalName"))
		schema_check_missing(check, "externalName", NULL);
	else if (external)
		schema_check_name(check, "externalName", text_of(spec, "externalName"), NAME_SUBDOMAIN);
	if (external && headless)
		schema_check_bad_text(check, "clusterIPs[0]", "None", "may not be set to 'None' for ExternalName services");
	if (is_text(spec, "type", "LoadBalancer") && headless)
		schema_check_bad_text(check, "clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services");
	schema_path_pop(&check->path, mark);
}

void schema_check_endpoint_slice(struct check *check, const struct stint_json *object)
{
	size_t index = 0;
	stint_json_each(endpoint, stint_json_get(object, "endpoints")) {
		stint_autofree char *place = stint_format("endpoints[%zu].addresses", index++);
		if (!stint_json_first(stint_json_get(endpoint, "addresses")))
			schema_check_missing(check, place, "must contain at least 1 address");
	}
}

/* ---- events, nodes ------------------------------------------------------------------------------------------------------------ */

void schema_check_event(struct check *check, const struct stint_json *event)
{
	bool core = strcmp(check->kind->group, "") == 0;
	const char *about = core ? "involvedObject" : "regarding", *message = core ? "message" : "note";
	const char *space = stint_json_string_or(stint_json_at(event, "metadata", "namespace"), "");
	const char *of_object = stint_json_string_or(stint_json_at(event, about, "namespace"), "");
	bool timed = stint_json_string(stint_json_get(event, "eventTime"));
	bool somewhere = *of_object ? timed || strcmp(of_object, space) == 0
				    : strcmp(space, "default") == 0 || (timed && strcmp(space, "kube-system") == 0);
	if (!somewhere)
		schema_check_bad_text(check, "involvedObject.namespace", of_object, "does not match event.namespace");
	if (!timed)
		return;
	const char *controller = core ? "reportingComponent" : "reportingController";
	static const struct {
		const char *field;
		size_t limit;
	} limits[] = {{"reportingInstance", 128}, {"action", 128}, {"reason", 128}};
	if (!*text_of(event, controller))
		schema_check_missing(check, controller, NULL);
	else
		schema_check_name(check, controller, text_of(event, controller), NAME_QUALIFIED);
	for (size_t i = 0; i < STINT_COUNT(limits); i++) {
		const char *text = text_of(event, limits[i].field);
		if (!*text)
			schema_check_missing(check, limits[i].field, NULL);
		if (strlen(text) > limits[i].limit)
			schema_check_bad_text(check, limits[i].field, "", "can have at most %zu characters", limits[i].limit);
	}
	if (strlen(text_of(event, message)) > 1024)
		schema_check_bad_text(check, "message", "", "can have at most 1024 characters");
	if (!core && !is_text(event, "type", "Normal") && !is_text(event, "type", "Warning"))
		schema_check_bad_text(check, "type", "", "has invalid value: %s", text_of(event, "type"));
}

void schema_check_node(struct check *check, const struct stint_json *node)
{
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
	const struct stint_json *taints = stint_json_at(node, "spec", "taints");
	size_t index = 0;
	stint_json_each(taint, taints) {
		stint_autofree char *place = stint_format("metadata.taints[%zu]", index++); /* where a real server says they are */
		size_t mark = schema_path_field(&check->path, place);
		schema_check_name(check, "key", text_of(taint, "key"), NAME_QUALIFIED);
		schema_check_name(check, "value", stint_json_string(stint_json_get(taint, "value")), NAME_LABEL_VALUE);
		if (*text_of(taint, "effect") && !schema_word_in(effects, text_of(taint, "effect")))
			schema_check_unsupported(check, "effect", text_of(taint, "effect"), effects);
		else if (!*text_of(taint, "effect"))
			schema_check_missing(check, "effect", NULL);
		schema_path_pop(&check->path, mark);
		stint_json_each(earlier, taints) {
			if (earlier == taint)
				break;
			if (is_text(earlier, "key", text_of(taint, "key")) && is_text(earlier, "effect", text_of(taint, "effect"))) {
				stint_autofree char *shown = stint_json_print(taint);
				schema_check_cause(check, "FieldValueDuplicate", place,
					"Duplicate value: %s: taints must be unique by key and effect pair", shown);
				break;
			}
		}
	}
	static const char *const lists[] = {"capacity", "allocatable"};
	for (size_t i = 0; i < STINT_COUNT(lists); i++) {
		stint_json_each(resource, stint_json_at(node, "status", lists[i])) {
			stint_autofree char *place = stint_format("status.%s[%s]", lists[i], stint_json_key(resource));
			const char *amount = stint_json_string_or(resource, "0");
			if (schema_quantity_sign(amount) < 0)
				schema_check_bad_text(check, place, amount, "must be greater than or equal to 0");
			else if (strchr(stint_json_key(resource), '/') && !schema_quantity_whole(amount))
				schema_check_bad_text(check, place, amount, "must be an integer");
		}
	}
}

/* ---- priorities, budgets, leases ---------------------------------------------------------------------------------------------- */

void schema_check_priority_class(struct check *check, const struct stint_json *object)
{
	const char *name = stint_json_string_or(stint_json_at(object, "metadata", "name"), "");
	int64_t value = stint_json_int_or(stint_json_get(object, "value"), 0);
	bool known = (strcmp(name, "system-cluster-critical") == 0 && value == 2000000000) ||
		(strcmp(name, "system-node-critical") == 0 && value == 2000001000);
	if (stint_starts_with(name, "system-") && !known)
		schema_check_forbidden(check, "metadata.name",
			"priority class names with 'system-' prefix are reserved for system use only. error: %s is not a known system "
			"priority "
			"class",
			name);
	else if (!known && value > HIGHEST_USER_PRIORITY)
		schema_check_forbidden(check, "value", "maximum allowed value of a user defined priority is %d", HIGHEST_USER_PRIORITY);
}

static void check_budget_share(struct check *check, const char *field, const struct stint_json *value)
{
	const char *text = stint_json_string(value);
	if (!text) {
		if (stint_json_int_or(value, 0) < 0)
			schema_check_bad(check, field, value, "must be greater than or equal to 0");
		return;
	}
	int64_t percent = 0;
	stint_autofree char *digits = stint_strndup(text, strlen(text) ? strlen(text) - 1 : 0);
	if (!stint_ends_with(text, "%") || !stint_parse_int(digits, 0, INT32_MAX, &percent))
		schema_check_bad_text(check, field, text,
			"a valid percent string must be a numeric string followed by an ending '%%' (e.g. '1%%',  or '93%%', regex used "
			"for validation is '[0-9]+%%')");
	else if (percent > 100)
		schema_check_bad_text(check, field, text, "must not be greater than 100%%");
}

void schema_check_disruption_budget(struct check *check, const struct stint_json *object)
{
	const struct stint_json *spec = stint_json_get(object, "spec");
	const struct stint_json *available = stint_json_get(spec, "minAvailable"), *unavailable = stint_json_get(spec, "maxUnavailable");
	if (available && unavailable)
		schema_check_bad(check, "spec", spec, "minAvailable and maxUnavailable cannot be both set");
	if (available)
		check_budget_share(check, "spec.minAvailable", available);
	if (unavailable)
		check_budget_share(check, "spec.maxUnavailable", unavailable);
}

void schema_check_lease(struct check *check, const struct stint_json *object)
{
	const struct stint_json *spec = stint_json_get(object, "spec");
	const char *strategy = text_of(spec, "strategy");
	if (*text_of(spec, "preferredHolder") && !*strategy)
		schema_check_forbidden(check, "spec.preferredHolder", "may only be specified if `strategy` is defined");
	if (*strategy && strcmp(strategy, "OldestEmulationVersion") != 0)
		schema_check_name(check, "spec.strategy", strategy, NAME_QUALIFIED);
}

/* ---- roles, autoscalers ---------------------------------------------------------------------------------------------------------- */

void schema_check_policy_rule(struct check *check, const struct stint_json *rule)
{
	if (!stint_json_first(stint_json_get(rule, "verbs")))
		schema_check_missing(check, "verbs", "verbs must contain at least one value");
	bool urls = stint_json_first(stint_json_get(rule, "nonResourceURLs"));
	bool groups = stint_json_first(stint_json_get(rule, "apiGroups")), resources = stint_json_first(stint_json_get(rule, "resources"));
	if (urls && check->kind->namespaced)
		schema_check_bad(check, "nonResourceURLs", stint_json_get(rule, "nonResourceURLs"),
			"namespaced rules cannot apply to non-resource URLs");
	else if (urls && (groups || resources))
		schema_check_bad(check, "nonResourceURLs", stint_json_get(rule, "nonResourceURLs"),
			"rules cannot apply to both regular resources and non-resource URLs");
	else if (!urls && !groups)
		schema_check_missing(check, "apiGroups", "resource rules must supply at least one api group");
	if (!urls && !resources)
		schema_check_missing(check, "resources", "resource rules must supply at least one resource");
}

void schema_check_roles_binding(struct check *check, const struct stint_json *object)
{
	static const char *const kinds[] = {"Role", "ClusterRole", NULL};
	const struct stint_json *role = stint_json_get(object, "roleRef");
	const char *kind = text_of(role, "kind");
	if (*kind && !schema_word_in(check->kind->namespaced ? kinds : kinds + 1, kind))
		schema_check_unsupported(check, "roleRef.kind", kind, check->kind->namespaced ? kinds : kinds + 1);
	static const char *const subject_kinds[] = {"ServiceAccount", "User", "Group", NULL};
	size_t index = 0;
	stint_json_each(subject, stint_json_get(object, "subjects")) {
		stint_autofree char *place = stint_format("subjects[%zu]", index++);
		size_t mark = schema_path_field(&check->path, place);
		if (*text_of(subject, "kind") && !schema_word_in(subject_kinds, text_of(subject, "kind")))
			schema_check_unsupported(check, "kind", text_of(subject, "kind"), subject_kinds);
		if (is_text(subject, "kind", "ServiceAccount") && !*text_of(subject, "namespace") && !check->kind->namespaced)
			schema_check_missing(check, "namespace", NULL);
		schema_path_pop(&check->path, mark);
	}
}

void schema_check_autoscaler(struct check *check, const struct stint_json *object)
{
	const struct stint_json *spec = stint_json_get(object, "spec");
	const struct stint_json *low = stint_json_get(spec, "minReplicas"), *high = stint_json_get(spec, "maxReplicas");
	if (low && stint_json_int_or(low, 1) < 1)
		schema_check_bad(check, "spec.minReplicas", low, "must be greater than or equal to 1");
	if (stint_json_int_or(high, 0) < 1)
		schema_check_bad(check, "spec.maxReplicas", high, "must be greater than 0");
	else if (stint_json_int_or(high, 0) < stint_json_int_or(low, 1))
		schema_check_bad(check, "spec.maxReplicas", high, "must be greater than or equal to `minReplicas`");
}
