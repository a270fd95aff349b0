/*
 * detail: everything that is known of one thing: a workload with its pods and events, a node with its devices and their users, a project, an
 * event. What has gone meanwhile is said, and the last that was known of it stays out of sight.
 */
#include <stdio.h>
#include <string.h>

#include "cli/tui/views/common.h"

enum { EVENTS_SHOWN = 20, EVICTIONS_SHOWN = 5 };

static void say_age(struct tui_text *text, const char *key, int64_t since_ms, int64_t now_ms)
{
	char age[STINT_TIME_SIZE], time[STINT_TIME_SIZE];
	if (since_ms < 0)
		return;
	stint_autofree char *value = stint_format(
		"%s ago (%s)", stint_duration_format(now_ms > since_ms ? now_ms - since_ms : 0, age), stint_time_format(since_ms, time));
	tui_say_field(text, key, TUI_TEXT, value);
}

/* ---- events about something -------------------------------------------------------------------------------------------------------- */

static bool is_named_after(const char *text, const char *name)
{
	const size_t length = strlen(name);
	return text && strncmp(text, name, length) == 0 && (text[length] == '\0' || text[length] == '-');
}

static bool is_about(const struct stint_event *event, const struct tui_about *about)
{
	if (about->kind == TUI_A_NODE)
		return event->about_kind && strcmp(event->about_kind, "Node") == 0 && event->about_name &&
			strcmp(event->about_name, about->name) == 0;
	return event->about_space && about->space && strcmp(event->about_space, about->space) == 0 &&
		is_named_after(event->about_name, about->name);
}

static void say_events(const struct tui_app *app, const struct tui_about *about, struct tui_text *text)
{
	const struct tui_world *world = app->now.world;
	int shown = 0;
	tui_say_title(text, "Events");
	for (size_t at = 0; at < world->events_count && shown < EVENTS_SHOWN; at++) {
		const struct stint_event *event = world->events[at];
		char age[STINT_TIME_SIZE];
		if (!is_about(event, about))
			continue;
		const bool warning = event->type && strcmp(event->type, "Warning") == 0;
		tui_say(text, TUI_DIM, "%8s  ",
			stint_duration_format(app->now.ms > event->last_ms ? app->now.ms - event->last_ms : 0, age));
		tui_say(text, warning ? TUI_WARN : TUI_TEXT, "%-22s ", event->reason ? event->reason : "");
		tui_say(text, TUI_TEXT, "%s", event->message ? event->message : "");
		if (event->count > 1)
			tui_say(text, TUI_DIM, " (%d times)", (int)event->count);
		tui_say_line(text);
		shown++;
	}
	if (!shown) {
		tui_say(text, TUI_DIM, "%s", world->events_known ? "none is remembered" : "not read, or they may not be seen");
		tui_say_line(text);
	}
}

/* ---- a workload -------------------------------------------------------------------------------------------------------------------- */

static void say_pods(const struct tui_app *app, const struct stint_workload *workload, struct tui_text *text)
{
	tui_say_title(text, "Pods");
	if (!workload->pods_count) {
		tui_say(text, TUI_DIM, "none");
		tui_say_line(text);
	}
	for (size_t at = 0; at < workload->pods_count; at++) {
		const struct stint_pod *pod = workload->pods[at];
		const struct stint_node_use *node = tui_world_node(app->now.world, pod->node);
		const char *slots = stint_object_annotation(&pod->meta, "stint.dev/gpu-devices"), *state = stint_pod_state(pod);
		char age[STINT_TIME_SIZE];
		const enum tui_role role = pod->phase == STINT_PHASE_FAILED ? TUI_BAD
			: pod->phase == STINT_PHASE_RUNNING		    ? TUI_GOOD
			: pod->phase == STINT_PHASE_PENDING		    ? TUI_WARN
									    : TUI_DIM;
		tui_say(text, TUI_TEXT, "%-40s ", pod->meta.name);
		tui_say(text, role, "%-18s ", state ? state : "?");
		tui_say(text, node && !tui_node_is_usable(node->node) ? TUI_BAD : TUI_TEXT, "%-20s ", pod->node ? pod->node : "-");
		tui_say(text, TUI_DIM, "%s%s%s", slots ? "device " : "", slots ? slots : "",
			pod->started_ms >= 0 ? slots ? ", started " : "started " : "");
		if (pod->started_ms >= 0)
			tui_say(text, TUI_DIM, "%s ago", stint_duration_format(app->now.ms - pod->started_ms, age));
		if (pod->restarts > 0)
			tui_say(text, TUI_WARN, ", %d restart%s", (int)pod->restarts, pod->restarts == 1 ? "" : "s");
		if (pod->exited && pod->exit_code)
			tui_say(text, TUI_BAD, ", exit %d", (int)pod->exit_code);
		tui_say_line(text);
	}
}

