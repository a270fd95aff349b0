/*
 * Plain YAML scalars: null, booleans (also yes, no, on, off, y, n), whole numbers in four bases with underscores, floats; all else is text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/text/scalar.h"

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(text, *words) == 0)
			return true;
	}
	return false;
}

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const truths[] = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL};
static const char *const falsehoods[] = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL};

static int base_of(const char **digits)
{
	if (stint_starts_with(*digits, "0x"))
		return *digits += 2, 16;
	if (stint_starts_with(*digits, "0b"))
		return *digits += 2, 2;
	if (stint_starts_with(*digits, "0o"))
		return *digits += 2, 8;
	return **digits == '0' && (*digits)[1] ? 8 : 10;
}

static bool whole_number(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	const char *digits = text + (*text == '-' || *text == '+');
	if (*digits < '0' || *digits > '9')
		return false;
	int base = base_of(&digits);
	char *end;
	errno = 0;
	unsigned long long value = strtoull(digits, &end, base);
	if (errno != 0 || *end != '\0' || end == digits || *digits == '-' || *digits == '+' || value > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

struct stint_json *stint_scalar_resolve(const char *text)
{
	if (is_one_of(text, nulls))
		return stint_json_new_null();
	if (is_one_of(text, truths))
		return stint_json_new_bool(true);
	if (is_one_of(text, falsehoods))
		return stint_json_new_bool(false);
	stint_autofree char *packed = stint_strdup(text);
	if (strchr("+-.0123456789", text[0])) {
		char *to = packed;
		for (const char *from = text; *from; from++) {
			if (*from != '_')
				*to++ = *from;
		}
		*to = '\0';
		int64_t whole;
		double real;
		if (whole_number(packed, &whole))
			return stint_json_new_int(whole);
		/* A number needs a digit before the exponent; "1." and ".5" are numbers, "." and "-" are not. */
		if (packed[strcspn(packed, "0123456789")] != '\0' && stint_parse_double(packed, -1.7e308, 1.7e308, &real))
			return stint_json_new_double(real);
	}
	return stint_json_new_string(text);
}
