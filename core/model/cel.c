/*
 * cel: compiles the CEL expressions that device selectors use (resource.k8s.io/v1). There is no CEL library for C that a distribution
 * carries; this is the part of the language that selectors of devices are written in:
 *     device.driver, device.attributes["domain"].name, device.capacity["domain"].name, device.allowMultipleAllocations
 *     true, false, integers, texts, lists, quantity("10Gi"), semver("1.2.3"), has(...), cel.bind(name, value, expression)
 *     ! - && || ?: == != < <= > >= in, and the methods in the table below
 * Everything else (arithmetic, floating point, regular expressions, macros over lists) is refused with its place: a selector that is not
 * understood must give no device. Bounded: bytes, nodes, depth of nesting.
 */
#include "core/model/cel.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 1024, MOST_DEPTH = 64, MOST_VARIABLES = 16 };

struct variable {
	struct stint_slice name;
	uint16_t node;
};

struct parser {
	struct stint_cel *cel;
	const char *start, *at;
	const char *problem; /* the first one */
	const char *where;
	unsigned depth;
	struct variable variables[MOST_VARIABLES];
	size_t variables_count;
};

static const struct {
	const char *name;
	enum cel_method method;
	bool takes_one;
} methods[] = {
	{"startsWith", CEL_STARTS_WITH, true},
	{"endsWith", CEL_ENDS_WITH, true},
	{"contains", CEL_CONTAINS, true},
	{"lowerAscii", CEL_LOWER_ASCII, false},
	{"compareTo", CEL_COMPARE_TO, true},
	{"isGreaterThan", CEL_IS_GREATER_THAN, true},
	{"isLessThan", CEL_IS_LESS_THAN, true},
	{"major", CEL_MAJOR, false},
	{"minor", CEL_MINOR, false},
	{"patch", CEL_PATCH, false},
};

static uint16_t parse(struct parser *p);

/* ---- words ------------------------------------------------------------------------------------------------------------------------------- */

static uint16_t fail(struct parser *p, const char *problem)
{
	if (!p->problem) {
		p->problem = problem;
		p->where = p->at;
	}
	return 0;
}

static uint16_t add(struct parser *p, struct cel_node node)
{
	struct stint_cel *cel = p->cel;
	if (cel->count >= MOST_NODES) {
		free(node.text);
		return fail(p, "it is too long");
	}
	stint_grow(&cel->nodes, &cel->capacity, cel->count + 1, sizeof *cel->nodes);
	cel->nodes[cel->count] = node;
	return (uint16_t)cel->count++;
}

static void skip_space(struct parser *p)
{
	for (;;) {
		p->at += strspn(p->at, " \t\r\n");
		if (p->at[0] != '/' || p->at[1] != '/')
			return;
		p->at += strcspn(p->at, "\n");
	}
}

static bool take(struct parser *p, const char *token)
{
	skip_space(p);
	const size_t length = strlen(token);
	if (strncmp(p->at, token, length) != 0)
		return false;
	p->at += length;
	return true;
}

