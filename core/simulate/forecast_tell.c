/*
 * forecast_tell: the difference between two runs as JSON (its form stands at stint_forecast). Lists are in the order of the decisions that
 * made them, queues by name.
 */
#include "forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct stint_json *add_named(struct stint_json *list, const struct forecast_workload *workload)
{
	struct stint_json *out = stint_json_append(list, stint_json_new_object());
	stint_json_set_string(out, "project", workload->space);
	stint_json_set_string(out, "workload", workload->name);
	stint_json_set_string(out, "workload_kind", workload->kind);
	return out;
}

static void forget_told(const struct forecast *forecast)
{
	void *value = NULL;
	for (size_t at = 0; stint_map_next(forecast->workloads, &at, NULL, &value);)
		((struct forecast_workload *)value)->told = false;
}

static void add_once(struct stint_json *list, const char *text)
{
	stint_json_each(item, list) {
		if (strcmp(stint_json_string_or(item, ""), text) == 0)
			return;
	}
	stint_json_append(list, stint_json_new_string(text));
}

static size_t difference(size_t more, size_t less)
{
	return more > less ? more - less : 0;
}

/* ---- what is evicted -------------------------------------------------------------------------------------------------------------------- */

/* Sums up the steps of the workload beyond the first `known`, which would happen anyway. */
static void add_losses(struct stint_json *out, const struct forecast *after, const struct forecast_workload *workload, size_t known)
{
	double gpus = 0, lost = 0;
	for (size_t i = 0; i < after->steps_count; i++) {
		const struct forecast_step *step = &after->steps[i];
		if (step->kind != STINT_DECIDE_EVICT || step->workload != workload)
			continue;
		if (known > 0) {
			known--;
			continue;
		}
		gpus += step->gpus;
		lost += step->lost_gpu_seconds;
	}
	stint_json_set_double(out, "gpus", gpus);
	if (lost > 0)
		stint_json_set_double(out, "lost_gpu_seconds", round(lost));
}

static void add_places(struct stint_json *nodes, const struct forecast *forecast, const struct forecast_workload *workload)
{
	for (size_t i = 0; i < forecast->steps_count; i++) {
		if (forecast->steps[i].kind == STINT_DECIDE_BIND && forecast->steps[i].workload == workload)
			add_once(nodes, forecast->steps[i].node);
	}
}

static void tell_evictions(struct stint_json *list, const struct forecast *before, const struct forecast *after)
{
	forget_told(after);
	for (size_t i = 0; i < after->steps_count; i++) {
		const struct forecast_step *step = &after->steps[i];
		struct forecast_workload *workload = step->workload;
		const struct forecast_workload *without = forecast_find(before, workload);
		const size_t known = without ? without->evicted : 0, pods = difference(workload->evicted, known);
		if (step->kind != STINT_DECIDE_EVICT || workload->told || !pods)
			continue;
		workload->told = true;
		struct stint_json *out = add_named(list, workload);
		stint_json_set_string(out, "action", stint_action_name(step->action));
		if (step->serves) {
			struct stint_json *serves = stint_json_ensure_object(out, "for");
			stint_json_set_string(serves, "project", step->serves->space);
			stint_json_set_string(serves, "workload", step->serves->name);
		}
		stint_json_set_int(out, "pods", (int64_t)pods);
		add_losses(out, after, workload, known);
		const size_t waiting = difference(workload->waiting, without ? without->waiting : 0);
		stint_json_set_int(out, "placed_again", (int64_t)difference(pods, waiting + workload->gone));
		stint_json_set_int(out, "gone", (int64_t)workload->gone);
		add_places(stint_json_ensure_array(out, "nodes"), after, workload);
	}
}

/* ---- what starts, and what does not any more ---------------------------------------------------------------------------------------------- */

