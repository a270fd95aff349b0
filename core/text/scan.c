/*
 * The bracket scanner. A block of 64 bytes becomes five sets of bits (quotes, backslashes, opening and closing brackets); quotes that are not
 * escaped cut the block into strings by a running exclusive or, and brackets outside of strings are counted. A block that cannot bring the
 * depth to zero costs no look at its single bytes. After Langdale and Lemire, "Parsing gigabytes of JSON per second" (2019), section 3.1.
 */
#include "core/text/scan.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };

struct bits {
	uint64_t quotes, slashes, open, close;
};

#ifdef __SSE2__
static uint64_t equal_bits(const __m128i v[4], char byte)
{
	const __m128i wanted = _mm_set1_epi8(byte);
	uint64_t bits = 0;
	for (int i = 0; i < 4; i++)
		bits |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], wanted)) << (16 * i);
	return bits;
}

static struct bits look(const char *at)
{
	__m128i v[4], folded[4];
	for (int i = 0; i < 4; i++) {
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(at + 16 * i));
		folded[i] = _mm_or_si128(v[i], _mm_set1_epi8(0x20)); /* '[' becomes '{' and ']' becomes '}' */
	}
	return (struct bits){equal_bits(v, '"'), equal_bits(v, '\\'), equal_bits(folded, '{'), equal_bits(folded, '}')};
}
#else
static struct bits look(const char *at)
{
	struct bits bits = {0};
	for (int i = 0; i < BLOCK; i++) {
		const char byte = at[i];
		bits.quotes |= (uint64_t)(byte == '"') << i;
		bits.slashes |= (uint64_t)(byte == '\\') << i;
		bits.open |= (uint64_t)((byte | 0x20) == '{') << i;
		bits.close |= (uint64_t)((byte | 0x20) == '}') << i;
	}
	return bits;
}
#endif

/* The bytes that a backslash before them takes; *carry: whether one hangs over the edge of the block. Escapes are rare: a loop over them. */
static uint64_t escaped_bits(uint64_t slashes, bool *carry)
{
	uint64_t escaped = *carry;
	slashes &= ~escaped;
	*carry = false;
	while (slashes) {
		const int at = __builtin_ctzll(slashes);
		slashes &= slashes - 1;
		if (at == BLOCK - 1) {
			*carry = true;
			break;
		}
		escaped |= UINT64_C(2) << at;
		slashes &= ~(UINT64_C(2) << at);
	}
	return escaped;
}

/* Bit i of the result: the exclusive or of bits 0 to i. */
static uint64_t running_xor(uint64_t bits)
{
	bits ^= bits << 1;
	bits ^= bits << 2;
	bits ^= bits << 4;
	bits ^= bits << 8;
	bits ^= bits << 16;
	return bits ^ bits << 32;
}

/* The instruction for it is younger than the machines that we run on, and libgcc's stand-in is a call. */
static int count_bits(uint64_t bits)
{
	bits -= bits >> 1 & 0x5555555555555555u;
	bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (int)(bits * 0x0101010101010101u >> 56);
}

/* Which bit closes the value; BLOCK when none does. */
static int closing_bit(struct json_scan *scan, uint64_t open, uint64_t close)
{
	if (count_bits(close) < scan->depth) {
		scan->depth += count_bits(open) - count_bits(close);
		return BLOCK;
	}
	for (uint64_t both = open | close; both; both &= both - 1) {
		const uint64_t bit = both & -both;
		if (open & bit)
			scan->depth++;
		else if (--scan->depth == 0)
			return __builtin_ctzll(bit);
	}
	return BLOCK;
}

static const char *scan_bytes(struct json_scan *scan, const char *at, const char *end, bool *closed)
{
	while (at < end) {
		const char byte = *at++;
		if (scan->escaped) {
			scan->escaped = false;
		} else if (scan->in_string) {
			scan->escaped = byte == '\\';
			scan->in_string = byte != '"';
		} else if (byte == '"') {
			scan->in_string = true;
		} else if ((byte | 0x20) == '{') {
			scan->depth++;
		} else if ((byte | 0x20) == '}' && --scan->depth == 0) {
			*closed = true;
			return at;
		}
	}
	return at;
}

const char *json_scan_brackets(struct json_scan *scan, const char *at, const char *end, bool *closed)
{
	*closed = false;
	while (end - at >= BLOCK) {
		const struct bits bits = look(at);
		const uint64_t escaped = scan->escaped || bits.slashes ? escaped_bits(bits.slashes, &scan->escaped) : 0;
		const uint64_t strings = running_xor(bits.quotes & ~escaped) ^ (scan->in_string ? UINT64_MAX : 0);
		const int bit = closing_bit(scan, bits.open & ~strings, bits.close & ~strings);
		if (bit < BLOCK) {
			scan->in_string = scan->escaped = false;
			*closed = true;
			return at + bit + 1;
		}
		scan->in_string = strings >> (BLOCK - 1);
		at += BLOCK;
	}
	return scan_bytes(scan, at, end, closed);
}
