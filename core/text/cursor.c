/*
 * The cursor: JSON decoded in one pass over contiguous bytes, without a tree, without copies, without allocation. It keeps no stack:
 * the caller's own nesting of object and array loops is the stack. What is skipped is checked for its framing alone.
 * Cost: one look at each byte; a skipped string costs a memchr.
 */
#include <string.h>

#include <stint/text.h>

#include "core/text/scan.h"

static bool fail(struct stint_cursor *c, const char *what)
{
	if (!c->error)
		c->error = what;
	return false;
}

static inline bool blank(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

/* What an API server writes has no blanks: the first look is the last. */
static inline void skip_blanks(struct stint_cursor *c)
{
	while (c->at < c->end && blank(*c->at))
		c->at++;
}

/*
 * Passes bytes, eight at a time, that are plain in a string: no quote, no backslash, no control character. The lowest flag of each of the three
 * tests is exact (a borrow can only come from a byte that is flagged itself), so on little-endian machines it names the byte.
 */
static inline const char *skip_plain(const char *at, const char *end)
{
	const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
	while (end - at >= 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		const uint64_t quotes = word ^ ones * '"', slashes = word ^ ones * '\\';
		const uint64_t special =
			(((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes) | ((word - ones * 0x20) & ~word)) & highs;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		if (special)
			return at + __builtin_ctzll(special) / 8;
#else
		if (special)
			break;
#endif
		at += sizeof(word);
	}
	return at;
}

struct stint_cursor stint_cursor_over(const char *data, size_t length)
{
	return (struct stint_cursor){.start = data, .at = data, .end = data + length};
}

/* Stands on the first byte of a value, or fails. */
static bool at_value(struct stint_cursor *c)
{
	if (c->error)
		return false;
	skip_blanks(c);
	return c->at < c->end || fail(c, "the text ends where a value should begin");
}

enum stint_json_type stint_cursor_peek(struct stint_cursor *c)
{
	if (c->error)
		return STINT_JSON_NULL;
	skip_blanks(c);
	if (c->at >= c->end)
		return STINT_JSON_NULL;
	switch (*c->at) {
	case '{': return STINT_JSON_OBJECT;
	case '[': return STINT_JSON_ARRAY;
	case '"': return STINT_JSON_STRING;
	case 't':
	case 'f': return STINT_JSON_BOOL;
	case 'n': return STINT_JSON_NULL;
	default: return STINT_JSON_NUMBER;
	}
}

static bool enter(struct stint_cursor *c, char bracket, const char *otherwise)
{
	if (!at_value(c))
		return false;
	if (*c->at != bracket)
		return fail(c, otherwise);
	if (++c->depth > STINT_JSON_MAX_DEPTH)
		return fail(c, "nested too deeply");
	c->at++;
	c->first = true;
	return true;
}

bool stint_cursor_object(struct stint_cursor *c)
{
	return enter(c, '{', "an object was expected");
}

bool stint_cursor_array(struct stint_cursor *c)
{
	return enter(c, '[', "an array was expected");
}

/* Stands on the next member of a container; false at its end, which is consumed. */
static bool next_member(struct stint_cursor *c, char closing)
{
	if (c->error)
		return false;
	skip_blanks(c);
	if (c->at >= c->end)
		return fail(c, "the text ends within an object or array");
	if (*c->at == closing) {
		c->at++;
		c->depth--;
		c->first = false;
		return false;
	}
	if (!c->first) {
		if (*c->at != ',')
			return fail(c, "a comma or the end of the container was expected");
		c->at++;
		skip_blanks(c);
		if (c->at >= c->end || *c->at == closing)
			return fail(c, "a comma stands before the end of the container");
	}
	c->first = false;
	return true;
}

bool stint_cursor_key(struct stint_cursor *c, struct stint_slice *key)
{
	if (!next_member(c, '}') || !stint_cursor_string(c, key, NULL))
		return false;
	skip_blanks(c);
	if (c->at >= c->end || *c->at != ':')
		return fail(c, "a colon was expected after the key");
	c->at++;
	return true;
}

bool stint_cursor_item(struct stint_cursor *c)
{
	return next_member(c, ']');
}

bool stint_cursor_string(struct stint_cursor *c, struct stint_slice *text, bool *escaped)
{
	if (!at_value(c))
		return false;
	if (*c->at != '"')
		return fail(c, "a string was expected");
	const char *begin = c->at + 1, *at = skip_plain(begin, c->end);
	bool escapes = false;
	for (; at < c->end && *at != '"'; at++) {
		if (*at == '\\') {
			escapes = true;
			if (++at >= c->end)
				break;
		} else if ((unsigned char)*at < 0x20) {
			c->at = at;
			return fail(c, "a control character stands in a string");
		}
	}
	if (at >= c->end)
		return fail(c, "a string is not closed");
	*text = (struct stint_slice){begin, (size_t)(at - begin)};
	if (escaped)
		*escaped = escapes;
	c->at = at + 1;
	c->first = false;
	return true;
}

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

bool stint_cursor_number(struct stint_cursor *c, struct stint_slice *text)
{
	if (!at_value(c))
		return false;
	const char *at = c->at, *end = c->end;
	if (*at == '-')
		at++;
	const char *whole = at;
	at = skip_digits(at, end);
	if (at == whole)
		return fail(c, "a value was expected");
	if (*whole == '0' && at - whole > 1)
		return fail(c, "a number begins with 0");
	if (at < end && *at == '.') {
		const char *fraction = ++at;
		at = skip_digits(at, end);
		if (at == fraction)
			return fail(c, "a number ends with a point");
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		const char *exponent = at;
		at = skip_digits(at, end);
		if (at == exponent)
			return fail(c, "a number has an empty exponent");
	}
	*text = (struct stint_slice){c->at, (size_t)(at - c->at)};
	c->at = at;
	c->first = false;
	return true;
}

bool stint_cursor_int(struct stint_cursor *c, int64_t *out)
{
	struct stint_slice text;
	if (!stint_cursor_number(c, &text))
		return false;
	bool negative = text.data[0] == '-';
	int64_t value = 0;
	for (size_t i = negative; i < text.length; i++) {
		int digit = text.data[i] - '0';
		if (digit < 0 || digit > 9)
			return fail(c, "a whole number was expected");
		/* Counting below zero reaches the smallest number too. */
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value))
			return fail(c, "a number is too large");
	}
	if (!negative && value == INT64_MIN)
		return fail(c, "a number is too large");
	*out = negative ? value : -value;
	return true;
}

