/*
 * Label selectors: the text form of kubectl's -l and the JSON form of metav1.LabelSelector, both turned into sorted requirements that
 * the one matcher reads. A selector owns its texts and needs no model.
 */
#include "core/model/private.h"

#include <ctype.h>
#include <stdlib.h>

enum { MANY_REQUIREMENTS = 1000, MANY_VALUES = 10000, NAME_MAX_LENGTH = 253 + 1 + 63 };

struct stint_label_selector {
	struct stint_requirements requirements;
	struct stint_requirement *items;
	size_t capacity;
};

/* A requirement whose texts are owned here, so without const. */
struct building {
	char **values;
	size_t count, capacity;
};

static void values_add(struct building *building, char *value)
{
	stint_grow(&building->values, &building->capacity, building->count + 1, sizeof(*building->values));
	building->values[building->count++] = value;
}

static int compare_values(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void selector_add(struct stint_label_selector *selector, char *key, enum stint_operator op, struct building *building)
{
	if (building->count > 1)
		qsort(building->values, building->count, sizeof(*building->values), compare_values);
	stint_grow(&selector->items, &selector->capacity, selector->requirements.count + 1u, sizeof(*selector->items));
	selector->items[selector->requirements.count++] = (struct stint_requirement){
		.key = key,
		.op = op,
		.values = (const char *const *)building->values,
		.values_count = (uint32_t)building->count,
	};
	selector->requirements.items = selector->items;
	*building = (struct building){0};
}

void stint_label_selector_free(struct stint_label_selector *selector)
{
	if (!selector)
		return;
	for (uint32_t i = 0; i < selector->requirements.count; i++) {
		for (uint32_t v = 0; v < selector->items[i].values_count; v++) {
			const char *value = selector->items[i].values[v];
			stint_free_pointer(&value);
		}
		stint_free_pointer(&selector->items[i].values);
		stint_free_pointer(&selector->items[i].key);
	}
	free(selector->items);
	free(selector);
}

static void building_free(struct building *building)
{
	for (size_t i = 0; i < building->count; i++)
		free(building->values[i]);
	free(building->values);
	*building = (struct building){0};
}

/* ---- the text form ------------------------------------------------------------------------------------------------------------- */

struct parser {
	const char *text, *at;
	struct stint_error **err;
};

static bool complain(struct parser *p, const char *what)
{
	return stint_fail(p->err, STINT_USAGE,
		"label selector \"%.200s\": %s at character %zu; write for example team=vision,tier!=dev,\"zone in (a,b)\"", p->text, what,
		(size_t)(p->at - p->text) + 1);
}

static void skip_blanks(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

static char *take_word(struct parser *p)
{
	const char *start = p->at;
	while (isalnum((unsigned char)*p->at) || (*p->at && strchr("._/-", *p->at)))
		p->at++;
	char *word = stint_strndup(start, (size_t)(p->at - start));
	skip_blanks(p);
	return word;
}

static bool take_literal(struct parser *p, const char *literal)
{
	if (!stint_starts_with(p->at, literal))
		return false;
	p->at += strlen(literal);
	skip_blanks(p);
	return true;
}

/* "in" and "notin" are words: "key inside" is no list. */
static bool take_keyword(struct parser *p, const char *keyword)
{
	const size_t length = strlen(keyword);
	if (!stint_starts_with(p->at, keyword) || (p->at[length] != ' ' && p->at[length] != '('))
		return false;
	p->at += length;
	skip_blanks(p);
	return true;
}

static bool parse_list(struct parser *p, struct building *building)
{
	if (!take_literal(p, "("))
		return complain(p, "a list in parentheses is expected");
	do {
		if (building->count >= MANY_VALUES)
			return complain(p, "too many values");
		values_add(building, take_word(p));
	} while (take_literal(p, ","));
	return take_literal(p, ")") || complain(p, "a closing parenthesis is missing");
}

static bool parse_operator(struct parser *p, enum stint_operator *op, struct building *building)
{
	if (take_keyword(p, "in")) {
		*op = STINT_OP_IN;
		return parse_list(p, building);
	}
	if (take_keyword(p, "notin")) {
		*op = STINT_OP_NOT_IN;
		return parse_list(p, building);
	}
	if (take_literal(p, "!="))
		*op = STINT_OP_NOT_IN;
	else if (take_literal(p, "==") || take_literal(p, "="))
		*op = STINT_OP_IN;
	else if (take_literal(p, ">"))
		*op = STINT_OP_GREATER;
	else if (take_literal(p, "<"))
		*op = STINT_OP_LESS;
	else
		return true; /* a key alone */
	values_add(building, take_word(p));
	return true;
}

static bool parse_requirement(struct parser *p, struct stint_label_selector *selector)
{
	struct building building = {0};
	const bool absent = take_literal(p, "!");
	enum stint_operator op = absent ? STINT_OP_NOT_EXISTS : STINT_OP_EXISTS;
	char *key = take_word(p);
	bool good = *key && strlen(key) <= NAME_MAX_LENGTH ? true : complain(p, "a label key is missing or too long");
	good = good && (absent || parse_operator(p, &op, &building));
	if (good && *p->at && *p->at != ',')
		good = complain(p, "something that cannot stand here");
	if (good && selector->requirements.count >= MANY_REQUIREMENTS)
		good = complain(p, "too many requirements");
	if (!good) {
		free(key);
		building_free(&building);
		return false;
	}
	selector_add(selector, key, op, &building);
	return true;
}

struct stint_label_selector *stint_label_selector_parse(const char *text, struct stint_error **err)
{
	struct parser p = {.text = text, .at = text, .err = err};
	struct stint_label_selector *selector = stint_alloc(sizeof(*selector));
	skip_blanks(&p);
	if (!*p.at)
		return selector;
	do {
		if (!parse_requirement(&p, selector)) {
			stint_label_selector_free(selector);
			return NULL;
		}
	} while (take_literal(&p, ","));
	return selector;
}

/* ---- the JSON form --------------------------------------------------------------------------------------------------------------- */

/* The readers take texts into a model; a selector has one of its own for the while and copies what stays. */
static void copy_requirements(struct stint_label_selector *selector, const struct stint_requirements *from)
{
	for (uint32_t i = 0; i < from->count; i++) {
		struct building building = {0};
		for (uint32_t v = 0; v < from->items[i].values_count; v++)
			values_add(&building, stint_strdup(from->items[i].values[v]));
		selector_add(selector, stint_strdup(from->items[i].key), from->items[i].op, &building);
	}
}

static void copy_labels(struct stint_label_selector *selector, const struct stint_pairs *labels)
{
	for (uint32_t i = 0; i < labels->count; i++) {
		struct building building = {0};
		values_add(&building, stint_strdup(labels->items[i].value));
		selector_add(selector, stint_strdup(labels->items[i].key), STINT_OP_IN, &building);
	}
}

struct stint_label_selector *selector_decode(struct stint_cursor *cursor)
{
	struct stint_model *model = stint_model_new();
	struct decoder d = {.model = model, .c = cursor};
	struct stint_label_selector *selector = stint_alloc(sizeof(*selector));
	struct stint_pairs labels = {0};
	struct stint_requirements requirements = {0};
	struct stint_slice key;
	const bool inside = enter_object(&d);
	while (inside && stint_cursor_key(cursor, &key)) {
		if (KEY_IS(key, "matchLabels"))
			read_pairs(&d, PAIRS_ALL, &labels);
		else if (KEY_IS(key, "matchExpressions"))
			read_requirements(&d, &requirements);
		else
			stint_cursor_skip(cursor);
	}
	copy_labels(selector, &labels);
	copy_requirements(selector, &requirements);
	pairs_drop(model, &labels);
	requirements_drop(model, &requirements);
	stint_model_free(model);
	if (cursor->error) {
		stint_label_selector_free(selector);
		return NULL;
	}
	return selector;
}

/* ---- matching -------------------------------------------------------------------------------------------------------------------- */

bool stint_label_selector_match(const struct stint_label_selector *selector, const struct stint_pairs *labels)
{
	return stint_requirements_match(&selector->requirements, labels);
}
