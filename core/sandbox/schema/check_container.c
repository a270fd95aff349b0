/*
 * Rules of containers across their fields: resources, ports, environment, mounts and probes.
 */
#include "core/sandbox/schema/check.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

/* How many of the named members are there. */
static int count_members(const struct stint_json *object, const char *const *names)
{
	int count = 0;
	for (; *names; names++)
		count += stint_json_get(object, *names) != NULL;
	return count;
}

/* ---- resources ---------------------------------------------------------------------------------------------------------------- */

static bool is_extended(const char *resource)
{
	return strchr(resource, '/') && !strstr(resource, "kubernetes.io/") && !stint_starts_with(resource, "requests.");
}

static void check_resource_list(struct check *check, const char *list, const struct stint_json *resources)
{
	static const char *const standard[] = {"cpu", "memory", "ephemeral-storage", NULL};
	stint_json_each(resource, resources) {
		const char *name = stint_json_key(resource), *amount = stint_json_string_or(resource, "0");
		stint_autofree char *place = stint_format("%s[%s]", list, name);
		const char *problem = schema_name_problem(NAME_QUALIFIED, name);
		if (problem)
			schema_check_bad_text(check, place, name, "%s", problem);
		else if (!strchr(name, '/') && !schema_word_in(standard, name) && !stint_starts_with(name, "hugepages-")) {
			schema_check_bad_text(check, place, name, "must be a standard resource type or fully qualified");
			schema_check_bad_text(check, place, name, "must be a standard resource for containers");
		}
		if (schema_quantity_sign(amount) < 0)
			schema_check_bad_text(check, place, amount, "must be greater than or equal to 0");
		else if (is_extended(name) && !schema_quantity_whole(amount))
			schema_check_bad_text(check, place, amount, "must be an integer");
	}
}

void schema_check_resources(struct check *check, const struct stint_json *resources)
{
	const struct stint_json *limits = stint_json_get(resources, "limits"), *requests = stint_json_get(resources, "requests");
	check_resource_list(check, "limits", limits);
	check_resource_list(check, "requests", requests);
	stint_json_each(request, requests) {
		const char *name = stint_json_key(request), *amount = stint_json_string_or(request, "0");
		const char *limit = stint_json_string(stint_json_get(limits, name));
		if (!limit && is_extended(name))
			schema_check_missing(check, "limits", "Limit must be set for non overcommitable resources");
		else if (limit && is_extended(name) && schema_quantity_compare(amount, limit) != 0)
			schema_check_bad_text(check, "requests", amount, "must be equal to %s limit of %s", name, limit);
		else if (limit && schema_quantity_compare(amount, limit) > 0)
			schema_check_bad_text(check, "requests", amount, "must be less than or equal to %s limit of %s", name, limit);
	}
}

/* ---- ports, environment, probes -------------------------------------------------------------------------------------------------- */

static void check_port_number(struct check *check, const char *field, const struct stint_json *value)
{
	int64_t port = stint_json_int_or(value, 0);
	if (port < 1 || port > 65535)
		schema_check_bad(check, field, value, "must be between 1 and 65535, inclusive");
}

void schema_check_container_port(struct check *check, const struct stint_json *port)
{
	const char *name = text_of(port, "name");
	if (*name)
		schema_check_name(check, "name", name, NAME_PORT);
	if (schema_is_zero(stint_json_get(port, "containerPort")))
		schema_check_missing(check, "containerPort", NULL);
	else
		check_port_number(check, "containerPort", stint_json_get(port, "containerPort"));
	if (!schema_is_zero(stint_json_get(port, "hostPort")))
		check_port_number(check, "hostPort", stint_json_get(port, "hostPort"));
}

