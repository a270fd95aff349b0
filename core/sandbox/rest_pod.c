/*
 * pods/log, exec, attach and portforward: the pod is found here, the virtual node that runs it answers.
 */
#include "rest.h"

#include <string.h>

static bool is(const struct rest *rest, const char *subresource)
{
	return strcmp(rest->route.subresource, subresource) == 0;
}

void rest_pod_stream(struct rest *rest)
{
	const struct stint_node_api *nodes = rest->api->nodes;
	struct stint_json *status = NULL;
	const struct stint_stored *pod = stint_store_get(rest->api->store, rest->route.kind, rest->route.space, rest->route.name);

	if (!pod) {
		stint_api_not_found(&rest->call, &status);
		rest_reply_status(rest, status);
	} else if (!*pod->fields) { /* spec.nodeName is the first selectable field of pods */
		if (is(rest, "log"))
			stint_httpd_reply(rest->http, &(struct stint_httpd_response){.status = 204}, "", 0);
		else
			rest_reply_status(rest,
				stint_status_new(400, "BadRequest", NULL, NULL, NULL, "pod %s does not have a host assigned", pod->name));
	} else if (!nodes) {
		rest_reply_status(
			rest, stint_status_new(503, "ServiceUnavailable", NULL, NULL, NULL, "no node answers for pod %s", pod->name));
	} else if (is(rest, "log")) {
		nodes->log(nodes->user, pod, rest->http);
	} else if (is(rest, "exec")) {
		nodes->exec(nodes->user, pod, rest->http);
	} else if (is(rest, "attach")) {
		nodes->attach(nodes->user, pod, rest->http);
	} else {
		nodes->port_forward(nodes->user, pod, rest->http);
	}
}
