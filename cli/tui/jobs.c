/*
 * jobs: what is asked or changed and has to wait for answers. One at a time, by the main loop; keys, watches and frames go on meanwhile,
 * because waiting turns the loop. A job has copies of all that it needs: the world may be made anew while it waits.
 */
#include "cli/tui/run.h"

#include <stdlib.h>
#include <string.h>

#include "cli/why_fetch.h"

/* A workload that can be acted upon: its objects are counted, its texts are copies. */
struct target {
	struct stint_workload workload;
	char *project, *name, *api_version, *kind, *uid;
};

struct tui_job {
	struct tui_job *next;
	bool is_why;
	char *project, *name;
	enum tui_act act;
	struct target *targets;
	size_t count;
};

static void free_job(struct tui_job *job)
{
	for (size_t at = 0; at < job->count; at++) {
		struct target *target = &job->targets[at];
		for (size_t pod = 0; pod < target->workload.pods_count; pod++)
			stint_object_unref((struct stint_object *)(uintptr_t)&target->workload.pods[pod]->meta);
		free((void *)(uintptr_t)target->workload.pods);
		if (target->workload.owner)
			stint_object_unref((struct stint_object *)(uintptr_t)&target->workload.owner->meta);
		free(target->project);
		free(target->name);
		free(target->api_version);
		free(target->kind);
		free(target->uid);
	}
	free(job->targets);
	free(job->project);
	free(job->name);
	free(job);
}

void tui_jobs_free(struct tui_run *run)
{
	while (run->jobs) {
		struct tui_job *job = run->jobs;
		run->jobs = job->next;
		free_job(job);
	}
}

static void add_job(struct tui_run *run, struct tui_job *job)
{
	struct tui_job **at = &run->jobs;
	while (*at)
		at = &(*at)->next;
	*at = job;
}

void tui_jobs_why(struct tui_run *run, const char *project, const char *name)
{
	struct tui_job *job = stint_alloc(sizeof *job);
	*job = (struct tui_job){.is_why = true, .project = stint_strdup(project), .name = stint_strdup(name)};
	add_job(run, job);
}

static void fill_target(struct target *target, const struct stint_workload *workload)
{
	const struct stint_pod **pods = stint_alloc((workload->pods_count + 1) * sizeof *pods);
	*target = (struct target){.workload = *workload,
		.project = stint_strdup(workload->project),
		.name = stint_strdup(workload->name),
		.api_version = stint_strdup(workload->api_version),
		.kind = stint_strdup(workload->kind),
		.uid = stint_strdup(workload->uid)};
	for (size_t at = 0; at < workload->pods_count; at++) {
		pods[at] = workload->pods[at];
		stint_object_ref((struct stint_object *)(uintptr_t)&pods[at]->meta);
	}
	if (workload->owner)
		stint_object_ref((struct stint_object *)(uintptr_t)&workload->owner->meta);
	target->workload.pods = pods;
	target->workload.project = target->project;
	target->workload.name = target->name;
	target->workload.api_version = target->api_version;
	target->workload.kind = target->kind;
	target->workload.uid = target->uid;
	target->workload.reason = target->workload.message = target->workload.queue = NULL;
}

void tui_jobs_act(struct tui_run *run, const struct tui_action *action)
{
	struct tui_job *job = stint_alloc(sizeof *job);
	*job = (struct tui_job){.act = action->act, .targets = stint_alloc((action->count + 1) * sizeof *job->targets)};
	for (size_t at = 0; at < action->count; at++) {
		const struct stint_workload *workload = tui_app_workload(run->app, &action->items[at]);
		if (workload)
			fill_target(&job->targets[job->count++], workload);
	}
	add_job(run, job);
}

/* ---- priority ---------------------------------------------------------------------------------------------------------------------- */

struct class
{
	const char *name;
	int64_t value;
};

static int compare_classes(const void *left, const void *right)
{
	const struct class *a = left, *b = right;
	return (a->value > b->value) - (a->value < b->value);
}

/* The class after (or before) the present one in the order of values; NULL: there is none. The array is the caller's. */
static const char *next_class(const struct stint_json *list, const char *present, bool raise, struct class **classes)
{
	size_t count = 0;
	int64_t value = 0;
	bool known = false;
	*classes = stint_alloc((stint_json_count(stint_json_get(list, "items")) + 1) * sizeof **classes);
	stint_json_each(item, stint_json_get(list, "items")) {
		const char *name = stint_json_string_at(item, "metadata", "name");
		if (!name || stint_starts_with(name, "system-"))
			continue;
		(*classes)[count++] = (struct class){name, stint_json_int_or(stint_json_get(item, "value"), 0)};
	}
	qsort(*classes, count, sizeof **classes, compare_classes);
	for (size_t at = 0; at < count; at++) {
		if (present && strcmp((*classes)[at].name, present) == 0) {
			value = (*classes)[at].value;
			known = true;
		}
	}
	for (size_t at = 0; at < count; at++) {
		const struct class *class = &(*classes)[raise ? at : count - 1 - at];
		if (!known || (raise ? class->value > value : class->value < value))
			return class->name;
	}
	return NULL;
}

