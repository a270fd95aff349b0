/*
 * jsonpath_parse: text to the compiled form. A descent over the bytes with one position; every error names where it stands. Nesting is
 * bounded.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/jsonpath_internal.h"

enum { DEEPEST_FILTER = 8, MOST_STEPS = 256 };

struct parser {
	const char *text;
	size_t at;
	int depth;
	struct stint_error **err;
};

static bool parse_steps(struct parser *p, struct path_steps *steps);

static void free_steps(struct path_steps *steps)
{
	for (size_t at = 0; at < steps->count; at++) {
		struct path_step *step = &steps->items[at];
		free(step->name);
		free_steps(&step->left.path);
		free_steps(&step->right.path);
		stint_json_free(step->left.constant);
		stint_json_free(step->right.constant);
		free_steps(&step->alternatives);
	}
	free(steps->items);
}

void cli_jsonpath_free(struct cli_jsonpath *path)
{
	if (!path)
		return;
	for (size_t at = 0; at < path->count; at++) {
		free(path->pieces[at].text);
		free_steps(&path->pieces[at].path);
	}
	free(path->pieces);
	free(path);
}

static bool wrong(const struct parser *p, const char *what)
{
	return stint_fail(p->err, STINT_USAGE, "the jsonpath \"%s\" is wrong at character %zu: %s", p->text, p->at + 1, what);
}

static char peek(const struct parser *p)
{
	return p->text[p->at];
}

static bool accept(struct parser *p, const char *word)
{
	const size_t length = strlen(word);
	if (strncmp(p->text + p->at, word, length) != 0)
		return false;
	p->at += length;
	return true;
}

static void skip_blanks(struct parser *p)
{
	while (peek(p) == ' ')
		p->at++;
}

static struct path_step *add_step(struct path_steps *steps, enum path_step_kind kind)
{
	stint_grow(&steps->items, &steps->capacity, steps->count + 1, sizeof *steps->items);
	struct path_step *step = &steps->items[steps->count++];
	*step = (struct path_step){.kind = kind, .by = 1};
	return step;
}

/* "…" or '…' with backslash escapes; the result is freed by the caller. */
static char *parse_quoted(struct parser *p)
{
	const char quote = peek(p);
	stint_auto_buf text = {0};
	for (p->at++; peek(p) && peek(p) != quote; p->at++) {
		char c = peek(p);
		if (c == '\\' && p->text[p->at + 1]) {
			c = p->text[++p->at];
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
		}
		stint_buf_putc(&text, c);
	}
	if (!peek(p)) {
		wrong(p, "a quotation mark is missing");
		return NULL;
	}
	p->at++;
	return stint_buf_steal(&text);
}

/* A name after a dot; a backslash takes the meaning from the next character, as in .metadata.labels.app\.kubernetes\.io/name. */
static char *parse_name(struct parser *p)
{
	stint_auto_buf name = {0};
	for (; peek(p) && !strchr(".[]{}()=!<>, \t\n'\"*", peek(p)); p->at++) {
		if (peek(p) == '\\' && p->text[p->at + 1])
			p->at++;
		stint_buf_putc(&name, peek(p));
	}
	if (!name.length) {
		wrong(p, "a field name is missing");
		return NULL;
	}
	return stint_buf_steal(&name);
}

static bool parse_integer(struct parser *p, int64_t *out)
{
	const size_t length = strspn(p->text + p->at, "-0123456789");
	stint_autofree char *digits = stint_strndup(p->text + p->at, length);
	if (!stint_parse_int(digits, INT32_MIN, INT32_MAX, out))
		return wrong(p, "a whole number is missing");
	p->at += length;
	return true;
}

static bool at_integer(const struct parser *p)
{
	return isdigit((unsigned char)peek(p)) || peek(p) == '-';
}

