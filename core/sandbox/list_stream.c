/*
 * Sending a list: rendered object by object while the client reads, so that 30,000 pods cost their references and one buffer. Small lists
 * go out whole. gzip is done on the way for who accepts it.
 */
#include "rest_list.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { WHOLE_BYTES = 128 * 1024, GZIP_WINDOW = 15 + 16 };

/* The text of a list, made piece by piece. */
struct list_text {
	const struct stint_kind *kind;
	struct rest_form form;
	struct stint_store_list list;
	size_t left;
	bool tell_left;
	size_t at; /* next item */
	bool begun, ended;
	struct stint_buf piece;
	size_t sent; /* of the piece */
	z_stream deflate;
	bool zipped, flushed;
};

static void put_list_meta(struct list_text *text)
{
	struct stint_buf *out = &text->piece;

	stint_buf_printf(out, "\"metadata\":{\"resourceVersion\":\"%llu\"", (unsigned long long)text->list.version);
	if (text->left > 0 && text->list.count > 0) {
		stint_autofree char *token = rest_continue_make(text->list.version, text->list.items[text->list.count - 1]);

		stint_buf_printf(out, ",\"continue\":\"%s\"", token);
		if (text->tell_left)
			stint_buf_printf(out, ",\"remainingItemCount\":%zu", text->left);
	}
	stint_buf_putc(out, '}');
}

static void put_head(struct list_text *text)
{
	struct stint_buf *out = &text->piece;

	switch (text->form.as) {
	case REST_AS_TABLE: stint_buf_puts(out, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\","); break;
	case REST_AS_PARTIAL: stint_buf_puts(out, "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\","); break;
	default: stint_buf_printf(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", text->kind->list_kind, text->kind->api_version); break;
	}
	put_list_meta(text);
	if (text->form.as == REST_AS_TABLE) {
		stint_buf_putc(out, ',');
		rest_table_columns(out, text->kind);
		stint_buf_puts(out, ",\"rows\":[");
	} else {
		stint_buf_puts(out, ",\"items\":[");
	}
}

static void put_item(struct list_text *text, const struct stint_stored *item)
{
	struct stint_buf *out = &text->piece;

	if (text->at > 1)
		stint_buf_putc(out, ',');
	if (text->form.as == REST_AS_TABLE) {
		stint_auto_json *object = stint_form_read(text->kind, item);

		rest_table_row(out, text->kind, &text->form, object);
	} else if (text->form.as == REST_AS_OBJECT && text->kind == item->kind && !text->kind->custom) {
		/* Items of built-in kinds come without kind and apiVersion; they stand first in the stored bytes. */
		const char *from = item->metadata.data - strlen("\"metadata\":");

		stint_buf_putc(out, '{');
		stint_buf_add(out, from, (size_t)(item->data + item->length - from));
	} else {
		rest_render_stored(out, text->kind, &text->form, item, 0, false);
	}
}

/* False: all has been said. */
static bool next_piece(struct list_text *text)
{
	stint_buf_reset(&text->piece);
	text->sent = 0;
	if (!text->begun) {
		text->begun = true;
		put_head(text);
		return true;
	}
	if (text->at < text->list.count) {
		struct stint_stored *item = text->list.items[text->at++];

		put_item(text, item);
		return true;
	}
	if (text->ended)
		return false;
	text->ended = true;
	stint_buf_puts(&text->piece, "]}\n");
	return true;
}

static void free_text(void *user)
{
	struct list_text *text = user;

	stint_store_list_clear(&text->list);
	stint_buf_free(&text->piece);
	if (text->zipped)
		deflateEnd(&text->deflate);
	free(text);
}

static ssize_t read_plain(void *user, char *out, size_t room)
{
	struct list_text *text = user;
	size_t filled = 0;

	while (filled < room) {
		size_t rest = text->piece.length - text->sent, take = rest < room - filled ? rest : room - filled;

		if (rest == 0) {
			if (!next_piece(text))
				break;
			continue;
		}
		memcpy(out + filled, text->piece.data + text->sent, take);
		text->sent += take;
		filled += take;
	}
	return filled ? (ssize_t)filled : STINT_HTTPD_END;
}

static ssize_t read_zipped(void *user, char *out, size_t room)
{
	struct list_text *text = user;
	z_stream *stream = &text->deflate;

	stream->next_out = (Bytef *)out;
	stream->avail_out = (uInt)room;
	while (stream->avail_out > 0 && !text->flushed) {
		bool last = false;

		if (text->sent == text->piece.length)
			last = !next_piece(text);
		stream->next_in = (Bytef *)text->piece.data + text->sent;
		stream->avail_in = (uInt)(text->piece.length - text->sent);
		text->flushed = deflate(stream, last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
		text->sent = text->piece.length - stream->avail_in;
	}
	return stream->avail_out < room ? (ssize_t)(room - stream->avail_out) : STINT_HTTPD_END;
}

/* True when the bytes of the objects say that the list is better sent while it is made. */
static bool is_large(const struct stint_store_list *list)
{
	size_t bytes = 0;

	for (size_t i = 0; i < list->count && bytes < WHOLE_BYTES; i++)
		bytes += list->items[i]->length;
	return bytes >= WHOLE_BYTES;
}

static void send_whole(struct rest *rest, struct list_text *text)
{
	struct stint_buf all = {0};
	size_t length;

	while (next_piece(text))
		stint_buf_add(&all, text->piece.data, text->piece.length);
	free_text(text);
	length = all.length;
	rest_reply_text(rest, 200, NULL, stint_buf_steal(&all), length);
}

void rest_send_list(struct rest *rest, struct list_answer *answer)
{
	struct list_text *text = stint_alloc(sizeof(*text));
	struct stint_httpd_response response = {.status = 200, .content_type = "application/json"};
	struct rest_headers headers;

	text->kind = rest->route.kind;
	text->form = rest->form;
	text->list = answer->list;
	text->left = answer->left;
	text->tell_left = answer->tell_left;
	if (rest->form.yaml || !is_large(&text->list)) {
		send_whole(rest, text);
		return;
	}
	text->zipped =
		rest->form.gzip && deflateInit2(&text->deflate, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK;
	rest_headers_make(rest, text->zipped, &headers);
	response.headers = headers.pairs;
	stint_httpd_reply_stream(rest->http, &response,
		&(struct stint_httpd_source){
			.read = text->zipped ? read_zipped : read_plain, .close = free_text, .user = text, .length = -1});
	rest_headers_free(&headers);
}