static void tell_starts(struct stint_json *list, const struct forecast *before, const struct forecast *after)
{
	forget_told(after);
	for (size_t i = 0; i < after->steps_count; i++) {
		struct forecast_workload *workload = after->steps[i].workload;
		const struct forecast_workload *without = forecast_find(before, workload);
		const size_t pods = difference(workload->placed, without ? without->placed : 0);
		if (after->steps[i].kind != STINT_DECIDE_BIND || workload->told || !pods || workload->coming)
			continue;
		workload->told = true;
		double gpus = 0;
		bool later = false;
		for (size_t s = i; s < after->steps_count; s++) {
			const struct forecast_step *step = &after->steps[s];
			const bool counts = step->kind == STINT_DECIDE_BIND && step->workload == workload;
			gpus += counts ? step->gpus : 0;
			later = later || (counts && step->later);
		}
		struct stint_json *out = add_named(list, workload);
		stint_json_set_int(out, "pods", (int64_t)pods);
		stint_json_set_double(out, "gpus", gpus);
		stint_json_set_bool(out, "later", later);
		add_places(stint_json_ensure_array(out, "nodes"), after, workload);
	}
}

static void tell_delayed(struct stint_json *list, const struct forecast *before, const struct forecast *after)
{
	forget_told(before);
	for (size_t i = 0; i < before->steps_count; i++) {
		struct forecast_workload *workload = before->steps[i].workload;
		const struct forecast_workload *with = forecast_find(after, workload);
		const size_t pods = difference(workload->placed, with ? with->placed : 0);
		const bool evicted = with && with->evicted > workload->evicted; /* told there */
		if (before->steps[i].kind != STINT_DECIDE_BIND || workload->told || !pods || evicted)
			continue;
		workload->told = true;
		stint_json_set_int(add_named(list, workload), "pods", (int64_t)pods);
	}
}

/* ---- queues -------------------------------------------------------------------------------------------------------------------------------- */

static double tidy(double amount)
{
	return amount < 0 ? -1 : round(amount * 1e4) / 1e4;
}

/* True: there is a difference; to a queue that was not there, when it is not what a queue has of itself. */
static bool tell_pair(struct stint_json *out, const char *key, bool had, double before, double after, double of_itself)
{
	const double was = had ? tidy(before) : of_itself, is = tidy(after);
	struct stint_json *pair = stint_json_ensure_object(out, key);
	stint_json_set(pair, "before", had ? stint_json_new_double(was) : stint_json_new_null());
	stint_json_set_double(pair, "after", is);
	return fabs(was - is) > 1e-9;
}

static void tell_queue(
	struct stint_json *list, const struct stint_queue_view *before, const struct stint_queue_view *after, const char *parent)
{
	stint_auto_json *out = stint_json_new_object();
	bool any = !before;
	stint_json_set_string(out, "name", after->name);
	stint_json_set(out, "parent", stint_json_new_string(parent));
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		const struct stint_queue_view none = {0}, *was = before ? before : &none;
		stint_auto_json *amounts = stint_json_new_object();
		bool differs = tell_pair(amounts, "quota", before, was->quota[d], after->quota[d], -1);
		differs = tell_pair(amounts, "limit", before, was->limit[d], after->limit[d], -1) || differs;
		differs = tell_pair(amounts, "fair_share", before, was->fair_share[d], after->fair_share[d], 0) || differs;
		differs = tell_pair(amounts, "allocated", before, was->allocated[d], after->allocated[d], 0) || differs;
		if (differs || (d == STINT_GPU && any))
			stint_json_set(out, stint_dimension_name(d), stint_steal(&amounts));
		any = any || differs;
	}
	if (any)
		stint_json_append(list, stint_steal(&out));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void tell_queues(struct stint_json *list, const struct forecast *before, const struct forecast *after)
{
	const char **names = NULL;
	size_t count = 0, capacity = 0;
	struct stint_queue_view view;
	for (uint32_t at = STINT_NO_HANDLE; (at = stint_engine_queue_next(after->engine, at)) != STINT_NO_HANDLE;) {
		if (!stint_engine_queue_view(after->engine, at, &view))
			continue;
		stint_grow(&names, &capacity, count + 1, sizeof *names);
		names[count++] = view.name;
	}
	if (count)
		qsort(names, count, sizeof *names, by_name);
	for (size_t i = 0; i < count; i++) {
		struct stint_queue_view was, parent = {0};
		const uint32_t handle = stint_engine_queue_find(before->engine, names[i]);
		const bool had = handle != STINT_NO_HANDLE && stint_engine_queue_view(before->engine, handle, &was) && was.usable;
		stint_engine_queue_view(after->engine, stint_engine_queue_find(after->engine, names[i]), &view);
		if (view.parent != STINT_NO_HANDLE)
			stint_engine_queue_view(after->engine, view.parent, &parent);
		tell_queue(list, had ? &was : NULL, &view, parent.name);
	}
	free(names);
}

