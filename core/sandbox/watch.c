/*
 * Watches: a chunked stream of events, one JSON object a line.
 *
 * A watch has no queue: it holds a place in the store's history and renders from there when the client's socket has room. A client that
 * reads too slowly falls out of the history and is told 410, as one that starts too far back. The stream ends at its timeout, cleanly.
 */
#include "rest_list.h"

#include <stdlib.h>
#include <string.h>

enum { BOOKMARK_MS = 60 * 1000, MIN_TIMEOUT_S = 1800, BATCH_BYTES = 32 * 1024, LAST_BYTES = 1024 * 1024 };

struct watch {
	const struct stint_api *api;
	const struct stint_kind *kind;
	struct stint_httpd_request *http;
	struct rest_form form;
	struct stint_selector *selector;
	char *space, *name; /* NULL: all */
	struct stint_store_list initial;
	size_t initial_at;
	struct stint_store_reader *reader;
	struct stint_timer *deadline, *bookmark;
	struct stint_buf piece;
	size_t sent;
	struct stint_json *error; /* to be told before the end */
	bool bookmarks; /* the client takes them */
	bool mark_initial; /* owes the bookmark that ends the initial events */
	bool bookmark_due, over, columns_sent;
};

/* ---- events as lines ------------------------------------------------------------------------------------------------------------------ */

static void put_event(struct watch *watch, const char *type, const struct stint_stored *stored, uint64_t version)
{
	stint_buf_printf(&watch->piece, "{\"type\":\"%s\",\"object\":", type);
	rest_render_stored(&watch->piece, watch->kind, &watch->form, stored, version, !watch->columns_sent);
	watch->columns_sent = true;
	stint_buf_puts(&watch->piece, "}\n");
}

static void put_error(struct watch *watch, const struct stint_json *status)
{
	stint_buf_puts(&watch->piece, "{\"type\":\"ERROR\",\"object\":");
	stint_json_print_to(&watch->piece, status);
	stint_buf_puts(&watch->piece, "}\n");
	watch->over = true;
}

static void put_expired(struct watch *watch)
{
	stint_auto_json *status = stint_status_new(410, "Expired", NULL, NULL, NULL, "too old resource version: the history begins at %llu",
		(unsigned long long)stint_store_compacted(watch->api->store));

	put_error(watch, status);
}

static void put_bookmark(struct watch *watch, uint64_t version, bool ends_initial)
{
	const char *kind = watch->kind->kind, *api_version = watch->kind->api_version;

	if (watch->form.as != REST_AS_OBJECT) {
		kind = watch->form.as == REST_AS_TABLE ? "Table" : "PartialObjectMetadata";
		api_version = "meta.k8s.io/v1";
	}
	stint_buf_printf(&watch->piece,
		"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%llu\"", kind,
		api_version, (unsigned long long)version);
	if (watch->form.as != REST_AS_TABLE)
		stint_buf_puts(&watch->piece, ",\"creationTimestamp\":null");
	if (ends_initial && watch->form.as != REST_AS_TABLE)
		stint_buf_puts(&watch->piece, ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}");
	stint_buf_puts(&watch->piece, watch->form.as == REST_AS_TABLE ? "},\"columnDefinitions\":[],\"rows\":[]}}\n" : "}}}\n");
}

/* ---- what comes next ------------------------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct watch *watch, const struct stint_stored *object)
{
	if (!object || (watch->space && strcmp(watch->space, object->space) != 0) ||
		(watch->name && strcmp(watch->name, object->name) != 0))
		return false;
	return stint_selector_matches(watch->selector, object);
}

/* An object that leaves the selection is DELETED with its former state and the new version. */
static void take_event(struct watch *watch, const struct stint_store_event *event)
{
	bool was = is_wanted(watch, event->before), is = is_wanted(watch, event->now);

	if (is)
		put_event(watch, was ? "MODIFIED" : "ADDED", event->now, 0);
	else if (was)
		put_event(watch, "DELETED", event->before, event->version);
}

static bool put_initial(struct watch *watch)
{
	while (watch->initial.items && watch->initial_at < watch->initial.count) {
		struct stint_stored *object = watch->initial.items[watch->initial_at++];

		if (is_wanted(watch, object)) {
			put_event(watch, "ADDED", object, 0);
			return true;
		}
	}
	if (watch->mark_initial) {
		watch->mark_initial = false;
		put_bookmark(watch, watch->initial.version, true);
		return true;
	}
	stint_store_list_clear(&watch->initial);
	watch->initial_at = 0;
	return false;
}

/* Adds at most one event. False when there is nothing to say at the moment, or for ever (over). */
static bool put_next(struct watch *watch)
{
	const struct stint_store_event *event;
	bool lost;

	if (watch->error) {
		put_error(watch, watch->error);
		return false;
	}
	if (watch->initial.items || watch->mark_initial)
		return put_initial(watch) || put_next(watch);
	event = stint_store_reader_next(watch->reader, &lost);
	if (event) {
		take_event(watch, event);
		return true;
	}
	if (lost)
		put_expired(watch);
	else if (watch->bookmark_due)
		put_bookmark(watch, stint_store_version(watch->api->store), false);
	watch->bookmark_due = false;
	return false;
}

