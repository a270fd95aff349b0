/*
 * trace_csv: see the header. Nothing is copied: fields are slices of the text.
 */
#include <string.h>

#include "trace_csv.h"

static bool fail_row(const struct csv *csv, struct stint_error **err, const char *what)
{
	return stint_fail(err, STINT_USAGE, "%s: line %zu %s", csv->name, csv->line, what);
}

bool csv_fail(const struct csv *csv, size_t column, struct stint_error **err, const char *what)
{
	stint_autofree char *title = stint_slice_dup(csv->titles[column]);
	stint_sanitize(title);
	return stint_fail(err, STINT_USAGE, "%s: line %zu, column %s: %s", csv->name, csv->line, title, what);
}

static struct stint_slice take_line(struct csv *csv)
{
	const char *end = memchr(csv->rest.data, '\n', csv->rest.length);
	struct stint_slice line = {csv->rest.data, end ? (size_t)(end - csv->rest.data) : csv->rest.length};
	const size_t used = line.length + (end ? 1 : 0);
	csv->rest.data += used;
	csv->rest.length -= used;
	csv->line++;
	if (line.length && line.data[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool take_field(struct csv *csv, struct stint_slice *line, struct stint_slice *field, struct stint_error **err)
{
	const bool quoted = line->length && line->data[0] == '"';
	const char *start = line->data + (quoted ? 1 : 0);
	const size_t room = line->length - (quoted ? 1 : 0);
	const char *end = room ? memchr(start, quoted ? '"' : ',', room) : NULL;
	if (quoted && !end)
		return fail_row(csv, err, "has a quote that is not closed");
	*field = (struct stint_slice){start, end ? (size_t)(end - start) : room};
	if (field->length > CSV_MAX_FIELD)
		return fail_row(csv, err, "has a field of more than 253 bytes");
	size_t used = field->length + (quoted ? 2 : 0);
	if (used < line->length && line->data[used] != ',')
		return fail_row(csv, err, "has text behind a closing quote");
	used += used < line->length;
	line->data += used;
	line->length -= used;
	return true;
}

/* A comma at the end of a line stands before one more field, an empty one. */
static bool split(struct csv *csv, struct stint_slice line, struct stint_slice *fields, size_t *count, struct stint_error **err)
{
	*count = 0;
	for (bool more = true; more;) {
		if (*count == CSV_MAX_COLUMNS)
			return fail_row(csv, err, "has more than 64 fields");
		const char *end = line.data + line.length;
		if (!take_field(csv, &line, &fields[*count], err))
			return false;
		++*count;
		more = line.length || (line.data == end && end[-1] == ',' && fields[*count - 1].data + fields[*count - 1].length < end);
	}
	return true;
}

bool csv_open(struct csv *csv, struct stint_slice text, const char *name, struct stint_error **err)
{
	*csv = (struct csv){.rest = text, .name = name};
	static const char mark[] = "\xEF\xBB\xBF"; /* what spreadsheets put before UTF-8 */
	if (text.length >= 3 && memcmp(text.data, mark, 3) == 0)
		csv->rest = (struct stint_slice){text.data + 3, text.length - 3};
	const struct stint_slice line = csv->rest.length ? take_line(csv) : (struct stint_slice){0};
	if (!line.length)
		return stint_fail(err, STINT_USAGE, "%s: the first line must have the titles of the columns", name);
	return split(csv, line, csv->titles, &csv->columns, err);
}

size_t csv_column(const struct csv *csv, const char *title)
{
	for (size_t i = 0; i < csv->columns; i++) {
		if (stint_slice_is(csv->titles[i], title))
			return i;
	}
	return CSV_MAX_COLUMNS;
}

bool csv_need(const struct csv *csv, const char *title, size_t *column, struct stint_error **err)
{
	*column = csv_column(csv, title);
	if (*column < CSV_MAX_COLUMNS)
		return true;
	return stint_fail(err, STINT_USAGE, "%s: line 1 has no column %s", csv->name, title);
}

bool csv_next(struct csv *csv, bool *failed, struct stint_error **err)
{
	*failed = false;
	while (csv->rest.length) {
		const struct stint_slice line = take_line(csv);
		if (!line.length)
			continue;
		size_t count;
		*failed = !split(csv, line, csv->fields, &count, err);
		if (!*failed && count != csv->columns) {
			*failed = true;
			stint_fail(
				err, STINT_USAGE, "%s: line %zu has %zu fields, line 1 has %zu", csv->name, csv->line, count, csv->columns);
		}
		return !*failed;
	}
	return false;
}

bool csv_number(const struct csv *csv, size_t column, int64_t low, int64_t high, int64_t otherwise, int64_t *out, struct stint_error **err)
{
	const struct stint_slice field = csv->fields[column];
	if (!field.length && otherwise >= 0) {
		*out = otherwise;
		return true;
	}
	char text[24];
	if (field.length < sizeof text) {
		memcpy(text, field.data, field.length);
		text[field.length] = '\0';
		if (strlen(text) == field.length && stint_parse_int(text, low, high, out))
			return true;
	}
	stint_autofree char *what = stint_format("must be a whole number from %lld to %lld", (long long)low, (long long)high);
	return csv_fail(csv, column, err, what);
}
