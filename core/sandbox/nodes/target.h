/*
 * target: which container a request for logs, exec, attach or port-forward is about, and the refusals when there is none.
 */
#ifndef STINT_SANDBOX_TARGET_H
#define STINT_SANDBOX_TARGET_H

#include "core/sandbox/nodes/fleet.h"

struct target {
	struct vpod *pod;
	size_t box; /* index into pod->play->boxes */
	const char *container; /* borrowed from the pod object */
};

/* A query parameter that is true: "true", "1", or there without a value. */
bool target_flag(const struct stint_httpd_request *request, const char *name);
/* False: the request has been answered (400 for the container's name, 500 for a node that is not played). */
bool target_find(struct fleet *fleet, const struct stint_stored *stored, const struct stint_json *object,
	struct stint_httpd_request *request, struct target *target);
/* As target_find, and the container must be running. */
bool target_find_running(struct fleet *fleet, const struct stint_stored *stored, const struct stint_json *object,
	struct stint_httpd_request *request, struct target *target);

#endif
