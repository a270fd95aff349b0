/* Small readers on top of the cursor; see private.h for what they have in common. */
#include "core/model/private.h"

#include <math.h>
#include <stdlib.h>

bool decode_fail(struct decoder *d, const char *literal)
{
	if (!d->c->error)
		d->c->error = literal;
	return false;
}

bool enter_object(struct decoder *d)
{
	return !stint_cursor_null(d->c) && stint_cursor_object(d->c);
}

bool enter_array(struct decoder *d)
{
	return !stint_cursor_null(d->c) && stint_cursor_array(d->c);
}

/* Unescapes into the model's scratch. An escaped NUL, which cannot live in a C text, comes back as U+FFFD. */
static bool unescape(struct decoder *d, struct stint_slice *text)
{
	struct stint_buf *scratch = &d->model->scratch;
	stint_buf_reset(scratch);
	stint_grow(&scratch->data, &scratch->capacity, text->length + 1, 1);
	const size_t length = stint_unescape(*text, scratch->data);
	if (length == SIZE_MAX)
		return decode_fail(d, "a broken escape in a string");
	*text = (struct stint_slice){scratch->data, length};
	return true;
}

bool read_value(struct decoder *d, struct stint_slice *text)
{
	bool escaped;
	*text = (struct stint_slice){"", 0};
	if (stint_cursor_null(d->c))
		return true;
	if (!stint_cursor_string(d->c, text, &escaped))
		return false;
	return !escaped || unescape(d, text);
}

bool read_text(struct decoder *d, const char **out)
{
	struct stint_slice text;
	stint_text_drop(d->model, *out);
	*out = NULL;
	if (stint_cursor_null(d->c))
		return true;
	if (!read_value(d, &text))
		return false;
	*out = stint_text_take(d->model, text.data, text.length);
	return true;
}

bool read_name(struct decoder *d, const char **out)
{
	struct stint_slice text;
	stint_text_drop(d->model, *out);
	*out = NULL;
	if (!read_value(d, &text))
		return false;
	if (text.length)
		*out = stint_text_take(d->model, text.data, text.length);
	return true;
}

bool read_time(struct decoder *d, int64_t *ms)
{
	struct stint_slice text;
	*ms = -1;
	if (!read_value(d, &text))
		return false;
	if (text.length && !stint_time_parse(text.data, text.length, ms))
		return decode_fail(d, "a time that is not RFC 3339");
	return true;
}

bool read_bool(struct decoder *d, bool *out)
{
	*out = false;
	return stint_cursor_null(d->c) || stint_cursor_bool(d->c, out);
}

bool read_truth(struct decoder *d, enum stint_truth *out)
{
	bool value;
	*out = STINT_UNKNOWN;
	if (stint_cursor_null(d->c))
		return true;
	if (!stint_cursor_bool(d->c, &value))
		return false;
	*out = value ? STINT_TRUE : STINT_FALSE;
	return true;
}

bool read_status(struct decoder *d, enum stint_truth *out)
{
	struct stint_slice text;
	if (!read_value(d, &text))
		return false;
	*out = KEY_IS(text, "True") ? STINT_TRUE : KEY_IS(text, "False") ? STINT_FALSE : STINT_UNKNOWN;
	return true;
}

bool read_int64(struct decoder *d, int64_t *out)
{
	return stint_cursor_null(d->c) || stint_cursor_int(d->c, out);
}

bool read_int32(struct decoder *d, int32_t *out)
{
	int64_t value;
	if (stint_cursor_null(d->c))
		return true;
	if (!stint_cursor_int(d->c, &value))
		return false;
	*out = value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
	return true;
}

bool read_double(struct decoder *d, double *out)
{
	struct stint_slice number;
	char copy[64];
	if (stint_cursor_null(d->c))
		return true;
	if (!stint_cursor_number(d->c, &number))
		return false;
	if (number.length >= sizeof(copy))
		return decode_fail(d, "a number of more than 63 characters");
	memcpy(copy, number.data, number.length);
	copy[number.length] = '\0';
	*out = strtod(copy, NULL);
	return isfinite(*out) || decode_fail(d, "a number that is too large");
}

/* metav1.Duration is Go's syntax; a negative one (staleness: "off") is kept as its negative value. */
bool read_duration(struct decoder *d, int64_t *ms)
{
	struct stint_slice text;
	if (!read_value(d, &text) || !text.length)
		return !d->c->error;
	char copy[64];
	const bool negative = text.data[0] == '-';
	const size_t length = text.length - negative;
	if (length >= sizeof(copy))
		return true;
	memcpy(copy, text.data + negative, length);
	copy[length] = '\0';
	int64_t value;
	if (stint_duration_parse(copy, &value))
		*ms = negative ? -value : value;
	return true;
}

