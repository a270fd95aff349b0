/*
 * Validation of custom resources: OpenAPI's rules with the sentences of the API server, and what CEL rules and KAI's webhooks add for
 * Queue, PodGroup and Topology.
 *
 * A cluster with our CustomResourceDefinitions has no webhooks, and what it takes must be taken here: so the rules that only the
 * webhooks know are told as warnings. CEL rules of other definitions are stored and not evaluated.
 */
#include "core/sandbox/schema/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

static const char *path_of(const struct check *check)
{
	return check->path.data ? check->path.data : "";
}

/* ---- OpenAPI ------------------------------------------------------------------------------------------------------------------ */

static const char *given_word(const struct stint_json *value)
{
	int64_t whole;
	switch (stint_json_type(value)) {
	case STINT_JSON_NULL: return "null";
	case STINT_JSON_BOOL: return "boolean";
	case STINT_JSON_NUMBER: return stint_json_int(value, &whole) ? "integer" : "number";
	case STINT_JSON_STRING: return "string";
	case STINT_JSON_ARRAY: return "array";
	default: return "object";
	}
}

static const char *wanted_word(const struct stint_type *type)
{
	switch (type->form) {
	case FORM_OBJECT:
	case FORM_MAP: return "object";
	case FORM_LIST: return "array";
	case FORM_BOOL: return "boolean";
	case FORM_INT: return "integer";
	case FORM_NUMBER: return "number";
	default: return "string";
	}
}

static bool fits(const struct stint_type *type, const struct stint_json *value)
{
	const char *given = given_word(value), *wanted = wanted_word(type);
	if (type->form == FORM_ANY)
		return true;
	if (type->form == FORM_INT_OR_STRING || type->form == FORM_QUANTITY)
		return strcmp(given, "string") == 0 || strcmp(given, "integer") == 0;
	return strcmp(given, wanted) == 0 || (strcmp(wanted, "number") == 0 && strcmp(given, "integer") == 0);
}

static void refuse_type(struct check *check, const struct stint_type *type, const struct stint_json *value)
{
	const char *given = given_word(value);
	stint_autofree char *path = stint_strdup(path_of(check));
	schema_check_cause(check, "FieldValueTypeInvalid", NULL, "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"", given,
		path, wanted_word(type), given);
}

static void check_text(struct check *check, const struct type_rules *rules, const struct stint_json *value)
{
	const char *text = stint_json_string(value);
	int64_t length = 0;
	for (const char *at = text; *at; at++)
		length += ((unsigned char)*at & 0xC0) != 0x80; /* characters, not bytes */
	stint_autofree char *path = stint_strdup(path_of(check));
	if (rules->min_length >= 0 && length < rules->min_length)
		schema_check_bad(check, NULL, value, "%s in body should be at least %lld chars long", path, (long long)rules->min_length);
	if (rules->max_length >= 0 && length > rules->max_length)
		schema_check_cause(
			check, "FieldValueTooLong", NULL, "Too long: may not be more than %lld bytes", (long long)rules->max_length);
	const bool told = rules->regex && (!rules->ascii_regex || length == (int64_t)strlen(text));
	if (told && regexec(rules->regex, text, 0, NULL, 0) != 0)
		schema_check_bad(check, NULL, value, "%s in body should match '%s'", path, rules->pattern);
}

static void check_bounds(struct check *check, const struct type_rules *rules, const struct stint_json *value)
{
	double number = 0, step;
	stint_json_double(value, &number);
	bool below = rules->has_min && number < rules->min, above = rules->has_max && number > rules->max;
	bool not_min = stint_json_bool_or(stint_json_get(rules->schema, "exclusiveMinimum"), false) && number == rules->min;
	bool not_max = stint_json_bool_or(stint_json_get(rules->schema, "exclusiveMaximum"), false) && number == rules->max;
	stint_autofree char *path = stint_strdup(path_of(check));
	if (below || (rules->has_min && not_min))
		schema_check_bad(
			check, NULL, value, "%s in body should be greater than%s %g", path, not_min ? "" : " or equal to", rules->min);
	if (above || (rules->has_max && not_max))
		schema_check_bad(
			check, NULL, value, "%s in body should be less than%s %g", path, not_max ? "" : " or equal to", rules->max);
	if (stint_json_double(stint_json_get(rules->schema, "multipleOf"), &step) && step > 0 && fabs(remainder(number, step)) > 1e-9)
		schema_check_bad(check, NULL, value, "%s in body should be a multiple of %g", path, step);
}

