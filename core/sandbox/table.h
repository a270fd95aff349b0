/*
 * table: the columns of kubectl's tables, kind by kind. A cell is computed from the object alone.
 */
#ifndef STINT_SANDBOX_TABLE_H
#define STINT_SANDBOX_TABLE_H

#include "rest.h"

struct table_column {
	const char *name;
	const char *type; /* string, integer, boolean, date */
	int priority; /* 0: always shown; 1: with -o wide */
	/* One of the two. path: keys from the root, cut at dots. */
	const char *path;
	struct stint_json *(*cell)(const struct stint_json *object);
	const char
		*absent; /* for a path that is not there; NULL: "<none>", 0 or false. Of a number "": an empty cell, as custom kinds have */
};

struct table_kind {
	const char *group, *kind;
	const struct table_column *columns; /* beside Name, which every table begins with; ended by a NULL name */
	bool bare; /* no Name in front (Events) */
};

extern const struct table_kind table_core[], table_workloads[], table_others[]; /* ended by a NULL kind */

/* Cells that several kinds have. */
struct stint_json *table_age(const struct stint_json *object);
struct stint_json *table_since(const char *time); /* "5m"; "<unknown>" when there is no time */
struct stint_json *table_text(const char *format, ...) STINT_PRINTF(1, 2);
struct stint_json *table_containers(const struct stint_json *object); /* names of the pod template's containers */
struct stint_json *table_images(const struct stint_json *object);
struct stint_json *table_selector(const struct stint_json *object); /* spec.selector as text */
int64_t table_number(const struct stint_json *object, const char *first, const char *second, int64_t otherwise);
const char *table_string(const struct stint_json *object, const char *first, const char *second, const char *otherwise);
/* The condition of that type, or NULL. */
const struct stint_json *table_condition(const struct stint_json *object, const char *type);
bool table_is_true(const struct stint_json *object, const char *condition);

#define TABLE_AGE                                         \
	{                                                 \
		"Age", "string", 0, NULL, table_age, NULL \
	}
#define TABLE_END                               \
	{                                       \
		NULL, NULL, 0, NULL, NULL, NULL \
	}

#endif