bool read_raw(struct decoder *d, const char **out)
{
	struct stint_slice raw;
	stint_text_drop(d->model, *out);
	*out = NULL;
	if (stint_cursor_null(d->c))
		return true;
	if (!stint_cursor_raw(d->c, &raw))
		return false;
	*out = stint_text_take(d->model, raw.data, raw.length);
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void names_sort(const char **names, uint32_t count)
{
	if (count > 1)
		qsort(names, count, sizeof(*names), compare_names);
}

void names_drop(struct stint_model *model, const char *const *names, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		stint_text_drop(model, names[i]);
	stint_free_pointer(&names);
}

bool read_names(struct decoder *d, const char *const **out, uint32_t *count)
{
	const char **names = NULL;
	size_t used = 0, capacity = 0;
	names_drop(d->model, *out, *count);
	*out = NULL;
	*count = 0;
	if (!enter_array(d))
		return !d->c->error;
	while (stint_cursor_item(d->c)) {
		stint_grow(&names, &capacity, used + 1, sizeof(*names));
		names[used] = NULL;
		if (!read_text(d, &names[used]))
			break;
		if (!names[used])
			names[used] = stint_text_take(d->model, "", 0);
		used++;
	}
	*out = names;
	*count = (uint32_t)used;
	return !d->c->error;
}

/* ---- pairs ----------------------------------------------------------------------------------------------------------------- */

static int compare_pairs(const void *a, const void *b)
{
	return strcmp(((const struct stint_pair *)a)->key, ((const struct stint_pair *)b)->key);
}

void pairs_sort(struct stint_pair *items, size_t count)
{
	/* The API server writes maps in order of their keys: there is nothing to sort in practice. */
	for (size_t i = 1; i < count; i++) {
		if (compare_pairs(&items[i - 1], &items[i]) > 0) {
			qsort(items, count, sizeof(*items), compare_pairs);
			return;
		}
	}
}

void pairs_drop(struct stint_model *model, struct stint_pairs *pairs)
{
	for (uint32_t i = 0; i < pairs->count; i++) {
		stint_text_drop(model, pairs->items[i].key);
		stint_text_drop(model, pairs->items[i].value);
	}
	stint_free_pointer(&pairs->items);
	*pairs = (struct stint_pairs){0};
}

enum {
	SHORT_VALUE = 4096, /* longer annotations are data, not settings */
	MANY_PAIRS = 100000, /* no API server lets that through */
};

static bool wanted_pair(enum pairs_wanted wanted, struct stint_slice key, struct stint_slice raw)
{
	switch (wanted) {
	case PAIRS_ALL: return true;
	case PAIRS_KEPT: return annotation_is_kept(key);
	case PAIRS_SHORT: return raw.length <= SHORT_VALUE && !KEY_IS(key, "kubectl.kubernetes.io/last-applied-configuration");
	}
	return true;
}

static bool read_pair(struct decoder *d, enum pairs_wanted wanted, struct stint_slice key, size_t *used)
{
	struct stint_slice value;
	bool escaped = false;
	if (stint_cursor_null(d->c))
		value = (struct stint_slice){"", 0};
	else if (!stint_cursor_string(d->c, &value, &escaped))
		return false;
	if (!wanted_pair(wanted, key, value))
		return true;
	if (memchr(key.data, '\\', key.length))
		return true; /* no label or annotation key that Kubernetes admits has an escape */
	if (escaped && !unescape(d, &value))
		return false;
	if (*used >= MANY_PAIRS)
		return decode_fail(d, "more than 100000 labels or annotations");
	stint_grow(&d->model->pairs, &d->model->pairs_capacity, *used + 1, sizeof(*d->model->pairs));
	d->model->pairs[(*used)++] = (struct stint_pair){
		.key = stint_text_take(d->model, key.data, key.length),
		.value = stint_text_take(d->model, value.data, value.length),
	};
	return true;
}

bool read_pairs(struct decoder *d, enum pairs_wanted wanted, struct stint_pairs *out)
{
	struct stint_slice key;
	size_t used = 0;
	pairs_drop(d->model, out);
	if (!enter_object(d))
		return !d->c->error;
	while (stint_cursor_key(d->c, &key) && read_pair(d, wanted, key, &used))
		;
	if (used) {
		struct stint_pair *items = stint_alloc(used * sizeof(*items));
		memcpy(items, d->model->pairs, used * sizeof(*items));
		pairs_sort(items, used);
		*out = (struct stint_pairs){.items = items, .count = (uint32_t)used};
	}
	return !d->c->error;
}

const char *stint_pairs_get(const struct stint_pairs *pairs, const char *key)
{
	size_t low = 0, high = pairs->count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(key, pairs->items[middle].key);
		if (!order)
			return pairs->items[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
