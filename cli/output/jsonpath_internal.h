/*
 * jsonpath_internal: the compiled form, between the parser (jsonpath_parse.c) and the evaluator (jsonpath.c).
 */
#ifndef STINT_CLI_JSONPATH_INTERNAL_H
#define STINT_CLI_JSONPATH_INTERNAL_H

#include "cli/output/jsonpath.h"

enum path_step_kind {
	STEP_FIELD, /* .name */
	STEP_ALL, /* .* and [*] */
	STEP_DESCEND, /* ..: the value and everything below it; the next step picks */
	STEP_RANGE, /* [n], [from:to:by] */
	STEP_FILTER, /* [?(...)] */
	STEP_UNION, /* [a,b]: each alternative in turn */
};

struct path_steps {
	struct path_step *items;
	size_t count, capacity;
	bool from_root; /* $ */
};

enum path_operator { FILTER_EXISTS, FILTER_EQUAL, FILTER_NOT_EQUAL, FILTER_LESS, FILTER_LESS_EQUAL, FILTER_GREATER, FILTER_GREATER_EQUAL };

/* One side of a comparison: a path below the item, or a constant. */
struct path_operand {
	struct path_steps path;
	struct stint_json *constant; /* NULL: the path counts */
};

struct path_step {
	enum path_step_kind kind;
	char *name;
	bool single, has_from, has_to; /* single: [n], which is no range */
	int64_t from, to, by;
	struct path_operand left, right;
	enum path_operator op;
	struct path_steps alternatives; /* each of one step */
};

enum path_piece_kind { PIECE_TEXT, PIECE_PATH, PIECE_LOOP, PIECE_END };

struct path_piece {
	enum path_piece_kind kind;
	char *text;
	struct path_steps path;
	size_t end; /* of PIECE_LOOP: the index of its PIECE_END */
};

struct cli_jsonpath {
	struct path_piece *pieces;
	size_t count, capacity;
};

#endif
