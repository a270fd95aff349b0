/*
 * trace_replay: runs policies over seeds and gathers what came out: allocation and fragmentation against arrived load, column by column of
 * one hundredth of the capacity, as the published results have them (perf-anchors 2.2).
 */
#include <math.h>
#include <time.h>

#include "trace.h"

enum { MOST_COLUMNS = 1001 };

struct column {
	double allocation, fragmentation, ratio;
	uint64_t count;
};

struct run {
	struct column columns[MOST_COLUMNS];
	size_t last; /* column */
	size_t arrived, refused;
};

static double now_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void record(struct run *run, const struct replay *replay, int64_t arrived_milli)
{
	const double capacity = (double)replay->trace->capacity_milli;
	const long at = lround(100 * (double)arrived_milli / capacity);
	if (at < 0 || at >= MOST_COLUMNS)
		return;
	struct column *column = &run->columns[at];
	const double fragments = (double)replay->fragments_sum / (double)measure_scale(replay->measure);
	column->allocation += 100 * (double)replay->used_milli / capacity;
	column->fragmentation += 100 * fragments / capacity;
	column->ratio += replay->idle_milli ? 100 * fragments / (double)replay->idle_milli : 0;
	column->count++;
	if ((size_t)at > run->last)
		run->last = (size_t)at;
}

static void run_one(const struct stint_trace *trace, const struct measure *measure, const struct replay_policy *policy,
	const struct trace_arrivals *arrivals, uint64_t seed, struct run *run)
{
	struct replay *replay = replay_new(trace, measure, policy, seed);
	if (policy->priced && !policy->learns) {
		for (size_t i = 0; i < trace->pods_count; i++)
			replay->arrived[trace->pods[i].shape]++;
		replay_learn(replay);
	}
	int64_t arrived_milli = 0;
	for (size_t i = 0; i < arrivals->count; i++) {
		arrived_milli += trace_gpu_milli(&trace->shapes[arrivals->shapes[i]]);
		run->refused += !replay_place(replay, arrivals->shapes[i]);
		record(run, replay, arrived_milli);
	}
	run->arrived = arrivals->count;
	for (size_t i = 0; i <= run->last; i++) {
		struct column *column = &run->columns[i];
		if (!column->count)
			continue;
		column->allocation /= (double)column->count;
		column->fragmentation /= (double)column->count;
		column->ratio /= (double)column->count;
	}
	replay_free(replay);
}

/* ---- the result document ----------------------------------------------------------------------------------------------------------------- */

struct outcome {
	struct run *runs; /* one per seed */
	double seconds;
};

static double round_to(double value, double unit)
{
	return round(value * unit) / unit;
}

/* Mean of a column over the seeds that have it; *spread: the standard deviation of the sample, as the published results have it. */
static bool column_of(const struct run *runs, size_t seeds, size_t at, struct column *mean, double *spread)
{
	*mean = (struct column){0};
	for (size_t i = 0; i < seeds; i++) {
		const struct column *column = &runs[i].columns[at];
		if (!column->count)
			continue;
		mean->allocation += column->allocation;
		mean->fragmentation += column->fragmentation;
		mean->ratio += column->ratio;
		mean->count++;
	}
	if (!mean->count)
		return false;
	mean->allocation /= (double)mean->count;
	mean->fragmentation /= (double)mean->count;
	mean->ratio /= (double)mean->count;
	double squares = 0;
	for (size_t i = 0; i < seeds; i++) {
		const struct column *column = &runs[i].columns[at];
		squares += column->count ? pow(column->allocation - mean->allocation, 2) : 0;
	}
	*spread = mean->count > 1 ? sqrt(squares / (double)(mean->count - 1)) : 0;
	return true;
}

static struct stint_json *curve_of(const struct run *runs, size_t seeds)
{
	struct stint_json *curve = stint_json_new_array();
	for (size_t at = 0; at < MOST_COLUMNS; at++) {
		struct column mean;
		double spread;
		if (!column_of(runs, seeds, at, &mean, &spread))
			continue;
		struct stint_json *point = stint_json_append(curve, stint_json_new_object());
		stint_json_set_int(point, "arrived_percent", (int64_t)at);
		stint_json_set_double(point, "allocation_percent", round_to(mean.allocation, 1000));
		stint_json_set_double(point, "fragmentation_percent", round_to(mean.fragmentation, 1000));
	}
	return curve;
}

