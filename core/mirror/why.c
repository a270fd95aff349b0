/*
 * why: the answer to `stint why`. See stint/mirror.h. Holds no state.
 *
 * A workload may have several groups (the replicas of a Deployment are placed one by one). The one that has waited longest is explained;
 * all of them are counted.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

/* ---- finding it ---------------------------------------------------------------------------------------------------------------------- */

static bool is_named(const struct stint_mirror_group *group, const char *space, const char *name)
{
	if (strcmp(group->space, space) != 0)
		return false;
	if (strcmp(group->workload_name, name) == 0)
		return true;
	for (const struct stint_mirror_pod *pod = group->first; pod; pod = pod->next_in_group) {
		const char *owner = pod->pod->meta.owner.name;
		const char *pod_group = stint_object_annotation(&pod->pod->meta, "pod-group-name");
		if (strcmp(pod->pod->meta.name, name) == 0 || (owner && strcmp(owner, name) == 0) ||
			(pod_group && strcmp(pod_group, name) == 0))
			return true;
	}
	return false;
}

struct found {
	struct stint_mirror_pod *waiting; /* the one to be explained; NULL: none waits */
	struct stint_mirror_group *group; /* any, when none waits */
	size_t total, waiting_count, placed;
};

static bool is_earlier(const struct stint_mirror_pod *a, const struct stint_mirror_pod *b)
{
	if (a->pod->meta.created_ms != b->pod->meta.created_ms)
		return a->pod->meta.created_ms < b->pod->meta.created_ms;
	return strcmp(a->pod->meta.name, b->pod->meta.name) < 0;
}

/* What a pod itself lacks comes before what that means for the others of its gang. */
static bool is_better(const struct stint_mirror_pod *a, const struct stint_mirror_pod *b)
{
	const bool a_lacks = a->hold == STINT_HOLD_VOLUMES, b_lacks = b->hold == STINT_HOLD_VOLUMES;
	return a_lacks != b_lacks ? a_lacks : is_earlier(a, b);
}

static struct found find_workload(const struct stint_why_question *question)
{
	struct found found = {0};
	struct stint_mirror_group *group = NULL;
	for (size_t at = 0; stint_mirror_next_group(question->mirror, &at, &group);) {
		if (!is_named(group, question->space, question->workload))
			continue;
		if (!found.group)
			found.group = group;
		for (struct stint_mirror_pod *pod = group->first; pod; pod = pod->next_in_group) {
			if (stint_pod_ended(pod->pod))
				continue;
			found.total++;
			if (pod->pod->node || pod->bind)
				found.placed++;
			if (!stint_mirror_pod_waits(pod))
				continue;
			found.waiting_count++;
			if (!found.waiting || is_better(pod, found.waiting))
				found.waiting = pod;
		}
	}
	if (found.waiting)
		found.group = found.waiting->group;
	return found;
}

/* ---- who holds it, and until when ---------------------------------------------------------------------------------------------------- */

/* When all pods of the group must have ended, by their activeDeadlineSeconds; -1: one of them has no such time. */
static int64_t ends_at(const struct stint_mirror_group *group)
{
	int64_t end_ms = 0;
	for (const struct stint_mirror_pod *pod = group->first; pod; pod = pod->next_in_group) {
		if (stint_pod_ended(pod->pod) || !pod->pod->node)
			continue;
		if (pod->pod->spec->active_deadline_s < 0 || pod->pod->started_ms < 0)
			return -1;
		const int64_t one_ms = pod->pod->started_ms + pod->pod->spec->active_deadline_s * 1000;
		end_ms = one_ms > end_ms ? one_ms : end_ms;
	}
	return end_ms > 0 ? end_ms : -1;
}

static int64_t name_holder(const void *user, uint32_t handle, struct stint_json *item)
{
	const struct stint_why_question *question = user;
	const struct stint_mirror_group *group = handle == STINT_NO_HANDLE ? NULL : stint_mirror_group_by_handle(question->mirror, handle);
	const bool visible = group && (strcmp(group->space, question->space) == 0 || question->visible(question->user, group->space));
	if (visible) {
		stint_json_set_string(item, "project", group->space);
		stint_json_set_string(item, "workload", group->workload_name);
		stint_json_set_string(item, "workload_kind", group->workload_kind);
	} else {
		stint_json_set_string(item, "project", group ? STINT_WHY_HIDDEN : "pods of other schedulers");
	}
	return group ? ends_at(group) : -1;
}

/* ---- the record ---------------------------------------------------------------------------------------------------------------------- */

static void add_group(struct stint_json *record, const struct stint_why_question *question, const struct stint_mirror_group *group)
{
	struct stint_group_view view;
	stint_json_set_string(record, "workload_kind", group->workload_kind);
	if (!stint_engine_group_view(question->engine, group->handle, &view))
		return;
	if (view.queue_name)
		stint_json_set_string(record, "queue", view.queue_name);
	stint_json_set_int(record, "priority", view.priority);
	stint_json_set_bool(record, "preemptible", view.preemptible);
	stint_json_set_int(record, "minimum", view.min_member);
}

static void add_phase(struct stint_json *record, const struct found *found, const char *phase)
{
	stint_json_set_string(record, "phase", phase);
	struct stint_json *pods = stint_json_ensure_object(record, "pods");
	stint_json_set_int(pods, "total", (int64_t)found->total);
	stint_json_set_int(pods, "waiting", (int64_t)found->waiting_count);
	stint_json_set_int(pods, "placed", (int64_t)found->placed);
}

