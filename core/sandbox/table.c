/*
 * Tables: what `kubectl get` prints. The server makes the cells, so that clients need not know the kinds.
 */
#include "table.h"
#include "table_custom.h"

#include <string.h>

/* ---- common cells --------------------------------------------------------------------------------------------------------------------- */

struct stint_json *table_text(const char *format, ...)
{
	va_list args;
	stint_autofree char *text = NULL;

	va_start(args, format);
	text = stint_vformat(format, args);
	va_end(args);
	return stint_json_new_string(text);
}

struct stint_json *table_since(const char *time)
{
	char age[STINT_TIME_SIZE];
	int64_t ms;

	if (!time || !stint_time_parse(time, strlen(time), &ms))
		return stint_json_new_string("<unknown>");
	return stint_json_new_string(stint_duration_format(stint_now_ms() - ms, age));
}

struct stint_json *table_age(const struct stint_json *object)
{
	return table_since(stint_json_string_at(object, "metadata", "creationTimestamp"));
}

int64_t table_number(const struct stint_json *object, const char *first, const char *second, int64_t otherwise)
{
	return stint_json_int_or(stint_json_at(object, first, second), otherwise);
}

const char *table_string(const struct stint_json *object, const char *first, const char *second, const char *otherwise)
{
	const char *text = stint_json_string_at(object, first, second);

	return text && *text ? text : otherwise;
}

const struct stint_json *table_condition(const struct stint_json *object, const char *type)
{
	stint_json_each(condition, stint_json_at(object, "status", "conditions")) {
		if (strcmp(stint_json_string_or(stint_json_get(condition, "type"), ""), type) == 0)
			return condition;
	}
	return NULL;
}

bool table_is_true(const struct stint_json *object, const char *condition)
{
	return strcmp(stint_json_string_or(stint_json_get(table_condition(object, condition), "status"), ""), "True") == 0;
}

static struct stint_json *join_containers(const struct stint_json *object, const char *key)
{
	stint_auto_buf text = {0};

	stint_json_each(container, stint_json_at(object, "spec", "template", "spec", "containers"))
		stint_buf_printf(&text, "%s%s", text.length ? "," : "", stint_json_string_or(stint_json_get(container, key), ""));
	return stint_json_new_string(text.data ? text.data : "");
}

struct stint_json *table_containers(const struct stint_json *object)
{
	return join_containers(object, "name");
}

struct stint_json *table_images(const struct stint_json *object)
{
	return join_containers(object, "image");
}

struct stint_json *table_selector(const struct stint_json *object)
{
	const struct stint_json *selector = stint_json_at(object, "spec", "selector");
	stint_autofree char *text = stint_json_first(selector) ? stint_selector_text(selector) : NULL;

	return stint_json_new_string(text ? text : "<none>");
}

/* ---- the engine ------------------------------------------------------------------------------------------------------------------------ */

static const struct table_column default_columns[] = {TABLE_AGE, TABLE_END};

static const struct table_kind *find_kind(const struct stint_kind *kind)
{
	static const struct table_kind *const tables[] = {table_core, table_workloads, table_others};
	static const struct table_kind otherwise = {"", "", default_columns, false};

	for (size_t i = 0; i < STINT_COUNT(tables); i++) {
		for (const struct table_kind *each = tables[i]; each->kind; each++) {
			if (strcmp(each->kind, kind->kind) == 0 && strcmp(each->group, kind->group) == 0)
				return each;
		}
	}
	return &otherwise;
}

static void put_column(struct stint_buf *out, const char *name, const char *type, const char *format, int priority)
{
	if (out->data[out->length - 1] == '}')
		stint_buf_putc(out, ',');
	stint_buf_printf(out, "{\"name\":\"%s\",\"type\":\"%s\",\"format\":\"%s\",\"description\":\"%s\",\"priority\":%d}", name, type,
		format, *format ? "Name must be unique within a namespace." : name, priority);
}

void rest_table_columns(struct stint_buf *out, const struct stint_kind *kind)
{
	const struct table_kind *table = find_kind(kind);

	stint_buf_puts(out, "\"columnDefinitions\":[");
	if (!table->bare)
		put_column(out, "Name", "string", "name", 0);
	if (kind->custom && !*table->kind && table_custom_columns(out, kind)) {
		stint_buf_putc(out, ']');
		return;
	}
	for (const struct table_column *column = table->columns; column->name; column++)
		put_column(
			out, column->name, column->type, table->bare && strcmp(column->name, "Name") == 0 ? "name" : "", column->priority);
	stint_buf_putc(out, ']');
}

static struct stint_json *cell_at(const struct stint_json *object, const struct table_column *column)
{
	stint_autofree char *path = stint_strdup(column->path);
	const struct stint_json *value = object;

	for (char *key = path, *next; key; key = next) {
		next = strchr(key, '.');
		if (next)
			*next++ = '\0';
		value = stint_json_get(value, key);
	}
	if (stint_json_type(value) == STINT_JSON_NULL || (stint_json_string(value) && !*stint_json_string(value))) {
		if (strcmp(column->type, "string") == 0)
			return stint_json_new_string(column->absent ? column->absent : "<none>");
		if (column->absent)
			return stint_json_new_null();
		return strcmp(column->type, "boolean") == 0 ? stint_json_new_bool(false) : stint_json_new_int(0);
	}
	if (strcmp(column->type, "string") == 0 && !stint_json_string(value)) {
		stint_autofree char *text = stint_json_print(value);

		return stint_json_new_string(text);
	}
	return stint_json_dup(value);
}

/* kubectl wait and get -w colour finished pods by it. */
static void put_conditions(struct stint_buf *out, const struct stint_kind *kind, const struct stint_json *object)
{
	const char *phase = table_string(object, "status", "phase", "");

	if (strcmp(kind->kind, "Pod") != 0 || *kind->group)
		return;
	if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0)
		stint_buf_printf(out,
			",\"conditions\":[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"%s\",\"message\":\"The pod has %s.\"}]",
			phase, strcmp(phase, "Failed") == 0 ? "failed" : "completed successfully");
}

static void put_object(struct stint_buf *out, const struct rest_form *form, const struct stint_json *object)
{
	if (form->no_object)
		return;
	stint_buf_puts(out, ",\"object\":");
	if (form->whole_object) {
		stint_json_print_to(out, object);
		return;
	}
	stint_buf_puts(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":");
	stint_json_print_to(out, stint_json_get(object, "metadata"));
	stint_buf_putc(out, '}');
}

void rest_table_row(struct stint_buf *out, const struct stint_kind *kind, const struct rest_form *form, const struct stint_json *object)
{
	const struct table_kind *table = find_kind(kind);
	stint_auto_json *cells = stint_json_new_array();

	if (!table->bare)
		stint_json_append(cells, stint_json_new_string(table_string(object, "metadata", "name", "")));
	if (!kind->custom || *table->kind || !table_custom_cells(cells, kind, object)) {
		for (const struct table_column *column = table->columns; column->name; column++)
			stint_json_append(cells, column->cell ? column->cell(object) : cell_at(object, column));
	}
	stint_buf_puts(out, "{\"cells\":");
	stint_json_print_to(out, cells);
	put_conditions(out, kind, object);
	put_object(out, form, object);
	stint_buf_putc(out, '}');
}