static void check_one_of(struct check *check, const struct type_rules *rules, const struct stint_json *value)
{
	const struct stint_json *allowed = stint_json_get(rules->schema, "enum");
	const char *text = stint_json_string(value);
	if (rules->one_of && text && !schema_word_in(rules->one_of, text))
		schema_check_unsupported(check, NULL, text, rules->one_of);
	if (!allowed || rules->one_of)
		return;
	bool found = false;
	stint_auto_buf words = {0};
	stint_json_each(one, allowed) {
		found |= stint_json_equal(one, value);
		stint_autofree char *shown = stint_json_print(one);
		stint_buf_printf(&words, "%s%s", words.length ? ", " : "", shown);
	}
	stint_autofree char *given = stint_json_print(value);
	if (!found)
		schema_check_cause(check, "FieldValueNotSupported", NULL, "Unsupported value: %s: supported values: %s", given,
			words.data ? words.data : "");
}

static void check_sizes(struct check *check, const struct type_rules *rules, const struct stint_json *value, const char *what)
{
	int64_t count = (int64_t)stint_json_count(value);
	stint_autofree char *path = stint_strdup(path_of(check));
	if (rules->min_length >= 0 && count < rules->min_length)
		schema_check_cause(check, "FieldValueInvalid", NULL, "Invalid value: %lld: %s in body should have at least %lld %s",
			(long long)count, path, (long long)rules->min_length, what);
	if (rules->max_length >= 0 && count > rules->max_length)
		schema_check_too_many(check, NULL, (size_t)count, rules->max_length);
	if (!stint_json_bool_or(stint_json_get(rules->schema, "uniqueItems"), false))
		return;
	stint_json_each(item, value)
		stint_json_each(other, value) {
			if (other == item)
				break;
			if (stint_json_equal(item, other))
				schema_check_bad(check, NULL, value, "%s in body shouldn't contain duplicates", path);
		}
}

/* Lists of sets and maps hold no item twice. */
static void check_identity(struct check *check, const struct stint_type *type, const struct stint_json *list)
{
	size_t index = 0;
	stint_json_each(item, list) {
		stint_autofree char *place = stint_format("[%zu]", index++);
		stint_json_each(earlier, list) {
			if (earlier == item)
				break;
			bool same = type->topology == LIST_SET && stint_json_equal(item, earlier);
			if (type->topology == LIST_MAP) {
				same = true;
				for (const char *const *key = type->keys; *key; key++)
					same &= stint_json_equal(stint_json_get(item, *key), stint_json_get(earlier, *key));
			}
			if (!same)
				continue;
			stint_autofree char *shown = stint_json_print(item);
			schema_check_cause(check, "FieldValueDuplicate", place, "Duplicate value: %s", shown);
			break;
		}
	}
}

static void check_members(struct check *check, const struct stint_type *type, const struct stint_json *object)
{
	for (size_t i = 0; i < type->field_count; i++)
		if (type->fields[i].required && !stint_json_get(object, type->fields[i].name))
			schema_check_missing(check, type->fields[i].name, NULL);
	stint_json_each(member, object) {
		const struct type_field *field = schema_field(type, stint_json_key(member));
		const struct stint_type *of = field ? field->type : type->item;
		if (!of || (field && !of->custom && of->form == FORM_OBJECT)) /* metadata has rules of its own */
			continue;
		size_t mark = schema_path_field(&check->path, stint_json_key(member));
		schema_check_custom_value(check, of, member);
		schema_path_pop(&check->path, mark);
	}
}

