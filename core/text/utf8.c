/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. Bytes from outside that are none of it become U+FFFD,
 * one for each byte, as Go's decoders make of them.
 */
#include <stdint.h>
#include <string.h>

#include <stint/text.h>

size_t stint_utf8_length(const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */
	size_t more;
	if (length == 0)
		return 0;
	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] < 0xe0)
		more = 1;
	else if (at[0] >= 0xe0 && at[0] < 0xf0)
		more = 2;
	else if (at[0] >= 0xf0 && at[0] < 0xf5)
		more = 3;
	else
		return 0;
	if (more >= length)
		return 0;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return more + 1;
}

static size_t ascii_run(const char *text, size_t length)
{
	size_t at = 0;
	uint64_t word;
	for (; at + sizeof(word) <= length; at += sizeof(word)) {
		memcpy(&word, text + at, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (at < length && (unsigned char)text[at] < 0x80)
		at++;
	return at;
}

size_t stint_utf8_valid(const char *text, size_t length)
{
	for (size_t at = 0;;) {
		at += ascii_run(text + at, length - at);
		size_t step = stint_utf8_length(text + at, length - at);
		if (step == 0)
			return at;
		at += step;
	}
}

void stint_utf8_clean(struct stint_buf *out, const char *text, size_t length)
{
	for (;;) {
		size_t good = stint_utf8_valid(text, length);
		stint_buf_add(out, text, good);
		if (good == length)
			return;
		stint_buf_puts(out, "\xef\xbf\xbd");
		text += good + 1;
		length -= good + 1;
	}
}
