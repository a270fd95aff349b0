/*
 * Text: slices, the growing buffer, splitting and strict numbers. Buffers keep a NUL after their bytes, so that they can be given
 * to anything that wants a C string.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stint/base.h>

struct stint_slice stint_slice_of(const char *text)
{
	return (struct stint_slice){text, text ? strlen(text) : 0};
}

bool stint_slice_is(struct stint_slice slice, const char *text)
{
	return strlen(text) == slice.length && (slice.length == 0 || memcmp(slice.data, text, slice.length) == 0);
}

bool stint_slice_equal(struct stint_slice a, struct stint_slice b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

char *stint_slice_dup(struct stint_slice slice)
{
	return stint_strndup(slice.data, slice.length);
}

static void reserve(struct stint_buf *buf, size_t more)
{
	if (more > SIZE_MAX - buf->length - 1)
		abort();
	stint_grow(&buf->data, &buf->capacity, buf->length + more + 1, 1);
}

void stint_buf_add(struct stint_buf *buf, const void *data, size_t length)
{
	reserve(buf, length);
	if (length > 0)
		memcpy(buf->data + buf->length, data, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
}

void stint_buf_puts(struct stint_buf *buf, const char *text)
{
	stint_buf_add(buf, text, strlen(text));
}

void stint_buf_putc(struct stint_buf *buf, char c)
{
	stint_buf_add(buf, &c, 1);
}

void stint_buf_printf(struct stint_buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *text = stint_vformat(format, args);
	va_end(args);
	stint_buf_puts(buf, text);
}

void stint_buf_consume(struct stint_buf *buf, size_t length)
{
	if (length >= buf->length) {
		stint_buf_reset(buf);
		return;
	}
	memmove(buf->data, buf->data + length, buf->length - length + 1);
	buf->length -= length;
}

void stint_buf_reset(struct stint_buf *buf)
{
	buf->length = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void stint_buf_free(struct stint_buf *buf)
{
	free(buf->data);
	*buf = (struct stint_buf){0};
}

char *stint_buf_steal(struct stint_buf *buf)
{
	char *data = buf->data ? buf->data : stint_strdup("");
	*buf = (struct stint_buf){0};
	return data;
}

bool stint_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool stint_ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);
	return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

void stint_sanitize(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		if ((*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f)
			*at = '?';
		else if (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f) /* C1 controls in UTF-8 */
			*at = at[1] = '?';
	}
}

char **stint_split(const char *text, const char *separators)
{
	char **words = NULL;
	size_t capacity = 0, count = 0;
	for (const char *at = text; at && *at;) {
		at += strspn(at, separators);
		size_t length = strcspn(at, separators);
		if (length == 0)
			break;
		stint_grow(&words, &capacity, count + 2, sizeof(*words));
		words[count++] = stint_strndup(at, length);
		at += length;
	}
	stint_grow(&words, &capacity, count + 1, sizeof(*words));
	words[count] = NULL;
	return words;
}

void stint_strings_free(char **strings)
{
	for (char **at = strings; at && *at; at++)
		free(*at);
	free(strings);
}

bool stint_parse_int(const char *text, int64_t low, int64_t high, int64_t *out)
{
	if (!text || !(isdigit((unsigned char)*text) || (*text == '-' && isdigit((unsigned char)text[1]))))
		return false;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < low || value > high)
		return false;
	*out = value;
	return true;
}

bool stint_parse_double(const char *text, double low, double high, double *out)
{
	if (!text || text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
		return false;
	char *end;
	errno = 0;
	double value = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !isfinite(value) || value < low || value > high)
		return false;
	*out = value;
	return true;
}
