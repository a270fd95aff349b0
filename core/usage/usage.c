/*
 * usage: decayed integrals of what queues had. See stint/usage.h.
 *
 * State: for each queue, and for the cluster, the integral as of `at_ms` (in units of amount times milliseconds) and the amount that has held
 * since. An integral that has faded to nothing goes, so a queue that came and went costs nothing for ever.
 */
#include <stint/usage.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ten half-lives leave a thousandth: a queue that has had nothing for so long is as good as new. */
enum { FORGET_HALF_LIVES = 10, MAX_SAVED_QUEUES = 100000 };

struct integral {
	double sum[STINT_DIMENSIONS], rate[STINT_DIMENSIONS];
	int64_t busy_ms; /* when it last had something */
};

struct stint_usage {
	double half_life_ms;
	int64_t at_ms; /* -1: no sample yet */
	struct integral cluster;
	struct stint_map *queues;
};

struct stint_usage *stint_usage_new(int64_t half_life_ms)
{
	struct stint_usage *usage = stint_alloc(sizeof(*usage));
	*usage = (struct stint_usage){.half_life_ms = (double)half_life_ms, .at_ms = -1, .queues = stint_map_new(free)};
	return usage;
}

void stint_usage_free(struct stint_usage *usage)
{
	if (!usage)
		return;
	stint_map_free(usage->queues);
	free(usage);
}

/* A constant rate over a span adds rate * (1 - decay) / lambda, lambda = ln 2 / half-life. */
static void advance(struct integral *integral, double decay, double weight)
{
	for (int d = 0; d < STINT_DIMENSIONS; d++)
		integral->sum[d] = integral->sum[d] * decay + integral->rate[d] * weight;
}

static void advance_all(struct stint_usage *usage, int64_t now_ms)
{
	if (usage->at_ms < 0 || now_ms < usage->at_ms)
		usage->at_ms = now_ms;
	const double decay = exp2(-(double)(now_ms - usage->at_ms) / usage->half_life_ms);
	const double weight = (1 - decay) * usage->half_life_ms / M_LN2;
	advance(&usage->cluster, decay, weight);
	const char *name = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(usage->queues, &at, &name, &value);)
		advance(value, decay, weight);
	usage->at_ms = now_ms;
}

static struct integral *integral_of(struct stint_usage *usage, const char *name)
{
	struct integral *integral = stint_map_get(usage->queues, name);
	if (!integral) {
		integral = stint_alloc(sizeof(*integral));
		stint_map_set(usage->queues, name, integral);
	}
	return integral;
}

static bool has_something(const double amounts[static STINT_DIMENSIONS])
{
	return amounts[STINT_CPU] > 0 || amounts[STINT_MEMORY] > 0 || amounts[STINT_GPU] > 0;
}

void stint_usage_sample(struct stint_usage *usage, struct stint_engine *engine, int64_t now_ms)
{
	advance_all(usage, now_ms);
	stint_engine_cluster_total(engine, usage->cluster.rate);

	const char *name = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(usage->queues, &at, &name, &value);) {
		struct integral *integral = value;
		if (has_something(integral->rate))
			integral->busy_ms = now_ms;
		memset(integral->rate, 0, sizeof(integral->rate));
		if ((double)(now_ms - integral->busy_ms) > FORGET_HALF_LIVES * usage->half_life_ms)
			stint_map_remove(usage->queues, name);
	}
	for (uint32_t at = stint_engine_queue_next(engine, STINT_NO_HANDLE); at != STINT_NO_HANDLE;
		at = stint_engine_queue_next(engine, at)) {
		struct stint_queue_view view;
		if (!stint_engine_queue_view(engine, at, &view) || !has_something(view.allocated))
			continue;
		struct integral *integral = integral_of(usage, view.name);
		for (int d = 0; d < STINT_DIMENSIONS; d++)
			integral->rate[d] = view.allocated[d];
		integral->busy_ms = now_ms;
	}
}

void stint_usage_of(const struct stint_usage *usage, const char *queue, double part[static STINT_DIMENSIONS])
{
	const struct integral *integral = stint_map_get(usage->queues, queue);
	for (int d = 0; d < STINT_DIMENSIONS; d++)
		part[d] = integral && usage->cluster.sum[d] > 0 ? integral->sum[d] / usage->cluster.sum[d] : 0;
}

void stint_usage_apply(const struct stint_usage *usage, struct stint_engine *engine)
{
	for (uint32_t at = stint_engine_queue_next(engine, STINT_NO_HANDLE); at != STINT_NO_HANDLE;
		at = stint_engine_queue_next(engine, at)) {
		struct stint_queue_view view;
		double part[STINT_DIMENSIONS];
		if (!stint_engine_queue_view(engine, at, &view))
			continue;
		stint_usage_of(usage, view.name, part);
		stint_engine_queue_usage(engine, at, part);
	}
}

/* ---- as text ------------------------------------------------------------------------------------------------------------------------- */

static struct stint_json *sums_to_json(const struct integral *integral)
{
	struct stint_json *json = stint_json_new_object();
	for (int d = 0; d < STINT_DIMENSIONS; d++)
		stint_json_set_double(json, stint_dimension_name((enum stint_dimension)d), integral->sum[d]);
	stint_json_set_int(json, "busy", integral->busy_ms);
	return json;
}

char *stint_usage_save(const struct stint_usage *usage)
{
	stint_auto_json *json = stint_json_new_object();
	stint_json_set_int(json, "version", 1);
	stint_json_set_int(json, "at", usage->at_ms);
	stint_json_set(json, "cluster", sums_to_json(&usage->cluster));
	struct stint_json *queues = stint_json_ensure_object(json, "queues");
	const char *name = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(usage->queues, &at, &name, &value);)
		stint_json_add(queues, name, sums_to_json(value));
	return stint_json_print(json);
}

static bool sums_from_json(const struct stint_json *json, struct integral *out)
{
	*out = (struct integral){0};
	for (int d = 0; d < STINT_DIMENSIONS; d++) {
		if (!stint_json_double(stint_json_get(json, stint_dimension_name((enum stint_dimension)d)), &out->sum[d]) ||
			!isfinite(out->sum[d]) || out->sum[d] < 0)
			return false;
	}
	return stint_json_int(stint_json_get(json, "busy"), &out->busy_ms);
}

bool stint_usage_load(struct stint_usage *usage, const char *text, size_t length, int64_t now_ms)
{
	stint_auto_json *json = stint_json_parse(text, length, STINT_JSON_REJECT_DUPLICATES, NULL);
	struct integral cluster;
	int64_t at_ms = 0;
	const struct stint_json *queues = stint_json_get(json, "queues");
	if (stint_json_int_or(stint_json_get(json, "version"), 0) != 1 || !stint_json_int(stint_json_get(json, "at"), &at_ms) ||
		at_ms < 0 || !sums_from_json(stint_json_get(json, "cluster"), &cluster) || stint_json_count(queues) > MAX_SAVED_QUEUES)
		return false;
	struct stint_map *loaded = stint_map_new(free);
	stint_json_each(item, queues) {
		struct integral *integral = stint_alloc(sizeof(*integral));
		stint_map_set(loaded, stint_json_key(item), integral);
		if (!sums_from_json(item, integral)) {
			stint_map_free(loaded);
			return false;
		}
	}
	stint_map_free(usage->queues);
	usage->queues = loaded;
	usage->cluster = cluster;
	usage->at_ms = at_ms < now_ms ? at_ms : now_ms;
	return true;
}
