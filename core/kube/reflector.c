/*
 * list + watch: what is known of one resource, kept current. This file has the life of a reflector, the set of known objects with the
 * telling of differences, and the waiting between tries. It lives on the loop of its client.
 *
 * Invariants: an object is told ADDED before anything else and DELETED last; between two tellings of one object its resourceVersion
 * has changed; at most one call is under way, and when none is, the timer runs.
 */
#include "core/kube/reflector.h"

#include <stdlib.h>
#include <string.h>

enum { RETRY_FIRST_MS = 200, RETRY_MAX_MS = 30000, SILENCE_MS = 90000, PAGE_SIZE = 500 };

void reflector_enter(struct stint_reflector *r)
{
	r->frames++;
}

static void destroy(struct stint_reflector *r)
{
	stint_splitter_free(r->splitter);
	store_free(&r->store);
	stint_buf_free(&r->line);
	free(r->resource_version);
	free(r->list_version);
	free(r->next_page);
	stint_error_free(r->list_error);
	stint_error_free(r->watch_error);
	free(r->api_version);
	stint_free_pointer(&r->options.namespace_);
	stint_free_pointer(&r->options.label_selector);
	stint_free_pointer(&r->options.field_selector);
	free(r);
}

bool reflector_leave(struct stint_reflector *r)
{
	if (--r->frames || !r->dead)
		return !r->dead;
	destroy(r);
	return false;
}

/* ---- what is known ------------------------------------------------------------------------------------------------------------- */

static bool tell(struct stint_reflector *r, enum stint_change change, struct stint_object *object, struct stint_object *before)
{
	r->options.on_change(r->options.user, change, object, before);
	return !r->dead;
}

bool reflector_read_head(const char *data, size_t length, struct reflector_head *out)
{
	struct stint_cursor c = stint_cursor_over(data, length);
	struct stint_slice key;
	*out = (struct reflector_head){0};
	bool in_object = stint_cursor_object(&c);
	while (in_object && stint_cursor_key(&c, &key)) {
		if (!stint_slice_is(key, "metadata")) {
			stint_cursor_skip(&c);
			continue;
		}
		const bool in_metadata = stint_cursor_object(&c);
		while (in_metadata && stint_cursor_key(&c, &key)) {
			if (stint_slice_is(key, "name"))
				stint_cursor_string(&c, &out->name, NULL);
			else if (stint_slice_is(key, "namespace"))
				stint_cursor_string(&c, &out->space, NULL);
			else if (stint_slice_is(key, "resourceVersion"))
				stint_cursor_string(&c, &out->resource_version, NULL);
			else
				stint_cursor_skip(&c);
		}
	}
	return !c.error;
}

struct stint_object *reflector_decode(struct stint_reflector *r, const char *data, size_t length)
{
	stint_auto_error *err = NULL;
	struct stint_object *object = stint_object_decode(r->options.model, &r->as, data, length, &err);
	if (!object) {
		stint_log(r->options.logger, STINT_LOG_WARN, "%s: %s", r->options.resource->plural, err->message);
		if (r->options.on_trouble)
			r->options.on_trouble(r->options.user, err, 0);
	}
	return object;
}

bool reflector_upsert(struct stint_reflector *r, struct stint_object *object)
{
	struct store_slot *slot = store_find(&r->store, object->space, object->name);
	if (!slot) {
		store_add(&r->store, object, r->round);
		return tell(r, STINT_ADDED, object, NULL);
	}
	slot->round = r->round;
	if (slot->object->resource_version == object->resource_version && slot->object->uid == object->uid)
		return true;
	struct stint_object *before = slot->object;
	bool alive = true;
	if (before->uid != object->uid) { /* another object of that name: its predecessor's end was not seen */
		store_take(&r->store, slot);
		alive = tell(r, STINT_DELETED, before, before);
		if (alive) {
			store_add(&r->store, object, r->round);
			alive = tell(r, STINT_ADDED, object, NULL);
		}
	} else {
		slot->object = stint_object_ref(object);
		alive = tell(r, STINT_MODIFIED, object, before);
	}
	stint_object_unref(before);
	return alive;
}

