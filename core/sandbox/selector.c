/*
 * Label selectors: the grammar of labels.Parse, the metav1.LabelSelector object, and matching against the raw labels of a stored object.
 * Field selectors and the fields that each kind offers are in selector_fields.c; both kinds of terms end up in one list of requirements.
 */
#include "selector_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REQUIREMENTS = 1000, MAX_NAME = 63, MAX_PREFIX = 253 };

struct requirement *stint_selector_add(struct stint_selector *selector, enum match_operator how, struct stint_slice key)
{
	struct requirement *added;

	stint_grow(&selector->requirements, &selector->capacity, selector->count + 1, sizeof(selector->requirements[0]));
	added = &selector->requirements[selector->count++];
	*added = (struct requirement){.how = how, .key = stint_slice_dup(key), .field = NO_FIELD};
	return added;
}

void stint_requirement_value(struct requirement *requirement, struct stint_slice value)
{
	stint_grow(&requirement->values, &requirement->value_capacity, requirement->value_count + 1, sizeof(requirement->values[0]));
	requirement->values[requirement->value_count++] = stint_slice_dup(value);
}

void stint_selector_free(struct stint_selector *selector)
{
	if (!selector)
		return;
	for (size_t i = 0; i < selector->count; i++) {
		for (size_t v = 0; v < selector->requirements[i].value_count; v++)
			free(selector->requirements[i].values[v]);
		free(selector->requirements[i].values);
		free(selector->requirements[i].key);
	}
	free(selector->requirements);
	free(selector);
}

void stint_selector_clear(struct stint_selector **selector)
{
	stint_selector_free(*selector);
	*selector = NULL;
}

/* ---- names ----------------------------------------------------------------------------------------------------------------- */

/* [A-Za-z0-9] at both ends, [-A-Za-z0-9_.] between. */
static bool is_label_word(struct stint_slice text)
{
	if (text.length == 0 || text.length > MAX_NAME)
		return false;
	if (!isalnum((unsigned char)text.data[0]) || !isalnum((unsigned char)text.data[text.length - 1]))
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (!isalnum((unsigned char)text.data[i]) && text.data[i] != '-' && text.data[i] != '_' && text.data[i] != '.')
			return false;
	}
	return true;
}

static bool is_subdomain(struct stint_slice text)
{
	bool edge = true; /* the next character begins a part */

	if (text.length == 0 || text.length > MAX_PREFIX)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c == '.' || c == '-') {
			if (edge || (c == '.' && text.data[i - 1] == '-'))
				return false;
			edge = c == '.';
			continue;
		}
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
			return false;
		edge = false;
	}
	return !edge && text.data[text.length - 1] != '-';
}

static bool is_label_key(struct stint_slice key)
{
	const char *slash = key.length ? memchr(key.data, '/', key.length) : NULL;
	size_t prefix = slash ? (size_t)(slash - key.data) : 0;

	if (!slash)
		return is_label_word(key);
	return is_subdomain((struct stint_slice){key.data, prefix}) &&
		is_label_word((struct stint_slice){slash + 1, key.length - prefix - 1});
}

/* ---- the grammar -------------------------------------------------------------------------------------------------------------- */

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_SIGN };

struct token {
	enum token_kind kind;
	struct stint_slice text;
};

struct parser {
	const char *at;
	struct token token; /* the one looked at */
	char *problem;
};

static bool is_sign(char c)
{
	return c && strchr("=!<>(),", c) != NULL;
}

static void advance(struct parser *parser)
{
	const char *start;

	while (*parser->at && strchr(" \t\r\n", *parser->at))
		parser->at++;
	start = parser->at;
	if (!*start) {
		parser->token = (struct token){TOKEN_END, {start, 0}};
	} else if (is_sign(*start)) {
		parser->at += (start[0] == '=' || start[0] == '!') && start[1] == '=' ? 2 : 1;
		parser->token = (struct token){TOKEN_SIGN, {start, (size_t)(parser->at - start)}};
	} else {
		while (*parser->at && !is_sign(*parser->at) && !strchr(" \t\r\n", *parser->at))
			parser->at++;
		parser->token = (struct token){TOKEN_WORD, {start, (size_t)(parser->at - start)}};
	}
}

static bool at_sign(const struct parser *parser, const char *sign)
{
	return parser->token.kind == TOKEN_SIGN && stint_slice_is(parser->token.text, sign);
}

static bool at_word(const struct parser *parser, const char *word)
{
	return parser->token.kind == TOKEN_WORD && stint_slice_is(parser->token.text, word);
}