/* KAI takes the class from the label priorityClassName of the top owner before that of the pod: the only way while pods exist. */
static bool change_priority(
	struct stint_kube *kube, const struct stint_workload *workload, bool raise, char **now, struct stint_error **err)
{
	const char *said = workload->owner ? stint_object_label(&workload->owner->meta, "priorityClassName") : NULL;
	stint_auto_json *list = stint_kube_list(kube, &stint_kube_priorityclasses, NULL, NULL, err);
	stint_autofree struct class *classes = NULL;
	if (!list)
		return false;
	const char *next = next_class(list, said ? said : workload->priority_class, raise, &classes);
	if (!next)
		return stint_fail(err, STINT_CONFLICT, "%s \"%s\" has the %s priority class already", workload->kind, workload->name,
			raise ? "highest" : "lowest");
	stint_auto_json *patch = stint_json_new_object();
	stint_json_set_string(stint_json_ensure_object(stint_json_ensure_object(patch, "metadata"), "labels"), "priorityClassName", next);
	if (!stint_workload_patch(kube, workload, patch, err))
		return false;
	*now = stint_strdup(next);
	return true;
}

/* ---- doing it ---------------------------------------------------------------------------------------------------------------------- */

static bool act_on(struct tui_run *run, enum tui_act act, const struct stint_workload *workload, char **done, struct stint_error **err)
{
	bool changed = true;
	stint_autofree char *class = NULL;
	switch (act) {
	case TUI_ACT_DELETE:
		if (!stint_workload_delete(run->kube, workload, err))
			return false;
		*done = stint_format("%s/%s is being deleted", workload->project, workload->name);
		return true;
	case TUI_ACT_SUSPEND:
	case TUI_ACT_RESUME:
		if (!stint_workload_suspend(run->kube, workload, act == TUI_ACT_SUSPEND, &changed, err))
			return false;
		*done = stint_format("%s/%s %s %s", workload->project, workload->name, changed ? "is" : "was already",
			act == TUI_ACT_SUSPEND ? "suspended" : "resumed");
		return true;
	case TUI_ACT_RAISE:
	case TUI_ACT_LOWER:
		if (!change_priority(run->kube, workload, act == TUI_ACT_RAISE, &class, err))
			return false;
		*done = stint_format("%s/%s has priority class %s now", workload->project, workload->name, class);
		return true;
	}
	return false;
}

static void do_act(struct tui_run *run, const struct tui_job *job)
{
	size_t good = 0;
	stint_autofree char *last = NULL;
	for (size_t at = 0; at < job->count && !run->quit; at++) {
		stint_auto_error *err = NULL;
		char *done = NULL;
		if (act_on(run, job->act, &job->targets[at].workload, &done, &err)) {
			good++;
			free(last);
			last = done;
		} else {
			tui_app_note(run->app, TUI_BAD, "%s", err ? err->message : "interrupted");
		}
	}
	if (good == 1)
		tui_app_note(run->app, TUI_GOOD, "%s", last);
	else if (good)
		tui_app_note(run->app, good == job->count ? TUI_GOOD : TUI_WARN, "%zu of %zu: %s done", good, job->count,
			tui_act_word(job->act));
}

static void do_why(struct tui_run *run, const struct tui_job *job)
{
	stint_buf_reset(&run->said);
	struct stint_json *record = cli_why_fetch(run->ctx, job->project, job->name);
	stint_autofree char *problem = run->ctx->err ? stint_strdup(run->ctx->err->message)
		: run->said.length		     ? stint_strdup(run->said.data)
						     : NULL;
	stint_error_clear(&run->ctx->err);
	if (!run->quit)
		tui_app_why(run->app, job->project, job->name, record, problem);
	else
		stint_json_free(record);
}

bool tui_jobs_work(struct tui_run *run)
{
	struct tui_job *job = run->jobs;
	if (!job)
		return false;
	run->jobs = job->next;
	if (job->is_why)
		do_why(run, job);
	else
		do_act(run, job);
	free_job(job);
	if (!run->quit)
		tui_run_draw_soon(run);
	return true;
}
