/*
 * The list of a reflector: page by page at one resourceVersion, each item decoded while it arrives. What is known and was not in the
 * list when it is complete has been deleted.
 *
 * The first page is asked for without a resourceVersion: a consistent read, never one from a cache that may lag (contracts: nothing
 * twice across a restart). When pages expire on the way the list begins again, all at once; what has been told stays told.
 */
#include "core/kube/reflector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void request_page(struct stint_reflector *r);

/* An object that cannot be read is there all the same: what was known of it stays known, as when a watch shows it so. */
static void keep_unreadable(struct stint_reflector *r, const char *item, size_t length)
{
	struct reflector_head head;
	if (!reflector_read_head(item, length, &head) || !head.name.length)
		return;
	const char *space = head.space.length ? stint_text_find(r->options.model, head.space.data, head.space.length) : NULL;
	const char *name = stint_text_find(r->options.model, head.name.data, head.name.length);
	struct store_slot *slot = name && (space || !head.space.length) ? store_find(&r->store, space, name) : NULL;
	if (slot)
		slot->round = r->round;
}

static bool on_item(void *user, const char *item, size_t length)
{
	struct stint_reflector *r = user;
	struct stint_object *object = reflector_decode(r, item, length);
	if (!object) {
		if (!r->dead)
			keep_unreadable(r, item, length);
		return !r->dead; /* reported; one broken object must not hide the others */
	}
	const bool alive = reflector_upsert(r, object);
	stint_object_unref(object);
	return alive;
}

static bool on_data(void *user, const char *data, size_t length)
{
	struct stint_reflector *r = user;
	stint_auto_error *err = NULL;
	reflector_enter(r);
	const bool fed = stint_splitter_feed(r->splitter, data, length, &err);
	const bool alive = reflector_leave(r);
	if (alive && !fed)
		stint_error_move(&r->list_error, &err); /* says more than the client's "the body was refused" */
	return alive && fed;
}

/* Everything that this list did not show is gone. */
static bool tell_the_missing(struct stint_reflector *r)
{
	size_t at = 0;
	while (at < r->store.slots_count) {
		struct store_slot *slot = &r->store.slots[at];
		if (!slot->object || slot->round == r->round) {
			at++;
			continue;
		}
		/* Removal may move a later object of the run into this slot: look at it again. */
		struct stint_object *gone = store_take(&r->store, slot);
		r->options.on_change(r->options.user, STINT_DELETED, gone, gone);
		stint_object_unref(gone);
		if (r->dead)
			return false;
	}
	return true;
}

static void list_complete(struct stint_reflector *r)
{
	const bool again = r->synced;
	free(r->resource_version);
	r->resource_version = stint_steal(&r->list_version);
	r->no_pages = false;
	reflector_good(r);
	reflector_enter(r);
	bool alive = tell_the_missing(r);
	if (alive) {
		r->synced = true;
		if (r->options.on_synced)
			r->options.on_synced(r->options.user, again);
	}
	if (reflector_leave(r))
		reflector_watch(r);
}

static void list_failed(struct stint_reflector *r, struct stint_error *err)
{
	const bool expired = reflector_is_expired(err);
	r->no_pages = r->no_pages || (expired && r->next_page);
	reflector_enter(r);
	reflector_retry(r, true, err);
	reflector_leave(r);
}

/* What stands around the items: the version of the whole list, and where the next page begins. */
static bool take_page(struct stint_reflector *r, struct stint_error **err)
{
	stint_auto_json *rest = stint_splitter_finish(r->splitter, err);
	if (!rest)
		return false;
	const char *version = stint_json_string_at(rest, "metadata", "resourceVersion");
	const char *next = stint_json_string_at(rest, "metadata", "continue");
	if (!version || !*version)
		return stint_fail(err, STINT_FAILED, "the server's list of %s has no resourceVersion", r->options.resource->plural);
	if (!r->list_version)
		r->list_version = stint_strdup(version);
	free(r->next_page);
	r->next_page = next && *next ? stint_strdup(next) : NULL;
	return true;
}

static void on_done(void *user, struct stint_kube_response *response)
{
	struct stint_reflector *r = user;
	stint_auto_error *err = stint_steal(&response->error);
	r->call = NULL;
	if (r->list_error)
		stint_error_move(&err, &r->list_error);
	const bool good = !err && take_page(r, &err);
	stint_splitter_free(stint_steal(&r->splitter));
	if (!good)
		list_failed(r, err);
	else if (r->next_page)
		request_page(r);
	else
		list_complete(r);
}

static void request_page(struct stint_reflector *r)
{
	char limit[16];
	snprintf(limit, sizeof(limit), "%d", r->options.page_size);
	const struct stint_kube_query query[] = {
		{"limit", r->no_pages ? NULL : limit},
		{"continue", r->next_page},
		{"labelSelector", r->options.label_selector},
		{"fieldSelector", r->options.field_selector},
		{NULL, NULL},
	};
	r->splitter = stint_splitter_new(MAX_OBJECT_BYTES, on_item, r);
	r->call = stint_kube_call_start(r->kube,
		&(struct stint_kube_request){
			.resource = r->options.resource,
			.namespace_ = r->options.namespace_,
			.query = query,
			.accept = r->options.metadata_only ? REFLECTOR_METADATA_LIST : NULL,
			.idle_timeout_ms = r->options.silence_ms,
			.no_gzip = true,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_data = on_data,
			.on_done = on_done,
			.user = r,
		});
}

void reflector_list(struct stint_reflector *r)
{
	r->round++;
	free(stint_steal(&r->next_page));
	free(stint_steal(&r->list_version));
	request_page(r);
}
