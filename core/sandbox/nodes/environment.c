/*
 * environment: see environment.h. The rules are those of the Kubernetes documentation: later entries win, $(NAME) refers to earlier
 * ones, $$ is a dollar, an optional source that is missing leaves its variable out.
 */
#include "core/sandbox/nodes/environment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/nodes/demand.h"

static struct stint_json *find_container(const struct stint_json *pod, const char *name)
{
	static const char *const lists[] = {"containers", "initContainers"};
	for (size_t i = 0; i < STINT_COUNT(lists); i++) {
		stint_json_each(container, stint_json_at(pod, "spec", lists[i])) {
			if (strcmp(stint_json_string_or(stint_json_get(container, "name"), ""), name) == 0)
				return container;
		}
	}
	return NULL;
}

/* ---- the downward API ------------------------------------------------------------------------------------------------------ */

static char *joined_ips(const struct stint_json *list)
{
	stint_auto_buf text = {0};
	stint_json_each(item, list)
		stint_buf_printf(&text, "%s%s", text.length > 0 ? "," : "", stint_json_string_or(stint_json_get(item, "ip"), ""));
	return stint_buf_steal(&text);
}

char *environment_field(const struct stint_json *pod, const char *path)
{
	static const struct {
		const char *prefix, *map;
	} maps[] = {{"metadata.annotations['", "annotations"}, {"metadata.labels['", "labels"}};
	for (size_t i = 0; i < STINT_COUNT(maps); i++) {
		size_t length = strlen(maps[i].prefix);
		if (strncmp(path, maps[i].prefix, length) != 0 || !stint_ends_with(path + length, "']"))
			continue;
		stint_autofree char *key = stint_strndup(path + length, strlen(path + length) - 2);
		return stint_strdup(stint_json_string_or(stint_json_at(pod, "metadata", maps[i].map, key), ""));
	}
	if (strcmp(path, "status.podIPs") == 0)
		return joined_ips(stint_json_at(pod, "status", "podIPs"));
	if (strcmp(path, "status.hostIPs") == 0)
		return joined_ips(stint_json_at(pod, "status", "hostIPs"));
	static const char *const fields[][2] = {{"metadata", "name"}, {"metadata", "namespace"}, {"metadata", "uid"}, {"spec", "nodeName"},
		{"spec", "serviceAccountName"}, {"status", "hostIP"}, {"status", "podIP"}};
	for (size_t i = 0; i < STINT_COUNT(fields); i++) {
		stint_autofree char *known = stint_format("%s.%s", fields[i][0], fields[i][1]);
		if (strcmp(path, known) == 0)
			return stint_strdup(stint_json_string_or(stint_json_at(pod, fields[i][0], fields[i][1]), ""));
	}
	return stint_strdup("");
}

/* "limits.cpu" in units of the divisor, rounded up. */
static char *resource_field(const struct stint_json *pod, const struct stint_json *ref, const char *own_container)
{
	const struct stint_json *container = find_container(pod, stint_json_string_or(stint_json_get(ref, "containerName"), own_container));
	const char *resource = stint_json_string_or(stint_json_get(ref, "resource"), "");
	const char *dot = strchr(resource, '.');
	if (!dot)
		return stint_strdup("0");
	stint_autofree char *list = stint_strndup(resource, (size_t)(dot - resource));
	const char *text = stint_json_string_or(stint_json_at(container, "resources", list, dot + 1), "0");
	return stint_format("%" PRId64, demand_divide(text, stint_json_string_or(stint_json_get(ref, "divisor"), "1")));
}

/* ---- config maps and secrets ----------------------------------------------------------------------------------------------- */

static struct stint_json *read_object(const struct stint_api *api, const char *kind, const struct stint_json *pod, const char *name)
{
	const char *space = stint_json_string_or(stint_json_at(pod, "metadata", "namespace"), "");
	const struct stint_stored *stored = stint_store_get(api->store, stint_api_kind(api, "v1", kind), space, name);
	return stored ? stint_stored_parse(stored) : NULL;
}

static char *value_of(const char *kind, const char *text)
{
	if (strcmp(kind, "Secret") != 0)
		return stint_strdup(text);
	char *plain = stint_base64_decode(text, strlen(text), NULL);
	return plain ? plain : stint_strdup("");
}

