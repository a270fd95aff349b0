/*
 * Columns of custom kinds. Their JSONPaths are the simple ones that printer columns allow: keys, indices and one kind of filter,
 * [?(@.key=="value")].
 */
#include "table_custom.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

static const struct stint_json *columns_of(const struct stint_kind *kind)
{
	return stint_json_get(kind->definition, "additionalPrinterColumns");
}

/* [?(@.type=="Ready")]: the first item whose key has that text. *at stands behind the '['. */
static const struct stint_json *filtered(const struct stint_json *array, const char **at)
{
	const char *close = strchr(*at, ']'), *key = strstr(*at, "@."), *sign = strstr(*at, "==");
	stint_autofree char *name = NULL;
	stint_autofree char *text = NULL;
	const char *quote, *end;

	if (!close)
		return NULL;
	if (!key || !sign || key > close || sign > close || sign < key)
		goto none;
	name = stint_strndup(key + 2, (size_t)(sign - key - 2));
	quote = strpbrk(sign, "\"'");
	end = quote && quote < close ? strchr(quote + 1, *quote) : NULL;
	if (!end)
		goto none;
	text = stint_strndup(quote + 1, (size_t)(end - quote - 1));
	*at = close + 1;
	stint_json_each(item, array) {
		if (strcmp(stint_json_string_or(stint_json_get(item, name), ""), text) == 0)
			return item;
	}
	return NULL;
none:
	*at = close + 1;
	return NULL;
}

static const struct stint_json *indexed(const struct stint_json *array, const char **at)
{
	const char *close = strchr(*at, ']');
	stint_autofree char *text = close ? stint_strndup(*at, (size_t)(close - *at)) : NULL;
	int64_t index;

	*at = close ? close + 1 : *at + strlen(*at);
	if (text && (*text == '\'' || *text == '"') && strlen(text) > 2) {
		text[strlen(text) - 1] = '\0';
		return stint_json_get(array, text + 1);
	}
	if (text && strcmp(text, "*") == 0) /* of several results the first is shown */
		return stint_json_first(array);
	if (!text || !stint_parse_int(text, INT32_MIN, INT32_MAX, &index))
		return NULL;
	if (index < 0)
		index += (int64_t)stint_json_count(array);
	return index < 0 ? NULL : stint_json_item(array, (size_t)index);
}

static const struct stint_json *walk(const struct stint_json *object, const char *path)
{
	const struct stint_json *value = object;
	stint_auto_buf key = {0};

	while (*path && value) {
		if (*path == '[') {
			path++;
			value = *path == '?' ? filtered(value, &path) : indexed(value, &path);
			continue;
		}
		if (*path == '.')
			path++;
		stint_buf_reset(&key);
		for (; *path && *path != '.' && *path != '['; path++) {
			if (*path == '\\' && path[1])
				path++; /* metadata.labels.a\.b */
			stint_buf_putc(&key, *path);
		}
		if (key.length > 0)
			value = stint_json_get(value, key.data);
	}
	return value;
}

static void put_text(struct stint_buf *out, const struct stint_json *value, const char *otherwise)
{
	stint_auto_json *text = stint_json_new_string(stint_json_string_or(value, otherwise));

	stint_json_print_to(out, text);
}

bool table_custom_columns(struct stint_buf *out, const struct stint_kind *kind)
{
	const struct stint_json *columns = columns_of(kind);

	stint_json_each(column, columns) {
		stint_buf_puts(out, ",{\"name\":");
		put_text(out, stint_json_get(column, "name"), "");
		stint_buf_puts(out, ",\"type\":");
		put_text(out, stint_json_get(column, "type"), "string");
		stint_buf_puts(out, ",\"format\":");
		put_text(out, stint_json_get(column, "format"), "");
		stint_buf_puts(out, ",\"description\":");
		put_text(out, stint_json_get(column, "description"), "");
		stint_buf_printf(out, ",\"priority\":%lld}", (long long)stint_json_int_or(stint_json_get(column, "priority"), 0));
	}
	return stint_json_first(columns) != NULL;
}

static struct stint_json *text_cell(const struct stint_json *value)
{
	stint_autofree char *text = stint_json_string(value) ? NULL : stint_json_print(value);

	return stint_json_new_string(text ? text : stint_json_string(value));
}

static struct stint_json *date_cell(const char *text)
{
	int64_t ms;

	return stint_time_parse(text, strlen(text), &ms) ? table_since(text) : stint_json_new_string("<invalid>");
}

/* A value of another type than the column's is shown as nothing. */
static struct stint_json *cell_of(const struct stint_json *column, const struct stint_json *object)
{
	const char *type = stint_json_string_or(stint_json_get(column, "type"), "string");
	const struct stint_json *value = walk(object, stint_json_string_or(stint_json_get(column, "jsonPath"), ""));
	enum stint_json_type given = stint_json_type(value);

	if (given == STINT_JSON_NULL)
		return stint_json_new_null();
	if (strcmp(type, "string") == 0)
		return text_cell(value);
	if (strcmp(type, "date") == 0 && given == STINT_JSON_STRING)
		return date_cell(stint_json_string(value));
	if (given == (strcmp(type, "boolean") == 0 ? STINT_JSON_BOOL : STINT_JSON_NUMBER) && strcmp(type, "date") != 0)
		return stint_json_dup(value);
	return stint_json_new_null();
}

bool table_custom_cells(struct stint_json *cells, const struct stint_kind *kind, const struct stint_json *object)
{
	const struct stint_json *columns = columns_of(kind);

	stint_json_each(column, columns)
		stint_json_append(cells, cell_of(column, object));
	return stint_json_first(columns) != NULL;
}