static bool need(struct parser *p, const char *token)
{
	if (take(p, token))
		return true;
	fail(p, *p->at ? "this is not expected here" : "it ends too early");
	return false;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct stint_slice take_name(struct parser *p)
{
	skip_space(p);
	const char *start = p->at;
	if (is_letter(*p->at)) {
		while (is_letter(*p->at) || is_digit(*p->at))
			p->at++;
	}
	return (struct stint_slice){start, (size_t)(p->at - start)};
}

static bool take_word(struct parser *p, const char *word)
{
	const char *start = p->at;
	const struct stint_slice name = take_name(p);
	if (stint_slice_is(name, word))
		return true;
	p->at = start;
	return false;
}

static int hex_digit(char c)
{
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Escapes of bytes and code points above 127 are left out: nobody names a device so. */
static char take_escape(struct parser *p)
{
	static const char escapes[] = "a\ab\bf\fn\nr\rt\tv\v\\\\\"\"''``??";
	const char c = *p->at;
	for (size_t i = 0; c && escapes[i]; i += 2) {
		if (escapes[i] == c) {
			p->at++;
			return escapes[i + 1];
		}
	}
	if (c == 'x' && hex_digit(p->at[1]) >= 0 && hex_digit(p->at[1]) < 8 && hex_digit(p->at[2]) >= 0) {
		const int value = 16 * hex_digit(p->at[1]) + hex_digit(p->at[2]);
		p->at += 3;
		if (value)
			return (char)value;
	}
	fail(p, "this escape is not understood");
	return ' ';
}

/* A text in quotes; NULL: problem. */
static char *take_text(struct parser *p)
{
	skip_space(p);
	const char quote = *p->at;
	if (quote != '"' && quote != '\'') {
		fail(p, "a text in quotes is expected here");
		return NULL;
	}
	if (p->at[1] == quote && p->at[2] == quote) {
		fail(p, "texts in triple quotes are not understood");
		return NULL;
	}
	stint_auto_buf text = {0};
	stint_buf_puts(&text, "");
	p->at++;
	while (*p->at != quote && !p->problem) {
		if (!*p->at || *p->at == '\n')
			fail(p, "the text does not end");
		else if (*p->at == '\\') {
			p->at++;
			stint_buf_putc(&text, take_escape(p));
		} else {
			stint_buf_putc(&text, *p->at++);
		}
	}
	if (p->problem)
		return NULL;
	p->at++;
	return stint_strdup(text.data ? text.data : "");
}

/* ---- values ------------------------------------------------------------------------------------------------------------------------------ */

static uint16_t parse_number(struct parser *p)
{
	const char *start = p->at;
	int64_t number = 0;
	if (p->at[0] == '0' && (p->at[1] == 'x' || p->at[1] == 'X'))
		return fail(p, "numbers in hexadecimal are not understood");
	while (is_digit(*p->at)) {
		if (number > (INT64_MAX - 9) / 10)
			return fail(p, "the number is too large");
		number = 10 * number + (*p->at++ - '0');
	}
	if (*p->at == '.' || is_letter(*p->at)) {
		p->at = start;
		return fail(p, "only whole numbers are understood");
	}
	return add(p, (struct cel_node){.kind = CEL_INT, .number = number});
}

static uint16_t parse_text(struct parser *p)
{
	char *text = take_text(p);
	return text ? add(p, (struct cel_node){.kind = CEL_TEXT, .text = text}) : 0;
}

static uint16_t parse_list(struct parser *p)
{
	uint16_t first = 0, last = 0;
	if (!take(p, "]")) {
		do {
			const uint16_t item = parse(p);
			if (!item)
				return 0;
			/* A node of its own, since an item may be shared with another list by a variable. */
			const uint16_t link = add(p, (struct cel_node){.kind = CEL_LIST, .op = 1, .a = item});
			if (!link)
				return 0;
			if (last)
				p->cel->nodes[last].next = link;
			else
				first = link;
			last = link;
		} while (take(p, ","));
		if (!need(p, "]"))
			return 0;
	}
	return add(p, (struct cel_node){.kind = CEL_LIST, .a = first});
}

static uint16_t parse_quantity(struct parser *p)
{
	int64_t milli;
	stint_autofree char *text = need(p, "(") ? take_text(p) : NULL;
	if (!text || !need(p, ")"))
		return 0;
	if (!stint_quantity_parse(stint_slice_of(text), STINT_UNIT_MILLI, &milli))
		return fail(p, "the text before this is no quantity");
	return add(p, (struct cel_node){.kind = CEL_QUANTITY, .number = milli});
}

static uint16_t parse_version(struct parser *p)
{
	int order;
	stint_autofree char *text = need(p, "(") ? take_text(p) : NULL;
	if (!text || !need(p, ")"))
		return 0;
	if (!cel_versions_compare(text, text, &order))
		return fail(p, "the text before this is no version");
	return add(p, (struct cel_node){.kind = CEL_VERSION, .text = stint_steal(&text)});
}

static uint16_t parse_has(struct parser *p)
{
	const uint16_t what = need(p, "(") ? parse(p) : 0;
	if (!what || !need(p, ")"))
		return 0;
	if (p->cel->nodes[what].kind != CEL_SELECT)
		return fail(p, "has() before this must name a field");
	return add(p, (struct cel_node){.kind = CEL_HAS, .a = what});
}

static uint16_t parse_bind(struct parser *p)
{
	if (!need(p, ".") || !take_word(p, "bind") || !need(p, "("))
		return fail(p, "of cel only cel.bind is understood");
	const struct stint_slice name = take_name(p);
	if (!name.length || !need(p, ","))
		return fail(p, "a name is expected here");
	const uint16_t value = parse(p);
	if (!value || !need(p, ","))
		return 0;
	if (p->variables_count == MOST_VARIABLES)
		return fail(p, "it has too many variables");
	p->variables[p->variables_count++] = (struct variable){name, value};
	const uint16_t result = parse(p);
	p->variables_count--;
	return result && need(p, ")") ? result : 0;
}

static uint16_t parse_device(struct parser *p)
{
	if (!need(p, "."))
		return 0;
	if (take_word(p, "driver"))
		return add(p, (struct cel_node){.kind = CEL_DRIVER});
	if (take_word(p, "attributes"))
		return add(p, (struct cel_node){.kind = CEL_ATTRIBUTES});
	if (take_word(p, "capacity"))
		return add(p, (struct cel_node){.kind = CEL_CAPACITY});
	/* Such devices are never offered here. */
	if (take_word(p, "allowMultipleAllocations"))
		return add(p, (struct cel_node){.kind = CEL_BOOL});
	return fail(p, "a device has driver, attributes and capacity");
}

static uint16_t parse_named(struct parser *p)
{
	const char *start = p->at;
	const struct stint_slice name = take_name(p);
	for (size_t i = p->variables_count; i > 0; i--) {
		const struct variable *variable = &p->variables[i - 1];
		if (variable->name.length == name.length && memcmp(variable->name.data, name.data, name.length) == 0)
			return variable->node;
	}
	if (stint_slice_is(name, "device"))
		return parse_device(p);
	if (stint_slice_is(name, "true") || stint_slice_is(name, "false"))
		return add(p, (struct cel_node){.kind = CEL_BOOL, .number = stint_slice_is(name, "true")});
	if (stint_slice_is(name, "quantity"))
		return parse_quantity(p);
	if (stint_slice_is(name, "semver"))
		return parse_version(p);
	if (stint_slice_is(name, "has"))
		return parse_has(p);
	if (stint_slice_is(name, "cel"))
		return parse_bind(p);
	p->at = start;
	return fail(p, "this name is not understood");
}

static uint16_t parse_primary(struct parser *p)
{
	skip_space(p);
	if (is_digit(*p->at))
		return parse_number(p);
	if (*p->at == '"' || *p->at == '\'')
		return parse_text(p);
	if (take(p, "[")) {
		return parse_list(p);
	}
	if (take(p, "(")) {
		const uint16_t inner = parse(p);
		return inner && need(p, ")") ? inner : 0;
	}
	if (is_letter(*p->at))
		return parse_named(p);
	return fail(p, *p->at ? "this is not expected here" : "it ends too early");
}

static uint16_t parse_call(struct parser *p, uint16_t target, struct stint_slice name)
{
	for (size_t i = 0; i < STINT_COUNT(methods); i++) {
		if (!stint_slice_is(name, methods[i].name))
			continue;
		const uint16_t argument = methods[i].takes_one ? parse(p) : 0;
		if ((methods[i].takes_one && !argument) || !need(p, ")"))
			return 0;
		return add(p, (struct cel_node){.kind = CEL_CALL, .op = (int)methods[i].method, .a = target, .b = argument});
	}
	p->at = name.data;
	return fail(p, "this function is not understood");
}

static uint16_t parse_member(struct parser *p)
{
	uint16_t node = parse_primary(p);
	while (node && !p->problem) {
		if (take(p, "[")) {
			const uint16_t key = parse(p);
			if (!key || !need(p, "]"))
				return 0;
			node = add(p, (struct cel_node){.kind = CEL_INDEX, .a = node, .b = key});
		} else if (take(p, ".")) {
			const struct stint_slice name = take_name(p);
			if (!name.length)
				return fail(p, "a name is expected here");
			if (take(p, "("))
				node = parse_call(p, node, name);
			else
				node = add(
					p, (struct cel_node){.kind = CEL_SELECT, .a = node, .text = stint_strndup(name.data, name.length)});
		} else {
			break;
		}
	}
	return p->problem ? 0 : node;
}

/* ---- operators ---------------------------------------------------------------------------------------------------------------------------- */

static uint16_t parse_unary(struct parser *p)
{
	if (++p->depth > MOST_DEPTH) {
		p->depth--;
		return fail(p, "it is nested too deeply");
	}
	uint16_t node;
	skip_space(p);
	if (*p->at == '!' && p->at[1] != '=') {
		p->at++;
		const uint16_t inner = parse_unary(p);
		node = inner ? add(p, (struct cel_node){.kind = CEL_NOT, .a = inner}) : 0;
	} else if (*p->at == '-') {
		p->at++;
		const uint16_t inner = parse_unary(p);
		node = inner ? add(p, (struct cel_node){.kind = CEL_NEGATE, .a = inner}) : 0;
	} else {
		node = parse_member(p);
	}
	p->depth--;
	return node;
}

static bool take_compare(struct parser *p, enum cel_op *op)
{
	static const struct {
		const char *token;
		enum cel_op op;
	} tokens[] = {{"==", CEL_EQUAL}, {"!=", CEL_UNEQUAL}, {"<=", CEL_LESS_EQUAL}, {">=", CEL_GREATER_EQUAL}, {"<", CEL_LESS},
		{">", CEL_GREATER}};
	for (size_t i = 0; i < STINT_COUNT(tokens); i++) {
		if (take(p, tokens[i].token)) {
			*op = tokens[i].op;
			return true;
		}
	}
	return false;
}

static uint16_t parse_relation(struct parser *p)
{
	uint16_t left = parse_unary(p);
	while (left && !p->problem) {
		enum cel_op op = CEL_EQUAL;
		const bool compare = take_compare(p, &op);
		if (!compare && !take_word(p, "in"))
			break;
		const uint16_t right = parse_unary(p);
		if (!right)
			return 0;
		left = add(p, (struct cel_node){.kind = compare ? CEL_COMPARE : CEL_IN, .op = (int)op, .a = left, .b = right});
	}
	return left;
}

static uint16_t parse_and(struct parser *p)
{
	uint16_t left = parse_relation(p);
	while (left && take(p, "&&")) {
		const uint16_t right = parse_relation(p);
		left = right ? add(p, (struct cel_node){.kind = CEL_AND, .a = left, .b = right}) : 0;
	}
	return left;
}

static uint16_t parse_or(struct parser *p)
{
	uint16_t left = parse_and(p);
	while (left && take(p, "||")) {
		const uint16_t right = parse_and(p);
		left = right ? add(p, (struct cel_node){.kind = CEL_OR, .a = left, .b = right}) : 0;
	}
	return left;
}

static uint16_t parse(struct parser *p)
{
	if (++p->depth > MOST_DEPTH) {
		p->depth--;
		return fail(p, "it is nested too deeply");
	}
	uint16_t node = parse_or(p);
	if (node && take(p, "?")) {
		const uint16_t yes = parse(p), no = yes && need(p, ":") ? parse(p) : 0;
		node = no ? add(p, (struct cel_node){.kind = CEL_CHOICE, .a = node, .b = yes, .c = no}) : 0;
	}
	p->depth--;
	return node;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------------------------- */

void stint_cel_free(struct stint_cel *cel)
{
	if (!cel)
		return;
	for (size_t i = 0; i < cel->count; i++)
		free(cel->nodes[i].text);
	free(cel->nodes);
	free(cel->source);
	free(cel);
}

const char *stint_cel_text(const struct stint_cel *cel)
{
	return cel->source;
}

struct stint_cel *stint_cel_compile(const char *expression, struct stint_error **err)
{
	if (strlen(expression) > STINT_CEL_MAX_BYTES) {
		stint_fail(err, STINT_USAGE, "the expression has more than %d bytes", STINT_CEL_MAX_BYTES);
		return NULL;
	}
	struct stint_cel *cel = stint_alloc(sizeof *cel);
	cel->source = stint_strdup(expression);
	struct parser p = {.cel = cel, .start = expression, .at = expression};
	add(&p, (struct cel_node){.kind = CEL_BOOL});
	cel->root = parse(&p);
	skip_space(&p);
	if (cel->root && *p.at)
		fail(&p, "this is not understood");
	if (!p.problem && cel->root)
		return cel;
	stint_fail(err, STINT_USAGE, "the expression is not understood at byte %zu (\"%.20s\"): %s",
		(size_t)((p.where ? p.where : p.at) - expression) + 1, p.where ? p.where : p.at, p.problem ? p.problem : "it is empty");
	stint_cel_free(cel);
	return NULL;
}
