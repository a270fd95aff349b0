/*
 * The splitter: cuts a List that arrives in pieces into its items. Three places to be in: around the items (bytes go to the rest), between
 * two items, inside one. Inside an item only brackets and strings are followed; an item that lies within one piece is handed out where
 * it is, one that spans pieces is put together in a buffer first.
 * Cost: one look at each byte, a copy only for what spans pieces. Memory: the largest item.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/text.h>

#include "core/text/scan.h"

enum { MAX_REST_BYTES = 1024 * 1024 };

enum place { AROUND, BETWEEN, INSIDE };

struct stint_splitter {
	enum place place;
	bool in_string, escaped; /* of the bytes being scanned; a piece may end anywhere */
	int depth; /* of brackets: in the document when around, in the item when inside */
	char word[8]; /* the last string at depth 1, as far as it fits, to find "items" */
	size_t word_length;
	bool word_is_items, armed; /* the key was "items"; a colon followed it */
	bool item_due; /* between: a comma was seen, so an item has to follow */
	bool any_item;
	size_t max_item_bytes;
	bool (*on_item)(void *user, const char *item, size_t length);
	void *user;
	struct stint_buf item, rest;
};

struct stint_splitter *stint_splitter_new(size_t max_item_bytes, bool (*on_item)(void *user, const char *item, size_t length), void *user)
{
	struct stint_splitter *s = stint_alloc(sizeof(*s));
	s->max_item_bytes = max_item_bytes;
	s->on_item = on_item;
	s->user = user;
	return s;
}

void stint_splitter_free(struct stint_splitter *s)
{
	if (!s)
		return;
	stint_buf_free(&s->item);
	stint_buf_free(&s->rest);
	free(s);
}

/* Stands behind the closing quote, or at the end with in_string still set. */
static const char *scan_string(struct stint_splitter *s, const char *at, const char *end)
{
	while (at < end) {
		if (s->escaped) {
			s->escaped = false;
			at++;
			continue;
		}
		while (at < end && *at != '"' && *at != '\\')
			at++;
		if (at == end)
			break;
		if (*at++ == '"') {
			s->in_string = false;
			break;
		}
		s->escaped = true;
	}
	return at;
}

static void remember_word(struct stint_splitter *s, const char *from, const char *to)
{
	for (; from < to; from++) {
		if (s->word_length < sizeof(s->word))
			s->word[s->word_length++] = *from;
	}
}

/* Around the items: everything goes to the rest; the key "items" with an array leads between them. */
static const char *scan_around(struct stint_splitter *s, const char *at, const char *end)
{
	const char *begin = at;
	while (at < end) {
		if (s->in_string) {
			const char *from = at;
			at = scan_string(s, at, end);
			if (s->depth == 1)
				remember_word(s, from, at);
			if (!s->in_string)
				s->word_is_items = s->depth == 1 && s->word_length == 6 && memcmp(s->word, "items\"", 6) == 0;
			continue;
		}
		char byte = *at++;
		bool was_armed = s->armed;
		if (byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r')
			continue;
		s->armed = byte == ':' && s->word_is_items;
		s->word_is_items = false;
		if (byte == '"') {
			s->in_string = true;
			s->word_length = 0;
		} else if (byte == '[' && was_armed) {
			stint_buf_add(&s->rest, begin, (size_t)(at - begin));
			stint_buf_putc(&s->rest, ']');
			s->place = BETWEEN;
			s->any_item = s->item_due = false;
			return at;
		} else if (byte == '{' || byte == '[') {
			s->depth++;
		} else if (byte == '}' || byte == ']') {
			s->depth--;
		}
	}
	stint_buf_add(&s->rest, begin, (size_t)(at - begin));
	return at;
}

static const char *scan_between(struct stint_splitter *s, const char *at, const char *end, struct stint_error **err)
{
	for (; at < end; at++) {
		if (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
			continue;
		if (*at == '{' && (s->item_due || !s->any_item)) {
			s->place = INSIDE;
			s->item_due = false;
			s->any_item = true;
			s->depth = 0;
			return at;
		}
		if (*at == ',' && s->any_item && !s->item_due) {
			s->item_due = true;
			continue;
		}
		if (*at == ']' && !s->item_due) {
			s->place = AROUND;
			s->depth = 1;
			return at + 1;
		}
		stint_fail(err, STINT_FAILED, "the server's list is broken: an object was expected among its items");
		return NULL;
	}
	return at;
}

static bool hand_out(struct stint_splitter *s, const char *begin, size_t length, struct stint_error **err)
{
	if (s->item.length > 0) {
		stint_buf_add(&s->item, begin, length);
		begin = s->item.data;
		length = s->item.length;
	}
	s->place = BETWEEN;
	bool going_on = s->on_item(s->user, begin, length);
	stint_buf_reset(&s->item);
	return going_on || stint_fail(err, STINT_FAILED, "an item of the server's list cannot be read");
}

static const char *scan_inside(struct stint_splitter *s, const char *at, const char *end, struct stint_error **err)
{
	const char *begin = at;
	bool closed;
	struct json_scan scan = {.depth = s->depth, .in_string = s->in_string, .escaped = s->escaped};
	at = json_scan_brackets(&scan, at, end, &closed);
	s->depth = scan.depth;
	s->in_string = scan.in_string;
	s->escaped = scan.escaped;
	if (closed)
		return hand_out(s, begin, (size_t)(at - begin), err) ? at : NULL;
	if (s->item.length + (size_t)(at - begin) > s->max_item_bytes) {
		stint_fail(err, STINT_FAILED, "an item of the server's list is larger than %zu bytes", s->max_item_bytes);
		return NULL;
	}
	stint_buf_add(&s->item, begin, (size_t)(at - begin));
	return at;
}

bool stint_splitter_feed(struct stint_splitter *s, const char *data, size_t length, struct stint_error **err)
{
	const char *end = data + length;
	for (const char *at = data; at && at < end;) {
		switch (s->place) {
		case AROUND: at = scan_around(s, at, end); break;
		case BETWEEN: at = scan_between(s, at, end, err); break;
		case INSIDE: at = scan_inside(s, at, end, err); break;
		}
		if (!at)
			return false;
		if (s->rest.length > MAX_REST_BYTES)
			return stint_fail(err, STINT_FAILED, "the server's answer is not a list");
	}
	return true;
}

struct stint_json *stint_splitter_finish(struct stint_splitter *s, struct stint_error **err)
{
	struct stint_json *rest = NULL;
	if (s->place == AROUND)
		rest = stint_json_parse(s->rest.data, s->rest.length, 0, err);
	else
		stint_fail(err, STINT_FAILED, "the server's list ends before its end");
	return rest;
}