static bool literal(struct stint_cursor *c, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
		return false;
	c->at += length;
	c->first = false;
	return true;
}

bool stint_cursor_bool(struct stint_cursor *c, bool *out)
{
	if (!at_value(c))
		return false;
	if (!literal(c, "true") && !literal(c, "false"))
		return fail(c, "true or false was expected");
	*out = c->at[-2] == 'u'; /* tr[u]e, fal[s]e */
	return true;
}

bool stint_cursor_null(struct stint_cursor *c)
{
	if (c->error)
		return false;
	skip_blanks(c);
	return c->at < c->end && *c->at == 'n' && (literal(c, "null") || fail(c, "a value was expected"));
}

static bool skip_string(struct stint_cursor *c)
{
	const char *at = c->at + 1;
	for (;;) {
		at = at < c->end ? memchr(at, '"', (size_t)(c->end - at)) : NULL;
		if (!at)
			return fail(c, "a string is not closed");
		const char *slash = at;
		while (slash[-1] == '\\')
			slash--;
		at++;
		if ((at - 1 - slash) % 2 == 0)
			break;
	}
	c->at = at;
	return true;
}

static bool skip_container(struct stint_cursor *c)
{
	struct json_scan scan = {0};
	bool closed;
	c->at = json_scan_brackets(&scan, c->at, c->end, &closed);
	return closed || fail(c, "the text ends within an object or array");
}

