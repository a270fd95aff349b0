/*
 * Patterns of CustomResourceDefinitions: written for Go's regexp (RE2), matched by this libc's extended POSIX expressions.
 *
 * One pass over the pattern writes the other one. What POSIX has no word for (\p{L}, flags other than a leading (?i)) is left unchecked, since
 * refusing a good value is worse than taking a bad one. A count of repetitions is bounded as Go bounds it. So is the size of all that libc would
 * write out, which copies what is repeated, groups with their contents: a short pattern could ask for gigabytes.
 */
#include "core/sandbox/schema/types.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REPEAT = 1000, MAX_SIZE = 20000, MAX_GROUPS = 60, CHARACTERS = 128 };

struct translation {
	const char *at;
	struct stint_buf *out;
	struct schema_pattern *pattern;
	const char *problem; /* once set, all ends */
	bool unknown; /* there is no POSIX form */
	int64_t size; /* atoms and groups so far, each counted as often as libc copies it */
	int depth;
};

static bool broken(struct translation *t, const char *problem)
{
	if (!t->problem)
		t->problem = problem;
	return false;
}

static bool unknown(struct translation *t)
{
	t->unknown = true;
	return false;
}

static void put_literal(struct translation *t, char c)
{
	if (c == ']' || c == '}')
		stint_buf_printf(t->out, "[%c]", c);
	else if (strchr("\\.[{()*+?^$|", c))
		stint_buf_printf(t->out, "\\%c", c);
	else
		stint_buf_putc(t->out, c);
}

/* ---- single characters and classes ------------------------------------------------------------------------------------------ */

