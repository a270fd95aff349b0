/*
 * websocket: the opening handshake of RFC 6455, client side (frames are wslay's matter). Pure and bounded: a header of at most 32 KiB, the
 * body of a refusal of at most 64 KiB. A refusal is ordinary HTTP: its body, a Status object as a rule, comes with a length, in chunks, or
 * up to the end of the connection.
 */
#include "core/kube/websocket.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char accept_guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, section 1.3 */

void kube_websocket_key(char out[static KUBE_WEBSOCKET_KEY_SIZE])
{
	unsigned char nonce[16];
	stint_random_bytes(nonce, sizeof(nonce));
	stint_autofree char *encoded = stint_base64_encode(nonce, sizeof(nonce));
	memcpy(out, encoded, KUBE_WEBSOCKET_KEY_SIZE);
}

char *kube_websocket_accept(const char *key)
{
	stint_autofree char *text = stint_format("%s%s", key, accept_guid);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	if (EVP_Digest(text, strlen(text), digest, &length, EVP_sha1(), NULL) != 1) {
		return stint_strdup(""); /* a libcrypto without SHA-1: then no answer is accepted */
	}
	return stint_base64_encode(digest, length);
}

/* The value of a header (first occurrence), trimmed; NULL without it. head is NUL-terminated and begins at the first header. */
static char *header_value(const char *head, const char *name)
{
	size_t name_length = strlen(name);
	for (const char *line = head; line && *line; line = strstr(line, "\r\n") ? strstr(line, "\r\n") + 2 : NULL) {
		if (strncasecmp(line, name, name_length) != 0 || line[name_length] != ':') {
			continue;
		}
		const char *value = line + name_length + 1;
		value += strspn(value, " \t");
		size_t length = strcspn(value, "\r\n");
		while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t')) {
			length--;
		}
		return stint_strndup(value, length);
	}
	return NULL;
}

/* Whether a comma list has the token, without regard to case. */
static bool has_token(const char *list, const char *token)
{
	char **words = list ? stint_split(list, ", \t") : NULL;
	bool found = false;
	for (char **word = words; word && *word; word++) {
		found = found || strcasecmp(*word, token) == 0;
	}
	stint_strings_free(words);
	return found;
}

static bool check_upgrade(const char *head, const char *key, struct stint_error **err)
{
	stint_autofree char *upgrade = header_value(head, "Upgrade");
	stint_autofree char *connection = header_value(head, "Connection");
	stint_autofree char *accept = header_value(head, "Sec-WebSocket-Accept");
	stint_autofree char *extensions = header_value(head, "Sec-WebSocket-Extensions");
	stint_autofree char *expected = kube_websocket_accept(key);
	if (!has_token(upgrade, "websocket") || !has_token(connection, "upgrade")) {
		return stint_fail(err, STINT_UNREACHABLE, "the server switched to something else than WebSocket");
	}
	if (!accept || expected[0] == '\0' || strcmp(accept, expected) != 0) {
		return stint_fail(
			err, STINT_UNREACHABLE, "the server's Sec-WebSocket-Accept is wrong: something between answers in its place");
	}
	if (extensions && extensions[0]) {
		return stint_fail(err, STINT_UNREACHABLE, "the server uses a WebSocket extension that nobody asked for");
	}
	return true;
}

/* The chunks of a body put together, as far as they are there. *complete: the last one has come. */
static char *join_chunks(const char *data, size_t length, bool *complete)
{
	struct stint_buf out = {0};
	const char *end = data + length;
	*complete = false;
	while (data < end) {
		const char *line_end = memmem(data, (size_t)(end - data), "\r\n", 2);
		char *digits_end = NULL;
		unsigned long size = line_end ? strtoul(data, &digits_end, 16) : 0;
		if (!line_end || digits_end == data || size > KUBE_WEBSOCKET_MAX_BODY_BYTES) {
			break;
		}
		data = line_end + 2;
		if (size == 0) {
			*complete = true;
			break;
		}
		if ((size_t)(end - data) < size + 2) {
			break;
		}
		stint_buf_add(&out, data, size);
		data += size + 2;
	}
	return stint_buf_steal(&out);
}

static enum kube_websocket_parse parse_refusal(
	const char *head, const char *body, size_t length, bool at_end, struct kube_websocket_answer *out)
{
	stint_autofree char *length_text = header_value(head, "Content-Length");
	stint_autofree char *encoding = header_value(head, "Transfer-Encoding");
	int64_t wanted = 0;
	bool complete = at_end || length >= KUBE_WEBSOCKET_MAX_BODY_BYTES;
	if (has_token(encoding, "chunked")) {
		bool last;
		out->body = join_chunks(body, length, &last);
		complete = complete || last;
	} else if (length_text && stint_parse_int(length_text, 0, INT64_MAX, &wanted)) {
		complete = complete || length >= (uint64_t)wanted;
		out->body = stint_strndup(body, length < (uint64_t)wanted ? length : (size_t)wanted);
	} else {
		out->body = stint_strndup(body, length);
	}
	if (!complete) {
		kube_websocket_answer_free(out);
		return KUBE_WEBSOCKET_MORE;
	}
	return KUBE_WEBSOCKET_DONE;
}

enum kube_websocket_parse kube_websocket_parse(
	const char *data, size_t length, bool at_end, const char *key, struct kube_websocket_answer *out, struct stint_error **err)
{
	const char *blank = memmem(data, length, "\r\n\r\n", 4);
	int64_t status = 0;
	if (!blank) {
		if (length <= KUBE_WEBSOCKET_MAX_HEADER_BYTES && !at_end) {
			return KUBE_WEBSOCKET_MORE;
		}
		stint_fail(err, STINT_UNREACHABLE, "the server %s instead of answering the upgrade to WebSocket",
			at_end ? "closed the connection" : "sent a header without end");
		return KUBE_WEBSOCKET_BAD;
	}
	stint_autofree char *head = stint_strndup(data, (size_t)(blank - data) + 2);
	const char *first_end = strstr(head, "\r\n");
	stint_autofree char *digits =
		first_end && stint_starts_with(head, "HTTP/1.") && strlen(head) > 12 ? stint_strndup(head + 9, 3) : NULL;
	if (!digits || !stint_parse_int(digits, 100, 999, &status)) {
		stint_fail(err, STINT_UNREACHABLE, "the server's answer to the upgrade is not HTTP/1.1");
		return KUBE_WEBSOCKET_BAD;
	}
	out->status = (int)status;
	out->consumed = (size_t)(blank - data) + 4;
	if (status != 101) {
		return parse_refusal(first_end + 2, blank + 4, length - out->consumed, at_end, out);
	}
	if (!check_upgrade(first_end + 2, key, err)) {
		return KUBE_WEBSOCKET_BAD;
	}
	out->protocol = header_value(first_end + 2, "Sec-WebSocket-Protocol");
	return KUBE_WEBSOCKET_DONE;
}

void kube_websocket_answer_free(struct kube_websocket_answer *answer)
{
	free(answer->protocol);
	free(answer->body);
	*answer = (struct kube_websocket_answer){0};
}
