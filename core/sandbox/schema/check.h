/*
 * Validation under way: where it stands, what it has found, and the verbs with which a rule reports. Internal to core/sandbox/schema/.
 *
 * `field` names a place below where the check stands ("name", "ports[0].name"), NULL the place itself.
 */
#ifndef STINT_SANDBOX_SCHEMA_CHECK_H
#define STINT_SANDBOX_SCHEMA_CHECK_H

#include "core/sandbox/schema/hooks.h"

struct check {
	const struct stint_kind *kind;
	const struct stint_json *object; /* the whole new object */
	const struct stint_json *old; /* NULL on create */
	struct stint_buf path;
	struct stint_json *causes;
	struct stint_json **warnings; /* NULL: dropped */
	bool full; /* enough causes: no more are kept */
};

void schema_check_missing(struct check *check, const char *field, const char *detail); /* detail may be NULL */
void schema_check_bad(struct check *check, const char *field, const struct stint_json *value, const char *format, ...) STINT_PRINTF(4, 5);
void schema_check_bad_text(struct check *check, const char *field, const char *value, const char *format, ...) STINT_PRINTF(4, 5);
void schema_check_forbidden(struct check *check, const char *field, const char *format, ...) STINT_PRINTF(3, 4);
void schema_check_duplicate(struct check *check, const char *field, const char *value);
void schema_check_unsupported(struct check *check, const char *field, const char *value, const char *const *supported);
void schema_check_not_found(struct check *check, const char *field, const char *value);
void schema_check_too_long(struct check *check, const char *field, int64_t limit);
void schema_check_too_many(struct check *check, const char *field, size_t count, int64_t limit);
/* A cause of any reason and wording. */
void schema_check_cause(struct check *check, const char *reason, const char *field, const char *format, ...) STINT_PRINTF(4, 5);
void schema_check_warn(struct check *check, const char *format, ...) STINT_PRINTF(2, 3);
/* 422 "field is immutable" unless both are equal (absent and zero count as equal). */
void schema_check_immutable(struct check *check, const char *field, const struct stint_json *now, const struct stint_json *old);

/* Walks the declared rules and hooks of a type. */
void schema_check_value(struct check *check, const struct stint_type *type, const struct stint_json *value);
void schema_check_custom_value(struct check *check, const struct stint_type *type, const struct stint_json *value);
/* The rules of metadata: names, labels, annotations, owners, finalizers. */
void schema_check_metadata(struct check *check, const struct stint_json *metadata, bool all);
void schema_check_metadata_update(struct check *check);
void schema_check_labels(struct check *check, const char *field, const struct stint_json *labels);
/* What an update of that kind may not change; check_update.c. */
void schema_check_kind_update(struct check *check);

/* Ways to say a name. Each returns NULL when text is one, else a literal saying what a name is. */
enum name_form {
	NAME_LABEL, /* DNS-1123 label */
	NAME_SUBDOMAIN, /* DNS-1123 subdomain */
	NAME_LABEL_1035, /* DNS-1035 label: starts with a letter */
	NAME_QUALIFIED, /* [prefix/]name, as label keys are */
	NAME_LABEL_VALUE,
	NAME_PATH_SEGMENT,
	NAME_CONFIG_KEY,
	NAME_ENVIRONMENT,
	NAME_PORT,
	NAME_C_IDENTIFIER,
};
const char *schema_name_problem(enum name_form form, const char *text);
/* Reports the problem, if there is one. */
void schema_check_name(struct check *check, const char *field, const char *text, enum name_form form);

#endif
