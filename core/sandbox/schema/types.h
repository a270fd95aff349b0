/*
 * What the files of the schema share: the type tree that is parsed from the tables, paths into an object, causes of a refusal, and
 * the hooks that hang code on single types. Internal to core/sandbox/schema/.
 *
 * The type tree belongs to the schema's arena and never changes once parsed. Named object types are shared by all who refer to
 * them; every other node belongs to one field, so that what is said about that field (its list topology, its rules) can stand there.
 */
#ifndef STINT_SANDBOX_SCHEMA_TYPES_H
#define STINT_SANDBOX_SCHEMA_TYPES_H

#include <regex.h>

#include "core/sandbox/schema.h"

enum type_form {
	FORM_STRING,
	FORM_BOOL,
	FORM_INT,
	FORM_NUMBER,
	FORM_BYTES, /* base64 text */
	FORM_QUANTITY,
	FORM_INT_OR_STRING,
	FORM_TIME,
	FORM_MICRO_TIME,
	FORM_DURATION,
	FORM_ANY, /* kept as it came */
	FORM_LIST,
	FORM_MAP, /* text to item */
	FORM_OBJECT,
};

enum { MAX_SCHEMA_DEPTH = 60 }; /* of a definition's schema: what lies deeper is kept as it came */

/* How the items of a list are told apart by server-side apply. */
enum list_topology { LIST_ATOMIC, LIST_SET, LIST_MAP };

/* When a field of a built-in kind stands in a stored object; the three ways of Go's encoder. */
enum presence {
	PRESENT_NONZERO, /* left out when zero or empty */
	PRESENT_SET, /* left out only when nobody set it */
	PRESENT_ALWAYS, /* written as its zero value when nobody set it */
};

/* Declared limits on a value. Absent ones are NULL, or the flag is false. */
struct type_rules {
	const char *const *one_of; /* NULL-ended */
	bool has_min, has_max;
	double min, max;
	int64_t min_length, max_length; /* of text, items of a list, or properties; -1: none */
	const char *pattern; /* ERE, as written in the table or the CustomResourceDefinition */
	regex_t *regex; /* compiled; NULL when this libc cannot */
	bool ascii_regex; /* it counts bytes where the pattern means characters: of other text nothing is known */
	const struct stint_json *schema; /* of a custom type: the node it was made from, for what has no place here */
};

struct type_field {
	const char *name;
	struct stint_type *type;
	const char *description; /* NULL: none */
	struct stint_json *otherwise; /* static default, or NULL */
	enum presence presence;
	bool required; /* OpenAPI says so */
	bool needed; /* validation refuses its absence */
	bool merge; /* strategic merge patch: merged, not replaced */
	bool retain_keys; /* patchStrategy retainKeys */
	const char *merge_key; /* of a merged list of objects, else NULL */
};

struct stint_type {
	enum type_form form;
	unsigned bits; /* of FORM_INT: 32 or 64 */
	const char *name; /* of a named object: "io.k8s.api.core.v1.PodSpec"; else NULL */
	const char *label; /* its last word: "PodSpec" */
	const char *description;
	struct stint_type *item; /* of FORM_LIST and FORM_MAP */
	struct type_field *fields;
	size_t field_count;
	enum list_topology topology;
	const char *const *keys; /* of LIST_MAP, NULL-ended */
	struct type_rules *rules;
	const struct type_hook *hook;
	bool defined;
	bool atomic; /* object or map: owned as a whole */
	bool has_kind; /* apiVersion and kind stand in it */
	bool keeps_unknown; /* fields that are not declared stay */
	bool nullable;
	bool custom; /* of a CustomResourceDefinition: stored as it came */
};

struct stint_schema {
	struct stint_arena *arena;
	struct stint_map *types; /* full name -> struct stint_type */
	struct stint_kind **kinds;
	size_t kind_count, kind_capacity;
	struct stint_map *by_kind, *by_resource; /* "apps/v1/Deployment", "apps/v1/deployments" -> struct stint_kind */
	struct stint_json *kept; /* array: copies of definitions that custom types point into */
	char fingerprint[65]; /* of the tables: changes when a document made from them does */
	regex_t **regexes;
	size_t regex_count, regex_capacity;
};

