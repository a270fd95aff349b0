/*
 * victims: see victims.h.
 */
#include "cli/tui/victims.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_GPUS = 1000000, MOST_SECONDS = INT32_MAX };

/* ---- noting ------------------------------------------------------------------------------------------------------------------------ */

static bool is_noted(const struct tui_victims *victims, const char *uid)
{
	for (size_t at = victims->count; uid && at > 0; at--) {
		if (victims->pods[at - 1]->uid && strcmp(victims->pods[at - 1]->uid, uid) == 0)
			return true;
	}
	return false;
}

void tui_victims_note(struct tui_victims *victims, struct stint_object *pod, bool gone)
{
	const struct stint_pod *now = stint_pod_of(pod);
	if (!now || !now->evicted_reason || (!gone && pod->deleted_ms < 0) || is_noted(victims, pod->uid))
		return;
	if (victims->count == TUI_VICTIMS_KEPT) {
		stint_object_unref(victims->pods[0]);
		memmove(victims->pods, victims->pods + 1, --victims->count * sizeof victims->pods[0]);
	}
	victims->pods[victims->count++] = stint_object_ref(pod);
}

void tui_victims_clear(struct tui_victims *victims)
{
	while (victims->count)
		stint_object_unref(victims->pods[--victims->count]);
}

/* ---- telling ----------------------------------------------------------------------------------------------------------------------- */

/* The sentences of stint-scheduler begin with whom it is for: `queue "owners" has not had ...`, `room is made for workload x; ...`. */
static char *whom_of(const char *why, struct stint_arena *arena)
{
	static const char room[] = "room is made for ";
	if (!why)
		return NULL;
	const char *start = stint_starts_with(why, room) ? why + sizeof room - 1 : why;
	if (!stint_starts_with(start, "queue \"") && !stint_starts_with(start, "workload "))
		return NULL;
	const char *blank = strchr(start, ' ');
	size_t length = (size_t)(blank - start) + 1 + strcspn(blank + 1, " ;");
	char *whom = stint_arena_strndup(arena, start, length);
	char *to = whom;
	for (const char *from = whom; *from; from++) {
		if (*from != '"')
			*to++ = *from;
	}
	*to = '\0';
	return whom;
}

/* Without "; lost: 8 GPUs after 3h", which has a place of its own. */
static const char *cause_of(const char *sentence, struct stint_arena *arena)
{
	const char *loss = sentence ? strstr(sentence, "; lost: ") : NULL;
	return loss ? stint_arena_strndup(arena, sentence, (size_t)(loss - sentence)) : sentence;
}

/* What the pod belongs to, as far as it tells itself. */
static const char *owner_of(const struct stint_pod *pod, struct stint_arena *arena)
{
	const struct stint_owner_reference *owner = &pod->meta.owner;
	const char *group = stint_object_annotation(&pod->meta, "pod-group-name");
	const char *hash = stint_object_label(&pod->meta, "pod-template-hash");
	if (!owner->name)
		return group ? group : pod->meta.name;
	stint_autofree char *end = hash ? stint_format("-%s", hash) : NULL;
	if (!end || !stint_ends_with(owner->name, end))
		return owner->name;
	return stint_arena_strndup(arena, owner->name, strlen(owner->name) - strlen(end));
}

static struct tui_victim victim_of_pod(const struct stint_pod *pod, struct stint_arena *arena)
{
	struct tui_victim victim = {.project = pod->meta.space ? pod->meta.space : "",
		.name = owner_of(pod, arena),
		.pod = pod->meta.name,
		.uid = pod->meta.uid,
		.reason = pod->evicted_reason,
		.why = cause_of(pod->evicted_message, arena),
		.whom = whom_of(pod->evicted_message, arena),
		.at_ms = pod->evicted_ms,
		.ran_ms = pod->started_ms >= 0 && pod->evicted_ms >= pod->started_ms ? pod->evicted_ms - pod->started_ms : -1};
	if (!stint_pod_gpus(pod, NULL, &victim.gpus))
		victim.gpus = -1;
	return victim;
}

