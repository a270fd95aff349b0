/*
 * server: what authn.c, server.c and review.c know of the server besides rest.h.
 */
#ifndef STINT_SANDBOX_SERVER_H
#define STINT_SANDBOX_SERVER_H

#include "rest.h"

/* A read that waits for a version from the future; see rest_read.c. */
struct rest_wait {
	struct stint_server *server;
	struct rest_wait *next, *previous;
	struct stint_timer *timer;
	struct stint_httpd_request *http;
	uint64_t version;
};

struct stint_server {
	struct stint_api *api;
	struct stint_httpd *httpd;
	struct stint_map *tokens; /* token -> struct token */
	struct rest_wait *waits;
};

/* Tokens that are valid, and whom they stand for. */
void rest_token_add(
	struct stint_server *server, const char *token, const char *name, const char *uid, const char *const *groups, int64_t expires_ms);
/* NULL: no such token, or it has expired. A copy. */
struct rest_user *rest_token_find(struct stint_server *server, const char *token);
void rest_token_free(void *token); /* for the map */

/* NULL: 401. A request without credentials is system:anonymous. */
struct rest_user *rest_authenticate(struct stint_server *server, struct stint_httpd_request *http);
bool rest_user_is_anonymous(const struct rest_user *user);
struct stint_json *rest_user_info(const struct rest_user *user); /* an authentication/v1 UserInfo */

/* route.c: the path taken apart, NULL when it does not decode; count is bounded. */
char **rest_segments(const char *path, size_t *count);
enum rest_found {
	REST_FOUND,
	REST_NO_GROUP, /* 404 as plain text */
	REST_NO_KIND, /* 404 as a Status */
};
enum rest_found rest_route_read(const struct stint_api *api, char *const *segments, size_t count, struct rest_route *route);
void rest_route_free(struct rest_route *route);

void rest_serve(struct rest *rest); /* serve.c: chooses the verb */

#endif