/* ---- tables and their parser ----------------------------------------------------------------------------------------------- */

extern const char *const stint_table_meta[];
extern const char *const stint_table_core_pod[];
extern const char *const stint_table_core_container[];
extern const char *const stint_table_core_volume[];
extern const char *const stint_table_core_node[];
extern const char *const stint_table_apps[];
extern const char *const stint_table_batch[];
extern const char *const stint_table_storage[];
extern const char *const stint_table_policy[];
extern const char *const stint_table_access[];
extern const char *const stint_table_resource[];
extern const char *const stint_table_custom[];
extern const char *const stint_table_kai[];

void schema_parse_table(struct stint_schema *schema, const char *const *lines);
/* A new anonymous node of the schema. */
struct stint_type *schema_type_new(struct stint_schema *schema, enum type_form form);
struct type_rules *schema_rules_new(struct stint_schema *schema);
/* The named object type, declared but not defined when it is new. */
struct stint_type *schema_type_named(struct stint_schema *schema, const char *full_name);
/* A pattern in Go's words as an extended POSIX expression. */
struct schema_pattern {
	char *posix; /* NULL: there is none that means the same */
	bool folds; /* upper and lower case are one */
	bool ascii; /* means the same for ASCII alone */
};
/* Fills in *pattern, whose text is the caller's; NULL, or what is wrong with it in Go's words. */
const char *schema_pattern_problem(const char *text, struct schema_pattern *pattern);
/* Compiles the pattern into rules->regex. */
void schema_rules_pattern(struct stint_schema *schema, struct type_rules *rules, const char *pattern);
const struct type_field *schema_field(const struct stint_type *type, const char *name);
struct stint_kind *schema_kind_add(struct stint_schema *schema, const struct stint_kind *row);
char *schema_strdup(struct stint_schema *schema, const char *text);
/* The words between commas as a NULL-ended array in the arena; NULL text makes an empty one. */
const char *const *schema_words(struct stint_schema *schema, const char *text);
bool schema_word_in(const char *const *words, const char *word);

/* ---- hooks ----------------------------------------------------------------------------------------------------------------- */

struct check; /* a validation under way: see check.h */

/* Code for one type, wherever it stands. Members may be NULL. */
struct type_hook {
	const char *type; /* full name */
	void (*default_)(struct stint_json *value); /* after the fields' own defaults */
	void (*check)(struct check *check, const struct stint_json *value); /* cross-field rules */
};
/* Looked up by each named type when it is defined; NULL when it has none. */
const struct type_hook *schema_hook(const char *full_name);

/* ---- scalars ---------------------------------------------------------------------------------------------------------------- */

/* Canonical text of a quantity as an API server stores it ("0.5" -> "500m"); NULL when text is no quantity. Freed by the caller. */
char *schema_quantity_canonical(const char *text);
/* Orders two quantities: negative, 0, positive. Both must be quantities. */
int schema_quantity_compare(const char *a, const char *b);
/* -1, 0, 1 for the sign; and whether it is a whole number. */
int schema_quantity_sign(const char *text);
bool schema_quantity_whole(const char *text);

/* ---- paths ------------------------------------------------------------------------------------------------------------------ */

/* Each returns the mark that schema_path_pop takes. */
size_t schema_path_field(struct stint_buf *path, const char *name);
size_t schema_path_index(struct stint_buf *path, size_t index);
size_t schema_path_key(struct stint_buf *path, const char *key);
void schema_path_pop(struct stint_buf *path, size_t mark);

/* What Go's encoder writes of an empty object of this type. */
struct stint_json *schema_zero(const struct stint_type *type);
bool schema_is_zero(const struct stint_json *value); /* null, "", 0, false, [] or {} */

#endif
