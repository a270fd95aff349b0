/*
 * holder_pod: names, writes and reads device holders. See holder_pod.h. Holds no state.
 */
#include <scheduler/holder_pod.h>

#include <stdio.h>
#include <string.h>

char *stint_holder_name(const char *node, int slot, char out[static STINT_HOLDER_NAME_SIZE])
{
	stint_autofree char *identity = stint_format("%s/%d", node, slot);
	char hex[65];
	stint_sha256_hex(identity, strlen(identity), hex);
	snprintf(out, STINT_HOLDER_NAME_SIZE, "gpu-%.16s", hex);
	return out;
}

static void add_container(struct stint_json *spec, const char *image)
{
	struct stint_json *container = stint_json_append(stint_json_ensure_array(spec, "containers"), stint_json_new_object());
	stint_json_set_string(container, "name", "hold");
	stint_json_set_string(container, "image", image);
	struct stint_json *command = stint_json_ensure_array(container, "command");
	stint_json_append(command, stint_json_new_string("stint-agent"));
	stint_json_append(command, stint_json_new_string("hold"));
	struct stint_json *resources = stint_json_ensure_object(container, "resources");
	const char *const kinds[] = {"requests", "limits"};
	for (size_t i = 0; i < STINT_COUNT(kinds); i++) {
		struct stint_json *amounts = stint_json_ensure_object(resources, kinds[i]);
		stint_json_set_string(amounts, "nvidia.com/gpu", "1");
	}
	/* Little while it idles, more while NVML starts, and no limit of CPU: a start that is throttled takes long. */
	stint_json_set_string(stint_json_get(resources, "requests"), "cpu", "1m");
	stint_json_set_string(stint_json_get(resources, "requests"), "memory", "32Mi");
	stint_json_set_string(stint_json_get(resources, "limits"), "memory", "256Mi");
	struct stint_json *security = stint_json_ensure_object(container, "securityContext");
	stint_json_set_bool(security, "allowPrivilegeEscalation", false);
	stint_json_set_bool(security, "readOnlyRootFilesystem", true);
	stint_json_append(
		stint_json_ensure_array(stint_json_ensure_object(security, "capabilities"), "drop"), stint_json_new_string("ALL"));
}

struct stint_json *stint_holder_manifest(const char *node, int slot, const char *image, const char *runtime_class)
{
	char name[STINT_HOLDER_NAME_SIZE];
	struct stint_json *pod = stint_json_new_object();
	stint_json_set_string(pod, "apiVersion", "v1");
	stint_json_set_string(pod, "kind", "Pod");
	struct stint_json *metadata = stint_json_ensure_object(pod, "metadata");
	stint_json_set_string(metadata, "name", stint_holder_name(node, slot, name));
	stint_json_set_string(metadata, "namespace", STINT_RESERVATION_NAMESPACE);
	stint_json_set_string(stint_json_ensure_object(metadata, "labels"), "app.kubernetes.io/name", "stint-device-holder");
	struct stint_json *annotations = stint_json_ensure_object(metadata, "annotations");
	stint_autofree char *slot_text = stint_format("%d", slot);
	stint_json_set_string(annotations, STINT_ANNOTATION_SLOT, slot_text);
	stint_json_set_string(annotations, "karpenter.sh/do-not-disrupt", "true");

	struct stint_json *spec = stint_json_ensure_object(pod, "spec");
	stint_json_set_string(spec, "nodeName", node);
	stint_json_set_string(spec, "restartPolicy", "Never");
	/* Not 0: the API server would forget the pod while the kubelet still counts its device as taken. */
	stint_json_set_int(spec, "terminationGracePeriodSeconds", 1);
	stint_json_set_bool(spec, "automountServiceAccountToken", false);
	stint_json_set_bool(spec, "enableServiceLinks", false);
	if (runtime_class)
		stint_json_set_string(spec, "runtimeClassName", runtime_class);
	struct stint_json *all = stint_json_append(stint_json_ensure_array(spec, "tolerations"), stint_json_new_object());
	stint_json_set_string(all, "operator", "Exists");
	add_container(spec, image);
	return pod;
}

static void not_understood(struct stint_holder_report *report, const char *line, size_t length)
{
	snprintf(report->cause, sizeof(report->cause), "NoReport");
	const int shown = length < 200 ? (int)length : 200;
	snprintf(report->message, sizeof(report->message),
		"its log begins with \"%.*s\" instead of a report: is --agent-image an image of stint-agent?", shown, line);
	stint_sanitize(report->message);
}

bool stint_holder_report_read(const char *log, size_t length, struct stint_holder_report *report)
{
	while (length && (*log == '\n' || *log == '\r' || *log == ' ')) {
		log++;
		length--;
	}
	const char *end = length ? memchr(log, '\n', length) : NULL;
	if (!end)
		return false;
	*report = (struct stint_holder_report){.memory_mib = -1};
	const size_t line = (size_t)(end - log);
	stint_auto_json *json = stint_json_parse(log, line, 0, NULL);
	const char *uuid = stint_json_string_at(json, "uuid");
	const char *cause = stint_json_string_at(json, "error", "cause");
	if (uuid && uuid[0] && strlen(uuid) < sizeof(report->uuid) && !strpbrk(uuid, ", \t\r\n")) {
		snprintf(report->uuid, sizeof(report->uuid), "%s", uuid);
		report->memory_mib = stint_json_int_or(stint_json_get(json, "memory_mib"), -1);
	} else if (cause) {
		snprintf(report->cause, sizeof(report->cause), "%s", cause);
		snprintf(report->message, sizeof(report->message), "%s",
			stint_json_string_or(stint_json_at(json, "error", "message"), "no message was given"));
		stint_sanitize(report->message);
	} else {
		not_understood(report, log, line);
	}
	return true;
}
