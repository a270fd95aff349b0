/*
 * Quantities as text: the canonical form that an API server stores, comparison, sign. Also paths into an object.
 *
 * A quantity is held as a whole number of 10^-9 in 128 bits; values beyond 2^63 - 1 are cut to it and finer parts rounded away from
 * zero, as apimachinery's resource.Quantity does.
 */
#include "core/sandbox/schema/types.h"

#include <string.h>

enum quantity_format { QUANTITY_DECIMAL, QUANTITY_BINARY, QUANTITY_EXPONENT };

struct quantity {
	__int128 nano;
	enum quantity_format format;
};

static const __int128 NANO = 1000000000;
static const __int128 LARGEST = (__int128)INT64_MAX * 1000000000;

/* Scale as a power of 10, or of 2 for the binary suffixes. */
static bool parse_suffix(const char *text, enum quantity_format *format, int *power)
{
	static const char *const binary[] = {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
	static const struct {
		char suffix;
		int power;
	} decimal[] = {{'n', -9}, {'u', -6}, {'m', -3}, {'k', 3}, {'M', 6}, {'G', 9}, {'T', 12}, {'P', 15}, {'E', 18}};
	*format = QUANTITY_DECIMAL;
	*power = 0;
	if (!*text)
		return true;
	for (int i = 0; i < (int)STINT_COUNT(binary); i++) {
		if (strcmp(text, binary[i]) != 0)
			continue;
		*format = QUANTITY_BINARY;
		*power = (i + 1) * 10;
		return true;
	}
	for (size_t i = 0; i < STINT_COUNT(decimal) && !text[1]; i++) {
		if (text[0] != decimal[i].suffix)
			continue;
		*power = decimal[i].power;
		return true;
	}
	int64_t exponent;
	if ((text[0] != 'e' && text[0] != 'E') || !stint_parse_int(text[1] == '+' ? text + 2 : text + 1, -1000, 1000, &exponent))
		return false;
	*format = QUANTITY_EXPONENT;
	*power = (int)exponent;
	return true;
}

/* value / divisor, rounded away from zero; value is not negative. */
static __int128 divide_up(__int128 value, __int128 divisor)
{
	return (value + divisor - 1) / divisor;
}

static __int128 times(__int128 value, __int128 factor)
{
	return value > LARGEST / factor ? LARGEST : value * factor;
}

static bool quantity_parse(const char *text, struct quantity *out)
{
	bool negative = *text == '-';
	text += *text == '-' || *text == '+';
	__int128 digits = 0;
	int fraction = 0, seen = 0;
	bool point = false, rest = false;
	for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
		if (*text == '.') {
			point = true;
			continue;
		}
		seen++;
		if (digits >= LARGEST) { /* enough digits: what follows a point is only known to be something or nothing */
			rest |= point && *text != '0';
			if (!point)
				digits = times(digits, 10);
			continue;
		}
		digits = digits * 10 + (*text - '0');
		fraction += point;
	}
	int power;
	if (!seen || !parse_suffix(text, &out->format, &power))
		return false;
	digits += rest;
	if (out->format == QUANTITY_BINARY) {
		for (; power > 0; power--)
			digits = times(digits, 2);
		power = 0;
	}
	int shift = power - fraction + 9;
	for (; shift > 0 && digits > 0; shift--)
		digits = times(digits, 10);
	for (; shift < 0 && digits > 0; shift++)
		digits = divide_up(digits, 10);
	if (digits > LARGEST)
		digits = LARGEST;
	out->nano = negative ? -digits : digits;
	return true;
}

static void put_decimal(struct stint_buf *buf, __int128 value)
{
	char digits[48];
	size_t at = sizeof(digits);
	digits[--at] = 0;
	bool negative = value < 0;
	do {
		int digit = (int)(value % 10);
		digits[--at] = (char)('0' + (digit < 0 ? -digit : digit));
		value /= 10;
	} while (value != 0);
	if (negative)
		digits[--at] = '-';
	stint_buf_puts(buf, digits + at);
}

char *schema_quantity_canonical(const char *text)
{
	static const char *const binary[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
	static const char *const decimal[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
	struct quantity quantity;
	if (!quantity_parse(text, &quantity))
		return NULL;
	struct stint_buf out = {0};
	__int128 value = quantity.nano;
	if (value == 0)
		return stint_strdup("0");
	__int128 size = value < 0 ? -value : value;
	if (quantity.format == QUANTITY_BINARY && size >= 1024 * NANO && size % NANO == 0) {
		value /= NANO;
		size_t step = 0;
		for (; step + 1 < STINT_COUNT(binary) && value % 1024 == 0; step++)
			value /= 1024;
		put_decimal(&out, value);
		stint_buf_puts(&out, binary[step]);
		return stint_buf_steal(&out);
	}
	size_t step = 0;
	for (; step + 1 < STINT_COUNT(decimal) && value % 1000 == 0; step++)
		value /= 1000;
	put_decimal(&out, value);
	int exponent = (int)step * 3 - 9;
	if (quantity.format != QUANTITY_EXPONENT)
		stint_buf_puts(&out, decimal[step]);
	else if (exponent != 0)
		stint_buf_printf(&out, "e%d", exponent);
	return stint_buf_steal(&out);
}

int schema_quantity_compare(const char *a, const char *b)
{
	struct quantity left = {0}, right = {0};
	quantity_parse(a, &left);
	quantity_parse(b, &right);
	return (left.nano > right.nano) - (left.nano < right.nano);
}

int schema_quantity_sign(const char *text)
{
	return schema_quantity_compare(text, "0");
}

bool schema_quantity_whole(const char *text)
{
	struct quantity quantity = {0};
	return quantity_parse(text, &quantity) && quantity.nano % NANO == 0;
}

/* ---- paths ------------------------------------------------------------------------------------------------------------------ */

size_t schema_path_field(struct stint_buf *path, const char *name)
{
	size_t mark = path->length;
	if (mark)
		stint_buf_putc(path, '.');
	stint_buf_puts(path, name);
	return mark;
}

size_t schema_path_index(struct stint_buf *path, size_t index)
{
	size_t mark = path->length;
	stint_buf_printf(path, "[%zu]", index);
	return mark;
}

size_t schema_path_key(struct stint_buf *path, const char *key)
{
	size_t mark = path->length;
	stint_buf_printf(path, "[%s]", key);
	return mark;
}

void schema_path_pop(struct stint_buf *path, size_t mark)
{
	path->length = mark;
	if (path->data)
		path->data[mark] = 0;
}

bool schema_is_zero(const struct stint_json *value)
{
	double number;
	const char *text;
	switch (stint_json_type(value)) {
	case STINT_JSON_NULL: return true;
	case STINT_JSON_BOOL: return !stint_json_bool_or(value, true);
	case STINT_JSON_NUMBER: return stint_json_double(value, &number) && number == 0;
	case STINT_JSON_STRING: return (text = stint_json_string(value)) && !*text;
	default: return !stint_json_first(value);
	}
}
