/* comeback: what a Job's ended pods say of when the next ones come. See stint/model.h; Kubernetes' rule as seen on 1.34. Pure. */
#include "core/model/private.h"

enum { FIRST_MS = 10 * 1000, MOST_MS = 600 * 1000 };

static int64_t pause_after(int64_t failures)
{
	int64_t pause_ms = FIRST_MS;
	for (int64_t i = 1; i < failures && pause_ms < MOST_MS; i++)
		pause_ms *= 2;
	return pause_ms < MOST_MS ? pause_ms : MOST_MS;
}

/* Failures of the pod's index, its own among them; 0: its Job does not count by index. */
static int64_t failures_of_index(const struct stint_pod *pod)
{
	int64_t failures = 0, ignored = 0;
	const char *text = stint_object_annotation(&pod->meta, "batch.kubernetes.io/job-index-failure-count");
	if (!text || !stint_parse_int(text, 0, INT32_MAX, &failures))
		return 0;
	text = stint_object_annotation(&pod->meta, "batch.kubernetes.io/job-index-ignored-failure-count");
	if (text && !stint_parse_int(text, 0, INT32_MAX, &ignored))
		ignored = 0;
	return failures + ignored + 1;
}

void stint_comeback_lose(struct stint_comeback *comeback, const struct stint_pod *pod, int64_t end_ms)
{
	const int64_t by_index = failures_of_index(pod);
	comeback->failures++;
	if (!comeback->last || end_ms >= comeback->last_ms) {
		comeback->last = pod;
		comeback->last_ms = end_ms;
	}
	const int64_t due_ms = by_index ? end_ms + pause_after(by_index) : comeback->last_ms + pause_after(comeback->failures);
	if (due_ms > comeback->due_ms)
		comeback->due_ms = due_ms;
}

void stint_comeback_add(struct stint_comeback *comeback, const struct stint_pod *pod, int64_t now_ms)
{
	if (!stint_pod_ended(pod))
		return;
	const int64_t end_ms = pod->ended_ms >= 0 ? pod->ended_ms : pod->disruption_ms >= 0 ? pod->disruption_ms : now_ms;
	if (pod->phase == STINT_PHASE_SUCCEEDED) {
		if (end_ms >= comeback->last_ms)
			*comeback = (struct stint_comeback){.last_ms = end_ms};
		return;
	}
	if (end_ms >= 0)
		stint_comeback_lose(comeback, pod, end_ms);
}

bool stint_comeback_is_eviction(const struct stint_comeback *comeback)
{
	return comeback->last && (comeback->last->evicted_message || comeback->last->disruption_target == STINT_TRUE);
}

char *stint_comeback_text(const struct stint_comeback *comeback, int64_t now_ms)
{
	const bool evicted = stint_comeback_is_eviction(comeback);
	const char *said = evicted ? comeback->last->evicted_message : NULL, *happened = evicted ? "it was evicted" : "a pod of it failed";
	stint_autofree char *cause = said ? stint_format(" (%s)", said) : stint_strdup("");
	char since[STINT_TIME_SIZE], again[STINT_TIME_SIZE];
	if (now_ms < 0) {
		stint_time_format(comeback->last_ms, since);
		stint_time_format(comeback->due_ms, again);
		return stint_format("%s at %.8s UTC%s: its controller makes its pods again at about %.8s", happened, strchr(since, 'T') + 1,
			cause, strchr(again, 'T') + 1);
	}
	const int64_t left_ms = comeback->due_ms - now_ms, past_ms = now_ms - comeback->last_ms;
	stint_duration_format(past_ms > 0 ? past_ms : 0, since);
	if (left_ms <= 0)
		return stint_format("%s %s ago%s: its controller makes its pods again at any moment", happened, since, cause);
	return stint_format("%s %s ago%s: its controller makes its pods again in about %s", happened, since, cause,
		stint_duration_format(left_ms, again));
}
