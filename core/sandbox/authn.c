/*
 * Who asks: a bearer token that the server has given out, or a client certificate of the cluster's CA (CN is the user, O its groups).
 * Whoever shows neither is system:anonymous. Roles are stored, not enforced: who is known may do everything.
 */
#include "server.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_TOKEN_BYTES = 8192, MAX_GROUPS = 64 };

struct token {
	struct rest_user *user;
	int64_t expires_ms; /* 0: never */
};

void rest_user_free(struct rest_user *user)
{
	if (!user)
		return;
	stint_strings_free(user->groups);
	free(user->name);
	free(user->uid);
	free(user);
}

static struct rest_user *make_user(const char *name, const char *uid, const char *const *groups, const char *last_group)
{
	struct rest_user *user = stint_alloc(sizeof(*user));
	size_t count = 0, capacity = 0;

	user->name = stint_strdup(name);
	user->uid = stint_strdup(uid ? uid : "");
	for (const char *const *group = groups; group && *group; group++) {
		stint_grow(&user->groups, &capacity, count + 1, sizeof(char *));
		user->groups[count++] = stint_strdup(*group);
	}
	stint_grow(&user->groups, &capacity, count + 2, sizeof(char *));
	if (last_group)
		user->groups[count++] = stint_strdup(last_group);
	user->groups[count] = NULL;
	return user;
}

/* ---- tokens ---------------------------------------------------------------------------------------------------------------------- */

void rest_token_free(void *value)
{
	struct token *token = value;

	rest_user_free(token->user);
	free(token);
}

/* Whoever asks for tokens all the time must not make them pile up. */
static void forget_expired(struct stint_server *server)
{
	const char *text = NULL;
	void *value = NULL;
	int64_t now_ms = stint_now_ms();

	for (size_t at = 0; stint_map_next(server->tokens, &at, &text, &value);) {
		const struct token *token = value;

		if (token->expires_ms && token->expires_ms <= now_ms)
			stint_map_remove(server->tokens, text);
	}
}

void rest_token_add(
	struct stint_server *server, const char *text, const char *name, const char *uid, const char *const *groups, int64_t expires_ms)
{
	struct token *token = stint_alloc(sizeof(*token));

	forget_expired(server);
	token->user = make_user(name, uid, groups, "system:authenticated");
	token->expires_ms = expires_ms;
	stint_map_set(server->tokens, text, token);
}

struct rest_user *rest_token_find(struct stint_server *server, const char *text)
{
	const struct token *token = strlen(text) <= MAX_TOKEN_BYTES ? stint_map_get(server->tokens, text) : NULL;

	if (!token)
		return NULL;
	if (token->expires_ms && token->expires_ms <= stint_now_ms()) {
		stint_map_remove(server->tokens, text);
		return NULL;
	}
	return make_user(token->user->name, token->user->uid, (const char *const *)token->user->groups, NULL);
}

/* ---- a request ------------------------------------------------------------------------------------------------------------------- */

static const char *bearer_of(const struct stint_httpd_request *http)
{
	const char *header = stint_httpd_header(http, "Authorization");

	if (!header || strncasecmp(header, "Bearer ", 7) != 0)
		return NULL;
	header += 7;
	while (*header == ' ')
		header++;
	return header;
}

/* --as: whoever is known may act as anybody, as an admin may. */
static struct rest_user *impersonate(const struct stint_httpd_request *http, struct rest_user *user)
{
	const char *name = stint_httpd_header(http, "Impersonate-User");
	const char *groups[MAX_GROUPS + 1] = {NULL};
	struct rest_user *other;

	if (!user || !name || !*name || rest_user_is_anonymous(user))
		return user;
	stint_httpd_header_all(http, "Impersonate-Group", groups, MAX_GROUPS);
	other = make_user(name, stint_httpd_header(http, "Impersonate-Uid"), groups, "system:authenticated");
	rest_user_free(user);
	return other;
}

struct rest_user *rest_authenticate(struct stint_server *server, struct stint_httpd_request *http)
{
	const char *bearer = bearer_of(http);
	const struct stint_httpd_peer *peer;
	bool bad;

	peer = stint_httpd_peer(http, &bad);
	if (peer)
		return impersonate(http, make_user(peer->common_name, NULL, peer->organizations, "system:authenticated"));
	if (bearer && *bearer)
		return impersonate(http, rest_token_find(server, bearer));
	if (bad || stint_httpd_header(http, "Authorization"))
		return NULL;
	return make_user("system:anonymous", NULL, NULL, "system:unauthenticated");
}

bool rest_user_is_anonymous(const struct rest_user *user)
{
	return strcmp(user->name, "system:anonymous") == 0;
}

struct stint_json *rest_user_info(const struct rest_user *user)
{
	struct stint_json *info = stint_json_new_object(), *groups;

	stint_json_set_string(info, "username", user->name);
	if (*user->uid)
		stint_json_set_string(info, "uid", user->uid);
	groups = stint_json_ensure_array(info, "groups");
	for (char **group = user->groups; *group; group++)
		stint_json_append(groups, stint_json_new_string(*group));
	return info;
}