/* The last time that its pods had to go, as far as that is known; the cause is, where it was a Job's. */
static void add_eviction(struct stint_json *record, const struct stint_why_question *question, const struct stint_mirror_group *group)
{
	struct stint_group_view view;
	char time[STINT_TIME_SIZE];
	const char *uid = group->first ? group->first->pod->meta.owner.uid : NULL;
	const struct stint_comeback *comeback = uid ? mirror_comeback(question->mirror, uid) : NULL;
	const bool told = comeback && stint_comeback_is_eviction(comeback);
	const int64_t since_ms = told						  ? comeback->last_ms
		: stint_engine_group_view(question->engine, group->handle, &view) ? view.last_evicted_ms
										  : 0;
	if (since_ms <= 0)
		return;
	struct stint_json *evicted = stint_json_ensure_object(record, "evicted");
	stint_json_set_string(evicted, "last", stint_time_format(since_ms, time));
	if (told && comeback->last->evicted_message)
		stint_json_set_string(evicted, "message", comeback->last->evicted_message);
}

/* "a, b". */
static char *names_text(char *const *names)
{
	struct stint_buf text = {0};
	for (size_t at = 0; names[at]; at++)
		stint_buf_printf(&text, "%s%s", at ? ", " : "", names[at]);
	return stint_buf_steal(&text);
}

/* The pods of that owner are for somebody else to place. */
static bool add_other_scheduler(struct stint_json *record, const struct stint_why_question *question, const struct stint_owner *owner)
{
	const char *name = owner->pod_spec ? owner->pod_spec->scheduler_name : NULL;
	if (!name || mirror_serves(question->mirror, name))
		return false;
	stint_autofree char *served = names_text(question->mirror->names);
	const struct stint_reason_facts facts = {.name = name, .detail = served};
	stint_autofree char *sentence = stint_reason_sentence("OtherScheduler", &facts);
	stint_json_set_string(record, "reason", "OtherScheduler");
	stint_json_set_string(record, "message", sentence);
	stint_json_remove(record, "pods"); /* there may be some, and we do not look at them */
	return true;
}

/* An owner without pods of ours: there is nothing to place, and its controller knows why. */
static bool add_owner(struct stint_json *record, const struct stint_why_question *question)
{
	const struct stint_owner *owner =
		stint_catalog_find_owner(stint_mirror_catalog(question->mirror), question->space, question->workload);
	if (!owner)
		return false;
	stint_json_set_string(record, "workload_kind", owner->kind_name);
	if (add_other_scheduler(record, question, owner))
		return true;
	const bool suspended = owner->suspend == STINT_TRUE || owner->replicas == 0;
	const bool ended = owner->complete || owner->failed_for_good;
	const struct stint_comeback *comeback = ended || suspended ? NULL : mirror_comeback(question->mirror, owner->meta.uid);
	stint_autofree char *again = comeback ? stint_comeback_text(comeback, question->now_ms) : NULL;
	const char *message = owner->complete ? "it has ended"
		: owner->failed_for_good      ? (owner->failed_message ? owner->failed_message : "it has failed")
		: suspended		      ? "it is suspended: resume it"
		: again			      ? again
					      : "it has no pods to place: its events tell why none are created";
	stint_json_set_string(record, "reason",
		ended					       ? "Ended"
			: suspended			       ? "Suspended"
			: !again			       ? "NoPods"
			: stint_comeback_is_eviction(comeback) ? "Evicted"
							       : "BackOff");
	stint_json_set_string(record, "message", message);
	if (again)
		stint_json_set_int(
			record, "pods_again_in_s", comeback->due_ms > question->now_ms ? (comeback->due_ms - question->now_ms) / 1000 : 0);
	return true;
}

struct stint_json *stint_why_record(const struct stint_why_question *question)
{
	stint_auto_json *record = stint_json_new_object();
	stint_json_set_string(record, "apiVersion", "stint.dev/v1");
	stint_json_set_string(record, "kind", "Why");
	stint_json_set_string(record, "project", question->space);
	stint_json_set_string(record, "workload", question->workload);
	const struct found found = find_workload(question);
	if (!found.group || found.total == 0) {
		add_phase(record, &found, "NoPods");
		if (!add_owner(record, question) && !found.group)
			return NULL;
		if (found.group)
			add_group(record, question, found.group);
		return stint_steal(&record);
	}
	stint_json_set_string(record, "workload", found.group->workload_name);
	add_group(record, question, found.group);
	add_phase(record, &found, found.waiting ? "Waiting" : "Placed");
	add_eviction(record, question, found.group);
	if (!found.waiting)
		return stint_steal(&record);

	const struct stint_reason_names names = {.name = name_holder, .user = question, .known_only = question->known_only};
	struct stint_explanation explanation;
	stint_explain(question->engine, found.waiting, &explanation);
	const bool gated = found.waiting->pod->gates_count > 0;
	stint_json_set_string(record, "reason", explanation.word ? explanation.word : gated ? "SchedulingGated" : "NotJudgedYet");
	stint_json_set_string(record, "message",
		explanation.word ? explanation.sentence
			: gated	 ? stint_reason_row("SchedulingGated")->sentence
				 : "it has only just come: the scheduler looks at it in a moment");
	stint_json_set_bool(record, "never", explanation.never);
	if (explanation.has_why)
		stint_reason_record(record, question->engine, found.group->handle, &explanation.why, question->now_ms, &names);
	stint_explanation_clear(&explanation);
	return stint_steal(&record);
}
