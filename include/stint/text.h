/*
 * text: JSON and YAML behind our own small interface.
 *
 * Three ways to read JSON, for three sizes of need:
 *   a tree (struct stint_json) for objects that are looked at from many sides, changed and printed;
 *   a cursor (struct stint_cursor) that decodes contiguous bytes in one pass, without a tree and without copies;
 *   a splitter (struct stint_splitter) that cuts a Kubernetes List that arrives in pieces into its items.
 * Everything that comes from outside is bounded: depth, bytes, expanded YAML nodes.
 */
#ifndef STINT_TEXT_H
#define STINT_TEXT_H

#include <stint/base.h>

/* ---- the tree -------------------------------------------------------------------------------------------------------------- */

/*
 * A JSON value. An object keeps the order of its keys. Numbers keep their exact text when a double cannot hold them.
 * Who holds the root owns the whole tree; a value put into a container belongs to it.
 */
struct stint_json;

enum stint_json_type { STINT_JSON_NULL, STINT_JSON_BOOL, STINT_JSON_NUMBER, STINT_JSON_STRING, STINT_JSON_ARRAY, STINT_JSON_OBJECT };

enum {
	STINT_JSON_MAX_DEPTH = 200,
	STINT_JSON_REJECT_DUPLICATES =
		1, /* flags of stint_json_parse: an object that has a key twice is an error; else the last one stands */
};

/* Strict RFC 8259: one value, nothing but white space after it. The error names line and column. code: STINT_USAGE. */
struct stint_json *stint_json_parse(const char *data, size_t length, int flags, struct stint_error **err);
char *stint_json_print(const struct stint_json *json); /* compact; freed by the caller */
char *stint_json_print_pretty(const struct stint_json *json); /* four spaces, as kubectl -o json; no final newline */
void stint_json_print_to(struct stint_buf *buf, const struct stint_json *json);
void stint_json_free(struct stint_json *json);
void stint_json_clear(struct stint_json **json); /* for STINT_CLEANUP */
void stint_json_wipe(struct stint_json *json); /* overwrites every string in it, of secrets before they are freed; NULL is fine */
#define stint_auto_json STINT_CLEANUP(stint_json_clear) struct stint_json

/* Reading. All of them take NULL and then say: not there. */
enum stint_json_type stint_json_type(const struct stint_json *json); /* NULL counts as STINT_JSON_NULL */
struct stint_json *stint_json_get(const struct stint_json *object, const char *key);
/* Walks keys down from object: stint_json_at(pod, "metadata", "annotations", "gpu-fraction"). */
#define stint_json_at(object, ...) stint_json_at_keys(object, (const char *const[]){__VA_ARGS__, NULL})
struct stint_json *stint_json_at_keys(const struct stint_json *object, const char *const *keys);
const char *stint_json_string(const struct stint_json *json); /* NULL unless it is a string */
const char *stint_json_string_or(const struct stint_json *json, const char *otherwise);
#define stint_json_string_at(object, ...) stint_json_string(stint_json_at(object, __VA_ARGS__))
bool stint_json_int(const struct stint_json *json, int64_t *out); /* whole numbers that fit */
int64_t stint_json_int_or(const struct stint_json *json, int64_t otherwise);
bool stint_json_double(const struct stint_json *json, double *out);
bool stint_json_bool_or(const struct stint_json *json, bool otherwise);
size_t stint_json_count(const struct stint_json *container); /* items of an array or object, else 0; O(n) */
struct stint_json *stint_json_item(const struct stint_json *array, size_t index); /* O(n): walk with stint_json_each instead */
const char *stint_json_key(const struct stint_json *member); /* the key that a member has in its object */
struct stint_json *stint_json_first(const struct stint_json *container);
struct stint_json *stint_json_next(const struct stint_json *item);
#define stint_json_each(item, container) for (struct stint_json *item = stint_json_first(container); item; item = stint_json_next(item))
bool stint_json_equal(const struct stint_json *a, const struct stint_json *b); /* objects without regard to order; numbers by value */

/* Building and changing. A value that is put somewhere is handed over. Setters return what they put in. */
struct stint_json *stint_json_new_object(void);
struct stint_json *stint_json_new_array(void);
struct stint_json *stint_json_new_string(const char *text); /* NULL makes a JSON null */
struct stint_json *stint_json_new_int(int64_t value);
struct stint_json *stint_json_new_double(double value);
struct stint_json *stint_json_new_bool(bool value);
struct stint_json *stint_json_new_null(void);
struct stint_json *stint_json_dup(const struct stint_json *json); /* deep */
struct stint_json *stint_json_set(struct stint_json *object, const char *key, struct stint_json *value); /* replaces in place */
struct stint_json *stint_json_add(
	struct stint_json *object, const char *key, struct stint_json *value); /* of a key known to be new: O(1) */
