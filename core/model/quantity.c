/*
 * Kubernetes quantities (apimachinery's resource.Quantity grammar): [sign] digits [. digits] suffix, where the suffix is one of
 * n u m "" k M G T P E, Ki Mi Gi Ti Pi Ei, or e/E with a decimal exponent. Exact arithmetic on 128 bits; what does not fit saturates.
 */
#include <stint/model.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct scale {
	const char *suffix;
	int ten; /* the factor is 10^ten * 2^two */
	int two;
};
static const struct scale scales[] = {
	{"", 0, 0},
	{"n", -9, 0},
	{"u", -6, 0},
	{"m", -3, 0},
	{"k", 3, 0},
	{"M", 6, 0},
	{"G", 9, 0},
	{"T", 12, 0},
	{"P", 15, 0},
	{"E", 18, 0},
	{"Ki", 0, 10},
	{"Mi", 0, 20},
	{"Gi", 0, 30},
	{"Ti", 0, 40},
	{"Pi", 0, 50},
	{"Ei", 0, 60},
};

typedef unsigned __int128 wide;
static const wide WIDE_MAX = ~(wide)0;

static wide multiply(wide value, unsigned factor)
{
	return value > WIDE_MAX / factor ? WIDE_MAX : value * factor;
}

/* Exponent part "e3", "E-2"; false when there is none or it is broken. An exponent beyond three digits is as good as endless. */
static bool read_exponent(struct stint_slice text, int *ten)
{
	if (text.length < 2 || (text.data[0] != 'e' && text.data[0] != 'E'))
		return false;
	size_t at = 1;
	const bool negative = text.data[at] == '-';
	if (negative || text.data[at] == '+')
		at++;
	if (at == text.length)
		return false;
	int value = 0;
	for (; at < text.length; at++) {
		if (!isdigit((unsigned char)text.data[at]))
			return false;
		if (value < 1000)
			value = value * 10 + (text.data[at] - '0');
	}
	*ten = negative ? -value : value;
	return true;
}

static bool read_suffix(struct stint_slice text, int *ten, int *two)
{
	for (size_t i = 0; i < STINT_COUNT(scales); i++) {
		if (stint_slice_is(text, scales[i].suffix)) {
			*ten = scales[i].ten;
			*two = scales[i].two;
			return true;
		}
	}
	*two = 0;
	return read_exponent(text, ten);
}

/* value * 10^ten * 2^two; parts lost by division make the result one larger (away from zero). */
static wide apply_scale(wide value, int ten, int two)
{
	bool lost = false;
	if (!value)
		return 0;
	for (; two > 0; two--)
		value = multiply(value, 2);
	for (; ten > 0 && value != WIDE_MAX; ten--)
		value = multiply(value, 10);
	for (; ten < 0 && value; ten++) {
		lost = lost || value % 10;
		value /= 10;
	}
	return value + (lost ? 1 : 0);
}

bool stint_quantity_parse(struct stint_slice text, enum stint_unit unit, int64_t *out)
{
	const char *at = text.data, *end = text.data + text.length;
	bool negative = false;
	if (at < end && (*at == '-' || *at == '+'))
		negative = *at++ == '-';
	wide value = 0;
	int ten = 0;
	bool digits = false, point = false, dropped = false;
	for (; at < end; at++) {
		if (*at == '.' && !point) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)*at))
			break;
		digits = true;
		/* 10^30 and more is saturated in any unit; finer than what 30 digits hold only rounds. */
		if (value < WIDE_MAX / 1000000000 / 10) {
			value = value * 10 + (unsigned)(*at - '0');
			ten -= point;
		} else {
			dropped = dropped || *at != '0';
			ten += !point;
		}
	}
	int suffix_ten, two;
	if (!digits || !read_suffix((struct stint_slice){at, (size_t)(end - at)}, &suffix_ten, &two))
		return false;
	wide result = apply_scale(value, ten + suffix_ten + (unit == STINT_UNIT_MILLI ? 3 : 0), two);
	if (dropped && result != WIDE_MAX && !result)
		result = 1;
	if (result > (wide)INT64_MAX)
		*out = negative ? INT64_MIN : INT64_MAX;
	else
		*out = negative ? -(int64_t)result : (int64_t)result;
	return true;
}

char *stint_quantity_format_milli(int64_t milli, char out[static STINT_QUANTITY_SIZE])
{
	if (milli % 1000)
		snprintf(out, STINT_QUANTITY_SIZE, "%lldm", (long long)milli);
	else
		snprintf(out, STINT_QUANTITY_SIZE, "%lld", (long long)(milli / 1000));
	return out;
}

char *stint_gpus_format(double gpus, char out[static STINT_QUANTITY_SIZE])
{
	snprintf(out, STINT_QUANTITY_SIZE, "%.3f", gpus > -0.0005 && gpus < 0 ? 0.0 : gpus);
	char *end = out + strlen(out);
	while (end[-1] == '0')
		*--end = '\0';
	if (end[-1] == '.')
		end[-1] = '\0';
	return out;
}

char *stint_quantity_format_bytes(int64_t bytes, char out[static STINT_QUANTITY_SIZE])
{
	static const char *const suffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
	size_t power = 0;
	while (bytes && bytes % 1024 == 0 && power + 1 < STINT_COUNT(suffixes)) {
		bytes /= 1024;
		power++;
	}
	snprintf(out, STINT_QUANTITY_SIZE, "%lld%s", (long long)bytes, suffixes[power]);
	return out;
}

char *stint_bytes_human(int64_t bytes, char out[static STINT_QUANTITY_SIZE])
{
	static const char *const suffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
	double value = (double)bytes;
	size_t power = 0;
	while ((value >= 1024 || value <= -1024) && power + 1 < STINT_COUNT(suffixes)) {
		value /= 1024;
		power++;
	}
	value = trunc(value * 10) / 10; /* towards zero: nobody asks for 80Gi where 79.98 are */
	int length = snprintf(out, STINT_QUANTITY_SIZE, "%.1f", value);
	if (stint_ends_with(out, ".0"))
		length -= 2;
	snprintf(out + length, STINT_QUANTITY_SIZE - (size_t)length, "%s", suffixes[power]);
	return out;
}

int64_t stint_add_saturated(int64_t a, int64_t b)
{
	int64_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}
