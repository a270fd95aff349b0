/*
 * The watch of a reflector: lines of {"type", "object"} as they arrive. A line that lies within one piece is read where it is; one that
 * spans pieces is put together, and no byte is looked at twice for its end. A line that the end of the stream cuts is dropped: the next
 * watch goes on from the last resourceVersion, so that the server sends it again.
 */
#include "core/kube/reflector.h"

#include <stdio.h>
#include <string.h>

enum {
	WATCH_SECONDS = 300, /* the server ends a watch after 5 to 10 minutes, so that connections spread over its replicas */
	SHORT_WATCH_MS = 1000, /* one that ends so soon is no success */
	SOUND_WATCH_MS = 60 * 1000, /* one that lasted so long without a broken line wipes out those that broke */
	FAILURES_TO_LIST = 5, /* after so many in a row a list finds out what is wrong */
};

static void remember_version(struct stint_reflector *r, const char *version)
{
	stint_free_pointer(&r->resource_version);
	r->resource_version = stint_strdup(version);
}

static void take_bookmark(struct stint_reflector *r, struct stint_slice object)
{
	r->has_bookmarks = true;
	struct reflector_head head;
	if (reflector_read_head(object.data, object.length, &head) && head.resource_version.length) {
		stint_free_pointer(&r->resource_version);
		r->resource_version = stint_slice_dup(head.resource_version);
	}
}

/* An ERROR event ends the stream; on_done decides what follows. False: ends the call. */
static bool take_error(struct stint_reflector *r, struct stint_slice object)
{
	stint_auto_error *err = NULL;
	stint_auto_json *status = stint_json_parse(object.data, object.length, 0, NULL);
	stint_kube_status_object_error(&err, status);
	stint_log(r->options.logger, STINT_LOG_INFO, "watch of %s: %s", r->options.resource->plural, err->message);
	stint_error_move(&r->watch_error, &err);
	return false;
}

static bool take_object(struct stint_reflector *r, bool deleted, struct stint_slice bytes)
{
	struct stint_object *object = reflector_decode(r, bytes.data, bytes.length);
	if (!object)
		return !r->dead;
	if (object->resource_version)
		remember_version(r, object->resource_version);
	const bool alive = deleted ? reflector_delete(r, object) : reflector_upsert(r, object);
	stint_object_unref(object);
	return alive;
}

static bool take_line(struct stint_reflector *r, const char *line, size_t length)
{
	struct stint_cursor c = stint_cursor_over(line, length);
	struct stint_slice key, type = {0}, object = {0};
	const bool inside = stint_cursor_object(&c);
	while (inside && stint_cursor_key(&c, &key)) {
		if (stint_slice_is(key, "type"))
			stint_cursor_string(&c, &type, NULL);
		else if (stint_slice_is(key, "object"))
			stint_cursor_raw(&c, &object);
		else
			stint_cursor_skip(&c);
	}
	if (c.error || !object.length) {
		stint_log(r->options.logger, STINT_LOG_WARN, "watch of %s: a line that is no event: %s", r->options.resource->plural,
			c.error ? c.error : "it has no object");
		r->watch_broken = true;
		return false;
	}
	if (stint_slice_is(type, "ERROR"))
		return take_error(r, object);
	r->watch_said = true;
	r->silences = 0;
	reflector_good(r);
	if (stint_slice_is(type, "ADDED") || stint_slice_is(type, "MODIFIED"))
		return take_object(r, false, object);
	if (stint_slice_is(type, "DELETED"))
		return take_object(r, true, object);
	if (stint_slice_is(type, "BOOKMARK"))
		take_bookmark(r, object);
	return true;
}

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!strchr(" \t\r", line[i]))
			return false;
	}
	return true;
}