/* Who took its places, when and for whom. */
static void say_evictions(const struct tui_app *app, const struct stint_workload *workload, struct tui_text *text)
{
	const struct tui_world *world = app->now.world;
	size_t shown = 0;
	for (size_t at = 0; at < world->victims_count && shown < EVICTIONS_SHOWN; at++) {
		const struct tui_victim *victim = &world->victims[at];
		struct tui_field lost = {.text = ""};
		char age[STINT_TIME_SIZE];
		if (victim->workload != workload)
			continue;
		view_lost(victim, &lost);
		stint_autofree char *line = stint_format("%s ago, pod %s, %s: %s%s%s",
			stint_duration_format(app->now.ms - victim->at_ms, age), victim->pod, victim->reason,
			victim->why ? victim->why : "", victim->gpus < 0 ? "" : "; lost: ", victim->gpus < 0 ? "" : lost.text);
		tui_say_field(text, shown++ ? "" : "Evicted", TUI_WARN, line);
	}
}

static void say_workload(const struct tui_app *app, const struct stint_workload *workload, struct tui_text *text)
{
	struct tui_field gpus = {.text = ""};
	char number[VIEW_WORD];
	view_workload_gpus(workload, &gpus);
	stint_autofree char *state = stint_format("%s%s%s%s%s", stint_workload_phase_name(workload->phase), workload->reason ? ": " : "",
		workload->reason ? workload->reason : "", workload->message ? ": " : "", workload->message ? workload->message : "");
	tui_say_field(text, "State", workload->never ? TUI_BAD : view_phase_role(workload->phase), state);
	stint_autofree char *project =
		stint_format("%s%s%s", workload->project, workload->queue ? ", queue " : "", workload->queue ? workload->queue : "");
	tui_say_field(text, "Project", tui_project_role(tui_workload_project(workload)), project);
	stint_autofree char *kind =
		stint_format("%s (%s, %s)", stint_workload_type_name(workload->type), workload->kind, workload->api_version);
	tui_say_field(text, "Type", TUI_TEXT, kind);
	stint_autofree char *asked = stint_format("%s%s", gpus.text, workload->gpus_allocated_unknown ? " and more that is not known" : "");
	tui_say_field(text, "GPUs", TUI_TEXT, asked);
	if (workload->gpu.kind == STINT_GPU_FRACTION) {
		stint_autofree char *each =
			stint_format("%s of each of %u", view_gpus(workload->gpu.portion, number), workload->gpu.devices);
		tui_say_field(text, "Each pod", TUI_TEXT, each);
	}
	stint_autofree char *pods = stint_format("%d wanted, %d run, %d wait, %d succeeded, %d failed", (int)workload->pods_wanted,
		(int)workload->pods_running, (int)workload->pods_waiting, (int)workload->pods_succeeded, (int)workload->pods_failed);
	tui_say_field(text, "Pods", TUI_TEXT, pods);
	const char *label = workload->owner ? stint_object_label(&workload->owner->meta, "priorityClassName") : NULL;
	stint_autofree char *priority = stint_format(
		"%s%s", workload->priority_class ? workload->priority_class : "", label && *label ? " (its label priorityClassName)" : "");
	tui_say_field(text, "Priority", TUI_TEXT, *priority ? priority : NULL);
	say_age(text, "Made", workload->created_ms, app->now.ms);
	say_age(text, "Started", workload->started_ms, app->now.ms);
	say_age(text, "Ended", workload->ended_ms, app->now.ms);
	tui_say_field(text, "UID", TUI_DIM, workload->uid);
	if (workload->pods_count && workload->pods[0]->spec->containers_count)
		tui_say_field(text, "Image", TUI_TEXT, workload->pods[0]->spec->containers[0].image);
	for (size_t at = 0; at < app->now.world->waiting_count; at++) {
		const struct tui_waiting *waiting = &app->now.world->waiting[at];
		if (waiting->workload != workload)
			continue;
		stint_autofree char *place = waiting->tried
			? stint_format("%zu of %zu that wait, %u in its project", at + 1, app->now.world->waiting_count, waiting->position)
			: stint_strdup("not tried yet: it has no queue, or pods of its gang are missing");
		tui_say_field(text, "In the line", TUI_TEXT, place);
		tui_say_field(text, "Node pools", TUI_TEXT, waiting->pools);
	}
	say_evictions(app, workload, text);
	say_pods(app, workload, text);
}