void schema_check_custom_value(struct check *check, const struct stint_type *type, const struct stint_json *value)
{
	if (check->full || (type->nullable && stint_json_type(value) == STINT_JSON_NULL))
		return;
	if (!fits(type, value)) {
		refuse_type(check, type, value);
		return;
	}
	if (type->rules) {
		check_one_of(check, type->rules, value);
		if (stint_json_string(value))
			check_text(check, type->rules, value);
		else if (stint_json_type(value) == STINT_JSON_NUMBER)
			check_bounds(check, type->rules, value);
		else if (type->form == FORM_LIST)
			check_sizes(check, type->rules, value, "items");
		else if (type->form == FORM_OBJECT || type->form == FORM_MAP)
			check_sizes(check, type->rules, value, "properties");
	}
	int64_t ms, whole;
	const char *text = stint_json_string(value);
	stint_autofree char *path = stint_strdup(path_of(check));
	if ((type->form == FORM_TIME || type->form == FORM_MICRO_TIME) && !stint_time_parse(text, strlen(text), &ms))
		schema_check_bad(check, NULL, value, "%s in body must be of type date-time: \"%s\"", path, text);
	if (type->form == FORM_INT && type->bits == 32 && stint_json_int(value, &whole) && (whole < INT32_MIN || whole > INT32_MAX))
		schema_check_bad(check, NULL, value, "Checked value must be of type int32 with format int32");
	if (type->form == FORM_QUANTITY && text) {
		stint_autofree char *canonical = schema_quantity_canonical(text);
		if (!canonical)
			schema_check_bad(check, NULL, value,
				"%s in body should match '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?"
				"(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$'",
				path);
	}
	if (type->form == FORM_OBJECT) {
		check_members(check, type, value);
	} else if (type->form == FORM_MAP) {
		stint_json_each(member, value) {
			size_t mark = schema_path_field(&check->path, stint_json_key(member));
			schema_check_custom_value(check, type->item, member);
			schema_path_pop(&check->path, mark);
		}
	} else if (type->form == FORM_LIST) {
		size_t index = 0;
		if (type->topology != LIST_ATOMIC)
			check_identity(check, type, value);
		stint_json_each(item, value) {
			size_t mark = schema_path_index(&check->path, index++);
			schema_check_custom_value(check, type->item, item);
			schema_path_pop(&check->path, mark);
		}
	}
	if (type->hook && type->hook->check)
		type->hook->check(check, value);
}

/* ---- KAI's kinds --------------------------------------------------------------------------------------------------------------- */

void schema_check_queue(struct check *check, const struct stint_json *queue)
{
	if (!stint_json_at(queue, "spec", "resources"))
		schema_check_warn(check, "resources must be specified");
}

/* KAI looks parents up in lower case. */
static const struct stint_json *find_group(const struct stint_json *groups, const char *name)
{
	stint_json_each(group, groups)
		if (strcasecmp(text_of(group, "name"), name) == 0)
			return group;
	return NULL;
}

static size_t count_children(const struct stint_json *groups, const char *name)
{
	size_t count = 0;
	stint_json_each(group, groups)
		count += strcasecmp(text_of(group, "parent"), name) == 0;
	return count;
}

static bool has_number(const struct stint_json *object, const char *key)
{
	return stint_json_type(stint_json_get(object, key)) == STINT_JSON_NUMBER;
}

