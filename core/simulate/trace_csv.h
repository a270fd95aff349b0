/*
 * trace_csv: a table of comma-separated values, row by row, with bounds, and errors that name file, line and column. Fields may stand in
 * double quotes; a field holds no line break.
 */
#ifndef STINT_SIMULATE_TRACE_CSV_H
#define STINT_SIMULATE_TRACE_CSV_H

#include <stint/base.h>

enum { CSV_MAX_COLUMNS = 64, CSV_MAX_FIELD = 253 };

struct csv {
	struct stint_slice rest;
	const char *name; /* of the file, for errors */
	size_t line; /* of the row that was read last, from 1 */
	size_t columns;
	struct stint_slice titles[CSV_MAX_COLUMNS];
	struct stint_slice fields[CSV_MAX_COLUMNS];
};

/* Reads the first row, the titles. The bytes and the name must outlive the table. */
bool csv_open(struct csv *csv, struct stint_slice text, const char *name, struct stint_error **err);
/* CSV_MAX_COLUMNS: there is no such column. */
size_t csv_column(const struct csv *csv, const char *title);
bool csv_need(const struct csv *csv, const char *title, size_t *column, struct stint_error **err);
/* Reads the next row that is not empty. False: the end, or *failed and *err. */
bool csv_next(struct csv *csv, bool *failed, struct stint_error **err);
bool csv_fail(const struct csv *csv, size_t column, struct stint_error **err, const char *what);
/* A whole number within bounds. An empty field: `otherwise`, or an error when that is negative. */
bool csv_number(const struct csv *csv, size_t column, int64_t low, int64_t high, int64_t otherwise, int64_t *out, struct stint_error **err);

#endif
