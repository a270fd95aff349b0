/*
 * cel_eval: evaluates a device selector on a device. A value of the wrong type or an attribute that the device lacks is an error, which
 * && and || absorb where their other side decides, as CEL has it. An error at the root gives no device.
 * Costs: the nodes of the expression; at most MOST_STEPS, since variables may share parts many times over.
 */
#include "core/model/cel.h"

#include <string.h>

enum { MOST_STEPS = 20000 };

enum value_type {
	VALUE_ERROR,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_TEXT,
	VALUE_VERSION,
	VALUE_QUANTITY,
	VALUE_LIST,
	VALUE_ATTRIBUTES, /* domains */
	VALUE_CAPACITY,
	VALUE_ATTRIBUTES_OF, /* one domain: text */
	VALUE_CAPACITY_OF,
};
struct value {
	enum value_type type;
	bool lower; /* a text whose capital letters are to be read as small ones */
	int64_t number;
	const char *text;
	uint16_t list;
};

struct evaluation {
	const struct stint_cel *cel;
	const char *driver;
	const struct stint_device *device;
	unsigned steps;
};

static struct value evaluate(struct evaluation *e, uint16_t index);

static struct value of_bool(bool value)
{
	return (struct value){.type = VALUE_BOOL, .number = value};
}

static struct value of_error(void)
{
	return (struct value){.type = VALUE_ERROR};
}

/* ---- versions -------------------------------------------------------------------------------------------------------------------------------- */

struct version {
	int64_t parts[3];
	const char *pre; /* up to '+' or the end; NULL: none */
};

static bool read_version(const char *text, struct version *out)
{
	*out = (struct version){.pre = NULL};
	for (int part = 0; part < 3; part++) {
		const size_t length = strspn(text, "0123456789");
		if (length == 0 || length > 18 || (length > 1 && text[0] == '0'))
			return false;
		for (size_t i = 0; i < length; i++)
			out->parts[part] = 10 * out->parts[part] + (text[i] - '0');
		text += length;
		if (part < 2 && *text++ != '.')
			return false;
	}
	if (*text == '-')
		out->pre = text + 1;
	return *text == '\0' || *text == '+' || (*text == '-' && text[1] && text[1] != '+');
}

static size_t identifier(const char *text)
{
	return strcspn(text, ".+");
}

/* Semantic Versioning 2.0.0, 11.4: identifiers one by one, numbers before texts, a longer list after a shorter one. */
static int compare_pre(const char *a, const char *b)
{
	if (!a || !b)
		return a ? -1 : b ? 1 : 0;
	for (;;) {
		const size_t m = identifier(a), n = identifier(b);
		const bool x = strspn(a, "0123456789") == m, y = strspn(b, "0123456789") == n;
		if (x != y)
			return x ? -1 : 1;
		if (x && m != n)
			return m < n ? -1 : 1;
		const int order = memcmp(a, b, m < n ? m : n);
		if (order || m != n)
			return order ? (order < 0 ? -1 : 1) : m < n ? -1 : 1;
		if (a[m] != '.' || b[n] != '.')
			return a[m] == '.' ? 1 : b[n] == '.' ? -1 : 0;
		a += m + 1;
		b += n + 1;
	}
}

bool cel_versions_compare(const char *a, const char *b, int *order)
{
	struct version x, y;
	if (!read_version(a, &x) || !read_version(b, &y))
		return false;
	for (int part = 0; part < 3; part++) {
		*order = x.parts[part] < y.parts[part] ? -1 : x.parts[part] > y.parts[part];
		if (*order)
			return true;
	}
	*order = compare_pre(x.pre, y.pre);
	return true;
}

bool cel_version_part(const char *text, int part, int64_t *out)
{
	struct version version;
	if (!read_version(text, &version))
		return false;
	*out = version.parts[part];
	return true;
}

/* ---- values -------------------------------------------------------------------------------------------------------------------------------- */