static void check_subgroup(struct check *check, const struct stint_json *groups, const struct stint_json *group, size_t total)
{
	const char *name = text_of(group, "name"), *parent = text_of(group, "parent");
	size_t children = count_children(groups, name);
	if (find_group(groups, name) != group)
		schema_check_warn(check, "duplicate subgroup name %s", name);
	if (*parent && !find_group(groups, parent))
		schema_check_warn(check, "parent %s of subgroup %s was not found", parent, name);
	const struct stint_json *above = group;
	size_t steps = 0;
	while (above && *text_of(above, "parent") && steps++ <= total)
		above = find_group(groups, text_of(above, "parent"));
	if (steps > total)
		schema_check_warn(check, "subgroup %s is its own ancestor", name);
	if (has_number(group, "minMember") && has_number(group, "minSubGroup"))
		schema_check_warn(check, "subgroup %s: minMember and minSubGroup exclude each other", name);
	if (!children && has_number(group, "minSubGroup"))
		schema_check_warn(check, "subgroup %s has no subgroups and must not set minSubGroup", name);
	if (!children && !has_number(group, "minMember"))
		schema_check_warn(check, "subgroup %s has no subgroups and must set minMember", name);
	if (children && has_number(group, "minMember"))
		schema_check_warn(check, "subgroup %s has subgroups and should not set minMember", name);
	if (stint_json_int_or(stint_json_get(group, "minSubGroup"), 0) > (int64_t)children && children)
		schema_check_warn(check, "subgroup %s: minSubGroup is greater than the number of its subgroups", name);
}

void schema_check_pod_group(struct check *check, const struct stint_json *object)
{
	const struct stint_json *spec = stint_json_get(object, "spec"), *groups = stint_json_get(spec, "subGroups");
	if (has_number(spec, "minMember") && has_number(spec, "minSubGroup"))
		schema_check_warn(check, "minMember and minSubGroup exclude each other");
	size_t total = stint_json_count(groups);
	if (total && stint_json_int_or(stint_json_get(spec, "minSubGroup"), 0) > (int64_t)count_children(groups, ""))
		schema_check_warn(check, "minSubGroup is greater than the number of subgroups");
	if (stint_json_type(groups) == STINT_JSON_ARRAY)
		stint_json_each(group, groups)
			check_subgroup(check, groups, group, total);
}

static bool same_labels(const struct stint_json *a, const struct stint_json *b)
{
	const struct stint_json *left = stint_json_first(a), *right = stint_json_first(b);
	for (; left && right; left = stint_json_next(left), right = stint_json_next(right))
		if (strcmp(text_of(left, "nodeLabel"), text_of(right, "nodeLabel")) != 0)
			return false;
	return !left && !right;
}

/* A rule of the definition shows what kind of value broke it, not the value. */
static void check_levels(struct check *check, const char *message)
{
	schema_check_cause(check, "FieldValueInvalid", "spec.levels", "Invalid value: \"array\": %s", message);
}

/* Whether something was found that makes rules over the whole object pointless. */
static bool is_broken(const struct check *check)
{
	static const char *const reasons[] = {
		"FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid", NULL};
	stint_json_each(cause, check->causes)
		if (schema_word_in(reasons, text_of(cause, "reason")))
			return true;
	return false;
}

void schema_check_topology(struct check *check, const struct stint_json *object)
{
	const struct stint_json *levels = stint_json_at(object, "spec", "levels");
	const struct stint_json *old = stint_json_at(check->old, "spec", "levels");
	if (is_broken(check)) {
		schema_check_cause(check, "FieldValueInvalid", "<nil>",
			"Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing "
			"errors to complete validation");
		return;
	}
	if (stint_json_type(levels) != STINT_JSON_ARRAY)
		return;
	if (old && !same_labels(levels, old))
		check_levels(check, "the node labels of the levels cannot be changed");
	bool unique = true, host_last = true;
	stint_json_each(level, levels) {
		const char *label = text_of(level, "nodeLabel"), *alias = text_of(level, "alias");
		if (strcmp(label, "kubernetes.io/hostname") == 0 && stint_json_next(level))
			host_last = false;
		stint_json_each(other, levels) {
			if (other != level && strcmp(text_of(other, "nodeLabel"), label) == 0)
				unique = false;
			if (*alias &&
				((other != level && strcmp(text_of(other, "alias"), alias) == 0) ||
					strcmp(text_of(other, "nodeLabel"), alias) == 0))
				schema_check_warn(check, "invalid topology aliases: %s is not unique", alias);
		}
	}
	if (!unique)
		check_levels(check, "each level needs a node label of its own");
	if (!host_last)
		check_levels(check, "kubernetes.io/hostname can only be the last level");
}

