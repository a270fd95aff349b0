/*
 * Defaults of pods and nodes that depend on other fields.
 */
#include "core/sandbox/schema/hooks.h"

#include <string.h>

static void set_missing_string(struct stint_json *object, const char *key, const char *value)
{
	if (schema_is_zero(stint_json_get(object, key)))
		stint_json_set_string(object, key, value);
}

/* What has a limit and no request requests its limit. */
static void request_limits(struct stint_json *containers)
{
	stint_json_each(container, containers) {
		struct stint_json *limits = stint_json_at(container, "resources", "limits");
		if (!stint_json_first(limits))
			continue;
		struct stint_json *requests = stint_json_ensure_object(stint_json_get(container, "resources"), "requests");
		stint_json_each(limit, limits)
			if (!stint_json_get(requests, stint_json_key(limit)))
				stint_json_set(requests, stint_json_key(limit), stint_json_dup(limit));
	}
}

void schema_default_pod(struct stint_json *pod)
{
	struct stint_json *spec = stint_json_get(pod, "spec");
	if (!spec)
		return;
	request_limits(stint_json_get(spec, "containers"));
	request_limits(stint_json_get(spec, "initContainers"));
	if (!stint_json_get(spec, "enableServiceLinks"))
		stint_json_set_bool(spec, "enableServiceLinks", true);
}

static void open_host_ports(struct stint_json *containers)
{
	stint_json_each(container, containers) {
		stint_json_each(port, stint_json_get(container, "ports")) {
			int64_t number = stint_json_int_or(stint_json_get(port, "containerPort"), 0);
			if (number && schema_is_zero(stint_json_get(port, "hostPort")))
				stint_json_set_int(port, "hostPort", number);
		}
	}
}

void schema_default_pod_spec(struct stint_json *spec)
{
	/* serviceAccount is the old name of serviceAccountName; both are always written. */
	const char *account = stint_json_string(stint_json_get(spec, "serviceAccountName"));
	const char *old_account = stint_json_string(stint_json_get(spec, "serviceAccount"));
	if (account && *account)
		stint_json_set_string(spec, "serviceAccount", account);
	else if (old_account && *old_account)
		stint_json_set_string(spec, "serviceAccountName", old_account);
	if (stint_json_bool_or(stint_json_get(spec, "hostNetwork"), false)) {
		open_host_ports(stint_json_get(spec, "containers"));
		open_host_ports(stint_json_get(spec, "initContainers"));
	}
}

/* An image without a tag, or tagged latest, may change under its name. */
static const char *pull_policy(const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *name = slash ? slash + 1 : image;
	if (strchr(name, '@'))
		return "IfNotPresent";
	const char *tag = strchr(name, ':');
	return tag && strcmp(tag, ":latest") != 0 ? "IfNotPresent" : "Always";
}

void schema_default_container(struct stint_json *container)
{
	set_missing_string(container, "imagePullPolicy", pull_policy(stint_json_string_or(stint_json_get(container, "image"), "")));
}

void schema_default_image_volume(struct stint_json *source)
{
	set_missing_string(source, "pullPolicy", pull_policy(stint_json_string_or(stint_json_get(source, "reference"), "")));
}

void schema_default_volume(struct stint_json *volume)
{
	bool sourced = false;
	stint_json_each(member, volume)
		sourced |= strcmp(stint_json_key(member), "name") != 0;
	if (!sourced)
		stint_json_set(volume, "emptyDir", stint_json_new_object());
}

void schema_default_node_status(struct stint_json *status)
{
	const struct stint_json *capacity = stint_json_get(status, "capacity");
	if (capacity && !stint_json_get(status, "allocatable"))
		stint_json_set(status, "allocatable", stint_json_dup(capacity));
}