bool reflector_delete(struct stint_reflector *r, struct stint_object *object)
{
	struct store_slot *slot = store_find(&r->store, object->space, object->name);
	if (!slot || slot->object->uid != object->uid)
		return true; /* told already, or another object by now */
	struct stint_object *before = store_take(&r->store, slot);
	const bool alive = tell(r, STINT_DELETED, object, before);
	stint_object_unref(before);
	return alive;
}

/* ---- trying again ---------------------------------------------------------------------------------------------------------------- */

static int64_t jittered(int64_t ms)
{
	uint32_t random;
	stint_random_bytes(&random, sizeof(random));
	return ms / 2 + (int64_t)(random % (uint32_t)(ms / 2 + 1));
}

void reflector_good(struct stint_reflector *r)
{
	r->failures = 0;
}

bool reflector_is_expired(const struct stint_error *err)
{
	return err->status == 410 || !strcmp(err->reason, "Expired") || !strcmp(err->reason, "Gone");
}

void reflector_retry(struct stint_reflector *r, bool list, const struct stint_error *err)
{
	int64_t delay = RETRY_FIRST_MS;
	for (unsigned i = 0; i < r->failures && delay < RETRY_MAX_MS; i++)
		delay *= 2;
	delay = jittered(delay > RETRY_MAX_MS ? RETRY_MAX_MS : delay);
	if (err && err->retry_after_ms > delay)
		delay = err->retry_after_ms;
	r->failures++;
	r->timer_lists = list;
	stint_timer_set(r->timer, delay);
	if (!err)
		return;
	stint_log(r->options.logger, r->failures > 1 ? STINT_LOG_WARN : STINT_LOG_INFO, "%s of %s failed, next try in %lld ms: %s",
		list ? "list" : "watch", r->options.resource->plural, (long long)delay, err->message);
	if (r->options.on_trouble)
		r->options.on_trouble(r->options.user, err, delay);
}

static void on_timer(void *user)
{
	struct stint_reflector *r = user;
	if (r->timer_lists)
		reflector_list(r);
	else
		reflector_watch(r);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

struct stint_reflector *stint_reflector_start(struct stint_kube *kube, const struct stint_reflector_options *options)
{
	struct stint_reflector *r = stint_alloc(sizeof(*r));
	r->kube = kube;
	r->options = *options;
	r->options.namespace_ = stint_strdup(options->namespace_);
	r->options.label_selector = stint_strdup(options->label_selector);
	r->options.field_selector = stint_strdup(options->field_selector);
	if (!r->options.silence_ms)
		r->options.silence_ms = SILENCE_MS;
	if (!r->options.page_size)
		r->options.page_size = PAGE_SIZE;
	r->api_version = stint_kube_resource_api_version(options->resource);
	r->as = (struct stint_decode_as){.kind = options->kind, .api_version = r->api_version, .kind_name = options->resource->kind};
	r->timer = stint_timer_new(stint_kube_loop(kube), on_timer, r);
	reflector_list(r);
	return r;
}

void stint_reflector_free(struct stint_reflector *r)
{
	if (!r || r->dead)
		return;
	r->dead = true;
	stint_kube_call_cancel(stint_steal(&r->call));
	stint_timer_free(stint_steal(&r->timer));
	if (!r->frames)
		destroy(r);
}

void stint_reflector_relist(struct stint_reflector *r)
{
	stint_kube_call_cancel(stint_steal(&r->call));
	stint_splitter_free(stint_steal(&r->splitter));
	stint_error_clear(&r->list_error);
	stint_error_clear(&r->watch_error);
	r->failures = 0;
	r->timer_lists = true;
	stint_timer_set(r->timer, 0);
}

bool stint_reflector_synced(const struct stint_reflector *r)
{
	return r->synced;
}

struct stint_object *stint_reflector_get(const struct stint_reflector *r, const char *namespace_, const char *name)
{
	const char *space = namespace_ ? stint_text_find(r->options.model, namespace_, strlen(namespace_)) : NULL;
	const char *text = stint_text_find(r->options.model, name, strlen(name));
	if (!text || (namespace_ && !space))
		return NULL;
	struct store_slot *slot = store_find(&r->store, space, text);
	return slot ? slot->object : NULL;
}

struct stint_object *stint_reflector_next(const struct stint_reflector *r, size_t *at)
{
	return store_next(&r->store, at);
}
