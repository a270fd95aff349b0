/*
 * selector: which objects a list, a watch or a deletecollection means: label and field selectors.
 *
 * They are matched against the facts beside a stored object, never against a parsed one: a list of 30,000 pods with a selector costs
 * milliseconds. Grammar and refusals as in apimachinery's labels.Parse and fields.ParseSelector.
 */
#ifndef STINT_SANDBOX_SELECTOR_H
#define STINT_SANDBOX_SELECTOR_H

#include "store.h"

struct stint_selector;

/* Texts may be NULL or empty: everything. NULL on refusal (400). */
struct stint_selector *stint_selector_parse(
	const struct stint_kind *kind, const char *labels, const char *fields, struct stint_json **status);
/* A metav1.LabelSelector: matchLabels and matchExpressions; NULL or null selects nothing, {} everything. Never fails: it was validated. */
struct stint_selector *stint_selector_of(const struct stint_json *label_selector);
/* A LabelSelector (or the plain map of a Service) as the text that a list takes; freed by the caller. */
char *stint_selector_text(const struct stint_json *label_selector);
void stint_selector_free(struct stint_selector *selector);
void stint_selector_clear(struct stint_selector **selector); /* for STINT_CLEANUP */
#define stint_auto_selector STINT_CLEANUP(stint_selector_clear) struct stint_selector

/* selector NULL: everything. */
bool stint_selector_matches(const struct stint_selector *selector, const struct stint_stored *object);
bool stint_selector_is_everything(const struct stint_selector *selector);
/* The one name that metadata.name=X allows, or NULL: such a list is a look-up. */
const char *stint_selector_name(const struct stint_selector *selector);

/* The values of the kind's selectable fields, each ended by NUL: what stands in struct stint_stored.fields. */
void stint_selector_pack(const struct stint_kind *kind, const struct stint_json *object, struct stint_buf *out);

#endif