static bool unexpected(struct parser *parser, const char *expected)
{
	if (!parser->problem)
		parser->problem =
			stint_format("found '%.*s', expected: %s", (int)parser->token.text.length, parser->token.text.data, expected);
	return false;
}

static bool take_value(struct parser *parser, struct requirement *requirement, struct stint_slice value)
{
	if (value.length > 0 && !is_label_word(value)) {
		parser->problem =
			stint_format("values[%zu][%s]: Invalid value: \"%.*s\": a valid label must be an empty string or consist of "
				     "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
				requirement->value_count, requirement->key, (int)value.length, value.data);
		return false;
	}
	stint_requirement_value(requirement, value);
	return true;
}

/* (a, b,) : an empty place is the empty value. */
static bool parse_set(struct parser *parser, struct requirement *requirement)
{
	if (!at_sign(parser, "("))
		return unexpected(parser, "'('");
	advance(parser);
	for (;;) {
		struct stint_slice value = {parser->at, 0};

		if (parser->token.kind == TOKEN_WORD) {
			value = parser->token.text;
			advance(parser);
		}
		if (!at_sign(parser, ",") && !at_sign(parser, ")"))
			return unexpected(parser, "',' or ')'");
		if (!take_value(parser, requirement, value))
			return false;
		if (at_sign(parser, ")"))
			break;
		advance(parser);
	}
	advance(parser);
	return true;
}

static bool parse_exact(struct parser *parser, struct requirement *requirement)
{
	struct stint_slice value = {parser->at, 0};

	if (parser->token.kind == TOKEN_WORD) {
		value = parser->token.text;
		advance(parser);
	} else if (parser->token.kind != TOKEN_END && !at_sign(parser, ",")) {
		return unexpected(parser, "identifier");
	}
	return take_value(parser, requirement, value);
}

static bool parse_compared(struct parser *parser, struct requirement *requirement)
{
	int64_t number;

	if (!parse_exact(parser, requirement))
		return false;
	if (stint_parse_int(requirement->values[0], INT64_MIN, INT64_MAX, &number))
		return true;
	parser->problem = stint_format(
		"values[0]: Invalid value: \"%s\": for 'Gt', 'Lt' operators, the value must be an integer", requirement->values[0]);
	return false;
}

static bool parse_requirement(struct parser *parser, struct stint_selector *selector)
{
	static const struct {
		const char *sign;
		enum match_operator how;
		bool (*values)(struct parser *parser, struct requirement *requirement);
	} operators[] = {
		{"=", MATCH_IN, parse_exact},
		{"==", MATCH_IN, parse_exact},
		{"!=", MATCH_NOT_IN, parse_exact},
		{"in", MATCH_IN, parse_set},
		{"notin", MATCH_NOT_IN, parse_set},
		{">", MATCH_GREATER, parse_compared},
		{"<", MATCH_LESS, parse_compared},
	};
	struct stint_slice key;
	bool absent = at_sign(parser, "!");

	if (absent)
		advance(parser);
	if (parser->token.kind != TOKEN_WORD)
		return unexpected(parser, absent ? "identifier" : "!, identifier");
	key = parser->token.text;
	if (!is_label_key(key)) {
		parser->problem =
			stint_format("<nil>: Invalid value: \"%.*s\": name part must consist of alphanumeric characters, '-', '_' or '.', "
				     "and must start and end with an alphanumeric character",
				(int)key.length, key.data);
		return false;
	}
	advance(parser);
	if (absent || parser->token.kind == TOKEN_END || at_sign(parser, ",")) {
		stint_selector_add(selector, absent ? MATCH_ABSENT : MATCH_EXISTS, key);
		return true;
	}
	for (size_t i = 0; i < STINT_COUNT(operators); i++) {
		if (!at_sign(parser, operators[i].sign) && !at_word(parser, operators[i].sign))
			continue;
		advance(parser);
		return operators[i].values(parser, stint_selector_add(selector, operators[i].how, key));
	}
	return unexpected(parser, "in, notin, =, ==, !=, gt, lt");
}

/* The list of requirements; what is wrong with one of them is told as such. */
char *stint_selector_parse_labels(struct stint_selector *selector, const char *text)
{
	struct parser parser = {.at = text};

	advance(&parser);
	while (parser.token.kind != TOKEN_END) {
		if (parser.token.kind != TOKEN_WORD && !at_sign(&parser, "!")) {
			unexpected(&parser, selector->count ? "identifier after ','" : "!, identifier, or 'end of string'");
			break;
		}
		if (selector->count >= MAX_REQUIREMENTS)
			return stint_strdup("too many requirements");
		if (!parse_requirement(&parser, selector)) {
			stint_autofree char *problem = parser.problem;

			return stint_format("unable to parse requirement: %s", problem);
		}
		if (parser.token.kind == TOKEN_END)
			break;
		if (!at_sign(&parser, ",")) {
			unexpected(&parser, "',' or 'end of string'");
			break;
		}
		advance(&parser);
		if (parser.token.kind == TOKEN_END)
			unexpected(&parser, "identifier after ','");
	}
	return parser.problem;
}

