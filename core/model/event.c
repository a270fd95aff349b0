/* The decoder of core/v1 Events. */
#include "core/model/private.h"

struct stint_event *stint_event_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_EVENT ? (struct stint_event *)object : NULL;
}

static void event_init(struct stint_object *object)
{
	struct stint_event *event = stint_event_of(object);
	event->count = 1;
	event->first_ms = event->last_ms = -1;
}

static bool read_about(struct decoder *d, struct stint_event *event)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "kind"))
			read_name(d, &event->about_kind);
		else if (KEY_IS(key, "namespace"))
			read_name(d, &event->about_space);
		else if (KEY_IS(key, "name"))
			read_name(d, &event->about_name);
		else if (KEY_IS(key, "uid"))
			read_name(d, &event->about_uid);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_later(struct decoder *d, int64_t *latest_ms)
{
	int64_t ms;
	if (!read_time(d, &ms))
		return false;
	if (ms > *latest_ms)
		*latest_ms = ms;
	return true;
}

static bool read_series(struct decoder *d, struct stint_event *event)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "count"))
			read_int32(d, &event->count);
		else if (KEY_IS(key, "lastObservedTime"))
			read_later(d, &event->last_ms);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_source(struct decoder *d, struct stint_event *event)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "component") && !event->component)
			read_name(d, &event->component);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool event_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_event *event = stint_event_of(object);
	if (KEY_IS(key, "involvedObject"))
		return read_about(d, event);
	if (KEY_IS(key, "type"))
		return read_name(d, &event->type);
	if (KEY_IS(key, "reason"))
		return read_name(d, &event->reason);
	if (KEY_IS(key, "message"))
		return read_name(d, &event->message);
	if (KEY_IS(key, "count"))
		return read_int32(d, &event->count);
	if (KEY_IS(key, "firstTimestamp"))
		return read_time(d, &event->first_ms);
	if (KEY_IS(key, "lastTimestamp") || KEY_IS(key, "eventTime"))
		return read_later(d, &event->last_ms);
	if (KEY_IS(key, "series"))
		return read_series(d, event);
	if (KEY_IS(key, "source"))
		return read_source(d, event);
	if (KEY_IS(key, "reportingComponent") && !event->component)
		return read_name(d, &event->component);
	return stint_cursor_skip(d->c);
}

static bool event_finish(struct decoder *d, struct stint_object *object)
{
	struct stint_event *event = stint_event_of(object);
	(void)d;
	if (event->count < 1)
		event->count = 1;
	if (event->last_ms < 0)
		event->last_ms = object->created_ms;
	return true;
}

static void event_drop(struct stint_object *object)
{
	struct stint_event *event = stint_event_of(object);
	struct stint_model *model = object->model;
	stint_text_drop(model, event->about_kind);
	stint_text_drop(model, event->about_space);
	stint_text_drop(model, event->about_name);
	stint_text_drop(model, event->about_uid);
	stint_text_drop(model, event->type);
	stint_text_drop(model, event->reason);
	stint_text_drop(model, event->message);
	stint_text_drop(model, event->component);
}

const struct kind_decoder decode_event_kind = {
	.name = "event",
	.size = sizeof(struct stint_event),
	.annotations = PAIRS_SHORT,
	.init = event_init,
	.read_member = event_read_member,
	.finish = event_finish,
	.drop = event_drop,
};
