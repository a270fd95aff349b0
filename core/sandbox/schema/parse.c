/*
 * Parses the tables of types. The notation, one line an entry:
 *
 *   "package io.k8s.api.core.v1"
 *   "type PodSpec [atomic] [kind] [open] [custom] -- what it is"
 *   " containers []Container +! map(name) merge(name) -- what it is"
 *
 * A field line: name, type, marks, " -- " and a sentence. Types: string bool int32 int64 float bytes quantity intstr time microtime
 * duration any, []T, {}T (a map from text), Name of this package, alias.Name of another. Marks:
 *   ?  kept although zero        +  always written          !  required (OpenAPI and validation)   !~ required (OpenAPI alone)
 *   need  required by validation alone      =x  default (text of a string, else JSON)   map(k,..) set atomic  topology for apply
 *   merge(key) merge() retain    strategic merge patch       enum(a,b)  min(n) max(n) len(a,b) pattern(ERE) nullable   limits
 *
 * The tables are part of the program: a line that does not parse is a bug, found by the unit test, and ends the process.
 */
#include "core/sandbox/schema/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const aliases[][2] = {
	{"meta", "io.k8s.apimachinery.pkg.apis.meta.v1"},
	{"core", "io.k8s.api.core.v1"},
};

char *schema_strdup(struct stint_schema *schema, const char *text)
{
	return text ? stint_arena_strndup(schema->arena, text, strlen(text)) : NULL;
}

struct stint_type *schema_type_new(struct stint_schema *schema, enum type_form form)
{
	struct stint_type *type = stint_arena_alloc(schema->arena, sizeof(*type));
	type->form = form;
	type->defined = true;
	return type;
}

struct type_rules *schema_rules_new(struct stint_schema *schema)
{
	struct type_rules *rules = stint_arena_alloc(schema->arena, sizeof(*rules));
	rules->min_length = rules->max_length = -1;
	return rules;
}

struct stint_type *schema_type_named(struct stint_schema *schema, const char *full_name)
{
	struct stint_type *type = stint_map_get(schema->types, full_name);
	if (type)
		return type;
	type = schema_type_new(schema, FORM_OBJECT);
	type->defined = false;
	type->name = schema_strdup(schema, full_name);
	const char *dot = strrchr(type->name, '.');
	type->label = dot ? dot + 1 : type->name;
	stint_map_set(schema->types, full_name, type);
	return type;
}

const char *const *schema_words(struct stint_schema *schema, const char *text)
{
	size_t count = 1;
	for (const char *at = text; at && *at; at++)
		count += *at == ',';
	const char **words = stint_arena_alloc(schema->arena, (count + 1) * sizeof(*words));
	size_t n = 0;
	for (const char *at = text; at && *at;) {
		size_t length = strcspn(at, ",");
		words[n++] = stint_arena_strndup(schema->arena, at, length);
		at += length + (at[length] == ',');
	}
	return words;
}

bool schema_word_in(const char *const *words, const char *word)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

void schema_rules_pattern(struct stint_schema *schema, struct type_rules *rules, const char *pattern)
{
	rules->pattern = schema_strdup(schema, pattern);
	struct schema_pattern translated;
	schema_pattern_problem(pattern, &translated);
	stint_autofree char *posix = translated.posix;
	rules->ascii_regex = translated.ascii;
	if (!posix)
		return;
	regex_t *regex = stint_alloc(sizeof(*regex));
	if (regcomp(regex, posix, REG_EXTENDED | REG_NOSUB | (translated.folds ? REG_ICASE : 0)) != 0) {
		free(regex);
		return;
	}
	stint_grow(&schema->regexes, &schema->regex_capacity, schema->regex_count + 1, sizeof(*schema->regexes));
	schema->regexes[schema->regex_count++] = regex;
	rules->regex = regex;
}

const struct type_field *schema_field(const struct stint_type *type, const char *name)
{
	for (size_t i = 0; i < type->field_count; i++)
		if (strcmp(type->fields[i].name, name) == 0)
			return &type->fields[i];
	return NULL;
}

/* ---- one line -------------------------------------------------------------------------------------------------------------- */

struct parser {
	struct stint_schema *schema;
	const char *package;
	const char *line;
	struct stint_type *type;
	struct type_field fields[96];
	size_t field_count;
};

static void broken(const struct parser *parser, const char *what)
{
	fprintf(stderr, "schema table: %s: %s\n", what, parser->line);
	abort();
}

static void finish_type(struct parser *parser)
{
	struct stint_type *type = parser->type;
	if (!type)
		return;
	type->field_count = parser->field_count;
	type->fields = stint_arena_alloc(parser->schema->arena, (parser->field_count + 1) * sizeof(*type->fields));
	memcpy(type->fields, parser->fields, parser->field_count * sizeof(*type->fields));
	type->hook = schema_hook(type->name);
	parser->type = NULL;
	parser->field_count = 0;
}

