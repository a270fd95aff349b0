/*
 * Sending answers: header fields that all of them have, YAML for who asks for it, gzip for what is large.
 */
#include "rest.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
	GZIP_FROM_BYTES = 128 * 1024,
	GZIP_WINDOW = 15 + 16,
	MAX_WARNINGS_BYTES = 4096, /* of all warnings of an answer */
	CUT_WARNING_BYTES = 256, /* of each, when they are more */
};

/* ---- header fields --------------------------------------------------------------------------------------------------------------- */

static void add_header(struct rest_headers *headers, const char *name, char *value)
{
	/* The last pair stays NULL. */
	headers->pairs = stint_realloc(headers->pairs, (2 * headers->count + 4) * sizeof(char *));
	headers->texts = stint_realloc(headers->texts, (headers->count + 1) * sizeof(char *));
	headers->texts[headers->count] = value;
	headers->pairs[2 * headers->count] = name;
	headers->pairs[2 * headers->count + 1] = value;
	headers->count++;
	headers->pairs[2 * headers->count] = NULL;
}

static char *warning_text(const char *text, size_t length)
{
	stint_auto_buf out = {0};

	stint_buf_puts(&out, "299 - \"");
	for (const char *c = text; c < text + length; c++) {
		if (*c == '"' || *c == '\\')
			stint_buf_putc(&out, '\\');
		stint_buf_putc(&out, (unsigned char)*c < ' ' ? ' ' : *c);
	}
	stint_buf_putc(&out, '"');
	return stint_buf_steal(&out);
}

/* A client can provoke warnings as long as its body: what does not fit is cut, then left out, as a kube-apiserver does. */
static void add_warnings(const struct rest *rest, struct rest_headers *headers)
{
	size_t total = 0, sent = 0;

	stint_json_each(warning, rest->warnings)
		total += strlen(stint_json_string_or(warning, ""));
	stint_json_each(warning, rest->warnings) {
		const char *text = stint_json_string_or(warning, "");
		size_t length = strlen(text);

		if (total > MAX_WARNINGS_BYTES && length > CUT_WARNING_BYTES)
			length = stint_utf8_valid(text, CUT_WARNING_BYTES);
		sent += length;
		if (sent > MAX_WARNINGS_BYTES)
			return;
		add_header(headers, "Warning", warning_text(text, length));
	}
}

void rest_headers_make(const struct rest *rest, bool gzipped, struct rest_headers *headers)
{
	*headers = (struct rest_headers){0};
	add_header(headers, "Cache-Control", stint_strdup("no-cache, private"));
	if (gzipped) {
		add_header(headers, "Content-Encoding", stint_strdup("gzip"));
		add_header(headers, "Vary", stint_strdup("Accept-Encoding"));
	}
	if (rest->retry_after_s > 0)
		add_header(headers, "Retry-After", stint_format("%lld", (long long)rest->retry_after_s));
	add_warnings(rest, headers);
}

void rest_headers_free(struct rest_headers *headers)
{
	for (size_t i = 0; i < headers->count; i++)
		free(headers->texts[i]);
	free(headers->texts);
	free(headers->pairs);
}

/* ---- bodies ---------------------------------------------------------------------------------------------------------------------- */

bool rest_gzip(const char *data, size_t length, char **out, size_t *out_length)
{
	z_stream stream = {0};
	size_t bound;

	if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	bound = deflateBound(&stream, length);
	*out = stint_alloc(bound);
	stream.next_in = (z_const Bytef *)(uintptr_t)data;
	stream.avail_in = (uInt)length;
	stream.next_out = (Bytef *)*out;
	stream.avail_out = (uInt)bound;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
		deflateEnd(&stream);
		free(*out);
		return false;
	}
	*out_length = stream.total_out;
	deflateEnd(&stream);
	return true;
}

static void to_yaml(char **text, size_t *length)
{
	stint_auto_json *tree = stint_json_parse(*text, *length, 0, NULL);

	if (!tree)
		return;
	free(*text);
	*text = stint_yaml_print(tree);
	*length = strlen(*text);
}

void rest_reply_text(struct rest *rest, int code, const char *content_type, char *text, size_t length)
{
	struct rest_headers headers;
	struct stint_httpd_response response = {.status = code, .content_type = content_type ? content_type : "application/json"};
	bool gzipped = false;

	if (rest->form.yaml && !content_type) {
		to_yaml(&text, &length);
		response.content_type = "application/yaml";
	}
	if (rest->form.gzip && length >= GZIP_FROM_BYTES) {
		char *packed;
		size_t packed_length;

		gzipped = rest_gzip(text, length, &packed, &packed_length);
		if (gzipped) {
			free(text);
			text = packed;
			length = packed_length;
		}
	}
	rest_headers_make(rest, gzipped, &headers);
	response.headers = headers.pairs;
	stint_httpd_reply_take(rest->http, &response, text, length);
	rest_headers_free(&headers);
}

void rest_reply_json(struct rest *rest, int code, const struct stint_json *document)
{
	struct stint_buf text = {0};
	size_t length;

	stint_json_print_to(&text, document);
	stint_buf_putc(&text, '\n');
	/* A refusal may quote a path as it came, or a value that was cut within a character. */
	if (stint_utf8_valid(text.data, text.length) < text.length) {
		struct stint_buf clean = {0};

		stint_utf8_clean(&clean, text.data, text.length);
		stint_buf_free(&text);
		text = clean;
	}
	length = text.length;
	rest_reply_text(rest, code, NULL, stint_buf_steal(&text), length);
}

void rest_reply_status(struct rest *rest, struct stint_json *status)
{
	stint_auto_json *owned = status;

	rest->retry_after_s = stint_json_int_or(stint_json_at(status, "details", "retryAfterSeconds"), 0);
	rest_reply_json(rest, (int)stint_json_int_or(stint_json_get(status, "code"), 500), status);
}

void stint_api_reply_status(struct stint_httpd_request *request, struct stint_json *status)
{
	struct rest rest = {.http = request};

	rest_reply_status(&rest, status);
}