/* ---- definitions ----------------------------------------------------------------------------------------------------------------- */

/* Each pattern must be one; below `depth` nothing is looked at when values are checked either. */
static void check_patterns(struct check *check, const struct stint_json *node, int depth)
{
	const char *text = stint_json_string(stint_json_get(node, "pattern"));
	struct schema_pattern pattern = {0};
	const char *problem = text ? schema_pattern_problem(text, &pattern) : NULL;
	free(pattern.posix);
	if (problem)
		schema_check_bad_text(check, "pattern", text,
			"must be a valid regular expression, but isn't: error parsing regexp: %s: `%.200s`", problem, text);
	static const char *const below[] = {"items", "additionalProperties"};
	for (size_t i = 0; i < STINT_COUNT(below) && depth > 0; i++) {
		size_t mark = schema_path_field(&check->path, below[i]);
		if (stint_json_type(stint_json_get(node, below[i])) == STINT_JSON_OBJECT)
			check_patterns(check, stint_json_get(node, below[i]), depth - 1);
		schema_path_pop(&check->path, mark);
	}
	size_t mark = schema_path_field(&check->path, "properties");
	const struct stint_json *properties = depth > 0 ? stint_json_get(node, "properties") : NULL;
	stint_json_each(property, properties) {
		size_t at = schema_path_key(&check->path, stint_json_key(property));
		check_patterns(check, property, depth - 1);
		schema_path_pop(&check->path, at);
	}
	schema_path_pop(&check->path, mark);
}

void schema_check_definition(struct check *check, const struct stint_json *object)
{
	const struct stint_json *spec = stint_json_get(object, "spec"), *names = stint_json_get(spec, "names");
	const char *group = text_of(spec, "group"), *plural = text_of(names, "plural");
	const char *name = stint_json_string_or(stint_json_at(object, "metadata", "name"), "");
	stint_autofree char *wanted = stint_format("%s.%s", plural, group);
	if (*plural && *group && strcmp(wanted, name) != 0)
		schema_check_bad_text(check, "metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
	if (*group && !strchr(group, '.'))
		schema_check_bad_text(check, "spec.group", group, "should be a domain with at least one dot");
	schema_check_name(check, "spec.names.plural", *plural ? plural : NULL, NAME_LABEL_1035);
	size_t stored = 0, index = 0;
	stint_json_each(version, stint_json_get(spec, "versions")) {
		stint_autofree char *place = stint_format("spec.versions[%zu]", index++);
		size_t mark = schema_path_field(&check->path, place);
		stored += stint_json_bool_or(stint_json_get(version, "storage"), false);
		schema_check_name(check, "name", stint_json_string(stint_json_get(version, "name")), NAME_LABEL_1035);
		const struct stint_json *root = stint_json_at(version, "schema", "openAPIV3Schema");
		if (!root)
			schema_check_missing(check, "schema.openAPIV3Schema", "schemas are required");
		else if (strcmp(text_of(root, "type"), "object") != 0)
			schema_check_bad_text(check, "schema.openAPIV3Schema.type", text_of(root, "type"), "must be object at the root");
		size_t at = schema_path_field(&check->path, "schema.openAPIV3Schema");
		check_patterns(check, root, MAX_SCHEMA_DEPTH);
		schema_path_pop(&check->path, at);
		schema_path_pop(&check->path, mark);
	}
	if (index && stored != 1)
		schema_check_bad(check, "spec.versions", stint_json_get(spec, "versions"),
			"must have exactly one version marked as storage version");
}