struct workloads {
	const struct stint_workload *const *list; /* by project and name */
	size_t count;
};

static const struct stint_workload *find(const struct workloads *workloads, const char *project, const char *name, size_t length)
{
	for (size_t low = 0, high = workloads->count; low < high;) {
		const size_t middle = low + (high - low) / 2;
		const struct stint_workload *workload = workloads->list[middle];
		int sign = strcmp(workload->project, project);
		if (sign == 0)
			sign = strncmp(workload->name, name, length);
		if (sign == 0)
			sign = workload->name[length] != '\0';
		if (sign == 0)
			return workload;
		if (sign < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Pods are named after what they belong to, with one to three words more. NULL: nothing there has such a name. */
static const struct stint_workload *guess(const struct workloads *workloads, const struct stint_event *event)
{
	const struct stint_workload *found = NULL;
	size_t length = strlen(event->about_name);
	for (int words = 0; words < 3 && !found && length; words++) {
		while (length && event->about_name[length - 1] != '-')
			length--;
		length -= length > 0;
		found = length ? find(workloads, event->about_space, event->about_name, length) : NULL;
	}
	return found;
}

static bool is_eviction(const struct stint_event *event)
{
	return event->about_kind && strcmp(event->about_kind, "Pod") == 0 && event->about_name && event->about_space && event->reason &&
		event->message && stint_starts_with(event->message, "Evicted: ");
}

static int compare_victims(const void *left, const void *right)
{
	const struct tui_victim *a = left, *b = right;
	if (a->at_ms != b->at_ms)
		return a->at_ms > b->at_ms ? -1 : 1;
	const int sign = strcmp(a->project, b->project);
	return sign ? sign : strverscmp(a->pod, b->pod);
}

static struct tui_victim victim_of_event(const struct stint_event *event, const struct workloads *workloads, struct stint_arena *arena)
{
	const char *why = event->message + strlen("Evicted: ");
	const struct stint_workload *workload = guess(workloads, event);
	const char *gpus = stint_object_annotation(&event->meta, STINT_ANNOTATION_LOST_GPUS);
	const char *seconds = stint_object_annotation(&event->meta, STINT_ANNOTATION_LOST_SECONDS);
	double lost_gpus = -1;
	int64_t lost_s = -1;
	if (gpus && !stint_parse_double(gpus, 0, MOST_GPUS, &lost_gpus))
		lost_gpus = -1;
	if (seconds && !stint_parse_int(seconds, 0, MOST_SECONDS, &lost_s))
		lost_s = -1;
	return (struct tui_victim){.project = event->about_space,
		.name = workload ? workload->name : event->about_name,
		.workload = workload,
		.pod = event->about_name,
		.uid = event->about_uid,
		.reason = event->reason,
		.why = cause_of(why, arena),
		.whom = whom_of(why, arena),
		.gpus = lost_gpus,
		.at_ms = event->last_ms,
		.ran_ms = lost_s < 0 ? -1 : lost_s * 1000};
}

const struct tui_victim *tui_victims_list(const struct tui_victims *victims, const struct stint_event *const *events, size_t events_count,
	const struct stint_workload *const *workloads, size_t workloads_count, struct stint_arena *arena, size_t *count)
{
	const struct workloads known = {workloads, workloads_count};
	struct tui_victim *list = stint_arena_alloc(arena, (victims->count + events_count + 1) * sizeof *list);
	*count = 0;
	for (size_t at = 0; at < victims->count; at++) {
		struct tui_victim *victim = &list[(*count)++];
		*victim = victim_of_pod((const struct stint_pod *)victims->pods[at], arena);
		victim->workload = find(&known, victim->project, victim->name, strlen(victim->name));
	}
	for (size_t at = 0; at < events_count; at++) {
		if (is_eviction(events[at]) && !is_noted(victims, events[at]->about_uid))
			list[(*count)++] = victim_of_event(events[at], &known, arena);
	}
	if (*count)
		qsort(list, *count, sizeof *list, compare_victims);
	return list;
}
