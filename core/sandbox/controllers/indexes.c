/*
 * indexes: see indexes.h. An insertion costs the number of intervals; Jobs have few.
 */
#include "core/sandbox/controllers/indexes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void indexes_free(struct indexes *set)
{
	free(set->ranges);
	*set = (struct indexes){0};
}

/* The first range that ends at or after index. */
static size_t position(const struct indexes *set, int64_t index)
{
	size_t low = 0, high = set->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (set->ranges[middle].last < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void remove_range(struct indexes *set, size_t at)
{
	memmove(&set->ranges[at], &set->ranges[at + 1], (set->count - at - 1) * sizeof(set->ranges[0]));
	set->count--;
}

static void add_range(struct indexes *set, int64_t first, int64_t last)
{
	size_t at = position(set, first - 1);
	while (at < set->count && set->ranges[at].first <= last + 1) {
		first = set->ranges[at].first < first ? set->ranges[at].first : first;
		last = set->ranges[at].last > last ? set->ranges[at].last : last;
		remove_range(set, at);
	}
	stint_grow(&set->ranges, &set->capacity, set->count + 1, sizeof(set->ranges[0]));
	memmove(&set->ranges[at + 1], &set->ranges[at], (set->count - at) * sizeof(set->ranges[0]));
	set->ranges[at] = (struct index_range){first, last};
	set->count++;
}

void indexes_add(struct indexes *set, int64_t index)
{
	add_range(set, index, index);
}

bool indexes_has(const struct indexes *set, int64_t index)
{
	size_t at = position(set, index);
	return at < set->count && set->ranges[at].first <= index;
}

int64_t indexes_total(const struct indexes *set)
{
	int64_t total = 0;
	for (size_t i = 0; i < set->count; i++)
		total += set->ranges[i].last - set->ranges[i].first + 1;
	return total;
}

int64_t indexes_common(const struct indexes *a, const struct indexes *b)
{
	int64_t total = 0;
	for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
		int64_t first = a->ranges[i].first > b->ranges[j].first ? a->ranges[i].first : b->ranges[j].first;
		int64_t last = a->ranges[i].last < b->ranges[j].last ? a->ranges[i].last : b->ranges[j].last;
		if (first <= last)
			total += last - first + 1;
		if (a->ranges[i].last < b->ranges[j].last)
			i++;
		else
			j++;
	}
	return total;
}

void indexes_parse(const char *text, int64_t limit, struct indexes *set)
{
	char **words = stint_split(text ? text : "", ",");
	for (size_t i = 0; words[i]; i++) {
		int64_t first = 0, last = 0;
		char *dash = strchr(words[i], '-');
		if (dash)
			*dash = '\0';
		if (!stint_parse_int(words[i], 0, INT32_MAX, &first))
			break;
		last = first;
		if (dash && !stint_parse_int(dash + 1, first, INT32_MAX, &last))
			break;
		if (first >= limit)
			break;
		add_range(set, first, last < limit ? last : limit - 1);
	}
	stint_strings_free(words);
}

char *indexes_format(const struct indexes *set)
{
	stint_auto_buf text = {0};
	for (size_t i = 0; i < set->count; i++) {
		const struct index_range *range = &set->ranges[i];
		stint_buf_printf(&text, "%s%" PRId64, i > 0 ? "," : "", range->first);
		if (range->last > range->first)
			stint_buf_printf(&text, "%c%" PRId64, range->last == range->first + 1 ? ',' : '-', range->last);
	}
	return stint_buf_steal(&text);
}
