/*
 * conditions: writes PodScheduled=False with reason Unschedulable. See conditions.h.
 *
 * State: the writes under way, a timer for those that failed, one for reasons that are told only when they last and one for old sentences. The message begins with
 * our word and a colon, so that a successor, and `stint list`, can read the reason back.
 * Invariant: stint_mirror_pod.told is set when a write starts and taken back when it fails.
 */
#include <scheduler/conditions.h>

#include <stint/mirror.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IN_FLIGHT_MAX = 4, TIMEOUT_MS = 4000, RETRY_MS = 1000, PATIENCE_MS = 1000 };
/* A sentence of the same word is told anew when it differs, this long after it was told, and so many pods a turn. */
enum { REFRESH_MS = 60000, REFRESH_TURN_MS = 1000, REFRESH_PODS = 3 };

struct write {
	struct stint_conditions *conditions;
	struct stint_kube_call *call;
	struct stint_object *about; /* the pod, counted */
	char *text; /* "Word: sentence" */
	bool quiet; /* no event: only the numbers are others */
	struct write *next;
};

struct stint_conditions {
	struct stint_conditions_options options;
	struct write *writes;
	size_t in_flight;
	struct stint_timer *retry, *patience, *refresh;
};

static void on_retry(void *user)
{
	stint_conditions_run(user);
}

static void on_patience(void *user)
{
	struct stint_conditions *conditions = user;
	const int64_t now_ms = stint_monotonic_ms();
	int64_t next_ms = 0;
	struct stint_mirror_group *group = NULL;
	for (size_t at = 0; stint_mirror_next_group(conditions->options.mirror, &at, &group);) {
		const int64_t due_ms = group->passing_since_ms + PATIENCE_MS;
		if (!group->passing)
			continue;
		if (due_ms <= now_ms)
			stint_mirror_mark_group(conditions->options.mirror, group);
		else if (next_ms == 0 || due_ms < next_ms)
			next_ms = due_ms;
	}
	if (next_ms)
		stint_timer_set(conditions->patience, next_ms - now_ms);
	stint_conditions_run(conditions);
}

static void on_refresh(void *user);

struct stint_conditions *stint_conditions_new(const struct stint_conditions_options *options)
{
	struct stint_conditions *conditions = stint_alloc(sizeof(*conditions));
	conditions->options = *options;
	conditions->retry = stint_timer_new(stint_kube_loop(options->kube), on_retry, conditions);
	conditions->patience = stint_timer_new(stint_kube_loop(options->kube), on_patience, conditions);
	conditions->refresh = stint_timer_new(stint_kube_loop(options->kube), on_refresh, conditions);
	return conditions;
}

static void free_write(struct write *write)
{
	stint_object_unref(write->about);
	free(write->text);
	free(write);
}

void stint_conditions_free(struct stint_conditions *conditions)
{
	if (!conditions)
		return;
	for (struct write *write = conditions->writes, *next; write; write = next) {
		next = write->next;
		stint_kube_call_cancel(write->call);
		free_write(write);
	}
	stint_timer_free(conditions->retry);
	stint_timer_free(conditions->patience);
	stint_timer_free(conditions->refresh);
	free(conditions);
}

char *stint_pod_condition_patch(const char *uid, const struct stint_pod_condition *condition)
{
	stint_auto_json *patch = stint_json_new_object();
	stint_json_set_string(stint_json_ensure_object(patch, "metadata"), "uid", uid);
	struct stint_json *list = stint_json_ensure_array(stint_json_ensure_object(patch, "status"), "conditions");
	struct stint_json *item = stint_json_append(list, stint_json_new_object());
	stint_json_set_string(item, "type", condition->type);
	stint_json_set_string(item, "status", condition->status);
	stint_json_set_string(item, "reason", condition->reason);
	stint_json_set_string(item, "message", condition->message);
	char time[STINT_TIME_SIZE];
	if (condition->at_ms >= 0)
		stint_json_set_string(item, "lastTransitionTime", stint_time_format(condition->at_ms, time));
	return stint_json_print(patch);
}

char *stint_condition_patch(const char *uid, const char *word, const char *sentence, int64_t at_ms)
{
	stint_autofree char *message = stint_format("%s: %s", word, sentence);
	return stint_pod_condition_patch(uid,
		&(struct stint_pod_condition){
			.type = "PodScheduled", .status = "False", .reason = "Unschedulable", .message = message, .at_ms = at_ms});
}

