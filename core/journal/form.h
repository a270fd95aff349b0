/*
 * form: what the structures that an engine is given look like in a journal, declared once: the same table writes them and reads them.
 *
 * A field whose value is its default is left out, so that lines stay short and a reader sees what is special. Texts and arrays that are
 * read live in an arena.
 */
#ifndef STINT_JOURNAL_FORM_H
#define STINT_JOURNAL_FORM_H

#include <stddef.h>

#include <stint/engine.h>
#include <stint/text.h>

enum field_type {
	FIELD_TEXT, /* const char *; NULL is left out */
	FIELD_NAME, /* the same, but it must be there */
	FIELD_BOOL,
	FIELD_I32,
	FIELD_U32,
	FIELD_I64,
	FIELD_DOUBLE,
	FIELD_CHOICE, /* an enum, by its names */
	FIELD_CHOICES, /* an array in the structure of as many enums as names, the first `count` of them */
	FIELD_SLOTS, /* uint64_t: its bits as a list of numbers */
	FIELD_PAIRS, /* struct stint_pairs, as an object */
	FIELD_TEXTS, /* const char *const * */
	FIELD_ITEMS, /* an array of structures */
	FIELD_ONE, /* a structure inside the structure */
	FIELD_SELECTORS, /* struct stint_device_selectors, as the texts of its expressions */
	FIELD_SPEC, /* struct stint_pod_spec *: equal ones become one */
};

struct form;
struct field {
	const char *key;
	enum field_type type;
	size_t offset;
	size_t count; /* offset of the count of TEXTS, ITEMS and CHOICES (uint32_t) */
	size_t count_size; /* that of uint32_t or size_t */
	const struct form *form; /* of ITEMS and ONE */
	const char *const *names; /* of CHOICE and CHOICES */
	size_t names_count;
	int64_t otherwise; /* the default of whole numbers and of CHOICE */
	double low, high; /* bounds of numbers; both 0: what the type holds */
};
struct form {
	size_t size;
	const struct field *fields;
	size_t fields_count;
};

/* forms.c */
extern const struct form form_node, form_queue, form_topology, form_space, form_slice, form_class, form_claim;
extern const struct form form_pod, form_spec, form_group, form_zone, form_reach_need, form_numa, form_policy;
/* What lines call the kinds of objects that an engine is given: NULL for others. */
struct form_of_kind {
	const char *word, *gone;
	const struct form *form;
};
const struct form_of_kind *form_of(enum stint_kind kind);
enum { KINDS = STINT_KIND_DEVICE_CLASS + 1, POD_STATUSES = STINT_POD_STUCK + 1 };
extern const char *const pod_status_words[POD_STATUSES];

/* put.c */
struct stint_json *form_put(const struct form *form, const void *structure);
struct stint_json *form_put_items(const struct form *form, const void *items, size_t count);
struct stint_json *form_put_slots(uint64_t slots);

/* get.c: what is read, and where the text stands, for errors. */
struct place {
	const struct place *above;
	const char *key; /* NULL: an item of a list */
	size_t index;
};
struct form_reader {
	struct stint_arena *arena;
	struct stint_map *specs; /* by their text: struct stint_pod_spec */
	bool new_spec; /* the next one is another one than before, even with the same text */
	struct stint_cel **selectors; /* all that were compiled */
	size_t selectors_count, selectors_capacity;
	struct stint_error **err; /* the place and the sentence */
};
/* `structure` is of form->size bytes, zeroed. Keys that the form does not have are errors. */
bool form_get(
	struct form_reader *reader, const struct form *form, const struct stint_json *json, const struct place *place, void *structure);
bool form_get_items(struct form_reader *reader, const struct form *form, const struct stint_json *json, const struct place *place,
	const void **items, size_t *count);
bool form_get_slots(struct form_reader *reader, const struct stint_json *json, const struct place *place, uint64_t *slots);
bool form_get_choice(struct form_reader *reader, const struct stint_json *json, const struct place *place, const char *const *names,
	size_t count, unsigned *out);
const char *form_get_text(struct form_reader *reader, const struct stint_json *json, const struct place *place); /* NULL: it is none */
bool form_fail(struct form_reader *reader, const struct place *place, const char *what);
void form_reader_clear(struct form_reader *reader);

#endif