static void describe(
	struct stint_json *entry, const struct outcome *outcome, enum stint_trace_policy policy, const struct stint_trace_replay *how)
{
	const size_t seeds = (size_t)(how->last_seed - how->first_seed + 1);
	struct column mean;
	double spread;
	stint_json_set_string(entry, "policy", stint_trace_policy_name(policy));
	if (column_of(outcome->runs, seeds, 100, &mean, &spread)) {
		stint_json_set_double(entry, "allocation_percent", round_to(mean.allocation, 1000));
		stint_json_set_double(entry, "allocation_spread", round_to(spread, 1000));
		stint_json_set_double(entry, "fragmentation_percent", round_to(mean.fragmentation, 1000));
		stint_json_set_double(entry, "fragmentation_of_idle_percent", round_to(mean.ratio, 1000));
	} else {
		stint_json_set(entry, "allocation_percent", stint_json_new_null());
	}
	stint_json_set_double(entry, "seconds", round_to(outcome->seconds, 1000));
	struct stint_json *list = stint_json_set(entry, "runs", stint_json_new_array());
	for (size_t i = 0; i < seeds; i++) {
		const struct run *run = &outcome->runs[i];
		struct stint_json *item = stint_json_append(list, stint_json_new_object());
		stint_json_set_int(item, "seed", (int64_t)(how->first_seed + i));
		stint_json_set_int(item, "arrived", (int64_t)run->arrived);
		stint_json_set_int(item, "refused", (int64_t)run->refused);
		if (run->columns[100].count)
			stint_json_set_double(item, "allocation_percent", round_to(run->columns[100].allocation, 1000));
	}
	stint_json_set(entry, "curve", curve_of(outcome->runs, seeds));
}

static bool is_asked(const struct stint_trace_replay *how, unsigned policy)
{
	/* What is learned from arrivals is the second figure of the same policy. */
	const unsigned asked = policy == STINT_TRACE_LEARNED ? STINT_TRACE_FRAGMENTATION : policy;
	return how->policies >> asked & 1;
}

static void describe_all(struct stint_json *result, const struct outcome *outcomes, const struct stint_trace_replay *how)
{
	struct stint_json *list = stint_json_set(result, "policies", stint_json_new_array());
	for (unsigned i = 0; i < STINT_TRACE_LEARNED; i++) {
		if (!is_asked(how, i))
			continue;
		struct stint_json *entry = stint_json_append(list, stint_json_new_object());
		describe(entry, &outcomes[i], (enum stint_trace_policy)i, how);
		if (i == STINT_TRACE_FRAGMENTATION)
			describe(stint_json_set(entry, "learned", stint_json_new_object()), &outcomes[STINT_TRACE_LEARNED],
				STINT_TRACE_LEARNED, how);
	}
	/* One policy alone: its figures are the document's. */
	const struct stint_json *first = stint_json_first(list);
	if (!first || stint_json_next(first))
		return;
	stint_json_each(member, first) {
		if (strcmp(stint_json_key(member), "curve") != 0 && strcmp(stint_json_key(member), "runs") != 0 &&
			strcmp(stint_json_key(member), "learned") != 0)
			stint_json_set(result, stint_json_key(member), stint_json_dup(member));
	}
}

static struct stint_json *describe_trace(const struct stint_trace *trace)
{
	struct stint_json *entry = stint_json_new_object();
	stint_json_set_int(entry, "nodes", (int64_t)trace->nodes_count);
	stint_json_set_int(entry, "gpus", trace->capacity_milli / DEVICE_MILLI);
	stint_json_set_int(entry, "pods", (int64_t)trace->pods_count);
	stint_json_set_int(entry, "requests", (int64_t)trace->shapes_count);
	stint_json_set_double(entry, "gpus_requested", (double)trace->demand_milli / DEVICE_MILLI);
	return entry;
}

struct stint_json *stint_trace_replay(const struct stint_trace *trace, const struct stint_trace_replay *how, struct stint_error **err)
{
	const size_t seeds = (size_t)(how->last_seed - how->first_seed + 1);
	struct outcome outcomes[STINT_TRACE_POLICIES] = {{0}};
	size_t total = 0, done = 0;
	for (unsigned i = 0; i < STINT_TRACE_POLICIES; i++) {
		if (is_asked(how, i)) {
			outcomes[i].runs = stint_alloc(seeds * sizeof *outcomes[i].runs);
			total += seeds;
		}
	}
	struct measure *measure = measure_new(trace);
	bool go_on = true;
	for (uint64_t seed = how->first_seed; seed <= how->last_seed && go_on; seed++) {
		struct trace_random random;
		struct trace_arrivals arrivals;
		trace_random_seed(&random, seed);
		trace_arrivals_draw(trace, how->fill, &random, &arrivals);
		for (unsigned i = 0; i < STINT_TRACE_POLICIES && go_on; i++) {
			if (!is_asked(how, i))
				continue;
			const double started = now_seconds();
			run_one(trace, measure, &replay_policies[i], &arrivals, seed, &outcomes[i].runs[seed - how->first_seed]);
			outcomes[i].seconds += now_seconds() - started;
			go_on = !how->progress || how->progress(how->user, ++done, total);
		}
		free(arrivals.shapes);
	}
	measure_free(measure);
	struct stint_json *result = NULL;
	if (go_on) {
		result = stint_json_new_object();
		stint_json_set_int(result, "version", 1);
		stint_json_set(result, "trace", describe_trace(trace));
		stint_json_set_int(result, "first_seed", (int64_t)how->first_seed);
		stint_json_set_int(result, "last_seed", (int64_t)how->last_seed);
		describe_all(result, outcomes, how);
	} else {
		stint_fail(err, STINT_INTERRUPTED, "the replay was interrupted");
	}
	for (unsigned i = 0; i < STINT_TRACE_POLICIES; i++)
		free(outcomes[i].runs);
	return result;
}