struct stint_json *stint_json_set_string(struct stint_json *object, const char *key, const char *value);
struct stint_json *stint_json_set_int(struct stint_json *object, const char *key, int64_t value);
struct stint_json *stint_json_set_double(struct stint_json *object, const char *key, double value);
struct stint_json *stint_json_set_bool(struct stint_json *object, const char *key, bool value);
/* The object (or array) at that key, made when absent or of another type. */
struct stint_json *stint_json_ensure_object(struct stint_json *object, const char *key);
struct stint_json *stint_json_ensure_array(struct stint_json *object, const char *key);
struct stint_json *stint_json_append(struct stint_json *array, struct stint_json *value);
void stint_json_insert(struct stint_json *array, size_t index, struct stint_json *value); /* index = count appends */
bool stint_json_remove(struct stint_json *object, const char *key); /* true when it was there */
struct stint_json *stint_json_take(struct stint_json *object, const char *key); /* out of the object, to the caller; or NULL */
void stint_json_unlink(struct stint_json *container, struct stint_json *item); /* removes and frees a direct member */
void stint_json_replace(
	struct stint_json *container, struct stint_json *item, struct stint_json *value); /* in place, key kept; frees item */

/* ---- the cursor ------------------------------------------------------------------------------------------------------------ */

/*
 * Decodes one JSON value in contiguous bytes, front to back. After any failure every call returns false and `error` says what
 * (a literal); nothing is allocated. A pattern:
 *     if (!stint_cursor_object(&c)) return false;
 *     while (stint_cursor_key(&c, &key)) {
 *         if (stint_slice_is(key, "name")) stint_cursor_string(&c, &name, NULL); else stint_cursor_skip(&c);
 *     }
 *     return !c.error;
 */
struct stint_cursor {
	const char *start, *at, *end;
	const char *error;
	int depth;
	bool first; /* the next key or item is the first of its container: no comma before it */
};
struct stint_cursor stint_cursor_over(const char *data, size_t length);
enum stint_json_type stint_cursor_peek(struct stint_cursor *c); /* type of the next value; NULL also at the end or after an error */
bool stint_cursor_object(struct stint_cursor *c); /* enters; then stint_cursor_key until it returns false */
bool stint_cursor_key(struct stint_cursor *c, struct stint_slice *key); /* false leaves the object. Keys with escapes come raw */
bool stint_cursor_array(struct stint_cursor *c); /* enters; then stint_cursor_item until it returns false */
bool stint_cursor_item(struct stint_cursor *c);
/* The bytes between the quotes, not unescaped; *escaped (may be NULL) says whether stint_unescape is needed. */
bool stint_cursor_string(struct stint_cursor *c, struct stint_slice *text, bool *escaped);
bool stint_cursor_int(struct stint_cursor *c, int64_t *out);
bool stint_cursor_number(struct stint_cursor *c, struct stint_slice *text); /* its characters, grammar checked */
bool stint_cursor_bool(struct stint_cursor *c, bool *out);
bool stint_cursor_null(struct stint_cursor *c); /* consumes a null; false (no error) when something else stands there */
bool stint_cursor_skip(struct stint_cursor *c); /* any value */
bool stint_cursor_raw(struct stint_cursor *c, struct stint_slice *value); /* skips and gives the bytes of the value */
bool stint_cursor_end(struct stint_cursor *c); /* only white space is left */
/* Writes the unescaped UTF-8 to out (room for text.length bytes) and returns its length; SIZE_MAX for a broken escape. */
size_t stint_unescape(struct stint_slice text, char *out);

/* ---- UTF-8 ----------------------------------------------------------------------------------------------------------------- */

size_t stint_utf8_length(
	const char *text, size_t length); /* bytes of the character that text begins with; 0: none is whole and well formed */
size_t stint_utf8_valid(const char *text, size_t length); /* how far it is well formed: `length` when all of it is */
/* Appends the text, each byte that belongs to no character as U+FFFD. The readers above keep bytes as they come. */
void stint_utf8_clean(struct stint_buf *out, const char *text, size_t length);

/* ---- the splitter ---------------------------------------------------------------------------------------------------------- */

/*
 * Cuts {"kind":..., "metadata":{...}, "items":[ {...}, {...} ]} into items while it arrives. Each item is handed to on_item as
 * contiguous bytes (valid during the call; not copied when it lies within one piece). What stands around the items, with an empty
 * list in their place, is the rest: a small document. One pass; only framing is checked here, the item's decoder checks the item.
 */
struct stint_splitter;
struct stint_splitter *stint_splitter_new(size_t max_item_bytes, bool (*on_item)(void *user, const char *item, size_t length), void *user);
bool stint_splitter_feed(
	struct stint_splitter *splitter, const char *data, size_t length, struct stint_error **err); /* on_item false: stops, err is set */
/* After the last piece: the rest as a tree, owned by the caller. An error when the document is not complete. */
struct stint_json *stint_splitter_finish(struct stint_splitter *splitter, struct stint_error **err);
void stint_splitter_free(struct stint_splitter *splitter);

/* ---- YAML ------------------------------------------------------------------------------------------------------------------ */

enum {
	STINT_YAML_MAX_BYTES = 3 * 1024 * 1024,
	STINT_YAML_MAX_DEPTH = 100,
	STINT_YAML_MAX_NODES = 100000, /* after aliases are expanded */
};

/*
 * All documents of a YAML stream (JSON is YAML too) as one JSON array; empty documents are left out. Scalars are typed as
 * sigs.k8s.io/yaml does (YAML 1.1 booleans; quoted is text). Duplicate keys, cycles and the merge key are errors. The error
 * names `name`, line and column. code: STINT_USAGE.
 */
struct stint_json *stint_yaml_parse(const char *name, const char *data, size_t length, struct stint_error **err);
/* One document, block style, as kubectl -o yaml prints it (ends with a newline). Text that would read as another type is quoted. */
char *stint_yaml_print(const struct stint_json *json);

#endif