static char *key_of(const struct stint_api *api, const char *kind, const struct stint_json *pod, const struct stint_json *ref)
{
	stint_auto_json *object = read_object(api, kind, pod, stint_json_string_or(stint_json_get(ref, "name"), ""));
	const char *text = stint_json_string_at(object, "data", stint_json_string_or(stint_json_get(ref, "key"), ""));
	return text ? value_of(kind, text) : NULL;
}

static void add_all(const struct stint_api *api, const char *kind, const struct stint_json *pod, const struct stint_json *ref,
	const char *prefix, struct stint_json *env)
{
	stint_auto_json *object = read_object(api, kind, pod, stint_json_string_or(stint_json_get(ref, "name"), ""));
	stint_json_each(item, stint_json_get(object, "data")) {
		stint_autofree char *name = stint_format("%s%s", prefix, stint_json_key(item));
		stint_autofree char *value = value_of(kind, stint_json_string_or(item, ""));
		stint_json_set_string(env, name, value);
	}
}

/* ---- putting it together --------------------------------------------------------------------------------------------------- */

static char *expand(const char *text, const struct stint_json *env)
{
	stint_auto_buf out = {0};
	for (const char *at = text; *at;) {
		const char *end = at[0] == '$' && at[1] == '(' ? strchr(at, ')') : NULL;
		if (at[0] == '$' && at[1] == '$') {
			stint_buf_putc(&out, '$');
			at += 2;
		} else if (end) {
			stint_autofree char *name = stint_strndup(at + 2, (size_t)(end - at - 2));
			const char *value = stint_json_string(stint_json_get(env, name));
			stint_buf_add(&out, value ? value : at, value ? strlen(value) : (size_t)(end + 1 - at));
			at = end + 1;
		} else {
			stint_buf_putc(&out, *at++);
		}
	}
	return stint_buf_steal(&out);
}

static char *variable(const struct stint_api *api, const struct stint_json *pod, const char *container, const struct stint_json *item,
	const struct stint_json *env)
{
	const struct stint_json *from = stint_json_get(item, "valueFrom");
	const struct stint_json *ref = NULL;
	if (!from)
		return expand(stint_json_string_or(stint_json_get(item, "value"), ""), env);
	if ((ref = stint_json_get(from, "fieldRef")))
		return environment_field(pod, stint_json_string_or(stint_json_get(ref, "fieldPath"), ""));
	if ((ref = stint_json_get(from, "resourceFieldRef")))
		return resource_field(pod, ref, container);
	if ((ref = stint_json_get(from, "configMapKeyRef")))
		return key_of(api, "ConfigMap", pod, ref);
	if ((ref = stint_json_get(from, "secretKeyRef")))
		return key_of(api, "Secret", pod, ref);
	return NULL;
}

struct stint_json *environment_of(const struct stint_api *api, const struct stint_json *pod, const char *container)
{
	struct stint_json *env = stint_json_new_object();
	const char *name = stint_json_string_or(stint_json_at(pod, "metadata", "name"), "");
	stint_json_set_string(env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	stint_json_set_string(env, "HOSTNAME", stint_json_string_or(stint_json_at(pod, "spec", "hostname"), name));
	stint_json_set_string(env, "HOME", "/root");
	stint_json_set_string(env, "KUBERNETES_SERVICE_HOST", "10.96.0.1");
	stint_json_set_string(env, "KUBERNETES_SERVICE_PORT", "443");
	const struct stint_json *spec = find_container(pod, container);
	stint_json_each(source, stint_json_get(spec, "envFrom")) {
		const char *prefix = stint_json_string_or(stint_json_get(source, "prefix"), "");
		add_all(api, "ConfigMap", pod, stint_json_get(source, "configMapRef"), prefix, env);
		add_all(api, "Secret", pod, stint_json_get(source, "secretRef"), prefix, env);
	}
	stint_json_each(item, stint_json_get(spec, "env")) {
		stint_autofree char *value = variable(api, pod, container, item, env);
		const char *key = stint_json_string(stint_json_get(item, "name"));
		if (value && key)
			stint_json_set_string(env, key, value);
	}
	return env;
}