static void tell_event(const struct write *write)
{
	const struct stint_object *meta = write->about;
	const struct stint_kube_about about = {"v1", "Pod", meta->space, meta->name, meta->uid, NULL, NULL};
	stint_record(write->conditions->options.recorder, &about, "Warning", "FailedScheduling", NULL, "%s", write->text);
}

static void on_done(void *user, struct stint_kube_response *response)
{
	struct write *write = user;
	struct stint_conditions *conditions = write->conditions;
	for (struct write **at = &conditions->writes; *at; at = &(*at)->next) {
		if (*at == write) {
			*at = write->next;
			break;
		}
	}
	conditions->in_flight--;
	const struct stint_error *err = response->error;
	struct stint_mirror_pod *pod = stint_mirror_pod_by_uid(conditions->options.mirror, write->about->uid);
	/* Only now, so that a write that is tried again is one event. */
	if (!err && conditions->options.recorder && !write->quiet)
		tell_event(write);
	if (err && err->code != STINT_NOT_FOUND && err->code != STINT_CONFLICT && pod) {
		stint_log(conditions->options.logger, STINT_LOG_WARN, "the condition of pod %s/%s could not be written: %s",
			pod->pod->meta.space, pod->pod->meta.name, err->message);
		if (!write->quiet) { /* else there is a sentence, and another turn */
			pod->told[0] = '\0';
			pod->told_for = NULL;
			if (pod->group)
				stint_mirror_mark_group(conditions->options.mirror, pod->group);
		}
		stint_timer_set(conditions->retry, RETRY_MS);
	}
	free_write(write);
	if (!err)
		stint_conditions_run(conditions);
	else if (!stint_timer_active(conditions->retry))
		stint_timer_set(conditions->retry, RETRY_MS);
}

static void start_write(struct stint_conditions *conditions, struct stint_mirror_pod *pod, const char *word, const char *sentence)
{
	const bool quiet = strcmp(pod->told, word) == 0;
	snprintf(pod->told, sizeof(pod->told), "%s", word);
	pod->told_ms = stint_monotonic_ms();
	struct stint_object *meta = &pod->pod->meta;
	struct write *write = stint_alloc(sizeof(*write));
	*write = (struct write){.conditions = conditions,
		.about = stint_object_ref(meta),
		.text = stint_format("%s: %s", word, sentence),
		.quiet = quiet,
		.next = conditions->writes};
	conditions->writes = write;
	conditions->in_flight++;
	stint_autofree char *body =
		stint_condition_patch(meta->uid, word, sentence, pod->pod->scheduled == STINT_FALSE ? -1 : stint_now_ms());
	write->call = stint_kube_call_start(conditions->options.kube,
		&(struct stint_kube_request){.method = "PATCH",
			.resource = &stint_kube_pods,
			.namespace_ = meta->space,
			.name = meta->name,
			.subresource = "status",
			.body = body,
			.body_length = strlen(body),
			.content_type = stint_kube_patch_content_type(STINT_KUBE_PATCH_STRATEGIC),
			.timeout_ms = TIMEOUT_MS,
			.on_done = on_done,
			.user = write});
}

/*
 * A gang whose pods are being created, and a place that somebody is leaving: as a rule that is over in a moment, and a write for each pod of
 * the gang would stand in the way of what it waits for. So such a reason is told when it has stood for a while.
 */
static bool is_early(struct stint_conditions *conditions, struct stint_mirror_group *group, const char *word)
{
	static const char *const words[] = {"Incomplete", "SubGroupIncomplete", "RoomIsLeaving"};
	bool passes = false;
	for (size_t i = 0; i < STINT_COUNT(words); i++)
		passes = passes || strcmp(word, words[i]) == 0;
	if (!passes)
		return false;
	const int64_t now_ms = stint_monotonic_ms();
	if (!group->passing || strcmp(group->passing, word) != 0) {
		group->passing = word;
		group->passing_since_ms = now_ms;
	}
	if (now_ms - group->passing_since_ms >= PATIENCE_MS)
		return false;
	if (!stint_timer_active(conditions->patience))
		stint_timer_set(conditions->patience, PATIENCE_MS);
	return true;
}

/* A reason that ended begins anew when it comes again. A group is marked whenever its reason becomes another one or none. */
static void forget_passed(const struct stint_conditions *conditions, struct stint_mirror_group *group)
{
	if (!group->passing)
		return;
	const struct stint_mirror_pod *pod = group->first;
	while (pod && !stint_mirror_pod_waits(pod))
		pod = pod->next_in_group;
	const char *word =
		pod && group->handle != STINT_NO_HANDLE ? stint_explain_group_word(conditions->options.engine, group->handle) : NULL;
	if (!word || strcmp(word, group->passing) != 0)
		group->passing = NULL;
}