/* The next word: up to a blank that stands outside of parentheses and quotes. Length 0 at the end of the line. */
static struct stint_slice next_word(const char **at)
{
	const char *start = *at + strspn(*at, " ");
	const char *end = start;
	int depth = 0;
	bool quoted = false;
	for (; *end && (depth > 0 || quoted || *end != ' '); end++) {
		if (*end == '"')
			quoted = !quoted;
		else if (!quoted && strchr("({[", *end))
			depth++;
		else if (!quoted && strchr(")}]", *end))
			depth--;
	}
	*at = end;
	return (struct stint_slice){start, (size_t)(end - start)};
}

static struct stint_type *parse_type(struct parser *parser, const char *text)
{
	static const struct {
		const char *word;
		enum type_form form;
		unsigned bits;
	} scalars[] = {
		{"string", FORM_STRING, 0},
		{"bool", FORM_BOOL, 0},
		{"int32", FORM_INT, 32},
		{"int64", FORM_INT, 64},
		{"float", FORM_NUMBER, 0},
		{"bytes", FORM_BYTES, 0},
		{"quantity", FORM_QUANTITY, 0},
		{"intstr", FORM_INT_OR_STRING, 0},
		{"time", FORM_TIME, 0},
		{"microtime", FORM_MICRO_TIME, 0},
		{"duration", FORM_DURATION, 0},
		{"any", FORM_ANY, 0},
	};
	bool list = stint_starts_with(text, "[]");
	if (list || stint_starts_with(text, "{}")) {
		struct stint_type *type = schema_type_new(parser->schema, list ? FORM_LIST : FORM_MAP);
		type->item = parse_type(parser, text + 2);
		return type;
	}
	for (size_t i = 0; i < STINT_COUNT(scalars); i++) {
		if (strcmp(text, scalars[i].word) != 0)
			continue;
		struct stint_type *type = schema_type_new(parser->schema, scalars[i].form);
		type->bits = scalars[i].bits;
		return type;
	}
	const char *package = parser->package;
	const char *dot = strchr(text, '.');
	if (dot) {
		package = NULL;
		for (size_t i = 0; i < STINT_COUNT(aliases); i++)
			if (strlen(aliases[i][0]) == (size_t)(dot - text) && strncmp(aliases[i][0], text, (size_t)(dot - text)) == 0)
				package = aliases[i][1];
		if (!package)
			broken(parser, "unknown alias");
		text = dot + 1;
	}
	stint_autofree char *full = stint_format("%s.%s", package, text);
	return schema_type_named(parser->schema, full);
}

/* "name(arguments)" -> the arguments; NULL when the mark has another name. */
static char *mark_arguments(struct parser *parser, const char *mark, const char *name)
{
	size_t length = strlen(name);
	if (strncmp(mark, name, length) != 0 || mark[length] != '(')
		return NULL;
	return stint_arena_strndup(parser->schema->arena, mark + length + 1, strlen(mark) - length - 2);
}

static struct type_rules *rules_of(struct parser *parser, struct stint_type *type)
{
	if (type->name)
		broken(parser, "limits on a named type");
	if (!type->rules)
		type->rules = schema_rules_new(parser->schema);
	return type->rules;
}

static void parse_limit(struct parser *parser, struct type_field *field, const char *mark)
{
	struct stint_type *type = field->type;
	char *arguments;
	if ((arguments = mark_arguments(parser, mark, "enum"))) {
		struct stint_type *of = type->form == FORM_LIST ? type->item : type;
		rules_of(parser, of)->one_of = schema_words(parser->schema, arguments);
	} else if ((arguments = mark_arguments(parser, mark, "pattern"))) {
		schema_rules_pattern(parser->schema, rules_of(parser, type), arguments);
	} else if ((arguments = mark_arguments(parser, mark, "min"))) {
		struct type_rules *rules = rules_of(parser, type);
		rules->has_min = stint_parse_double(arguments, -1e18, 1e18, &rules->min);
	} else if ((arguments = mark_arguments(parser, mark, "max"))) {
		struct type_rules *rules = rules_of(parser, type);
		rules->has_max = stint_parse_double(arguments, -1e18, 1e18, &rules->max);
	} else if ((arguments = mark_arguments(parser, mark, "len"))) {
		struct type_rules *rules = rules_of(parser, type);
		const char *const *words = schema_words(parser->schema, arguments);
		if (!words[0] || !stint_parse_int(words[0], 0, INT32_MAX, &rules->min_length) ||
			(words[1] && !stint_parse_int(words[1], 0, INT32_MAX, &rules->max_length)))
			broken(parser, "bad len()");
	} else {
		broken(parser, "unknown mark");
	}
}

