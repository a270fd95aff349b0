/*
 * A server that keeps objects by their paths, as far as what workload writes needs it: read, create, merge, delete with a uid. One write's
 * answer may be lost on the way. It runs in the loop of the test.
 */
#ifndef STINT_TEST_WORLD_H
#define STINT_TEST_WORLD_H

#include <stint/kube.h>

#include "tests/unit/kube/fake_server.h"

/* How the answer to a write is lost: before the server did what it was told, or after. */
enum loss { LOSS_NONE, LOSS_OF_REQUEST, LOSS_OF_ANSWER };

struct world {
	struct fake_api api;
	struct stint_json *objects;
	int writes, lost_write; /* counted from 1 */
	int made; /* so many objects: each has a uid of its own */
	enum loss loss;
	void (*deleted)(struct world *world, const char *path); /* may change the objects; NULL: nothing */
};

static inline struct stint_json *world_list(const struct world *world, const char *path)
{
	struct stint_json *list = stint_json_new_object(), *items = stint_json_ensure_array(list, "items");
	stint_json_each(object, world->objects) {
		const char *key = stint_json_key(object);
		if (stint_starts_with(key, path) && key[strlen(path)] == '/')
			stint_json_append(items, stint_json_dup(object));
	}
	return list;
}

static inline void world_merge(struct stint_json *into, const struct stint_json *patch)
{
	stint_json_each(member, patch) {
		const char *key = stint_json_key(member);
		if (stint_json_type(member) == STINT_JSON_OBJECT)
			world_merge(stint_json_ensure_object(into, key), member);
		else if (stint_json_type(member) == STINT_JSON_NULL)
			stint_json_remove(into, key);
		else
			stint_json_set(into, key, stint_json_dup(member));
	}
}

/* A namespace takes along what is in it. */
static inline void world_delete(struct world *world, const char *path)
{
	const char *name = stint_starts_with(path, "/api/v1/namespaces/") ? strrchr(path, '/') : NULL;
	stint_autofree char *inside = name ? stint_format("/namespaces%s/", name) : NULL;
	for (struct stint_json *object = stint_json_first(world->objects), *next; object; object = next) {
		next = stint_json_next(object);
		const char *key = stint_json_key(object);
		if (strcmp(key, path) == 0 || (inside && strstr(key, inside)))
			stint_json_unlink(world->objects, object);
	}
}

/* Does what is asked; returns the answer, and its status line. */
static inline struct stint_json *world_act(struct world *world, const struct fake_request *request, const char **status)
{
	stint_autofree char *target = stint_strndup(request->target, strcspn(request->target, "?"));
	struct stint_json *there = stint_json_get(world->objects, target);
	*status = "200 OK";
	if (strcmp(request->method, "GET") == 0 && !there && strcmp(strrchr(target, '/'), "/queues") == 0)
		return world_list(world, target);
	if (strcmp(request->method, "POST") == 0) {
		struct stint_json *object = stint_json_parse(request->body.data, request->body.length, 0, NULL);
		stint_autofree char *path = stint_format("%s/%s", target, stint_json_string_at(object, "metadata", "name"));
		*status = stint_json_get(world->objects, path) ? "409 Conflict" : "201 Created";
		if (**status == '4')
			return object;
		stint_autofree char *uid = stint_format("made-%d", ++world->made);
		stint_json_set_string(stint_json_ensure_object(object, "metadata"), "uid", uid);
		stint_json_set(world->objects, path, stint_json_dup(object));
		return object;
	}
	if (!there) {
		*status = "404 Not Found";
		return stint_json_new_object();
	}
	struct stint_json *answer = stint_json_dup(there);
	if (strcmp(request->method, "PATCH") == 0) {
		stint_auto_json *patch = stint_json_parse(request->body.data, request->body.length, 0, NULL);
		const char *uid = stint_json_string_at(patch, "metadata", "uid");
		if (uid && strcmp(uid, stint_json_string_or(stint_json_at(there, "metadata", "uid"), "")) != 0) {
			*status = "409 Conflict";
			return answer;
		}
		world_merge(there, patch);
	} else if (strcmp(request->method, "DELETE") == 0) {
		stint_auto_json *options = stint_json_parse(request->body.data, request->body.length, 0, NULL);
		const char *uid = stint_json_string_at(options, "preconditions", "uid");
		if (uid && strcmp(uid, stint_json_string_or(stint_json_at(there, "metadata", "uid"), "")) != 0) {
			*status = "409 Conflict";
			return answer;
		}
		world_delete(world, target);
		if (world->deleted)
			world->deleted(world, target);
	}
	return answer;
}

static inline void world_handle(struct fake_connection *connection, const struct fake_request *request)
{
	struct world *world = connection->server->user;
	const bool lost = strcmp(request->method, "GET") != 0 && ++world->writes == world->lost_write;
	const char *status;
	if (lost && world->loss == LOSS_OF_REQUEST) {
		fake_hang_up(connection);
		return;
	}
	stint_auto_json *answer = world_act(world, request, &status);
	if (lost) {
		fake_hang_up(connection);
		return;
	}
	stint_autofree char *text = stint_json_print(answer);
	fake_answer(connection, status, "", text);
}

static inline void world_open(struct world *world, const char *const objects[][2])
{
	*world = (struct world){.objects = stint_json_new_object()};
	fake_api_open(&world->api, world_handle, world);
	for (; (*objects)[0]; objects++)
		stint_json_set(world->objects, (*objects)[0], stint_json_parse((*objects)[1], strlen((*objects)[1]), 0, NULL));
}

static inline void world_close(struct world *world)
{
	fake_api_close(&world->api);
	stint_json_free(world->objects);
}

#endif