void schema_check_env_var(struct check *check, const struct stint_json *variable)
{
	static const char *const sources[] = {"fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef", NULL};
	const char *name = text_of(variable, "name");
	if (*name)
		schema_check_name(check, "name", name, NAME_ENVIRONMENT);
	const struct stint_json *from = stint_json_get(variable, "valueFrom");
	if (!from)
		return;
	int count = count_members(from, sources);
	if (*text_of(variable, "value"))
		schema_check_cause(
			check, "FieldValueInvalid", "valueFrom", "Invalid value: \"\": may not be specified when `value` is not empty");
	if (count == 0)
		schema_check_cause(check, "FieldValueInvalid", "valueFrom",
			"Invalid value: \"\": must specify one of: `fieldRef`, "
			"`resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
	if (count > 1)
		schema_check_cause(check, "FieldValueInvalid", "valueFrom",
			"Invalid value: \"\": may not have more than one field specified at a time");
}

static void check_handler(struct check *check, const struct stint_json *handler, const char *const *names, const char *word)
{
	int count = count_members(handler, names);
	if (count == 0)
		schema_check_missing(check, NULL, "must specify a handler type");
	bool first = true;
	for (; count > 1 && *names; names++) {
		if (!stint_json_get(handler, *names))
			continue;
		if (!first)
			schema_check_forbidden(check, *names, "may not specify more than 1 %s", word);
		first = false;
	}
	const struct stint_json *http = stint_json_get(handler, "httpGet");
	const struct stint_json *port = stint_json_at(handler, "httpGet", "port");
	if (http && port && !stint_json_string(port))
		check_port_number(check, "httpGet.port", port);
	port = stint_json_at(handler, "tcpSocket", "port");
	if (port && !stint_json_string(port))
		check_port_number(check, "tcpSocket.port", port);
	const struct stint_json *exec = stint_json_get(handler, "exec");
	if (exec && !stint_json_first(stint_json_get(exec, "command")))
		schema_check_missing(check, "exec.command", NULL);
}

void schema_check_probe(struct check *check, const struct stint_json *probe)
{
	static const char *const handlers[] = {"exec", "httpGet", "tcpSocket", "grpc", NULL};
	check_handler(check, probe, handlers, "handler type");
}

void schema_check_lifecycle_handler(struct check *check, const struct stint_json *handler)
{
	static const char *const handlers[] = {"exec", "httpGet", "tcpSocket", "sleep", NULL};
	check_handler(check, handler, handlers, "handler type");
}

/* ---- the container ----------------------------------------------------------------------------------------------------------------- */

static void check_mounts(struct check *check, const struct stint_json *container)
{
	const struct stint_json *mounts = stint_json_get(container, "volumeMounts");
	size_t index = 0;
	stint_json_each(mount, mounts) {
		stint_autofree char *place = stint_format("volumeMounts[%zu].mountPath", index++);
		const char *path = text_of(mount, "mountPath");
		stint_json_each(earlier, mounts) {
			if (earlier == mount)
				break;
			if (*path && strcmp(path, text_of(earlier, "mountPath")) == 0) {
				schema_check_bad_text(check, place, path, "must be unique");
				break;
			}
		}
	}
}

void schema_check_container(struct check *check, const struct stint_json *container)
{
	const char *name = text_of(container, "name");
	if (*name)
		schema_check_name(check, "name", name, NAME_LABEL);
	size_t index = 0;
	const struct stint_json *ports = stint_json_get(container, "ports");
	stint_json_each(port, ports) {
		stint_autofree char *place = stint_format("ports[%zu].name", index++);
		const char *port_name = text_of(port, "name");
		stint_json_each(earlier, ports) {
			if (earlier == port)
				break;
			if (*port_name && strcmp(port_name, text_of(earlier, "name")) == 0) {
				schema_check_duplicate(check, place, port_name);
				break;
			}
		}
	}
	check_mounts(check, container);
	static const char *const once[] = {"livenessProbe", "startupProbe"};
	for (size_t i = 0; i < STINT_COUNT(once); i++) {
		const struct stint_json *threshold = stint_json_at(container, once[i], "successThreshold");
		stint_autofree char *place = stint_format("%s.successThreshold", once[i]);
		if (threshold && stint_json_int_or(threshold, 1) != 1)
			schema_check_bad(check, place, threshold, "must be 1");
	}
}