static void parse_mark(struct parser *parser, struct type_field *field, const char *mark)
{
	char *arguments;
	if (strcmp(mark, "?") == 0) {
		field->presence = PRESENT_SET;
	} else if (strcmp(mark, "+") == 0) {
		field->presence = PRESENT_ALWAYS;
	} else if (strcmp(mark, "!") == 0) {
		field->required = field->needed = true;
	} else if (strcmp(mark, "+!") == 0) {
		field->presence = PRESENT_ALWAYS;
		field->required = field->needed = true;
	} else if (strcmp(mark, "+!~") == 0) {
		field->presence = PRESENT_ALWAYS;
		field->required = true;
	} else if (strcmp(mark, "!~") == 0) {
		field->required = true;
	} else if (strcmp(mark, "need") == 0) {
		field->needed = true;
	} else if (strcmp(mark, "set") == 0) {
		field->type->topology = LIST_SET;
	} else if (strcmp(mark, "atomic") == 0) {
		field->type->atomic = true;
	} else if (strcmp(mark, "nullable") == 0) {
		field->type->nullable = true;
	} else if (strcmp(mark, "retain") == 0) {
		field->retain_keys = true;
	} else if (mark[0] == '=') {
		bool text = field->type->form == FORM_STRING || field->type->form == FORM_QUANTITY;
		field->otherwise = text ? stint_json_new_string(mark + 1) : stint_json_parse(mark + 1, strlen(mark + 1), 0, NULL);
		if (!field->otherwise)
			broken(parser, "bad default");
		stint_json_append(parser->schema->kept, field->otherwise);
	} else if ((arguments = mark_arguments(parser, mark, "map"))) {
		field->type->topology = LIST_MAP;
		field->type->keys = schema_words(parser->schema, arguments);
	} else if ((arguments = mark_arguments(parser, mark, "merge"))) {
		field->merge = true;
		field->merge_key = arguments[0] ? arguments : NULL;
	} else {
		parse_limit(parser, field, mark);
	}
}

static void parse_field(struct parser *parser, const char *text, const char *description)
{
	if (!parser->type || parser->field_count == STINT_COUNT(parser->fields))
		broken(parser, "a field without a type, or too many");
	struct type_field *field = &parser->fields[parser->field_count++];
	*field = (struct type_field){.description = description};
	struct stint_slice word = next_word(&text);
	field->name = stint_arena_strndup(parser->schema->arena, word.data, word.length);
	stint_autofree char *type = stint_slice_dup(next_word(&text));
	field->type = parse_type(parser, type);
	while ((word = next_word(&text)).length) {
		stint_autofree char *mark = stint_slice_dup(word);
		parse_mark(parser, field, mark);
	}
	if (field->type->custom != parser->type->custom && !field->type->name)
		field->type->custom = parser->type->custom;
}

static void parse_type_line(struct parser *parser, const char *text, const char *description)
{
	finish_type(parser);
	stint_autofree char *name = stint_slice_dup(next_word(&text));
	stint_autofree char *full = stint_format("%s.%s", parser->package, name);
	struct stint_type *type = parser->type = schema_type_named(parser->schema, full);
	if (type->defined)
		broken(parser, "defined twice");
	type->defined = true;
	type->description = description;
	for (struct stint_slice word; (word = next_word(&text)).length;) {
		if (stint_slice_is(word, "atomic"))
			type->atomic = true;
		else if (stint_slice_is(word, "kind"))
			type->has_kind = true;
		else if (stint_slice_is(word, "open"))
			type->keeps_unknown = true;
		else if (stint_slice_is(word, "custom"))
			type->custom = true;
		else
			broken(parser, "unknown trait");
	}
}

void schema_parse_table(struct stint_schema *schema, const char *const *lines)
{
	struct parser parser = {.schema = schema};
	for (; *lines; lines++) {
		parser.line = *lines;
		const char *comment = strstr(*lines, " -- ");
		stint_autofree char *head = stint_strndup(*lines, comment ? (size_t)(comment - *lines) : strlen(*lines));
		const char *description = comment ? comment + 4 : NULL;
		if (stint_starts_with(head, "package ")) {
			finish_type(&parser);
			parser.package = schema_strdup(schema, head + strlen("package "));
		} else if (stint_starts_with(head, "type ")) {
			parse_type_line(&parser, head + strlen("type "), description);
		} else {
			parse_field(&parser, head, description);
		}
	}
	finish_type(&parser);
}