static const char digits[] = "0123456789", word[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
		  space[] = "\t\n\f\r ";

/* The characters of \d, \w and \s; NULL for another letter. */
static const char *shorthand(char letter)
{
	switch (letter) {
	case 'd': return digits;
	case 'w': return word;
	case 's': return space;
	default: return NULL;
	}
}

/* The character that an escape stands for; at stands behind the backslash and is moved on. */
static bool read_escaped(struct translation *t, char *c)
{
	static const char letters[] = "afnrtv", meant[] = "\a\f\n\r\t\v";
	const char *letter = *t->at ? strchr(letters, *t->at) : NULL;
	if (letter) {
		*c = meant[letter - letters];
		t->at++;
		return true;
	}
	if (*t->at == 'x' && isxdigit((unsigned char)t->at[1]) && isxdigit((unsigned char)t->at[2])) {
		char text[] = {t->at[1], t->at[2], '\0'};
		long value = strtol(text, NULL, 16);
		t->at += 3;
		*c = (char)value;
		return (value > 0 && value < CHARACTERS) || unknown(t);
	}
	if (!*t->at)
		return broken(t, "trailing backslash at end of expression");
	if (strchr("pPQCx01234567", *t->at) || (unsigned char)*t->at >= CHARACTERS)
		return unknown(t);
	if (isalnum((unsigned char)*t->at))
		return broken(t, "invalid escape sequence");
	*c = *t->at++;
	return true;
}

/* As a bracket expression, whose special characters are so by their place alone. */
static void put_set(struct translation *t, const bool set[CHARACTERS], bool negated)
{
	size_t count = 0;
	for (int c = 1; c < CHARACTERS; c++)
		count += set[c];
	if (negated)
		t->pattern->ascii = true;
	if (count == 0 || (count == 1 && !negated && set['^'])) {
		if (count == 0)
			unknown(t);
		else
			put_literal(t, '^');
		return;
	}
	stint_buf_puts(t->out, negated ? "[^" : "[");
	if (set[']'])
		stint_buf_putc(t->out, ']');
	bool dash_first = set['^'] && set['-'] && count == 2;
	if (dash_first)
		stint_buf_putc(t->out, '-');
	for (int c = 1; c < CHARACTERS; c++)
		if (set[c] && !strchr("][^-", c))
			stint_buf_putc(t->out, (char)c);
	for (const char *c = "[^-"; *c; c++)
		if (set[(int)*c] && !(dash_first && *c == '-'))
			stint_buf_putc(t->out, *c);
	stint_buf_putc(t->out, ']');
}

static bool add_named(struct translation *t, bool set[CHARACTERS])
{
	static const struct {
		const char *name;
		int (*is)(int c);
	} names[] = {{"[:alnum:]", isalnum}, {"[:alpha:]", isalpha}, {"[:blank:]", isblank}, {"[:cntrl:]", iscntrl}, {"[:digit:]", isdigit},
		{"[:graph:]", isgraph}, {"[:lower:]", islower}, {"[:print:]", isprint}, {"[:punct:]", ispunct}, {"[:space:]", isspace},
		{"[:upper:]", isupper}, {"[:xdigit:]", isxdigit}};
	for (size_t i = 0; i < STINT_COUNT(names); i++) {
		if (!stint_starts_with(t->at, names[i].name))
			continue;
		for (int c = 1; c < CHARACTERS; c++)
			set[c] |= names[i].is(c) != 0;
		t->at += strlen(names[i].name);
		return true;
	}
	return unknown(t);
}

/* One character of a class, or a shorthand, which is added at once: *c is NUL then. */
static bool read_member(struct translation *t, bool set[CHARACTERS], char *c)
{
	*c = '\0';
	if ((unsigned char)*t->at >= CHARACTERS)
		return unknown(t);
	if (*t->at != '\\') {
		*c = *t->at++;
		return true;
	}
	t->at++;
	if (*t->at && strchr("DWS", *t->at))
		return unknown(t);
	const char *characters = shorthand(*t->at);
	if (!characters)
		return read_escaped(t, c);
	t->at++;
	for (; *characters; characters++)
		set[(int)*characters] = true;
	return true;
}

/* at stands behind the opening bracket. */
static bool class(struct translation *t)
{
	bool set[CHARACTERS] = {false}, negated = *t->at == '^', first = true;
	t->at += negated;
	for (; *t->at && (*t->at != ']' || first); first = false) {
		char low, high;
		if (stint_starts_with(t->at, "[:")) {
			if (!add_named(t, set))
				return false;
			continue;
		}
		if (!read_member(t, set, &low))
			return false;
		high = low;
		if (low && t->at[0] == '-' && t->at[1] && t->at[1] != ']') {
			t->at++;
			if (!read_member(t, set, &high))
				return false;
			if (high < low)
				return broken(t, "invalid character class range");
		}
		for (int c = (unsigned char)low; low && c <= (unsigned char)high && c < CHARACTERS; c++)
			set[c] = true;
	}
	if (*t->at != ']')
		return broken(t, "missing closing ]");
	t->at++;
	put_set(t, set, negated);
	return !t->unknown;
}

static bool escape(struct translation *t)
{
	char c;
	bool negated = *t->at && strchr("DWS", *t->at);
	const char *characters = shorthand((char)(negated ? tolower((unsigned char)*t->at) : *t->at));
	if (characters) {
		bool set[CHARACTERS] = {false};
		for (; *characters; characters++)
			set[(int)*characters] = true;
		t->at++;
		put_set(t, set, negated);
		return true;
	}
	static const char anchors[] = "AzbB";
	static const char *const meant[] = {"^", "$", "\\b", "\\B"};
	const char *anchor = *t->at ? strchr(anchors, *t->at) : NULL;
	if (anchor) {
		stint_buf_puts(t->out, meant[anchor - anchors]);
		t->at++;
		return true;
	}
	if (!read_escaped(t, &c))
		return false;
	put_literal(t, c);
	return true;
}

/* ---- repetitions, groups, alternatives -------------------------------------------------------------------------------------- */

static bool alternatives(struct translation *t, int64_t *largest);

/* {m}, {m,} or {m,n}; *length 0: the brace stands for itself. *most: the larger number. */
static bool read_braces(struct translation *t, size_t *length, int64_t *most)
{
	int64_t numbers[2] = {0, -1};
	const char *at = t->at + 1;
	*length = 0;
	for (size_t i = 0; i < STINT_COUNT(numbers); i++) {
		size_t digit_count = strspn(at, digits);
		stint_autofree char *text = stint_strndup(at, digit_count);
		if ((digit_count == 0 && i == 0) || (digit_count && !stint_parse_int(text, 0, INT32_MAX, &numbers[i])))
			return true;
		at += digit_count;
		if (i == 0 && *at != ',')
			break;
		at += i == 0;
	}
	if (*at != '}')
		return true;
	*length = (size_t)(at + 1 - t->at);
	*most = numbers[1] > numbers[0] ? numbers[1] : numbers[0];
	if (*most > MAX_REPEAT || (numbers[1] >= 0 && numbers[1] < numbers[0]))
		return broken(t, "invalid repeat count");
	return true;
}

/* What follows an atom. *largest: how often something within it is repeated at most; before: the size without the atom. */
static bool repetition(struct translation *t, int64_t before, int64_t *largest)
{
	size_t length = *t->at && strchr("*+?", *t->at) ? 1 : 0;
	int64_t most = 1;
	if (*t->at == '{' && !read_braces(t, &length, &most))
		return false;
	if (length == 0)
		return true;
	/* libc makes x+ xx*, and x{m,} m copies and one more for x* */
	const bool is_open = *t->at == '+' || (length > 1 && t->at[length - 2] == ',');
	if (most < 1)
		most = 1;
	t->size += (most + is_open - 1) * (t->size - before);
	stint_buf_add(t->out, t->at, length);
	t->at += length;
	t->at += *t->at == '?'; /* lazy: which match is found does not matter here */
	*largest *= most;
	if (*largest > MAX_REPEAT)
		return broken(t, "invalid repeat count");
	size_t again = 0;
	if (*t->at == '{' && !read_braces(t, &again, &most))
		return false;
	if (again || (*t->at && strchr("*+?", *t->at)))
		return broken(t, "invalid nested repetition operator");
	return true;
}

/* at stands behind the opening parenthesis. */
static bool group(struct translation *t, int64_t *largest)
{
	if (stint_starts_with(t->at, "?:")) {
		t->at += 2;
	} else if (stint_starts_with(t->at, "?P<") || stint_starts_with(t->at, "?<")) {
		const char *end = strchr(t->at, '>');
		if (!end)
			return broken(t, "invalid named capture");
		t->at = end + 1;
	} else if (*t->at == '?') {
		return unknown(t);
	}
	if (t->depth == MAX_GROUPS)
		return unknown(t);
	t->depth++;
	stint_buf_putc(t->out, '(');
	if (!alternatives(t, largest))
		return false;
	if (*t->at != ')')
		return broken(t, "missing closing )");
	t->at++;
	t->depth--;
	stint_buf_putc(t->out, ')');
	return true;
}

static bool atom(struct translation *t, int64_t *largest)
{
	size_t length = 0;
	int64_t most;
	if (*t->at == '{' && !read_braces(t, &length, &most))
		return false;
	if (strchr("*+?", *t->at) || length)
		return broken(t, "missing argument to repetition operator");
	if (*t->at == '(' || *t->at == '[' || *t->at == '\\') {
		char c = *t->at++;
		return c == '(' ? group(t, largest) : c == '[' ? class(t) : escape(t);
	}
	length = stint_utf8_length(t->at, strlen(t->at));
	if (length == 0)
		return broken(t, "invalid UTF-8");
	if (length > 1) /* a repetition is of all its bytes */
		stint_buf_printf(t->out, "(%.*s)", (int)length, t->at);
	else if (strchr(".^$", *t->at))
		stint_buf_putc(t->out, *t->at);
	else
		put_literal(t, *t->at);
	t->pattern->ascii |= *t->at == '.';
	t->at += length;
	return true;
}

static bool alternatives(struct translation *t, int64_t *largest)
{
	*largest = 1;
	for (; *t->at && *t->at != ')';) {
		const int64_t before = t->size;
		int64_t own = 1;
		if (*t->at == '|') {
			stint_buf_putc(t->out, *t->at++);
			continue;
		}
		if (!atom(t, &own))
			return false;
		t->size++;
		if (!repetition(t, before, &own))
			return false;
		if (own > *largest)
			*largest = own;
		if (t->size > MAX_SIZE)
			return unknown(t);
	}
	return true;
}

const char *schema_pattern_problem(const char *text, struct schema_pattern *pattern)
{
	stint_auto_buf posix = {0};
	struct translation t = {.at = text, .out = &posix, .pattern = pattern};
	int64_t largest;
	*pattern = (struct schema_pattern){0};
	if (stint_starts_with(t.at, "(?i)")) {
		pattern->folds = true;
		t.at += strlen("(?i)");
	}
	stint_buf_puts(&posix, "");
	if (alternatives(&t, &largest) && *t.at == ')')
		broken(&t, "unexpected )");
	if (!t.problem && !t.unknown)
		pattern->posix = stint_buf_steal(&posix);
	return t.problem;
}