/* ---- the object form --------------------------------------------------------------------------------------------------------- */

struct stint_selector *stint_selector_of(const struct stint_json *label_selector)
{
	static const struct {
		const char *name;
		enum match_operator how;
	} operators[] = {{"In", MATCH_IN}, {"NotIn", MATCH_NOT_IN}, {"Exists", MATCH_EXISTS}, {"DoesNotExist", MATCH_ABSENT}};
	struct stint_selector *selector = stint_alloc(sizeof(*selector));

	if (stint_json_type(label_selector) != STINT_JSON_OBJECT)
		selector->nothing = true;
	stint_json_each(label, stint_json_get(label_selector, "matchLabels"))
		stint_requirement_value(stint_selector_add(selector, MATCH_IN, stint_slice_of(stint_json_key(label))),
			stint_slice_of(stint_json_string_or(label, "")));
	stint_json_each(expression, stint_json_get(label_selector, "matchExpressions")) {
		const char *how = stint_json_string_or(stint_json_get(expression, "operator"), "");
		struct stint_slice key = stint_slice_of(stint_json_string_or(stint_json_get(expression, "key"), ""));

		for (size_t i = 0; i < STINT_COUNT(operators); i++) {
			if (strcmp(operators[i].name, how) != 0)
				continue;
			struct requirement *added = stint_selector_add(selector, operators[i].how, key);

			stint_json_each(value, stint_json_get(expression, "values"))
				stint_requirement_value(added, stint_slice_of(stint_json_string_or(value, "")));
		}
	}
	return selector;
}

/* ---- matching ------------------------------------------------------------------------------------------------------------------- */

static bool find_label(struct stint_slice labels, const char *wanted, struct stint_slice *value)
{
	struct stint_cursor cursor = stint_cursor_over(labels.data, labels.length);
	struct stint_slice key;

	if (labels.length == 0 || !stint_cursor_object(&cursor))
		return false;
	while (stint_cursor_key(&cursor, &key)) {
		if (!stint_cursor_string(&cursor, value, NULL))
			return false;
		if (stint_slice_is(key, wanted))
			return true;
	}
	return false;
}

static bool has_value(const struct requirement *requirement, struct stint_slice value)
{
	for (size_t i = 0; i < requirement->value_count; i++) {
		if (stint_slice_is(value, requirement->values[i]))
			return true;
	}
	return false;
}

static bool compares(const struct requirement *requirement, struct stint_slice value)
{
	stint_autofree char *text = stint_slice_dup(value);
	int64_t have, bound;

	if (!stint_parse_int(text, INT64_MIN, INT64_MAX, &have) || !stint_parse_int(requirement->values[0], INT64_MIN, INT64_MAX, &bound))
		return false;
	return requirement->how == MATCH_GREATER ? have > bound : have < bound;
}

static bool label_matches(const struct requirement *requirement, const struct stint_stored *object)
{
	struct stint_slice value = {0};
	bool there = find_label(object->labels, requirement->key, &value);

	switch (requirement->how) {
	case MATCH_IN: return there && has_value(requirement, value);
	case MATCH_NOT_IN: return !there || !has_value(requirement, value);
	case MATCH_EXISTS: return there;
	case MATCH_ABSENT: return !there;
	case MATCH_GREATER:
	case MATCH_LESS: return there && compares(requirement, value);
	}
	return false;
}

bool stint_selector_matches(const struct stint_selector *selector, const struct stint_stored *object)
{
	if (!selector)
		return true;
	if (selector->nothing)
		return false;
	for (size_t i = 0; i < selector->count; i++) {
		const struct requirement *requirement = &selector->requirements[i];
		bool matches =
			requirement->field == NO_FIELD ? label_matches(requirement, object) : stint_field_matches(requirement, object);

		if (!matches)
			return false;
	}
	return true;
}

bool stint_selector_is_everything(const struct stint_selector *selector)
{
	return !selector || (selector->count == 0 && !selector->nothing);
}

const char *stint_selector_name(const struct stint_selector *selector)
{
	for (size_t i = 0; selector && i < selector->count; i++) {
		if (selector->requirements[i].field == FIELD_NAME && selector->requirements[i].how == MATCH_IN)
			return selector->requirements[i].values[0];
	}
	return NULL;
}
