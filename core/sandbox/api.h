/*
 * api: the rules of the Kubernetes API over the store: what the REST handlers do for a client, offered to the controllers and virtual
 * nodes in this process as plain calls. Same defaults, validation, generation, managedFields, finalizers, conflicts and events.
 *
 * Everything runs on one loop thread and to its end: between a read and a write of one handler nobody else writes.
 * A refusal is a metav1.Status object in *status (owned by the caller), as in schema.h; status may be NULL for who does not care.
 */
#ifndef STINT_SANDBOX_API_H
#define STINT_SANDBOX_API_H

#include "store.h"

#include <stint/httpd.h>

/* Owns schema and store; core/sandbox/sandbox.c makes it, then the server, the controllers and the virtual nodes on it. */
struct stint_api {
	struct stint_loop *loop;
	struct stint_schema *schema;
	struct stint_store *store;
	const struct stint_logger *logger;
	struct stint_definitions *definitions;
	const struct stint_node_api *nodes; /* NULL: pods/log and the like answer 503 */
};
/* With the objects that a fresh cluster has: namespaces, the kubernetes Service, system priority classes, ... */
struct stint_api *stint_api_new(struct stint_loop *loop, const struct stint_logger *logger);
void stint_api_free(struct stint_api *api);

/* What is done to what, and on whose behalf. Zero is a good start. */
struct stint_api_call {
	const struct stint_kind *kind;
	const char *space; /* NULL for cluster-scoped kinds */
	const char *name; /* create: NULL means the object's own */
	const char *subresource;
	const char *manager; /* of managedFields; NULL: "stint-sandbox" */
	const char *user; /* NULL: "system:apiserver" */
	bool dry_run;
	bool force; /* apply: take over conflicting fields */
	bool own_version; /* update: the object's resourceVersion must match even where a kind allows to leave it out */
	enum stint_field_validation validation;
	struct stint_json **warnings; /* an array is made there on need; NULL: dropped */
};

/* Look-up by "apps/v1" and "Deployment"; NULL when not served. The same as stint_schema_kind, shorter. */
const struct stint_kind *stint_api_kind(const struct stint_api *api, const char *api_version, const char *kind);

/* *out (may be NULL) is the object as stored, owned by the caller. `object` is taken over in any case. */
bool stint_api_create(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object, struct stint_json **out,
	struct stint_json **status);
/* Replaces; with call->subresource "status" only the status. A resourceVersion in object must be the current one (409). */
bool stint_api_update(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object, struct stint_json **out,
	struct stint_json **status);
/* Reads, lets `change` alter a copy, writes it. change returns false to leave the object alone: that is success and no write. */
bool stint_api_change(struct stint_api *api, const struct stint_api_call *call, bool (*change)(void *user, struct stint_json *object),
	void *user, struct stint_json **out, struct stint_json **status);

/*
 * Makes `status` (taken over) the status of the object, if it is there and has that uid; where it is not, there is nothing to write, and that
 * is success. The whole status is replaced: it must have been made from the object as it is now, in the same turn of the loop.
 */
bool stint_api_set_status(struct stint_api *api, const struct stint_api_call *call, const char *uid, struct stint_json *object_status,
	struct stint_json **status);

enum stint_patch_kind { STINT_PATCH_MERGE, STINT_PATCH_JSON, STINT_PATCH_STRATEGIC, STINT_PATCH_APPLY };
/* *created (may be NULL): an apply that made the object. */
bool stint_api_patch(struct stint_api *api, const struct stint_api_call *call, enum stint_patch_kind how, const struct stint_json *patch,
	bool *created, struct stint_json **out, struct stint_json **status);

struct stint_delete_options {
	int64_t grace_s; /* -1: the object's default */
	const char *propagation; /* "Orphan", "Background", "Foreground" or NULL: the kind's default */
	const char *uid; /* preconditions; NULL: none */
	const char *resource_version;
};
/* A client's gracePeriodSeconds as grace_s; absent: the object's default. */
int64_t stint_delete_grace(const struct stint_json *asked);
/*
 * *out: the object (while finalizers or a grace period keep it) or a Success Status. options may be NULL. A pod that a node runs only gets
 * its deletionTimestamp: the node deletes it with grace 0 when it has stopped.
 */
bool stint_api_delete(struct stint_api *api, const struct stint_api_call *call, const struct stint_delete_options *options,
	struct stint_json **out, struct stint_json **status);

/* ---- what virtual nodes answer --------------------------------------------------------------------------------------------- */

/*
 * The server has found the pod and checked method and path; the hook answers the request, now or later, with one of stint_httpd_reply*.
 * It reads its options (follow, container, command, stdin, tty, ports...) from the query and header fields itself.
 */
struct stint_node_api {
	void *user;
	void (*log)(void *user, const struct stint_stored *pod, struct stint_httpd_request *request);
	void (*exec)(void *user, const struct stint_stored *pod, struct stint_httpd_request *request);
	void (*attach)(void *user, const struct stint_stored *pod, struct stint_httpd_request *request);
	void (*port_forward)(void *user, const struct stint_stored *pod, struct stint_httpd_request *request);
};

/* Answers with a Status object, which is taken over; its code is the HTTP status. */
void stint_api_reply_status(struct stint_httpd_request *request, struct stint_json *status);

#endif
