/*
 * rest: HTTP on one side, api.h on the other. What the files of the server share.
 *
 * A struct rest lives as long as its handler runs, on the stack of server.c. Whoever answers later (a watch, a streamed list, a read that
 * waits for the future) takes what it needs along.
 */
#ifndef STINT_SANDBOX_REST_H
#define STINT_SANDBOX_REST_H

#include "api_internal.h"
#include "selector.h"

#include <stint/httpd.h>

struct stint_server;

/* Who asks. Owned by whoever holds it; see authn.c. */
struct rest_user {
	char *name;
	char *uid;
	char **groups; /* NULL-ended */
};
void rest_user_free(struct rest_user *user);

enum rest_as { REST_AS_OBJECT, REST_AS_PARTIAL, REST_AS_TABLE, REST_AS_DISCOVERY };

/* How the client wants its answer. */
struct rest_form {
	enum rest_as as;
	const char *version; /* of the discovery document: "v2" or "v2beta1" */
	bool yaml;
	bool gzip;
	bool list; /* PartialObjectMetadataList, which a single object is not */
	bool no_object, whole_object; /* Table: includeObject=None, =Object */
};

/* What a path under /api/v1 or /apis/GROUP/VERSION names. */
struct rest_route {
	const struct stint_kind *kind;
	char *space; /* NULL: none in the path */
	char *name; /* NULL: the collection */
	char *subresource; /* NULL: the object itself */
	bool watch; /* the old /watch/ prefix */
};

struct rest {
	struct stint_server *server;
	struct stint_api *api;
	struct stint_httpd_request *http;
	const char *method;
	struct rest_user *user;
	struct rest_form form;
	struct rest_route route;
	struct stint_api_call call; /* route and parameters, ready for api.h */
	struct stint_json *warnings;
	char *manager;
	struct stint_buf body; /* of rest_body, where it differs from what came */
	int64_t retry_after_s; /* of a refusal; 0: none */
};

/* Of managedFields. */
enum { REST_MAX_MANAGER = 128 };

/* ---- negotiate.c ------------------------------------------------------------------------------------------------------------- */

/* From Accept, Accept-Encoding and includeObject. False: 406. */
bool rest_form_read(struct stint_httpd_request *http, struct rest_form *form);
/* The media type of the body without parameters, lower case; freed by the caller. "" when the client names none. */
char *rest_body_type(const struct stint_httpd_request *http);
/* The bytes of the body as well-formed UTF-8; data is never NULL. Valid as long as rest. */
struct stint_slice rest_body(struct rest *rest);
/* Whether a query parameter says true (1, t, true...). */
bool rest_flag(const struct stint_httpd_request *http, const char *name);

/* ---- render.c: objects as the client wants them ---------------------------------------------------------------------------------- */

/* Appends one object; version 0: its own resourceVersion. The columns of a Table come with it when columns is set. */
void rest_render_stored(struct stint_buf *out, const struct stint_kind *kind, const struct rest_form *form,
	const struct stint_stored *stored, uint64_t version, bool columns);

/* ---- reply.c -------------------------------------------------------------------------------------------------------------------- */

/* An object of the route's kind (or a Status), in the form that was asked for. */
void rest_reply_object(struct rest *rest, int code, const struct stint_json *object);
/* False after having answered 406: one object's metadata was asked for and it is a list, or the other way round. */
bool rest_form_fits(struct rest *rest, bool list);
void rest_reply_stored(struct rest *rest, int code, const struct stint_stored *stored);
/* Any document as it is. */
void rest_reply_json(struct rest *rest, int code, const struct stint_json *document);
/* text (taken over) is JSON; gzipped, turned to YAML and with Warning headers as need be. */
void rest_reply_text(struct rest *rest, int code, const char *content_type, char *text, size_t length);
/* Taken over. */
void rest_reply_status(struct rest *rest, struct stint_json *status);
bool rest_gzip(const char *data, size_t length, char **out, size_t *out_length);
/* The Warning and Cache-Control fields of an answer, NULL-ended pairs; both freed by rest_headers_free. */
struct rest_headers {
	const char **pairs;
	char **texts;
	size_t count;
};
void rest_headers_make(const struct rest *rest, bool gzipped, struct rest_headers *headers);
void rest_headers_free(struct rest_headers *headers);

/* ---- the verbs ------------------------------------------------------------------------------------------------------------------ */

void rest_get(struct rest *rest); /* rest_read.c */
void rest_list(struct rest *rest); /* rest_list.c */
void rest_watch(struct rest *rest); /* watch.c */
void rest_create(struct rest *rest); /* rest_write.c */
void rest_replace(struct rest *rest);
void rest_patch(struct rest *rest);
void rest_delete(struct rest *rest); /* rest_delete.c */
void rest_delete_collection(struct rest *rest);
void rest_pod_stream(struct rest *rest); /* rest_pod.c: log, exec, attach, portforward */
void rest_review(struct rest *rest); /* review.c: kinds that answer a create and store nothing */
void rest_token_request(struct rest *rest);

/* The selectors of the request; false after having answered. *selector NULL: everything. */
bool rest_selector(struct rest *rest, struct stint_selector **selector);
/* A resourceVersion parameter: absent and "" are 0 with *given false. False after having answered (400). */
bool rest_version(struct rest *rest, const char *text, uint64_t *version);
/* The text as a manager of fields: well-formed UTF-8 of at most REST_MAX_MANAGER bytes; freed by the caller. */
char *rest_manager_name(const char *text, size_t length);
/* dryRun, fieldValidation, fieldManager into rest->call; false after having answered. options: "CreateOptions" ... */
bool rest_write_options(struct rest *rest, const char *options);
/* Answers 504 in three seconds, as a server does that waits for a version from the future. */
void rest_from_future(struct rest *rest, uint64_t version);
struct stint_json *rest_future_status(uint64_t version, uint64_t current);

/* ---- discovery.c ------------------------------------------------------------------------------------------------------------------ */

/* version NULL: any. */
bool rest_has_group(const struct stint_api *api, const char *group, const char *version);
/* Paths outside objects: /api, /apis, /openapi...; segments are decoded. False: no such path. */
bool rest_discovery(struct rest *rest, char *const *segments, size_t count);

/* ---- table.c ------------------------------------------------------------------------------------------------------------------------ */

/* "columnDefinitions":[...] of that kind. */
void rest_table_columns(struct stint_buf *out, const struct stint_kind *kind);
/* One row {"cells":[...],"object":...}. object is in the kind's form. */
void rest_table_row(struct stint_buf *out, const struct stint_kind *kind, const struct rest_form *form, const struct stint_json *object);

/* ---- server.c ------------------------------------------------------------------------------------------------------------------------ */

struct stint_server_options {
	int port;
	const char *certificate_pem, *key_pem, *client_ca_pem;
	const char *token; /* of user admin in system:masters */
};
struct stint_server *stint_server_start(struct stint_api *api, const struct stint_server_options *options, struct stint_error **err);
int stint_server_port(const struct stint_server *server);
void stint_server_stop(struct stint_server *server);

#endif