/* ---- sentences that have grown old -------------------------------------------------------------------------------------------------------- */

static int64_t age_ms(const struct stint_conditions *conditions)
{
	return conditions->options.refresh_ms ? conditions->options.refresh_ms : REFRESH_MS;
}

static int64_t turn_ms(const struct stint_conditions *conditions)
{
	return age_ms(conditions) < REFRESH_TURN_MS ? age_ms(conditions) : REFRESH_TURN_MS;
}

/* The sentence as it would be told now, where it is not what the condition says. Costs O(nodes + pods). */
static void refresh_pod(struct stint_conditions *conditions, struct stint_mirror_pod *pod)
{
	struct stint_explanation explanation;
	stint_explain(conditions->options.engine, pod, &explanation);
	pod->told_ms = stint_monotonic_ms();
	if (explanation.word) {
		const char *message = pod->pod->scheduled == STINT_FALSE ? pod->pod->scheduled_message : NULL;
		stint_autofree char *text = stint_format("%s: %s", explanation.word, explanation.sentence);
		if (!message || strcmp(message, text) != 0)
			start_write(conditions, pod, explanation.word, explanation.sentence);
	}
	stint_explanation_clear(&explanation);
}

/* Keeps those told longest ago, the oldest first; how many there are now. */
static size_t keep_oldest(struct stint_mirror_pod *oldest[static REFRESH_PODS], size_t count, struct stint_mirror_pod *pod)
{
	size_t at = count;
	while (at > 0 && pod->told_ms < oldest[at - 1]->told_ms)
		at--;
	if (at == REFRESH_PODS)
		return count;
	count += count < REFRESH_PODS;
	memmove(&oldest[at + 1], &oldest[at], (count - at - 1) * sizeof(struct stint_mirror_pod *));
	oldest[at] = pod;
	return count;
}

/* Costs O(groups, and pods that wait), and three explanations at most. */
static void on_refresh(void *user)
{
	struct stint_conditions *conditions = user;
	struct stint_mirror_pod *oldest[REFRESH_PODS];
	size_t count = 0;
	bool any = false;
	const int64_t due_ms = stint_monotonic_ms() - age_ms(conditions);
	struct stint_mirror_group *group = NULL;
	for (size_t at = 0; stint_mirror_next_group(conditions->options.mirror, &at, &group);) {
		for (struct stint_mirror_pod *pod = group->first; pod; pod = pod->next_in_group) {
			if (!pod->told[0] || !stint_mirror_pod_waits(pod))
				continue;
			any = true;
			/* One that has another word now, or none, is for the next look at its group. */
			if (pod->told_ms <= due_ms && pod->told_for && pod->told_for == stint_explain_word(conditions->options.engine, pod))
				count = keep_oldest(oldest, count, pod);
		}
	}
	const bool may = conditions->options.may_write(conditions->options.user);
	for (size_t i = 0; may && i < count && conditions->in_flight < IN_FLIGHT_MAX; i++)
		refresh_pod(conditions, oldest[i]);
	if (any)
		stint_timer_set(conditions->refresh, turn_ms(conditions));
}

/* False: no more writes may be started now. */
static bool look_at(struct stint_conditions *conditions, struct stint_mirror_pod *pod)
{
	const char *word = stint_explain_word(conditions->options.engine, pod);
	if (word && !stint_timer_active(conditions->refresh))
		stint_timer_set(conditions->refresh, turn_ms(conditions));
	if (!word || word == pod->told_for || is_early(conditions, pod->group, word))
		return true;
	if (conditions->in_flight >= IN_FLIGHT_MAX)
		return false;
	struct stint_explanation explanation;
	stint_explain(conditions->options.engine, pod, &explanation);
	if (explanation.word && strcmp(explanation.word, pod->told) != 0)
		start_write(conditions, pod, explanation.word, explanation.sentence);
	pod->told_for = word;
	stint_explanation_clear(&explanation);
	return true;
}

void stint_conditions_run(struct stint_conditions *conditions)
{
	while (conditions->options.may_write(conditions->options.user)) {
		struct stint_mirror_group *group = stint_mirror_take_marked(conditions->options.mirror);
		if (!group)
			return;
		forget_passed(conditions, group);
		struct stint_mirror_pod *pod = group->first;
		while (pod && (!stint_mirror_pod_waits(pod) || look_at(conditions, pod)))
			pod = pod->next_in_group;
		if (pod) {
			stint_mirror_mark_group(conditions->options.mirror, group);
			return;
		}
	}
}