/* One alternative between brackets: n, from:to:by, *, or a quoted name. */
static bool parse_alternative(struct parser *p, struct path_steps *steps)
{
	skip_blanks(p);
	if (peek(p) == '\'' || peek(p) == '"') {
		char *name = parse_quoted(p);
		if (!name)
			return false;
		add_step(steps, STEP_FIELD)->name = name;
	} else if (accept(p, "*")) {
		add_step(steps, STEP_ALL);
	} else {
		struct path_step *step = add_step(steps, STEP_RANGE);
		step->single = true;
		if (at_integer(p)) {
			step->has_from = true;
			if (!parse_integer(p, &step->from))
				return false;
		}
		if (accept(p, ":")) {
			step->single = false;
			step->has_to = at_integer(p);
			if (step->has_to && !parse_integer(p, &step->to))
				return false;
			if (accept(p, ":") && !parse_integer(p, &step->by))
				return false;
		}
		if (step->single && !step->has_from)
			return wrong(p, "an index, a range, a quoted name, * or ?(...) must stand between brackets");
		if (step->by < 1)
			return wrong(p, "the step of a range must be 1 or more");
	}
	skip_blanks(p);
	return true;
}

static bool parse_operand(struct parser *p, struct path_operand *operand)
{
	skip_blanks(p);
	if (peek(p) == '@' || peek(p) == '.' || peek(p) == '$')
		return parse_steps(p, &operand->path);
	if (peek(p) == '\'' || peek(p) == '"') {
		stint_autofree char *text = parse_quoted(p);
		operand->constant = text ? stint_json_new_string(text) : NULL;
		return text != NULL;
	}
	const size_t length = strcspn(p->text + p->at, " )=!<>");
	operand->constant = stint_json_parse(p->text + p->at, length, 0, NULL);
	if (!operand->constant)
		return wrong(p, "a filter compares @.field with a quoted text, a number, true, false or null");
	p->at += length;
	return true;
}

static bool parse_filter(struct parser *p, struct path_steps *steps)
{
	static const struct {
		const char *text;
		enum path_operator op;
	} operators[] = {{"==", FILTER_EQUAL}, {"!=", FILTER_NOT_EQUAL}, {"<=", FILTER_LESS_EQUAL}, {">=", FILTER_GREATER_EQUAL},
		{"<", FILTER_LESS}, {">", FILTER_GREATER}};
	struct path_step *step = add_step(steps, STEP_FILTER);
	if (++p->depth > DEEPEST_FILTER)
		return wrong(p, "filters stand too deep in each other");
	if (!parse_operand(p, &step->left))
		return false;
	skip_blanks(p);
	for (size_t at = 0; at < STINT_COUNT(operators); at++) {
		if (!accept(p, operators[at].text))
			continue;
		step->op = operators[at].op;
		if (!parse_operand(p, &step->right))
			return false;
		break;
	}
	skip_blanks(p);
	p->depth--;
	return accept(p, ")") || wrong(p, "a filter ends with )]");
}

static bool parse_brackets(struct parser *p, struct path_steps *steps)
{
	if (accept(p, "?(")) {
		if (!parse_filter(p, steps))
			return false;
	} else {
		struct path_steps alternatives = {0};
		bool fine = parse_alternative(p, &alternatives);
		while (fine && accept(p, ","))
			fine = alternatives.count < MOST_STEPS ? parse_alternative(p, &alternatives) : wrong(p, "too many alternatives");
		if (fine && alternatives.count == 1) {
			*add_step(steps, STEP_ALL) = alternatives.items[0];
			free(alternatives.items);
		} else {
			add_step(steps, STEP_UNION)->alternatives = alternatives;
		}
		if (!fine)
			return false;
	}
	return accept(p, "]") || wrong(p, "a closing ] is missing");
}

static bool parse_field(struct parser *p, struct path_steps *steps)
{
	if (accept(p, "*")) {
		add_step(steps, STEP_ALL);
		return true;
	}
	char *name = parse_name(p);
	if (!name)
		return false;
	add_step(steps, STEP_FIELD)->name = name;
	return true;
}

