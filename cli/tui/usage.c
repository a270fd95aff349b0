/*
 * usage: see usage.h. The sums of a queue and of the cluster fade alike, so that their quotient holds until the next writing.
 */
#include "cli/tui/usage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tui_usage {
	struct stint_map *queues; /* name -> double[STINT_DIMENSIONS] */
};

static bool read_sums(const struct stint_json *json, double sums[static STINT_DIMENSIONS])
{
	for (int d = 0; d < STINT_DIMENSIONS; d++) {
		if (!stint_json_double(stint_json_get(json, stint_dimension_name((enum stint_dimension)d)), &sums[d]) || !isfinite(sums[d]))
			return false;
	}
	return true;
}

struct tui_usage *tui_usage_parse(const char *text)
{
	stint_auto_json *json = stint_json_parse(text, strlen(text), 0, NULL);
	double all[STINT_DIMENSIONS], sums[STINT_DIMENSIONS];
	if (stint_json_int_or(stint_json_get(json, "version"), 0) != 1 || !read_sums(stint_json_get(json, "cluster"), all))
		return NULL;
	struct tui_usage *usage = stint_alloc(sizeof *usage);
	usage->queues = stint_map_new(free);
	stint_json_each(item, stint_json_get(json, "queues")) {
		if (!read_sums(item, sums))
			continue;
		double *parts = stint_alloc(sizeof sums);
		for (int d = 0; d < STINT_DIMENSIONS; d++)
			parts[d] = all[d] > 0 && sums[d] > 0 ? sums[d] / all[d] : 0;
		stint_map_set(usage->queues, stint_json_key(item), parts);
	}
	return usage;
}

void tui_usage_free(struct tui_usage *usage)
{
	if (!usage)
		return;
	stint_map_free(usage->queues);
	free(usage);
}

double tui_usage_of(const struct tui_usage *usage, const char *queue, enum stint_dimension dimension)
{
	const double *parts = usage ? stint_map_get(usage->queues, queue) : NULL;
	return parts ? parts[dimension] : 0;
}
