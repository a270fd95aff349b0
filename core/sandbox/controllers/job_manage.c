/*
 * job_manage: brings the number of pods of a Job that goes on to what is wanted: removals first, creations when those are known.
 */
#include <stdlib.h>

#include "core/sandbox/controllers/job_look.h"
#include "core/sandbox/controllers/job_policy.h"

/* Which active pods have to go: those of a wrong or doubled index, then the least worthy, at least `least` in all. */
static void choose_removals(struct job_look *look, int64_t least)
{
	struct pod_list rest = {0};
	struct indexes seen = {0};
	if (look->active.count > 1)
		qsort(look->active.items, look->active.count, sizeof(look->active.items[0]), pod_compare_worth);
	/* From the worthiest down, so that of a doubled index the best stays. */
	for (size_t i = look->active.count; i-- > 0;) {
		struct pod_facts *pod = look->active.items[i];
		if (look->indexed && (!job_index_in_range(look, pod) || indexes_has(&seen, pod->index)))
			pod_list_add(&look->plan->removals, pod);
		else
			pod_list_add(&rest, pod);
		if (look->indexed && job_index_in_range(look, pod))
			indexes_add(&seen, pod->index);
	}
	while (rest.count > 0 && (int64_t)look->plan->removals.count < least)
		pod_list_add(&look->plan->removals, rest.items[--rest.count]);
	pod_list_free(&rest);
	indexes_free(&seen);
	if (look->plan->removals.count > JOB_PODS_PER_SYNC) {
		look->plan->removals.count = JOB_PODS_PER_SYNC;
		job_again(look->plan, 0);
	}
}

static void add_create(struct job_plan *plan, struct job_new_pod pod)
{
	stint_grow(&plan->creates, &plan->create_capacity, plan->create_count + 1, sizeof(pod));
	plan->creates[plan->create_count++] = pod;
}

/* Per-index backoff: true when the index may start now; *pod carries the number of failures on. */
static bool index_may_start(struct job_look *look, int64_t index, struct job_new_pod *pod)
{
	const struct pod_facts *last = job_delayed_pod(look, index);
	*pod = (struct job_new_pod){.index = index, .counts_failures = look->per_index};
	if (!look->per_index || !last)
		return true;
	bool ignored = look->failure_policy && job_failure_of(look->failure_policy, last, NULL) == JOB_FAILURE_IGNORED;
	pod->failures = last->index_failures + !ignored;
	pod->ignored = last->index_ignored + ignored;
	int64_t left_ms = job_backoff_left(pod->failures + pod->ignored, job_finish_time(last, look->now_ms), look->now_ms);
	if (left_ms > 0)
		job_again(look->plan, left_ms);
	return left_ms <= 0;
}

static void create_indexes(struct job_look *look, int64_t wanted)
{
	struct indexes taken = {0};
	for (size_t i = 0; i < look->pods->count; i++) {
		const struct pod_facts *pod = look->pods->items[i];
		bool blocks = pod_is_active(pod) || (look->replace_failed_only && pod->deleting && !pod_is_finished(pod));
		if (blocks && job_index_in_range(look, pod))
			indexes_add(&taken, pod->index);
	}
	for (int64_t index = 0; index < look->completions && wanted > 0; index++) {
		if (indexes_has(&taken, index) || indexes_has(&look->done, index) || indexes_has(&look->lost, index))
			continue;
		wanted--;
		struct job_new_pod pod;
		if (index_may_start(look, index, &pod))
			add_create(look->plan, pod);
	}
	indexes_free(&taken);
}

static int64_t wanted_active(const struct job_look *look)
{
	int64_t active = (int64_t)look->active.count;
	if (!look->has_completions)
		return look->succeeded > 0 ? active : look->parallelism;
	int64_t left = look->completions - look->succeeded - (look->per_index ? indexes_total(&look->lost) : 0);
	if (left > look->parallelism)
		left = look->parallelism;
	return left > 0 ? left : 0;
}

void job_manage(struct job_look *look)
{
	if (look->suspended) {
		choose_removals(look, (int64_t)look->active.count);
		look->plan->removals_uncounted = true;
		return;
	}
	int64_t active = (int64_t)look->active.count, wanted = wanted_active(look);
	choose_removals(look, active > wanted ? active - wanted : 0);
	if (look->plan->removals.count > 0) {
		/* One thing at a time: creations follow when the removals are known. */
		look->plan->removals_uncounted = true;
		job_again(look->plan, 0);
		return;
	}
	int64_t missing = wanted - active - (look->replace_failed_only ? look->terminating : 0);
	if (missing <= 0)
		return;
	int64_t left_ms = look->per_index ? 0 : job_backoff_left(look->memory->failures, look->memory->last_failure_ms, look->now_ms);
	if (left_ms > 0) {
		job_again(look->plan, left_ms);
		return;
	}
	if (missing > JOB_PODS_PER_SYNC) {
		missing = JOB_PODS_PER_SYNC;
		job_again(look->plan, 0);
	}
	if (look->indexed) {
		create_indexes(look, missing);
		return;
	}
	for (; missing > 0; missing--)
		add_create(look->plan, (struct job_new_pod){.index = -1});
}