static char at(const struct value *text, size_t index)
{
	const char c = text->text[index];
	return text->lower && c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

static bool same_bytes(const struct value *a, size_t from, const struct value *b, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (at(a, from + i) != at(b, i))
			return false;
	}
	return true;
}

static int compare_texts(const struct value *a, const struct value *b)
{
	for (size_t i = 0;; i++) {
		const unsigned char x = (unsigned char)at(a, i), y = (unsigned char)at(b, i);
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return 0;
	}
}

/* False: values of these types have no order. */
static bool compare(const struct value *a, const struct value *b, int *order)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_QUANTITY: *order = a->number < b->number ? -1 : a->number > b->number; return true;
	case VALUE_TEXT: *order = compare_texts(a, b); return true;
	case VALUE_VERSION: return cel_versions_compare(a->text, b->text, order);
	default: return false;
	}
}

static bool is_plain(const struct value *value)
{
	return value->type >= VALUE_BOOL && value->type <= VALUE_QUANTITY;
}

static struct value evaluate_compare(struct evaluation *e, const struct cel_node *node)
{
	const struct value a = evaluate(e, node->a), b = evaluate(e, node->b);
	int order = 0;
	if (!is_plain(&a) || !is_plain(&b))
		return of_error();
	const bool comparable = compare(&a, &b, &order);
	switch ((enum cel_op)node->op) {
	case CEL_EQUAL: return of_bool(comparable && order == 0);
	case CEL_UNEQUAL: return of_bool(!comparable || order != 0);
	case CEL_LESS: return comparable ? of_bool(order < 0) : of_error();
	case CEL_LESS_EQUAL: return comparable ? of_bool(order <= 0) : of_error();
	case CEL_GREATER: return comparable ? of_bool(order > 0) : of_error();
	case CEL_GREATER_EQUAL: return comparable ? of_bool(order >= 0) : of_error();
	}
	return of_error();
}

/* ---- the device ----------------------------------------------------------------------------------------------------------------------------- */

static struct value attribute(const struct evaluation *e, const char *domain, const char *name)
{
	static const enum value_type types[] = {
		[STINT_ATTRIBUTE_INT] = VALUE_INT,
		[STINT_ATTRIBUTE_BOOL] = VALUE_BOOL,
		[STINT_ATTRIBUTE_TEXT] = VALUE_TEXT,
		[STINT_ATTRIBUTE_VERSION] = VALUE_VERSION,
	};
	for (uint32_t i = 0; i < e->device->attributes_count; i++) {
		const struct stint_device_attribute *found = &e->device->attributes[i];
		if (strcmp(found->name, name) == 0 && strcmp(found->domain, domain) == 0)
			return (struct value){.type = types[found->kind], .number = found->number, .text = found->text};
	}
	return of_error();
}

static struct value capacity(const struct evaluation *e, const char *domain, const char *name)
{
	for (uint32_t i = 0; i < e->device->capacities_count; i++) {
		const struct stint_device_capacity *found = &e->device->capacities[i];
		if (strcmp(found->name, name) == 0 && strcmp(found->domain, domain) == 0)
			return (struct value){.type = VALUE_QUANTITY, .number = found->milli};
	}
	return of_error();
}

static bool has_domain(const struct evaluation *e, const struct value *map, const char *domain)
{
	for (uint32_t i = 0; map->type == VALUE_ATTRIBUTES && i < e->device->attributes_count; i++) {
		if (strcmp(e->device->attributes[i].domain, domain) == 0)
			return true;
	}
	for (uint32_t i = 0; map->type == VALUE_CAPACITY && i < e->device->capacities_count; i++) {
		if (strcmp(e->device->capacities[i].domain, domain) == 0)
			return true;
	}
	return false;
}