static bool parse_steps(struct parser *p, struct path_steps *steps)
{
	steps->from_root = accept(p, "$");
	if (!steps->from_root)
		accept(p, "@");
	for (;;) {
		if (steps->count > MOST_STEPS)
			return wrong(p, "the path is too long");
		if (accept(p, "..")) {
			add_step(steps, STEP_DESCEND);
			if (peek(p) != '[' && !parse_field(p, steps))
				return false;
		} else if (accept(p, ".")) {
			/* A dot alone is the document: {.} */
			if (peek(p) != '[' && peek(p) != '}' && peek(p) && !parse_field(p, steps))
				return false;
		} else if (accept(p, "[")) {
			if (!parse_brackets(p, steps))
				return false;
		} else {
			return true;
		}
	}
}

static struct path_piece *add_piece(struct cli_jsonpath *path, enum path_piece_kind kind)
{
	stint_grow(&path->pieces, &path->capacity, path->count + 1, sizeof *path->pieces);
	struct path_piece *piece = &path->pieces[path->count++];
	*piece = (struct path_piece){.kind = kind};
	return piece;
}

/* What stands between { and }. */
static bool parse_action(struct parser *p, struct cli_jsonpath *path)
{
	skip_blanks(p);
	if (peek(p) == '"' || peek(p) == '\'') {
		char *text = parse_quoted(p);
		if (!text)
			return false;
		add_piece(path, PIECE_TEXT)->text = text;
	} else if (accept(p, "range ")) {
		skip_blanks(p);
		if (!parse_steps(p, &add_piece(path, PIECE_LOOP)->path))
			return false;
	} else if (accept(p, "end")) {
		add_piece(path, PIECE_END);
	} else if (peek(p) == '.' || peek(p) == '[' || peek(p) == '@' || peek(p) == '$') {
		if (!parse_steps(p, &add_piece(path, PIECE_PATH)->path))
			return false;
	} else {
		return wrong(p, "a path starts with a dot, as in {.metadata.name}");
	}
	skip_blanks(p);
	return accept(p, "}") || wrong(p, "a closing } is missing");
}

static bool match_loops(struct parser *p, struct cli_jsonpath *path)
{
	size_t open[32], depth = 0;
	for (size_t at = 0; at < path->count; at++) {
		if (path->pieces[at].kind == PIECE_LOOP) {
			if (depth == STINT_COUNT(open))
				return wrong(p, "too many {range} stand in each other");
			open[depth++] = at;
		} else if (path->pieces[at].kind == PIECE_END) {
			if (depth == 0)
				return wrong(p, "{end} has no {range}");
			path->pieces[open[--depth]].end = at;
		}
	}
	return depth == 0 || wrong(p, "a {range} has no {end}");
}

struct cli_jsonpath *cli_jsonpath_compile(const char *text, struct stint_error **err)
{
	struct cli_jsonpath *path = stint_alloc(sizeof *path);
	/* kubectl takes metadata.name and .metadata.name without braces too. */
	stint_autofree char *braced =
		strchr(text, '{') ? stint_strdup(text) : stint_format("{%s%s}", strchr(".[$@", *text) ? "" : ".", text);
	struct parser p = {.text = braced, .err = err};
	bool fine = *text || stint_fail(err, STINT_USAGE, "the jsonpath is empty: give a template such as {.metadata.name}");
	while (fine && peek(&p)) {
		if (accept(&p, "{")) {
			fine = parse_action(&p, path);
			continue;
		}
		const size_t length = strcspn(p.text + p.at, "{");
		add_piece(path, PIECE_TEXT)->text = stint_strndup(p.text + p.at, length);
		p.at += length;
	}
	if (fine && match_loops(&p, path))
		return path;
	cli_jsonpath_free(path);
	return NULL;
}