static bool take_piece(struct stint_reflector *r, const char *data, size_t length)
{
	const char *at = data, *end = data + length, *newline;
	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		const char *line = at;
		size_t line_length = (size_t)(newline - at);
		at = newline + 1;
		if (r->line.length) {
			stint_buf_add(&r->line, line, line_length);
			line = r->line.data;
			line_length = r->line.length;
		}
		const bool good = is_blank(line, line_length) || take_line(r, line, line_length);
		stint_buf_reset(&r->line);
		if (!good)
			return false;
	}
	if (r->line.length + (size_t)(end - at) > MAX_OBJECT_BYTES) {
		stint_log(r->options.logger, STINT_LOG_WARN, "watch of %s: a line of more than %d bytes", r->options.resource->plural,
			MAX_OBJECT_BYTES);
		r->watch_broken = true;
		return false;
	}
	stint_buf_add(&r->line, at, (size_t)(end - at));
	return true;
}

static bool on_data(void *user, const char *data, size_t length)
{
	struct stint_reflector *r = user;
	reflector_enter(r);
	const bool good = take_piece(r, data, length);
	return reflector_leave(r) && good;
}

/*
 * Whether an answered watch that was broken off for its silence may have been sound: then it is asked anew and nobody is troubled. The first time
 * in a row it may. Later on only where the server sends no bookmarks (those of Events have none): that it answered is all that can be known of it.
 * A connection that is dead shows by a question without an answer, or by the probes of TCP.
 */
static bool may_be_quiet(struct stint_reflector *r, const struct stint_kube_response *response, const struct stint_error *err)
{
	if (!err || err->code != STINT_TIMEOUT || response->status != 200)
		return false;
	r->silences++;
	return r->silences == 1 || !r->has_bookmarks;
}

static void on_done(void *user, struct stint_kube_response *response)
{
	struct stint_reflector *r = user;
	stint_auto_error *err = stint_steal(&response->error);
	const int64_t lasted_ms = stint_monotonic_ms() - r->watch_began_ms;
	r->call = NULL;
	stint_buf_free(&r->line); /* a line that was cut comes again; a large one should not hold its memory */
	if (r->watch_error)
		stint_error_move(&err, &r->watch_error); /* says more than the client's "the body was refused" */
	const bool expired = err && reflector_is_expired(err);
	const bool quiet = may_be_quiet(r, response, err);
	const bool worked = quiet || (lasted_ms >= SHORT_WATCH_MS && (r->watch_said || !err));
	if (r->watch_broken || lasted_ms < SOUND_WATCH_MS) {
		r->broken_in_a_row += r->watch_broken;
	} else {
		r->broken_in_a_row = 0;
	}
	/* A watch that worked is followed at once; one that ended as soon as it began waits a little, so that nobody spins. */
	if (r->watch_broken) {
		/* The same place would bring the same line again: a list gets past it. What it has in between must not shorten the wait. */
		r->failures = r->broken_in_a_row - 1;
		reflector_enter(r);
		reflector_retry(r, true, err);
		reflector_leave(r);
	} else if (worked && expired) {
		reflector_list(r);
	} else if (worked) {
		reflector_watch(r);
	} else {
		reflector_enter(r);
		reflector_retry(r, expired || r->failures >= FAILURES_TO_LIST, expired ? NULL : err);
		reflector_leave(r);
	}
}

void reflector_watch(struct stint_reflector *r)
{
	uint16_t random;
	char seconds[16];
	stint_random_bytes(&random, sizeof(random));
	snprintf(seconds, sizeof(seconds), "%d", WATCH_SECONDS + random % WATCH_SECONDS);
	const struct stint_kube_query query[] = {
		{"watch", "true"},
		{"allowWatchBookmarks", "true"},
		{"resourceVersion", r->resource_version},
		{"timeoutSeconds", seconds},
		{"labelSelector", r->options.label_selector},
		{"fieldSelector", r->options.field_selector},
		{NULL, NULL},
	};
	stint_buf_reset(&r->line);
	r->watch_began_ms = stint_monotonic_ms();
	r->watch_said = r->watch_broken = false;
	r->call = stint_kube_call_start(r->kube,
		&(struct stint_kube_request){
			.resource = r->options.resource,
			.namespace_ = r->options.namespace_,
			.query = query,
			.accept = r->options.metadata_only ? REFLECTOR_METADATA_WATCH : NULL,
			.timeout_ms = -1,
			.idle_timeout_ms = r->options.silence_ms,
			.no_gzip = true,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_data = on_data,
			.on_done = on_done,
			.user = r,
		});
}