/* A domain that the device lacks is an empty map, so that an error comes only from what is asked of it. */
static struct value look_up(const struct evaluation *e, const struct value *map, const char *key)
{
	switch (map->type) {
	case VALUE_ATTRIBUTES: return (struct value){.type = VALUE_ATTRIBUTES_OF, .text = key};
	case VALUE_CAPACITY: return (struct value){.type = VALUE_CAPACITY_OF, .text = key};
	case VALUE_ATTRIBUTES_OF: return attribute(e, map->text, key);
	case VALUE_CAPACITY_OF: return capacity(e, map->text, key);
	default: return of_error();
	}
}

static struct value evaluate_index(struct evaluation *e, const struct cel_node *node)
{
	const struct value map = evaluate(e, node->a), key = evaluate(e, node->b);
	return key.type == VALUE_TEXT && !key.lower ? look_up(e, &map, key.text) : of_error();
}

static struct value evaluate_has(struct evaluation *e, const struct cel_node *node)
{
	const struct cel_node *select = &e->cel->nodes[node->a];
	const struct value map = evaluate(e, select->a);
	if (map.type == VALUE_ATTRIBUTES || map.type == VALUE_CAPACITY)
		return of_bool(has_domain(e, &map, select->text));
	if (map.type != VALUE_ATTRIBUTES_OF && map.type != VALUE_CAPACITY_OF)
		return of_error();
	return of_bool(look_up(e, &map, select->text).type != VALUE_ERROR);
}

static struct value evaluate_in(struct evaluation *e, const struct cel_node *node)
{
	const struct value item = evaluate(e, node->a), all = evaluate(e, node->b);
	if (!is_plain(&item))
		return of_error();
	if (all.type == VALUE_LIST) {
		bool failed = false;
		for (uint16_t link = all.list; link; link = e->cel->nodes[link].next) {
			const struct value other = evaluate(e, e->cel->nodes[link].a);
			int order;
			if (compare(&item, &other, &order) && order == 0)
				return of_bool(true);
			failed = failed || other.type == VALUE_ERROR;
		}
		return failed ? of_error() : of_bool(false);
	}
	if (item.type != VALUE_TEXT || item.lower)
		return of_error();
	if (all.type == VALUE_ATTRIBUTES || all.type == VALUE_CAPACITY)
		return of_bool(has_domain(e, &all, item.text));
	if (all.type == VALUE_ATTRIBUTES_OF || all.type == VALUE_CAPACITY_OF)
		return of_bool(look_up(e, &all, item.text).type != VALUE_ERROR);
	return of_error();
}

/* ---- calls -------------------------------------------------------------------------------------------------------------------------------------- */

static struct value call_on_texts(enum cel_method method, const struct value *a, const struct value *b)
{
	const size_t whole = strlen(a->text), part = strlen(b->text);
	if (part > whole)
		return of_bool(false);
	if (method == CEL_STARTS_WITH)
		return of_bool(same_bytes(a, 0, b, part));
	if (method == CEL_ENDS_WITH)
		return of_bool(same_bytes(a, whole - part, b, part));
	for (size_t from = 0; from + part <= whole; from++) {
		if (same_bytes(a, from, b, part))
			return of_bool(true);
	}
	return of_bool(false);
}

static struct value evaluate_call(struct evaluation *e, const struct cel_node *node)
{
	const enum cel_method method = (enum cel_method)node->op;
	const struct value target = evaluate(e, node->a);
	const struct value argument = node->b ? evaluate(e, node->b) : of_error();
	struct value number = {.type = VALUE_INT};
	int order;
	switch (method) {
	case CEL_STARTS_WITH:
	case CEL_ENDS_WITH:
	case CEL_CONTAINS:
		return target.type == VALUE_TEXT && argument.type == VALUE_TEXT ? call_on_texts(method, &target, &argument) : of_error();
	case CEL_LOWER_ASCII:
		return target.type == VALUE_TEXT ? (struct value){.type = VALUE_TEXT, .text = target.text, .lower = true} : of_error();
	case CEL_COMPARE_TO:
	case CEL_IS_GREATER_THAN:
	case CEL_IS_LESS_THAN:
		if ((target.type != VALUE_QUANTITY && target.type != VALUE_VERSION) || !compare(&target, &argument, &order))
			return of_error();
		number.number = order;
		return method == CEL_COMPARE_TO ? number : of_bool(method == CEL_IS_GREATER_THAN ? order > 0 : order < 0);
	case CEL_MAJOR:
	case CEL_MINOR:
	case CEL_PATCH:
		if (target.type != VALUE_VERSION || !cel_version_part(target.text, (int)(method - CEL_MAJOR), &number.number))
			return of_error();
		return number;
	case CEL_METHODS: break;
	}
	return of_error();
}

