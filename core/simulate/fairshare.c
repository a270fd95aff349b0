/*
 * fairshare: scenarios that ask only for the division of an amount among sibling queues.
 */
#include <stdlib.h>

#include "scenario.h"

enum { MOST_SHARERS = 100000 };

static bool read_sharer(
	const struct place *place, const struct stint_json *queue, const char *resource, struct stint_sharer *out, struct stint_error **err)
{
	const struct stint_json *amounts = stint_json_get(queue, resource);
	const struct place here = {.above = place, .key = resource, .index = -1};
	double priority;
	int64_t age_ms;
	if (!field_text(place, queue, "name", &out->name, err) ||
		!field_number(place, queue, "priority", INT32_MIN, INT32_MAX, 100, &priority, err) ||
		!field_seconds(place, queue, "createdSecondsAgo", 0, &age_ms, err) ||
		!field_amount(&here, amounts, "quota", STINT_UNIT_ONE, 0, &out->quota, err) ||
		!field_amount(&here, amounts, "limit", STINT_UNIT_ONE, -1, &out->limit, err) ||
		!field_number(&here, amounts, "overQuotaWeight", 0, 1e15, 0, &out->weight, err) ||
		!field_amount(&here, amounts, "request", STINT_UNIT_ONE, 0, &out->request, err) ||
		!field_number(&here, amounts, "usage", 0, 1e15, 0, &out->usage, err) ||
		!field_amount(&here, amounts, "fairShareBefore", STINT_UNIT_ONE, 0, &out->fair_share, err))
		return false;
	out->priority = (int32_t)priority;
	out->created_ms = SCENARIO_START_MS - age_ms;
	return true;
}

static bool divide(const struct stint_json *document, const char *resource, double total, struct stint_json *shares, double *left,
	struct stint_error **err)
{
	static const char *const phases[] = {"all", "overQuota"};
	const struct place root = {.key = "queues", .index = -1};
	const struct stint_json *queues;
	size_t count, at = 0;
	int phase;
	double factor;
	if (!field_array(NULL, document, "queues", MOST_SHARERS, &queues, &count, err) ||
		!field_choice(NULL, document, "phase", phases, STINT_COUNT(phases), 0, &phase, err) ||
		!field_number(NULL, document, "fairShareUsageFactor", 0, 1e9, 1, &factor, err))
		return false;
	stint_autofree struct stint_sharer *sharers = stint_alloc((count + 1) * sizeof *sharers);
	stint_json_each(queue, queues) {
		const struct place here = {.above = &root, .index = (int64_t)at};
		if (!read_sharer(&here, queue, resource, &sharers[at], err))
			return false;
		if (phase == 0)
			sharers[at].fair_share = 0;
		at++;
	}
	*left = stint_shares_divide(sharers, count, total, factor, phase == 1);
	for (size_t i = 0; i < count; i++)
		stint_json_set_double(stint_json_ensure_object(shares, sharers[i].name), resource, sharers[i].fair_share);
	return true;
}

struct stint_json *simulate_fair_share(const struct stint_json *document, struct stint_error **err)
{
	stint_auto_json *result = stint_json_new_object();
	stint_json_set_int(result, "version", 1);
	stint_json_set_string(result, "scenario", stint_json_string_or(stint_json_get(document, "name"), "scenario"));
	struct stint_json *remaining = stint_json_ensure_object(result, "remaining");
	struct stint_json *shares = stint_json_ensure_object(result, "fairShare");
	const struct stint_json *totals = stint_json_get(document, "total");
	const struct place here = {.key = "total", .index = -1};
	stint_json_each(item, totals) {
		const char *resource = stint_json_key(item);
		double total, left;
		if (!field_amount(&here, totals, resource, STINT_UNIT_ONE, 0, &total, err) ||
			!divide(document, resource, total, shares, &left, err))
			return NULL;
		stint_json_set_double(remaining, resource, left);
	}
	return stint_steal(&result);
}