bool stint_cursor_skip(struct stint_cursor *c)
{
	struct stint_slice number;
	if (!at_value(c))
		return false;
	bool done;
	switch (*c->at) {
	case '"': done = skip_string(c); break;
	case '{':
	case '[': done = skip_container(c); break;
	case 't': done = literal(c, "true") || fail(c, "a value was expected"); break;
	case 'f': done = literal(c, "false") || fail(c, "a value was expected"); break;
	case 'n': done = literal(c, "null") || fail(c, "a value was expected"); break;
	default: done = stint_cursor_number(c, &number); break;
	}
	c->first = false;
	return done;
}

bool stint_cursor_raw(struct stint_cursor *c, struct stint_slice *value)
{
	if (!at_value(c))
		return false;
	const char *begin = c->at;
	if (!stint_cursor_skip(c))
		return false;
	*value = (struct stint_slice){begin, (size_t)(c->at - begin)};
	return true;
}

bool stint_cursor_end(struct stint_cursor *c)
{
	if (c->error)
		return false;
	skip_blanks(c);
	return c->at == c->end || fail(c, "something stands after the value");
}

static bool hex4(const char *at, const char *end, unsigned int *out)
{
	if (end - at < 4)
		return false;
	unsigned int value = 0;
	for (int i = 0; i < 4; i++) {
		char digit = at[i];
		if (digit >= '0' && digit <= '9')
			value = value << 4 | (unsigned int)(digit - '0');
		else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
			value = value << 4 | (unsigned int)((digit | 0x20) - 'a' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

static char *put_utf8(char *out, unsigned int rune)
{
	if (rune < 0x80) {
		*out++ = (char)rune;
	} else if (rune < 0x800) {
		*out++ = (char)(0xc0 | rune >> 6);
		*out++ = (char)(0x80 | (rune & 0x3f));
	} else if (rune < 0x10000) {
		*out++ = (char)(0xe0 | rune >> 12);
		*out++ = (char)(0x80 | (rune >> 6 & 0x3f));
		*out++ = (char)(0x80 | (rune & 0x3f));
	} else {
		*out++ = (char)(0xf0 | rune >> 18);
		*out++ = (char)(0x80 | (rune >> 12 & 0x3f));
		*out++ = (char)(0x80 | (rune >> 6 & 0x3f));
		*out++ = (char)(0x80 | (rune & 0x3f));
	}
	return out;
}

/* \uXXXX at *at (behind the u). Lone surrogates and NUL, which no C string can hold, become U+FFFD. */
static bool take_rune(const char **at, const char *end, unsigned int *rune)
{
	if (!hex4(*at, end, rune))
		return false;
	*at += 4;
	if (*rune >= 0xd800 && *rune < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
		unsigned int low;
		if (!hex4(*at + 2, end, &low))
			return false;
		if (low >= 0xdc00 && low < 0xe000) {
			*rune = 0x10000 + ((*rune - 0xd800) << 10) + (low - 0xdc00);
			*at += 6;
			return true;
		}
	}
	if (*rune == 0 || (*rune >= 0xd800 && *rune < 0xe000))
		*rune = 0xfffd;
	return true;
}

size_t stint_unescape(struct stint_slice text, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = text.data, *end = text.data + text.length;
	char *begin = out;
	while (at < end) {
		if (*at != '\\') {
			*out++ = *at++;
			continue;
		}
		if (++at >= end)
			return SIZE_MAX;
		char escape = *at++;
		if (escape == 'u') {
			unsigned int rune;
			if (!take_rune(&at, end, &rune))
				return SIZE_MAX;
			out = put_utf8(out, rune);
			continue;
		}
		const char *found = memchr(from, escape, sizeof(from) - 1);
		if (!found)
			return SIZE_MAX;
		*out++ = to[found - from];
	}
	return (size_t)(out - begin);
}
