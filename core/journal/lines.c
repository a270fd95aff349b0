/*
 * lines: decisions and records in words.
 */
#include "lines.h"
#include "form.h"

static const char *const decisions[] = {[STINT_DECIDE_BIND] = "bind",
	[STINT_DECIDE_RESERVE] = "reserve",
	[STINT_DECIDE_EVICT] = "evict",
	[STINT_DECIDE_WITHDRAW] = "withdraw"};

static const char *group_key(const struct stint_engine *engine, uint32_t group)
{
	struct stint_group_view view;
	return group != STINT_NO_HANDLE && stint_engine_group_view(engine, group, &view) ? view.key : NULL;
}

static void set_text(struct stint_json *line, const char *key, const char *text)
{
	if (text)
		stint_json_set_string(line, key, text);
}

static void set_pod(struct stint_json *line, const struct stint_engine *engine, uint32_t pod)
{
	struct stint_pod_view view;
	if (pod == STINT_NO_HANDLE || !stint_engine_pod_view(engine, pod, &view))
		return;
	const struct stint_object *meta = &view.pod->meta;
	stint_autofree char *name = meta->space ? stint_format("%s/%s", meta->space, meta->name) : stint_strdup(meta->name);
	stint_json_set_string(line, "pod", name);
	set_text(line, "uid", meta->uid);
}

static void set_number(struct stint_json *line, const char *key, double value)
{
	if (value < 0 || value > 0)
		stint_json_set_double(line, key, value);
}

static void set_whole(struct stint_json *line, const char *key, int64_t value, int64_t otherwise)
{
	if (value != otherwise)
		stint_json_set_int(line, key, value);
}

static void set_devices(struct stint_json *line, const struct stint_engine *engine, uint32_t pod)
{
	struct stint_pod_devices claim;
	for (uint32_t i = 0; stint_engine_pod_devices(engine, pod, i, &claim); i++) {
		struct stint_json *entry = stint_json_append(stint_json_ensure_array(line, "claims"), stint_json_new_object());
		set_text(entry, "claim", claim.claim->meta.name);
		struct stint_json *list = stint_json_ensure_array(entry, "devices");
		for (uint32_t d = 0; d < claim.count; d++) {
			stint_autofree char *name =
				stint_format("%s/%s/%s", claim.devices[d].driver, claim.devices[d].pool, claim.devices[d].device);
			stint_json_append(list, stint_json_new_string(name));
		}
	}
}

static void set_zones(struct stint_json *line, const struct stint_engine *engine, uint32_t pod)
{
	int32_t numbers[STINT_MAX_ZONES];
	const uint32_t count = stint_engine_pod_zones(engine, pod, numbers);
	for (uint32_t i = 0; i < count; i++)
		stint_json_append(stint_json_ensure_array(line, "zones"), stint_json_new_int(numbers[i]));
}

struct stint_json *line_of_decision(const struct stint_engine *engine, const struct stint_decision *decision)
{
	struct stint_node_view node;
	struct stint_json *line = stint_json_new_object();
	stint_json_set_string(line, "decision", decisions[decision->kind]);
	stint_json_set_string(line, "action", stint_action_name(decision->action));
	set_pod(line, engine, decision->pod);
	set_text(line, "group", group_key(engine, decision->group));
	if (decision->serves != decision->group)
		set_text(line, "for", group_key(engine, decision->serves));
	if (stint_engine_node_view(engine, decision->node, &node))
		set_text(line, "node", node.name);
	if (decision->devices)
		stint_json_set(line, "devices", form_put_slots(decision->devices));
	if (decision->unopened)
		stint_json_set(line, "unopened", form_put_slots(decision->unopened));
	if (decision->gpu == STINT_GPU_FRACTION || decision->gpu == STINT_GPU_MEMORY) {
		set_whole(line, "portion_percent", decision->portion_percent, 0);
		set_whole(line, "memory_mib", decision->device_memory_mib, 0);
	}
	if (decision->kind == STINT_DECIDE_BIND || decision->kind == STINT_DECIDE_RESERVE) {
		set_devices(line, engine, decision->pod);
		set_zones(line, engine, decision->pod);
	}
	set_number(line, "lost_gpu_seconds", decision->lost_gpu_seconds);
	return line;
}

static const char *queue_name(const struct stint_engine *engine, uint32_t queue)
{
	return queue == STINT_NO_HANDLE ? NULL : stint_engine_queue_name(engine, queue);
}

static void set_bound(struct stint_json *line, const struct stint_record *record)
{
	stint_json_set_string(line, "dimension", stint_dimension_name(record->dimension));
	set_number(line, "bound", record->bound);
	set_number(line, "allocated", record->allocated);
	set_number(line, "asked", record->asked);
}

struct stint_json *line_of_record(const struct stint_engine *engine, uint32_t group)
{
	const char *key = group_key(engine, group);
	const struct stint_record record = stint_engine_record(engine, group);
	const struct stint_record_place place = stint_engine_record_place(engine, group);
	struct stint_json *line = stint_json_new_object();
	stint_json_set_string(line, record.reason == STINT_REASON_NONE ? "waits_not" : "waits", key);
	if (record.reason == STINT_REASON_NONE)
		return line;
	stint_json_set_string(line, "reason", stint_reason_name(record.reason));
	set_text(line, "queue", queue_name(engine, record.queue));
	if (record.reason == STINT_REASON_OVER_LIMIT || record.reason == STINT_REASON_OVER_QUOTA)
		set_bound(line, &record);
	set_text(line, "part", place.part);
	set_text(line, "topology", place.topology);
	set_text(line, "level", place.level);
	set_text(line, "domain", place.domain);
	set_whole(line, "have", record.have, 0);
	set_whole(line, "need", record.need, 0);
	set_pod(line, engine, record.pod);
	if (record.reason == STINT_REASON_PROMISED)
		set_text(line, "blocker", group_key(engine, record.blocker));
	if (record.restraint != STINT_RESTRAINT_NONE) {
		stint_json_set_string(line, "restraint", stint_restraint_name(record.restraint));
		stint_json_set_string(line, "restrained_action", stint_action_name(record.restrained_action));
		set_whole(line, "restrained_until_ms", record.restrained_until_ms, 0);
		set_text(line, "restrained_by", group_key(engine, record.restrained_by));
	}
	set_whole(line, "claim_problem", record.problem, STINT_CLAIM_FINE);
	set_whole(line, "expected_ms", record.expected_ms, 0);
	set_whole(line, "since_ms", record.since_ms, -1);
	return line;
}

struct stint_json *line_of_end(const struct stint_cycle *cycle)
{
	struct stint_json *line = stint_json_new_object();
	struct stint_json *counts = stint_json_set(line, "done", stint_json_new_object());
	stint_json_set_int(counts, "decisions", (int64_t)cycle->count);
	stint_json_set_int(counts, "tried", (int64_t)cycle->tried);
	if (cycle->waits_for_leaving)
		stint_json_set_bool(counts, "waits_for_leaving", true);
	set_whole(counts, "next_ms", cycle->next_ms, -1);
	return line;
}
