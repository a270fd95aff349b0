/*
 * What the two halves of selector share: a selector is a list of requirements that must all hold.
 */
#ifndef STINT_SANDBOX_SELECTOR_INTERNAL_H
#define STINT_SANDBOX_SELECTOR_INTERNAL_H

#include "selector.h"

enum match_operator { MATCH_IN, MATCH_NOT_IN, MATCH_EXISTS, MATCH_ABSENT, MATCH_GREATER, MATCH_LESS };

/* Where a field's value stands; from 0 on: its place in struct stint_stored.fields. */
enum { NO_FIELD = -1, FIELD_NAME = -2, FIELD_SPACE = -3 };

struct requirement {
	enum match_operator how;
	int field; /* NO_FIELD: key is a label */
	char *key;
	char **values;
	size_t value_count, value_capacity;
};

struct stint_selector {
	struct requirement *requirements;
	size_t count, capacity;
	bool nothing; /* matches no object at all */
};

struct requirement *stint_selector_add(struct stint_selector *selector, enum match_operator how, struct stint_slice key);
void stint_requirement_value(struct requirement *requirement, struct stint_slice value); /* copied */

/* selector.c, selector_fields.c: what is wrong with the text (freed by the caller), or NULL. */
char *stint_selector_parse_labels(struct stint_selector *selector, const char *text);
char *stint_selector_parse_fields(struct stint_selector *selector, const struct stint_kind *kind, const char *text);

bool stint_field_matches(const struct requirement *requirement, const struct stint_stored *object);

#endif