/* ---- a node ------------------------------------------------------------------------------------------------------------------------ */

static void say_device(const struct stint_device_use *device, size_t slot, bool all_known, struct tui_text *text)
{
	char share[VIEW_WORD], percent[VIEW_WORD], memory[STINT_QUANTITY_SIZE];
	tui_say(text, TUI_STRONG, "%4zu  ", slot);
	tui_say(text, TUI_TEXT, "%-6s", view_gpus(device->allocated, share));
	tui_say(text, device->util_percent < 0 ? TUI_DIM : TUI_TEXT, "%6s busy  ", view_percent(device->util_percent, percent));
	tui_say(text, device->memory_mib < 0 ? TUI_DIM : TUI_TEXT, "%9s  ",
		device->memory_mib < 0 ? "?" : stint_bytes_human(device->memory_mib * 1024 * 1024, memory));
	if (!device->users_count)
		tui_say(text, TUI_DIM, all_known ? "free" : "free, or held by others that may not be seen");
	for (const struct stint_device_user *at = device->users; at < device->users + device->users_count; at++) {
		const char *project = at->workload ? tui_workload_project(at->workload) : at->pod->meta.space;
		tui_say(text, tui_project_role(project), "%s%s/%s", at == device->users ? "" : ", ", project ? project : "?",
			at->workload ? at->workload->name : at->pod->meta.name);
		if (at->share < 1)
			tui_say(text, TUI_DIM, " (%s)", view_gpus(at->share, share));
	}
	tui_say_line(text);
}

