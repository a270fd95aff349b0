/*
 * What the compiler of device selectors (cel.c) hands to their evaluation (cel_eval.c): a tree of nodes in one array. Children come before
 * their parents; a variable of cel.bind is the node that it stands for, so that the tree may share nodes.
 */
#ifndef STINT_MODEL_CEL_H
#define STINT_MODEL_CEL_H

#include <stint/model.h>

enum cel_kind {
	CEL_BOOL, /* number */
	CEL_INT,
	CEL_TEXT,
	CEL_VERSION, /* semver("1.2.3"): text */
	CEL_QUANTITY, /* quantity("10Gi"): number, in thousandths */
	CEL_LIST, /* children by a, then next */
	CEL_DRIVER,
	CEL_ATTRIBUTES,
	CEL_CAPACITY,
	CEL_INDEX, /* a[b] */
	CEL_SELECT, /* a.text */
	CEL_HAS, /* has(a), a SELECT */
	CEL_NOT,
	CEL_NEGATE,
	CEL_AND,
	CEL_OR,
	CEL_CHOICE, /* a ? b : c */
	CEL_COMPARE, /* a op b */
	CEL_IN,
	CEL_CALL, /* a.op(b) */
};
enum cel_op { CEL_EQUAL, CEL_UNEQUAL, CEL_LESS, CEL_LESS_EQUAL, CEL_GREATER, CEL_GREATER_EQUAL };
enum cel_method {
	CEL_STARTS_WITH,
	CEL_ENDS_WITH,
	CEL_CONTAINS,
	CEL_LOWER_ASCII, /* no argument */
	CEL_COMPARE_TO,
	CEL_IS_GREATER_THAN,
	CEL_IS_LESS_THAN,
	CEL_MAJOR, /* no argument, and so on */
	CEL_MINOR,
	CEL_PATCH,
	CEL_METHODS,
};

struct cel_node {
	enum cel_kind kind;
	int op;
	uint16_t a, b, c, next; /* places in the array; next: of a list, 0: the last */
	int64_t number;
	char *text;
};

struct stint_cel {
	struct cel_node *nodes; /* 0 is none */
	size_t count, capacity;
	uint16_t root;
	char *source;
};

/* "1.2.3-rc.1+build": -1, 0, 1; false: one of them is no version. */
bool cel_versions_compare(const char *a, const char *b, int *order);
bool cel_version_part(const char *text, int part, int64_t *out); /* 0: major, 1: minor, 2: patch */

#endif
