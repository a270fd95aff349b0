/*
 * target: see target.h. The sentences are close to kubelet's, because kubectl and people match on them.
 */
#include "core/sandbox/nodes/target.h"

#include <string.h>

bool target_flag(const struct stint_httpd_request *request, const char *name)
{
	const char *text = stint_httpd_query(request, name);
	return text && strcmp(text, "0") != 0 && strcmp(text, "false") != 0;
}

static void refuse(struct stint_httpd_request *request, int code, const char *reason, const char *message)
{
	stint_api_reply_status(request, stint_status_new(code, reason, NULL, NULL, NULL, "%s", message));
}

static char *container_names(const struct stint_json *object, const char *list)
{
	stint_auto_buf names = {0};
	stint_json_each(container, stint_json_at(object, "spec", list))
		stint_buf_printf(&names, "%s%s", names.length > 0 ? " " : "", stint_json_string_or(stint_json_get(container, "name"), ""));
	return stint_buf_steal(&names);
}

static const char *pick_container(const struct stint_stored *stored, const struct stint_json *object, struct stint_httpd_request *request)
{
	const char *wanted = stint_httpd_query(request, "container");
	if (wanted && *wanted) {
		if (play_box_index(object, wanted) >= 0)
			return wanted;
		stint_autofree char *message = stint_format("container %.64s is not valid for pod %s", wanted, stored->name);
		refuse(request, 400, "BadRequest", message);
		return NULL;
	}
	const struct stint_json *containers = stint_json_at(object, "spec", "containers");
	if (stint_json_count(containers) == 1)
		return stint_json_string(stint_json_get(stint_json_first(containers), "name"));
	stint_autofree char *names = container_names(object, "containers"), *inits = container_names(object, "initContainers");
	stint_autofree char *message = stint_format("a container name must be specified for pod %s, choose one of: [%s]%s%s%s",
		stored->name, names, *inits ? " or one of the init containers: [" : "", inits, *inits ? "]" : "");
	refuse(request, 400, "BadRequest", message);
	return NULL;
}

bool target_find(struct fleet *fleet, const struct stint_stored *stored, const struct stint_json *object,
	struct stint_httpd_request *request, struct target *target)
{
	const char *container = pick_container(stored, object, request);
	if (!container)
		return false;
	const char *node = stint_json_string_at(object, "spec", "nodeName");
	if (!node) {
		stint_autofree char *message = stint_format("pod %s does not have a host assigned", stored->name);
		refuse(request, 400, "BadRequest", message);
		return false;
	}
	struct vpod *pod = fleet_pod(fleet, stored->space, stored->name);
	int box = play_box_index(object, container);
	if (pod && strcmp(pod->uid, stored->uid) == 0 && (size_t)box < pod->play->count) {
		*target = (struct target){.pod = pod, .box = (size_t)box, .container = container};
		return true;
	}
	if (stint_map_has(fleet->nodes, node)) {
		stint_autofree char *message =
			stint_format("container \"%s\" in pod \"%s\" is waiting to start: ContainerCreating", container, stored->name);
		refuse(request, 400, "BadRequest", message);
		return false;
	}
	stint_autofree char *message =
		stint_format("node \"%s\" is no virtual node of this sandbox: nothing there runs pod %s", node, stored->name);
	refuse(request, 500, "InternalError", message);
	return false;
}

bool target_find_running(struct fleet *fleet, const struct stint_stored *stored, const struct stint_json *object,
	struct stint_httpd_request *request, struct target *target)
{
	if (play_is_terminal(object)) {
		stint_autofree char *message = stint_format("cannot exec into a container in a completed pod; current phase is %s",
			stint_json_string_or(stint_json_at(object, "status", "phase"), ""));
		refuse(request, 400, "BadRequest", message);
		return false;
	}
	if (!target_find(fleet, stored, object, request, target))
		return false;
	if (target->pod->play->boxes[target->box].state == PLAY_RUNNING)
		return true;
	stint_autofree char *message = stint_format("container not found (\"%s\")", target->container);
	refuse(request, 500, "InternalError", message);
	return false;
}