/* ---- the tree ------------------------------------------------------------------------------------------------------------------------------------ */

/* decides: the value of one side that settles the whole, whatever the other is. */
static struct value evaluate_logic(struct evaluation *e, const struct cel_node *node, bool decides)
{
	const struct value a = evaluate(e, node->a);
	if (a.type == VALUE_BOOL && (a.number != 0) == decides)
		return a;
	const struct value b = evaluate(e, node->b);
	if (b.type == VALUE_BOOL && (b.number != 0) == decides)
		return b;
	return a.type == VALUE_BOOL && b.type == VALUE_BOOL ? b : of_error();
}

static struct value evaluate_node(struct evaluation *e, const struct cel_node *node)
{
	struct value inner;
	switch (node->kind) {
	case CEL_BOOL: return of_bool(node->number != 0);
	case CEL_INT: return (struct value){.type = VALUE_INT, .number = node->number};
	case CEL_TEXT: return (struct value){.type = VALUE_TEXT, .text = node->text};
	case CEL_VERSION: return (struct value){.type = VALUE_VERSION, .text = node->text};
	case CEL_QUANTITY: return (struct value){.type = VALUE_QUANTITY, .number = node->number};
	case CEL_LIST: return (struct value){.type = VALUE_LIST, .list = node->a};
	case CEL_DRIVER: return (struct value){.type = VALUE_TEXT, .text = e->driver};
	case CEL_ATTRIBUTES: return (struct value){.type = VALUE_ATTRIBUTES};
	case CEL_CAPACITY: return (struct value){.type = VALUE_CAPACITY};
	case CEL_INDEX: return evaluate_index(e, node);
	case CEL_SELECT: inner = evaluate(e, node->a); return look_up(e, &inner, node->text);
	case CEL_HAS: return evaluate_has(e, node);
	case CEL_NOT: inner = evaluate(e, node->a); return inner.type == VALUE_BOOL ? of_bool(!inner.number) : of_error();
	case CEL_NEGATE:
		inner = evaluate(e, node->a);
		if (inner.type != VALUE_INT || inner.number == INT64_MIN)
			return of_error();
		inner.number = -inner.number;
		return inner;
	case CEL_AND: return evaluate_logic(e, node, false);
	case CEL_OR: return evaluate_logic(e, node, true);
	case CEL_CHOICE:
		inner = evaluate(e, node->a);
		return inner.type == VALUE_BOOL ? evaluate(e, inner.number ? node->b : node->c) : of_error();
	case CEL_COMPARE: return evaluate_compare(e, node);
	case CEL_IN: return evaluate_in(e, node);
	case CEL_CALL: return evaluate_call(e, node);
	}
	return of_error();
}

static struct value evaluate(struct evaluation *e, uint16_t index)
{
	return ++e->steps > MOST_STEPS ? of_error() : evaluate_node(e, &e->cel->nodes[index]);
}

enum stint_truth stint_cel_matches(const struct stint_cel *cel, const char *driver, const struct stint_device *device)
{
	struct evaluation e = {.cel = cel, .driver = driver, .device = device};
	const struct value value = evaluate(&e, cel->root);
	if (value.type != VALUE_BOOL)
		return STINT_UNKNOWN;
	return value.number ? STINT_TRUE : STINT_FALSE;
}
