/*
 * What a path names, as the RequestInfo of a kube-apiserver reads it:
 * /api/v1 or /apis/GROUP/VERSION, [watch/], [namespaces/NS/], PLURAL, [NAME, [SUBRESOURCE]].
 */
#include "server.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SEGMENTS = 16 };

static bool split_path(const char *path, char **segments, size_t *count)
{
	for (const char *at = path; *at;) {
		const char *start = at + 1;

		if (*at != '/')
			return false;
		at = start + strcspn(start, "/");
		if (at == start)
			continue; /* a doubled or trailing slash */
		if (*count == MAX_SEGMENTS)
			return false;
		segments[*count] = stint_strndup(start, (size_t)(at - start));
		if (!stint_httpd_unescape(segments[(*count)++]))
			return false;
	}
	return true;
}

char **rest_segments(const char *path, size_t *count)
{
	char **segments = stint_alloc((MAX_SEGMENTS + 1) * sizeof(char *));

	*count = 0;
	if (split_path(path, segments, count))
		return segments;
	stint_strings_free(segments);
	return NULL;
}

bool rest_has_group(const struct stint_api *api, const char *group, const char *version)
{
	size_t count;
	const struct stint_kind *const *kinds = stint_schema_kinds(api->schema, &count);

	for (size_t i = 0; i < count; i++) {
		if (!kinds[i]->removed && kinds[i]->plural && !strcmp(kinds[i]->group, group) &&
			(!version || !strcmp(kinds[i]->version, version)))
			return true;
	}
	return false;
}

static char *copy_segment(char *const *segments, size_t count, size_t at)
{
	return at < count ? stint_strdup(segments[at]) : NULL;
}

enum rest_found rest_route_read(const struct stint_api *api, char *const *segments, size_t count, struct rest_route *route)
{
	bool core = strcmp(segments[0], "api") == 0;
	const char *group = core ? "" : segments[1], *version = core ? segments[1] : segments[2];
	size_t at = core ? 2 : 3;

	*route = (struct rest_route){0};
	if (!rest_has_group(api, group, NULL))
		return REST_NO_GROUP;
	if (!rest_has_group(api, group, version))
		return REST_NO_KIND;
	if (at < count && strcmp(segments[at], "watch") == 0 && at + 1 < count) {
		route->watch = true;
		at++;
	}
	if (at + 2 < count && strcmp(segments[at], "namespaces") == 0 && strcmp(segments[at + 2], "status") != 0 &&
		strcmp(segments[at + 2], "finalize") != 0) {
		route->space = stint_strdup(segments[at + 1]);
		at += 2;
	}
	if (at >= count)
		return REST_NO_KIND;
	route->kind = stint_schema_resource(api->schema, group, version, segments[at]);
	if (!route->kind || count - at > 3)
		return REST_NO_KIND;
	route->name = copy_segment(segments, count, at + 1);
	route->subresource = copy_segment(segments, count, at + 2);
	/* A namespace in the path of a kind that has none; an object of a namespaced kind without its namespace. */
	if (!route->kind->namespaced && route->space)
		return REST_NO_KIND;
	if (route->kind->namespaced && route->name && !route->space)
		return REST_NO_KIND;
	return REST_FOUND;
}

void rest_route_free(struct rest_route *route)
{
	free(route->space);
	free(route->name);
	free(route->subresource);
	*route = (struct rest_route){0};
}
