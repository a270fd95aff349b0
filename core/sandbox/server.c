/*
 * The API server's front: takes requests from the listener, asks who it is, and hands them to discovery or to the verbs.
 */
#include "server.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_CONNECTIONS = 4000,
	IDLE_S = 180,
	MAX_BODY_BYTES = 3 * 1024 * 1024, /* as a kube-apiserver has it */
};

/* Paths that answer without asking who it is. */
static bool serve_health(struct rest *rest, char *const *segments, size_t count)
{
	static const char *const words[] = {"healthz", "livez", "readyz"};

	for (size_t i = 0; count > 0 && i < STINT_COUNT(words); i++) {
		if (strcmp(segments[0], words[i]) == 0) {
			stint_httpd_reply_text(rest->http, 200, "ok");
			return true;
		}
	}
	return false;
}

static void serve_objects(struct rest *rest, char *const *segments, size_t count)
{
	switch (rest_route_read(rest->api, segments, count, &rest->route)) {
	case REST_NO_GROUP: stint_httpd_reply_text(rest->http, 404, "404 page not found\n"); break;
	case REST_NO_KIND:
		rest_reply_status(
			rest, stint_status_new(404, "NotFound", NULL, "", NULL, "the server could not find the requested resource"));
		break;
	case REST_FOUND: rest_serve(rest); break;
	}
	rest_route_free(&rest->route);
}

static void forbid_anonymous(struct rest *rest)
{
	rest_reply_status(rest,
		stint_status_new(403, "Forbidden", NULL, "", NULL, "forbidden: User \"%s\" cannot %s path \"%s\"", rest->user->name,
			rest->method, stint_httpd_path(rest->http)));
}

/* Bodies that kubectl's own "create", "auth can-i" and the like send; here for all paths at once, as nobody reads them. */
static bool refuse_protobuf(struct rest *rest)
{
	stint_autofree char *type = rest_body_type(rest->http);

	if (strcmp(type, "application/vnd.kubernetes.protobuf") != 0 || stint_httpd_body(rest->http).length == 0)
		return false;
	rest_reply_status(rest,
		stint_status_new(415, "UnsupportedMediaType", NULL, "", NULL,
			"the sandbox reads JSON and YAML bodies only, and this one is protobuf: write the object as a manifest for kubectl "
			"create -f"));
	return true;
}

static void serve(struct rest *rest)
{
	size_t count = 0;
	char **segments = rest_segments(stint_httpd_path(rest->http), &count);
	bool objects = segments && ((count > 2 && strcmp(segments[0], "api") == 0) || (count > 3 && strcmp(segments[0], "apis") == 0));

	if (!segments)
		stint_httpd_reply_text(rest->http, 400, "400 bad request\n");
	else if (serve_health(rest, segments, count))
		;
	else if (!rest->user)
		rest_reply_status(rest, stint_status_new(401, "Unauthorized", NULL, NULL, NULL, "Unauthorized"));
	else if (rest_user_is_anonymous(rest->user) && !(count == 1 && strcmp(segments[0], "version") == 0))
		forbid_anonymous(rest);
	else if (!rest_form_read(rest->http, &rest->form))
		rest_reply_status(rest,
			stint_status_new(406, "NotAcceptable", NULL, NULL, NULL,
				"only the following media types are accepted: application/json, application/yaml, "
				"application/vnd.kubernetes.protobuf"));
	else if (refuse_protobuf(rest))
		;
	else if (objects)
		serve_objects(rest, segments, count);
	else if (!rest_discovery(rest, segments, count))
		stint_httpd_reply_text(rest->http, 404, "404 page not found\n");
	stint_strings_free(segments);
}

static void on_request(void *user, struct stint_httpd_request *http)
{
	struct stint_server *server = user;
	struct rest rest = {.server = server, .api = server->api, .http = http, .method = stint_httpd_method(http)};

	if (stint_httpd_body_too_large(http)) {
		rest_reply_status(&rest,
			stint_status_new(
				413, "RequestEntityTooLarge", NULL, NULL, NULL, "Request entity too large: limit is %d", MAX_BODY_BYTES));
		return;
	}
	rest.user = rest_authenticate(server, http);
	serve(&rest);
	rest_user_free(rest.user);
	stint_json_free(rest.warnings);
	free(rest.manager);
	stint_buf_free(&rest.body);
}

struct stint_server *stint_server_start(struct stint_api *api, const struct stint_server_options *options, struct stint_error **err)
{
	static const char *const admins[] = {"system:masters", NULL};
	struct stint_server *server = stint_alloc(sizeof(*server));
	struct stint_httpd_options listener = {
		.port = options->port,
		.certificate_pem = options->certificate_pem,
		.key_pem = options->key_pem,
		.client_ca_pem = options->client_ca_pem,
		.max_connections = MAX_CONNECTIONS,
		.idle_timeout_s = IDLE_S,
		.max_body_bytes = MAX_BODY_BYTES,
		.on_request = on_request,
		.user = server,
		.logger = api->logger,
	};

	server->api = api;
	server->tokens = stint_map_new(rest_token_free);
	if (options->token)
		rest_token_add(server, options->token, "admin", NULL, admins, 0);
	server->httpd = stint_httpd_start(api->loop, &listener, err);
	if (!server->httpd) {
		stint_server_stop(server);
		return NULL;
	}
	return server;
}

int stint_server_port(const struct stint_server *server)
{
	return stint_httpd_port(server->httpd);
}

void stint_server_stop(struct stint_server *server)
{
	if (!server)
		return;
	for (struct rest_wait *wait = server->waits, *next; wait; wait = next) {
		next = wait->next;
		stint_timer_free(wait->timer);
		free(wait);
	}
	stint_httpd_stop(server->httpd);
	stint_map_free(server->tokens);
	free(server);
}