static void say_node(const struct tui_app *app, const struct stint_node_use *node, struct tui_text *text)
{
	static const char *const effects[] = {"", "NoSchedule", "PreferNoSchedule", "NoExecute"};
	static const struct {
		unsigned bit;
		const char *name;
	} pressures[] = {{STINT_PRESSURE_MEMORY, "MemoryPressure"}, {STINT_PRESSURE_DISK, "DiskPressure"},
		{STINT_PRESSURE_PID, "PIDPressure"}, {STINT_PRESSURE_NETWORK, "NetworkUnavailable"}};
	const struct stint_node *it = node->node;
	char number[VIEW_WORD], used[STINT_QUANTITY_SIZE], all[STINT_QUANTITY_SIZE];
	const bool known = app->now.world->pods_known && !app->now.world->only;
	stint_autofree char *state =
		stint_format("%s%s%s%s%s", tui_node_status(it), it->ready != STINT_TRUE && it->ready_reason ? ": " : "",
			it->ready != STINT_TRUE && it->ready_reason ? it->ready_reason : "",
			it->ready != STINT_TRUE && it->ready_message ? ": " : "",
			it->ready != STINT_TRUE && it->ready_message ? it->ready_message : "");
	tui_say_field(text, "State", view_node_role(it), state);
	for (size_t at = 0; at < STINT_COUNT(pressures); at++) {
		if (it->pressures & pressures[at].bit)
			tui_say_field(text, "Condition", TUI_BAD, pressures[at].name);
	}
	for (uint32_t at = 0; at < it->taints_count; at++) {
		stint_autofree char *taint = stint_format("%s%s%s:%s", it->taints[at].key, *it->taints[at].value ? "=" : "",
			it->taints[at].value, effects[it->taints[at].effect]);
		tui_say_field(text, at ? "" : "Taints", TUI_WARN, taint);
	}
	tui_say_field(text, "Product", TUI_TEXT, it->gpu_product);
	stint_autofree char *gpus =
		stint_format("%s of %zu held", view_held(app->now.world, node->gpus_allocated, number), node->devices_count);
	tui_say_field(text, "GPUs", TUI_TEXT, gpus);
	stint_autofree char *cpu = stint_format("%s of %s requested", known ? stint_gpus_format((double)node->cpu_milli / 1000, used) : "?",
		stint_gpus_format((double)it->allocatable.cpu_milli / 1000, all));
	tui_say_field(text, "CPU", TUI_TEXT, cpu);
	stint_autofree char *memory = stint_format("%s of %s requested", known ? stint_bytes_human(node->memory_bytes, used) : "?",
		stint_bytes_human(it->allocatable.memory_bytes, all));
	tui_say_field(text, "Memory", TUI_TEXT, memory);
	stint_autofree char *pods = known ? stint_format("%u", node->pods) : stint_strdup("?");
	tui_say_field(text, "Pods", TUI_TEXT, pods);
	tui_say_field(text, "Address", TUI_TEXT, it->internal_ip);
	tui_say_field(text, "Kubelet", TUI_TEXT, it->kubelet_version);
	say_age(text, "Made", it->meta.created_ms, app->now.ms);
	tui_say_title(text, "Devices");
	for (size_t slot = 0; slot < node->devices_count; slot++)
		say_device(&node->devices[slot], slot, known, text);
}

/* ---- a project, an event ----------------------------------------------------------------------------------------------------------- */

static void say_project(const struct tui_app *app, const struct tui_project *project, struct tui_text *text)
{
	char number[VIEW_WORD];
	tui_say_field(text, project->is_department ? "Department" : "Project", TUI_STRONG, project->name);
	tui_say_field(text, "In", TUI_TEXT, project->department);
	if (!project->queue)
		tui_say_field(text, "Queue", TUI_WARN, "none of that name is to be seen: what names it waits, or it may not be read");
	tui_say_field(text, "Quota", TUI_TEXT, view_limit(project->quota, project->has_quota, number));
	tui_say_field(text, "Fair share", TUI_TEXT, view_gpus(project->fair_share, number));
	tui_say_field(text, "Limit", TUI_TEXT, view_limit(project->limit, project->has_limit, number));
	stint_autofree char *weight = stint_format("%g, priority %d", project->weight, (int)project->priority);
	tui_say_field(text, "Weight", TUI_TEXT, project->queue ? weight : NULL);
	tui_say_field(text, "Held", TUI_TEXT, view_gpus(project->allocated, number));
	stint_autofree char *wanted = stint_format("%s%s", view_gpus(project->requested, number),
		project->requested_unknown ? ", and memory of GPUs that is not counted" : "");
	tui_say_field(text, "Wanted in all", TUI_TEXT, wanted);
	stint_autofree char *workloads = stint_format(
		"%u run, %u wait, %u suspended, %u ended", project->running, project->waiting, project->suspended, project->ended);
	tui_say_field(text, "Workloads", TUI_TEXT, workloads);
	tui_say_title(text, "What waits in it");
	size_t shown = 0;
	for (size_t at = 0; at < app->now.world->waiting_count && shown < 50; at++) {
		const struct tui_waiting *waiting = &app->now.world->waiting[at];
		if (strcmp(waiting->project->name, project->name) != 0)
			continue;
		struct tui_field gpus = {.text = ""};
		view_workload_gpus(waiting->workload, &gpus);
		if (waiting->tried)
			tui_say(text, TUI_DIM, "%4u  ", waiting->position);
		else
			tui_say(text, TUI_DIM, "   -  ");
		tui_say(text, TUI_TEXT, "%-32s %8s  ", waiting->workload->name, gpus.text);
		tui_say(text, waiting->workload->never ? TUI_BAD : TUI_WARN, "%s",
			waiting->workload->reason ? waiting->workload->reason : "not judged yet");
		tui_say_line(text);
		shown++;
	}
	if (!shown) {
		tui_say(text, TUI_DIM, "nothing");
		tui_say_line(text);
	}
}