/* ---- what comes --------------------------------------------------------------------------------------------------------- */

static bool all_are_visible(void *user, const char *space)
{
	(void)user;
	(void)space;
	return true;
}

static void tell_placements(
	struct stint_json *list, const struct forecast *after, const struct forecast_workload *workload, size_t *now, size_t *later)
{
	for (size_t i = 0; i < after->steps_count; i++) {
		const struct forecast_step *step = &after->steps[i];
		if (step->kind != STINT_DECIDE_BIND || step->workload != workload)
			continue;
		struct stint_json *out = stint_json_append(list, stint_json_new_object());
		stint_json_set_string(out, "pod", step->pod);
		stint_json_set_string(out, "node", step->node);
		struct stint_json *devices = stint_json_ensure_array(out, "gpu_devices");
		for (int slot = 0; slot < STINT_MAX_DEVICES; slot++) {
			if (step->devices >> slot & 1)
				stint_json_append(devices, stint_json_new_int(slot));
		}
		stint_json_set_double(out, "gpus", step->gpus);
		stint_json_set_bool(out, "later", step->later);
		*(step->later ? later : now) += 1;
	}
}

static void tell_workload(struct stint_json *list, const struct forecast *after, const struct forecast_workload *workload)
{
	const struct stint_why_question question = {.engine = after->engine,
		.mirror = after->mirror,
		.space = workload->space,
		.workload = workload->name,
		.now_ms = after->question->now_ms,
		.visible = all_are_visible};
	size_t now = 0, later = 0;
	stint_auto_json *why = workload->waiting ? stint_why_record(&question) : NULL, *placements = stint_json_new_array();
	tell_placements(placements, after, workload, &now, &later);
	const bool never = stint_json_bool_or(stint_json_get(why, "never"), false);
	struct stint_json *out = add_named(list, workload);
	stint_json_set_string(out, "outcome",
		workload->waiting && workload->placed ? "StartsInPart"
			: workload->waiting && never  ? "Never"
			: workload->waiting	      ? "Waits"
			: later			      ? "StartsLater"
						      : "Starts");
	struct stint_json *pods = stint_json_ensure_object(out, "pods");
	stint_json_set_int(pods, "total", (int64_t)(workload->placed + workload->waiting));
	stint_json_set_int(pods, "now", (int64_t)now);
	stint_json_set_int(pods, "later", (int64_t)later);
	stint_json_set_int(pods, "waiting", (int64_t)workload->waiting);
	stint_json_set(out, "placements", stint_steal(&placements));
	if (why)
		stint_json_set(out, "why", stint_steal(&why));
}

struct stint_json *forecast_tell(struct forecast *before, struct forecast *after)
{
	struct stint_json *told = stint_json_new_object();
	stint_json_set_string(told, "apiVersion", "stint.dev/v1");
	stint_json_set_string(told, "kind", "Forecast");
	stint_json_set_bool(told, "settled", before->settled && after->settled);
	struct stint_json *workloads = stint_json_ensure_array(told, "workloads");
	for (size_t i = 0; i < after->coming_count; i++)
		tell_workload(workloads, after, after->coming[i]);
	tell_starts(stint_json_ensure_array(told, "starts"), before, after);
	tell_evictions(stint_json_ensure_array(told, "evictions"), before, after);
	tell_delayed(stint_json_ensure_array(told, "delayed"), before, after);
	tell_queues(stint_json_ensure_array(told, "queues"), before, after);
	return told;
}
