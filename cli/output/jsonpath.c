/*
 * jsonpath: evaluates a compiled template over a document. The document is only read; what a path has led to is a list of pointers into it,
 * of bounded length.
 */
#include "cli/output/jsonpath.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/jsonpath_internal.h"

enum { MOST_RESULTS = 1000000 };

struct results {
	const struct stint_json **items;
	size_t count, capacity;
};

static void add(struct results *results, const struct stint_json *value)
{
	if (!value || results->count >= MOST_RESULTS)
		return;
	stint_grow(&results->items, &results->capacity, results->count + 1, sizeof *results->items);
	results->items[results->count++] = value;
}

static struct results evaluate(const struct path_steps *path, const struct stint_json *root, const struct stint_json *here);

static void descend(struct results *out, const struct stint_json *value)
{
	add(out, value);
	stint_json_each(child, value)
		descend(out, child);
}

static void apply_range(struct results *out, const struct path_step *step, const struct stint_json *value)
{
	if (stint_json_type(value) != STINT_JSON_ARRAY)
		return;
	const int64_t count = (int64_t)stint_json_count(value);
	int64_t from = step->has_from ? step->from : 0;
	from = from < 0 ? from + count : from;
	int64_t to = step->single ? from + 1 : step->has_to ? step->to : count;
	if (!step->single && to < 0)
		to += count;
	if (step->single && from < 0)
		return;
	int64_t index = 0;
	stint_json_each(item, value) {
		if (index >= from && index < to && (index - from) % step->by == 0)
			add(out, item);
		index++;
	}
}

/* The sign of a comparison; false when the two cannot be compared. */
static bool compare(const struct stint_json *a, const struct stint_json *b, int *sign)
{
	double x, y;
	if (stint_json_double(a, &x) && stint_json_double(b, &y)) {
		*sign = (x > y) - (x < y);
		return true;
	}
	const char *s = stint_json_string(a), *t = stint_json_string(b);
	if (s && t) {
		*sign = strcmp(s, t);
		return true;
	}
	*sign = !stint_json_equal(a, b);
	return stint_json_type(a) == stint_json_type(b);
}

static bool holds(const struct path_step *step, const struct stint_json *root, const struct stint_json *item)
{
	struct results left = {0}, right = {0};
	if (step->left.constant)
		add(&left, step->left.constant);
	else
		left = evaluate(&step->left.path, root, item);
	if (step->right.constant)
		add(&right, step->right.constant);
	else if (step->op != FILTER_EXISTS)
		right = evaluate(&step->right.path, root, item);
	bool result = false;
	int sign = 1;
	if (step->op == FILTER_EXISTS) {
		result = left.count > 0;
	} else if (left.count && right.count) {
		const bool comparable = compare(left.items[0], right.items[0], &sign);
		switch (step->op) {
		case FILTER_EQUAL: result = comparable && sign == 0; break;
		case FILTER_NOT_EQUAL: result = !comparable || sign != 0; break;
		case FILTER_LESS: result = comparable && sign < 0; break;
		case FILTER_LESS_EQUAL: result = comparable && sign <= 0; break;
		case FILTER_GREATER: result = comparable && sign > 0; break;
		case FILTER_GREATER_EQUAL: result = comparable && sign >= 0; break;
		case FILTER_EXISTS: break;
		}
	}
	free(left.items);
	free(right.items);
	return result;
}

static void apply(struct results *out, const struct path_step *step, const struct stint_json *root, const struct stint_json *value)
{
	const bool container = stint_json_type(value) == STINT_JSON_ARRAY || stint_json_type(value) == STINT_JSON_OBJECT;
	switch (step->kind) {
	case STEP_FIELD: add(out, stint_json_get(value, step->name)); break;
	case STEP_ALL:
		if (container)
			stint_json_each(child, value)
				add(out, child);
		break;
	case STEP_DESCEND: descend(out, value); break;
	case STEP_RANGE: apply_range(out, step, value); break;
	case STEP_FILTER:
		if (container)
			stint_json_each(child, value)
				if (holds(step, root, child))
					add(out, child);
		break;
	case STEP_UNION:
		for (size_t at = 0; at < step->alternatives.count; at++)
			apply(out, &step->alternatives.items[at], root, value);
		break;
	}
}

static struct results evaluate(const struct path_steps *path, const struct stint_json *root, const struct stint_json *here)
{
	struct results now = {0};
	add(&now, path->from_root ? root : here);
	for (size_t step = 0; step < path->count; step++) {
		struct results next = {0};
		for (size_t at = 0; at < now.count; at++)
			apply(&next, &path->items[step], root, now.items[at]);
		free(now.items);
		now = next;
	}
	return now;
}

static void print_value(struct stint_buf *out, const struct stint_json *value)
{
	const char *text = stint_json_string(value);
	if (text)
		stint_buf_puts(out, text);
	else if (stint_json_type(value) != STINT_JSON_NULL)
		stint_json_print_to(out, value);
}

static void print_pieces(const struct cli_jsonpath *path, size_t from, size_t to, const struct stint_json *root,
	const struct stint_json *here, struct stint_buf *out)
{
	for (size_t at = from; at < to; at++) {
		const struct path_piece *piece = &path->pieces[at];
		if (piece->kind == PIECE_TEXT) {
			stint_buf_puts(out, piece->text);
		} else if (piece->kind == PIECE_PATH) {
			struct results found = evaluate(&piece->path, root, here);
			for (size_t item = 0; item < found.count; item++) {
				if (item)
					stint_buf_putc(out, ' ');
				print_value(out, found.items[item]);
			}
			free(found.items);
		} else if (piece->kind == PIECE_LOOP) {
			struct results found = evaluate(&piece->path, root, here);
			for (size_t item = 0; item < found.count; item++)
				print_pieces(path, at + 1, piece->end, root, found.items[item], out);
			free(found.items);
			at = piece->end;
		}
	}
}

void cli_jsonpath_print(const struct cli_jsonpath *path, const struct stint_json *document, struct stint_buf *out)
{
	print_pieces(path, 0, path->count, document, document, out);
}

const struct stint_json *cli_jsonpath_first(const struct cli_jsonpath *path, const struct stint_json *document)
{
	for (size_t at = 0; at < path->count; at++) {
		if (path->pieces[at].kind != PIECE_PATH)
			continue;
		struct results found = evaluate(&path->pieces[at].path, document, document);
		const struct stint_json *first = found.count ? found.items[0] : NULL;
		free(found.items);
		return first;
	}
	return NULL;
}