static void say_event(const struct tui_app *app, const struct stint_event *event, struct tui_text *text)
{
	stint_autofree char *object = stint_format("%s %s%s%s", event->about_kind ? event->about_kind : "?",
		event->about_space ? event->about_space : "", event->about_space ? "/" : "", event->about_name ? event->about_name : "?");
	stint_autofree char *count = stint_format("%d", (int)event->count);
	tui_say_field(text, "About", TUI_STRONG, object);
	tui_say_field(text, "Type", event->type && strcmp(event->type, "Warning") == 0 ? TUI_WARN : TUI_TEXT, event->type);
	tui_say_field(text, "Reason", TUI_TEXT, event->reason);
	tui_say_field(text, "Count", TUI_TEXT, count);
	say_age(text, "First", event->first_ms, app->now.ms);
	say_age(text, "Last", event->last_ms, app->now.ms);
	tui_say_field(text, "Told by", TUI_TEXT, event->component);
	tui_say_title(text, "Message");
	tui_say(text, TUI_TEXT, "%s", event->message ? event->message : "");
	tui_say_line(text);
}

/* ---- the view ---------------------------------------------------------------------------------------------------------------------- */

static const struct stint_event *find_event(const struct tui_world *world, const struct tui_about *about)
{
	for (size_t at = 0; at < world->events_count; at++) {
		if (world->events[at]->meta.uid && about->uid && strcmp(world->events[at]->meta.uid, about->uid) == 0)
			return world->events[at];
	}
	return NULL;
}

static void write(const struct tui_app *app, const struct tui_screen *screen, struct tui_text *text)
{
	const struct tui_world *world = app->now.world;
	const struct tui_about *about = &screen->about;
	if (!world)
		return;
	const struct stint_workload *workload = tui_app_workload(app, about);
	const struct stint_node_use *node = about->kind == TUI_A_NODE ? tui_world_node(world, about->name) : NULL;
	const struct tui_project *project = about->kind == TUI_A_PROJECT ? tui_world_project(world, about->name) : NULL;
	const struct stint_event *event = about->kind == TUI_AN_EVENT ? find_event(world, about) : NULL;
	if (workload)
		say_workload(app, workload, text);
	if (node)
		say_node(app, node, text);
	if (project)
		say_project(app, project, text);
	if (event)
		say_event(app, event, text);
	if (!workload && !node && !project && !event) {
		tui_say(text, TUI_WARN, "%s has gone.", about->name ? about->name : "it");
		tui_say_line(text);
	}
	if (about->kind == TUI_A_WORKLOAD || about->kind == TUI_A_NODE)
		say_events(app, about, text);
}

const struct tui_view tui_view_detail = {.name = "detail", .title = "Detail", .where = TUI_IN_TEXT, .write = write};