static ssize_t read_watch(void *user, char *out, size_t room)
{
	struct watch *watch = user;
	bool more = !watch->over;
	size_t take;

	if (watch->sent == watch->piece.length) {
		stint_buf_reset(&watch->piece);
		watch->sent = 0;
		while (more && watch->piece.length < BATCH_BYTES)
			more = put_next(watch);
	}
	take = watch->piece.length - watch->sent;
	if (take == 0)
		return watch->over ? STINT_HTTPD_END : STINT_HTTPD_WAIT;
	if (take > room)
		take = room;
	memcpy(out, watch->piece.data + watch->sent, take);
	watch->sent += take;
	if (watch->sent == watch->piece.length && watch->piece.capacity > 4 * BATCH_BYTES) {
		stint_buf_free(&watch->piece); /* one large object must not stay with a quiet watch */
		watch->sent = 0;
	}
	return (ssize_t)take;
}

/* ---- its life ------------------------------------------------------------------------------------------------------------------------- */

static void on_news(void *user)
{
	struct watch *watch = user;

	stint_httpd_wake(watch->http);
}

static void on_bookmark(void *user)
{
	struct watch *watch = user;

	watch->bookmark_due = true;
	stint_timer_set(watch->bookmark, BOOKMARK_MS);
	stint_httpd_wake(watch->http);
}

/* What is left of the history is still sent, and a last bookmark; who is far behind goes on from its last event in the next watch. */
static void on_deadline(void *user)
{
	struct watch *watch = user;

	watch->bookmark_due = watch->bookmarks;
	while (!watch->over && watch->piece.length < LAST_BYTES && put_next(watch))
		;
	watch->over = true;
	stint_httpd_wake(watch->http);
}

static void close_watch(void *user)
{
	struct watch *watch = user;

	stint_store_reader_free(watch->reader);
	stint_timer_free(watch->deadline);
	stint_timer_free(watch->bookmark);
	stint_store_list_clear(&watch->initial);
	stint_selector_free(watch->selector);
	stint_buf_free(&watch->piece);
	stint_json_free(watch->error);
	free(watch->space);
	free(watch->name);
	free(watch);
}

/* False after having answered 400. Without a wish, and at 0, the stream ends in half an hour to an hour. */
static bool read_timeout(struct rest *rest, int64_t *timeout_ms)
{
	const char *text = stint_httpd_query(rest->http, "timeoutSeconds");
	int64_t seconds = 0;
	uint16_t more;

	if (text && *text && !stint_parse_int(text, INT64_MIN, INT64_MAX, &seconds)) {
		rest_reply_status(rest,
			stint_status_new(400, "BadRequest", NULL, NULL, NULL, "strconv.ParseInt: parsing \"%s\": invalid syntax", text));
		return false;
	}
	stint_random_bytes(&more, sizeof(more));
	*timeout_ms = (seconds > 0 && seconds <= INT32_MAX ? seconds : MIN_TIMEOUT_S + more % MIN_TIMEOUT_S) * INT64_C(1000);
	return true;
}

/* Where the stream begins. */
static void set_start(struct watch *watch, uint64_t version, bool from_now, bool initial_events)
{
	struct stint_store *store = watch->api->store;
	bool initial = initial_events || (version == 0 && !from_now);

	if (initial_events && version > stint_store_version(store)) {
		watch->error = rest_future_status(version, stint_store_version(store));
		return;
	}
	if (initial)
		stint_store_list(store, watch->kind, watch->space, &watch->initial);
	if (initial || version == 0)
		version = stint_store_version(store);
	watch->initial.version = version;
	watch->mark_initial = initial_events && watch->bookmarks;
	watch->reader = stint_store_reader_new(store, watch->kind, version, on_news, watch);
}

static bool read_start(struct rest *rest, uint64_t *version)
{
	const char *text = stint_httpd_query(rest->http, "resourceVersion");
	int64_t number = 0;
	struct stint_json *status;

	if (text && *text && !stint_parse_int(text, 0, INT64_MAX, &number)) {
		status = stint_status_new(500, "", NULL, NULL, NULL, "strconv.ParseUint: parsing \"%s\": invalid syntax", text);
		stint_json_remove(status, "reason");
		rest_reply_status(rest, status);
		return false;
	}
	*version = (uint64_t)number;
	return true;
}

void rest_watch(struct rest *rest)
{
	static const struct stint_httpd_response response = {.status = 200, .content_type = "application/json"};
	const char *initial = stint_httpd_query(rest->http, "sendInitialEvents");
	stint_auto_selector *selector = NULL;
	struct watch *watch;
	uint64_t version;
	int64_t timeout_ms;

	if (!rest_check_match(rest, true) || !read_start(rest, &version) || !read_timeout(rest, &timeout_ms) ||
		!rest_selector(rest, &selector))
		return;
	watch = stint_alloc(sizeof(*watch));
	watch->api = rest->api;
	watch->kind = rest->route.kind;
	watch->http = rest->http;
	watch->form = rest->form;
	watch->selector = stint_steal(&selector);
	watch->space = stint_strdup(rest->route.space);
	watch->name = stint_strdup(rest->route.name);
	watch->bookmarks = rest_flag(rest->http, "allowWatchBookmarks");
	set_start(watch, version, initial && !rest_flag(rest->http, "sendInitialEvents"), rest_flag(rest->http, "sendInitialEvents"));
	watch->deadline = stint_timer_new(rest->api->loop, on_deadline, watch);
	watch->bookmark = stint_timer_new(rest->api->loop, on_bookmark, watch);
	stint_timer_set(watch->deadline, timeout_ms);
	if (watch->bookmarks)
		stint_timer_set(watch->bookmark, BOOKMARK_MS);
	stint_httpd_reply_stream(
		rest->http, &response, &(struct stint_httpd_source){.read = read_watch, .close = close_watch, .user = watch, .length = -1});
}
