/*
 * A cluster without a server: an API on a loop of its own, and short ways to write and read.
 */
#ifndef STINT_TEST_SANDBOX_API_H
#define STINT_TEST_SANDBOX_API_H

#include "tests/unit/test.h"

#include "core/sandbox/api.h"

struct cluster {
	struct stint_loop *loop;
	struct stint_api *api;
	const struct stint_kind *maps, *pods;
};

static inline int cluster_up(void **state)
{
	struct cluster *cluster = stint_alloc(sizeof(*cluster));

	cluster->loop = stint_loop_new(NULL);
	cluster->api = stint_api_new(cluster->loop, NULL);
	cluster->maps = stint_api_kind(cluster->api, "v1", "ConfigMap");
	cluster->pods = stint_api_kind(cluster->api, "v1", "Pod");
	*state = cluster;
	return 0;
}

static inline int cluster_down(void **state)
{
	struct cluster *cluster = *state;

	stint_api_free(cluster->api);
	stint_loop_free(cluster->loop);
	free(cluster);
	return 0;
}

/* JSON written with single quotes. */
static inline struct stint_json *json(const char *text)
{
	stint_autofree char *copy = stint_strdup(text);
	struct stint_json *parsed;

	for (char *c = copy; *c; c++)
		*c = (char)(*c == '\'' ? '"' : *c);
	parsed = stint_json_parse(copy, strlen(copy), STINT_JSON_REJECT_DUPLICATES, NULL);
	if (!parsed)
		fail_msg("not JSON: %s", text);
	return parsed;
}

static inline struct stint_api_call call_of(const struct stint_kind *kind, const char *name)
{
	return (struct stint_api_call){.kind = kind, .space = kind->namespaced ? "default" : NULL, .name = name, .manager = "test"};
}

static inline struct stint_json *must_create(struct cluster *cluster, const struct stint_kind *kind, const char *text)
{
	struct stint_api_call call = call_of(kind, NULL);
	struct stint_json *out = NULL, *status = NULL;

	if (!stint_api_create(cluster->api, &call, json(text), &out, &status))
		fail_msg("create: %s", stint_json_string_or(stint_json_get(status, "message"), ""));
	return out;
}

/* The Status must have that code and reason; it is freed. */
static inline void expect_status(struct stint_json *status, int code, const char *reason)
{
	assert_non_null(status);
	if (stint_json_int_or(stint_json_get(status, "code"), 0) != code ||
		strcmp(stint_json_string_or(stint_json_get(status, "reason"), ""), reason) != 0)
		fail_msg("%s where %d %s was expected", stint_json_string_or(stint_json_get(status, "message"), ""), code, reason);
	stint_json_free(status);
}

static inline struct stint_json *now(struct cluster *cluster, const struct stint_kind *kind, const char *name)
{
	const struct stint_stored *stored = stint_store_get(cluster->api->store, kind, kind->namespaced ? "default" : NULL, name);

	return stored ? stint_stored_parse(stored) : NULL;
}

#endif
