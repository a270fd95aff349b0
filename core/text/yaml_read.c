/*
 * From YAML to the tree, through libyaml's events, with bounds on bytes, depth and nodes after expansion. An alias is a copy of what
 * its anchor holds; one that points into itself is an error, and so are duplicate keys, the merge key and keys that are no scalars.
 */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "core/text/scalar.h"

struct reader {
	yaml_parser_t parser;
	const char *name;
	struct stint_map *anchors; /* name -> tree of its own, or an unfinished one: in_progress */
	size_t nodes;
	int depth;
	struct stint_error **err;
};

static char unfinished; /* its address marks an anchor whose node is still being read */

static void free_anchor(void *tree)
{
	if (tree != &unfinished)
		stint_json_free(tree);
}

static struct stint_json *fail(struct reader *r, yaml_mark_t mark, const char *what)
{
	stint_fail(r->err, STINT_USAGE, "%s, line %zu, column %zu: %s", r->name, mark.line + 1, mark.column + 1, what);
	return NULL;
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return true;
	yaml_mark_t mark = r->parser.problem_mark;
	fail(r, mark, r->parser.problem ? r->parser.problem : "this is not YAML");
	return false;
}

static size_t count_nodes(const struct stint_json *tree)
{
	size_t count = 1;
	stint_json_each(item, tree)
		count += count_nodes(item);
	return count;
}

static bool count(struct reader *r, size_t nodes, yaml_mark_t mark)
{
	r->nodes += nodes;
	return r->nodes <= STINT_YAML_MAX_NODES || fail(r, mark, "the document has too many nodes");
}

static struct stint_json *read_node(struct reader *r, yaml_event_t *event);

static struct stint_json *read_alias(struct reader *r, const yaml_event_t *event)
{
	const void *tree = stint_map_get(r->anchors, (const char *)event->data.alias.anchor);
	if (!tree)
		return fail(r, event->start_mark, "the alias has no anchor before it");
	if (tree == &unfinished)
		return fail(r, event->start_mark, "the alias points into itself");
	return count(r, count_nodes(tree), event->start_mark) ? stint_json_dup(tree) : NULL;
}

static struct stint_json *read_scalar(struct reader *r, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	if (strlen(text) != event->data.scalar.length)
		return fail(r, event->start_mark, "text with a NUL byte cannot be kept");
	const char *tag = (const char *)event->data.scalar.tag;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (tag && strcmp(tag, YAML_STR_TAG) != 0 && strcmp(tag, "!") != 0)
		return fail(r, event->start_mark, "tags are not supported: write the value plainly or in quotes");
	return plain && !tag ? stint_scalar_resolve(text) : stint_json_new_string(text);
}

static struct stint_json *read_sequence(struct reader *r)
{
	stint_auto_json *array = stint_json_new_array();
	for (;;) {
		yaml_event_t event;
		if (!next_event(r, &event))
			return NULL;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return stint_steal(&array);
		}
		struct stint_json *item = read_node(r, &event);
		if (!item)
			return NULL;
		stint_json_append(array, item);
	}
}

/* A key as JSON has it: numbers and booleans become their text, as sigs.k8s.io/yaml does. */
static char *key_text(struct reader *r, yaml_event_t *event)
{
	if (event->type != YAML_SCALAR_EVENT) {
		fail(r, event->start_mark, "a key must be a plain word");
		return NULL;
	}
	const char *raw = (const char *)event->data.scalar.value;
	if (strcmp(raw, "<<") == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		fail(r, event->start_mark, "the merge key << is not supported: write the fields out");
		return NULL;
	}
	stint_auto_json *value = read_scalar(r, event);
	if (!value)
		return NULL;
	const char *text = stint_json_string(value);
	return text ? stint_strdup(text) : stint_json_print(value);
}

/* The keys of one mapping go to `keys`: it keeps the search for duplicates from growing with their square. */
static struct stint_json *read_members(struct reader *r, struct stint_map *keys)
{
	stint_auto_json *object = stint_json_new_object();
	for (;;) {
		yaml_event_t event;
		if (!next_event(r, &event))
			return NULL;
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return stint_steal(&object);
		}
		yaml_mark_t mark = event.start_mark;
		stint_autofree char *key = key_text(r, &event);
		yaml_event_delete(&event);
		if (!key || !next_event(r, &event))
			return NULL;
		struct stint_json *value = read_node(r, &event);
		if (!value)
			return NULL;
		if (stint_map_has(keys, key)) {
			stint_json_free(value);
			stint_autofree char *what = stint_format("the key \"%s\" stands twice", key);
			return fail(r, mark, what);
		}
		stint_map_set(keys, key, NULL);
		stint_json_add(object, key, value);
	}
}

static struct stint_json *read_mapping(struct reader *r)
{
	struct stint_map *keys = stint_map_new(NULL);
	struct stint_json *object = read_members(r, keys);
	stint_map_free(keys);
	return object;
}

static struct stint_json *read_kind(struct reader *r, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT: return read_alias(r, event);
	case YAML_SCALAR_EVENT: return read_scalar(r, event);
	case YAML_SEQUENCE_START_EVENT: return read_sequence(r);
	case YAML_MAPPING_START_EVENT: return read_mapping(r);
	default: return fail(r, event->start_mark, "a value was expected");
	}
}

static const char *anchor_of(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT: return (const char *)event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT: return (const char *)event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT: return (const char *)event->data.mapping_start.anchor;
	default: return NULL;
	}
}

/* Takes the event over. */
static struct stint_json *read_node(struct reader *r, yaml_event_t *event)
{
	struct stint_json *tree = NULL;
	const char *anchor = anchor_of(event);
	if (!count(r, 1, event->start_mark)) {
		yaml_event_delete(event);
		return NULL;
	}
	if (++r->depth > STINT_YAML_MAX_DEPTH) {
		fail(r, event->start_mark, "the document is nested too deeply");
	} else {
		if (anchor)
			stint_map_set(r->anchors, anchor, &unfinished);
		tree = read_kind(r, event);
		if (anchor && tree)
			stint_map_set(r->anchors, anchor, stint_json_dup(tree));
	}
	r->depth--;
	yaml_event_delete(event);
	return tree;
}

static bool read_stream(struct reader *r, struct stint_json *documents)
{
	for (;;) {
		yaml_event_t event;
		if (!next_event(r, &event))
			return false;
		yaml_event_type_t type = event.type;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return true;
		if (type != YAML_DOCUMENT_START_EVENT)
			continue;
		if (!next_event(r, &event))
			return false;
		struct stint_json *document = read_node(r, &event);
		if (!document)
			return false;
		stint_map_clear(r->anchors);
		if (stint_json_type(document) == STINT_JSON_NULL)
			stint_json_free(document);
		else
			stint_json_append(documents, document);
	}
}

struct stint_json *stint_yaml_parse(const char *name, const char *data, size_t length, struct stint_error **err)
{
	if (length > STINT_YAML_MAX_BYTES) {
		stint_fail(err, STINT_USAGE, "%s is larger than %d bytes", name, (int)STINT_YAML_MAX_BYTES);
		return NULL;
	}
	struct reader r = {.name = name, .err = err};
	if (!yaml_parser_initialize(&r.parser))
		abort();
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)(data ? data : ""), length);
	r.anchors = stint_map_new(free_anchor);
	stint_auto_json *documents = stint_json_new_array();
	bool read = read_stream(&r, documents);
	stint_map_free(r.anchors);
	yaml_parser_delete(&r.parser);
	return read ? stint_steal(&documents) : NULL;
}
